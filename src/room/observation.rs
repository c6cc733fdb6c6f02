//! Which named events follow from a step: the state before against the state after.
//!
//! The SDK tells some of them on every change of anything; here each is told when its own content
//! changed. Streams count by their identity: a picture that grows is no event.

use crate::{
    event::RoomEvent,
    input::Effect,
    room_connection::RoomConnection,
    state::{RemoteParticipant, RemoteStream, RoomConnectionState},
};

impl RoomConnection {
    /// Adds the events of what changed since the last time before those that followed, as the SDK tells them.
    pub(crate) fn observe(&mut self) {
        if self.observed == self.state {
            return;
        }
        let events = changes(&self.observed, &self.state);
        self.observed.clone_from(&self.state);
        let untold = self.effects.get(self.told..).unwrap_or_default();
        let first = untold
            .iter()
            .position(|effect| matches!(effect, Effect::Event(_)))
            .unwrap_or(untold.len());
        let first = self.told + first;
        self.effects
            .splice(first..first, events.into_iter().map(Effect::Event));
        self.told = self.effects.len();
    }
}

fn changes(before: &RoomConnectionState, now: &RoomConnectionState) -> Vec<RoomEvent> {
    use RoomEvent as E;
    let mut events = Vec::new();
    if before.cloud_recording != now.cloud_recording {
        events.push(E::CloudRecordingStatusChanged(now.cloud_recording.clone()));
    }
    if before.live_captions != now.live_captions {
        events.push(E::LiveCaptionsStatusChanged(now.live_captions.clone()));
    }
    if before.live_transcription != now.live_transcription {
        let now = now.live_transcription.clone();
        events.push(E::LiveTranscriptionStatusChanged(now));
    }
    if before.breakout != now.breakout {
        events.push(E::BreakoutConfigChanged(Box::new(now.breakout.clone())));
    }
    if before.connection_status != now.connection_status {
        events.push(E::ConnectionStatusChanged(now.connection_status));
    }
    if before.connection_error != now.connection_error {
        events.push(E::ConnectionErrorChanged(now.connection_error.clone()));
    }
    if before.is_camera_enabled != now.is_camera_enabled {
        events.push(E::CameraStateChanged(now.is_camera_enabled));
    }
    if before.is_microphone_enabled != now.is_microphone_enabled {
        events.push(E::MicrophoneStateChanged(now.is_microphone_enabled));
    }
    if before.live_stream != now.live_stream {
        events.push(match &now.live_stream {
            Some(stream) => E::StreamingStarted(stream.clone()),
            None => E::StreamingStopped,
        });
    }
    if before.local_screenshare_status != now.local_screenshare_status {
        events.push(E::LocalScreenshareStatusChanged(
            now.local_screenshare_status,
        ));
    }
    if before.local_participant != now.local_participant {
        let local = Box::new(now.local_participant.clone());
        events.push(E::LocalParticipantChanged(local));
    }
    if !alike(&before.remote_participants, &now.remote_participants) {
        events.push(E::RemoteParticipantsChanged(
            now.remote_participants.clone(),
        ));
    }
    lists(before, now, &mut events);
    events
}

/// What came and what went, by id.
fn lists(before: &RoomConnectionState, now: &RoomConnectionState, events: &mut Vec<RoomEvent>) {
    use RoomEvent as E;
    let (old, new) = (&before.screenshares, &now.screenshares);
    events.extend(only_in(new, old, |one| &one.id).map(|one| E::ScreenshareStarted(one.clone())));
    events
        .extend(only_in(old, new, |one| &one.id).map(|one| E::ScreenshareStopped(one.id.clone())));

    let (old, new) = (&before.waiting_participants, &now.waiting_participants);
    let came = only_in(new, old, |one| &one.id);
    events.extend(came.map(|one| E::WaitingParticipantJoined(one.clone())));
    let went = only_in(old, new, |one| &one.id);
    events.extend(went.map(|one| E::WaitingParticipantLeft(one.id.clone())));

    let (old, new) = (
        &before.spotlighted_participants,
        &now.spotlighted_participants,
    );
    let added = only_in(new, old, |view| &view.id);
    events.extend(added.map(|view| E::SpotlightParticipantAdded(Box::new(view.clone()))));
    let removed = only_in(old, new, |view| &view.id);
    events.extend(removed.map(|view| E::SpotlightParticipantRemoved(view.id.clone())));
}

fn only_in<'a, T, I: PartialEq + 'a>(
    here: &'a [T],
    there: &'a [T],
    id: impl Fn(&'a T) -> &'a I + Copy + 'a,
) -> impl Iterator<Item = &'a T> {
    here.iter()
        .filter(move |one| there.iter().all(|other| id(other) != id(one)))
}

fn alike(before: &[RemoteParticipant], now: &[RemoteParticipant]) -> bool {
    let mut pairs = before.iter().zip(now);
    before.len() == now.len()
        && pairs.all(|(a, b)| {
            // Without a clone where nothing changed at all, which is nearly always.
            a == b || steady(a) == steady(b)
        })
}

fn steady(participant: &RemoteParticipant) -> RemoteParticipant {
    let mut participant = participant.clone();
    let streams = [
        &mut participant.stream,
        &mut participant.presentation_stream,
    ];
    for RemoteStream { tracks, .. } in streams.into_iter().flatten() {
        (tracks.width, tracks.height, tracks.fps) = (0, 0, 0);
        tracks.receiving = false;
    }
    participant.streams.clear();
    participant.is_accepted = false;
    participant.ended_shares.clear();
    participant
}
