//! How the published parts are made of what is known. Parts that did not change are left alone, and
//! a part remembers who changed it last.

use std::sync::Arc;

use roomd_room::{
    CaptureReport, ConnectionStatus as Status,
    client_view::{client_views, spotlighted},
};

use super::{
    Appliance, ChangedBy,
    state::{
        CapturePart, DevicePart, LocalMediaPart, LocalParticipantPart, MediaState, Proof, RoomPart,
    },
};

/// How many chat messages are published.
const SHOWN_MESSAGES: usize = 50;

impl Appliance {
    pub(super) fn show(&mut self, cause: &ChangedBy) {
        let room = self.room_part();
        replace_marked(&mut self.shown.room, room, cause, |part| {
            &mut part.changed_by
        });
        let local = self.local_participant_part();
        replace_marked(&mut self.shown.local_participant, local, cause, |part| {
            &mut part.changed_by
        });
        let media = self.local_media_part();
        replace_marked(&mut self.shown.local_media, media, cause, |part| {
            &mut part.changed_by
        });

        let state = self.room.state();
        let views = client_views(state);
        replace(&mut self.shown.spotlights, spotlighted(state, &views));
        replace(&mut self.shown.client_views, views);
        replace(
            &mut self.shown.remote_participants,
            state.remote_participants.clone(),
        );
        replace(
            &mut self.shown.waiting_participants,
            state.waiting_participants.clone(),
        );
        replace(&mut self.shown.screenshares, state.screenshares.clone());
        let first = state.chat_messages.len().saturating_sub(SHOWN_MESSAGES);
        replace(&mut self.shown.chat, state.chat_messages[first..].to_vec());
        replace(
            &mut self.shown.cloud_recording,
            state.cloud_recording.clone(),
        );
        replace(&mut self.shown.requests, self.requests.list());
        replace(&mut self.shown.problems, self.problems.list());
    }

    fn room_part(&self) -> RoomPart {
        let state = self.room.state();
        let retry = self
            .retry
            .filter(|_| state.connection_status != Status::Connected && self.room_url.is_some());
        RoomPart {
            connection_status: state.connection_status,
            connection_error: state.connection_error.clone(),
            room_url: self.room_url.clone(),
            room_name: Some(state.room_name.clone()).filter(|name| !name.is_empty()),
            is_locked: state.is_locked,
            room_mode: state.room_mode,
            session: state.session.clone(),
            knock_response: state.knock_response.clone(),
            reconnect_attempt: retry.map_or(0, |(attempt, _)| attempt),
            next_retry_at: retry.map(|(_, at)| format!("{at:.3}")),
            changed_by: None,
        }
    }

    fn local_participant_part(&self) -> LocalParticipantPart {
        let state = self.room.state();
        let mut participant = state.local_participant.clone();
        if state.connection_status != Status::Connected {
            participant.is_audio_enabled = state.is_microphone_enabled;
            participant.is_video_enabled = state.is_camera_enabled;
        }
        // Muted only once nothing flows any more.
        participant.is_audio_enabled |= self.microphone.flowing || self.opening.microphone > 0;
        participant.is_video_enabled |= self.camera.flowing || self.opening.camera > 0;
        LocalParticipantPart {
            participant,
            changed_by: None,
        }
    }

    fn local_media_part(&self) -> LocalMediaPart {
        let state = self.room.state();
        let idle = !self.room.is_active();
        LocalMediaPart {
            microphone: capture(
                &self.microphone,
                state.is_microphone_enabled || self.opening.microphone > 0,
                idle,
                MediaState::Muted,
            ),
            camera: capture(
                &self.camera,
                state.is_camera_enabled || self.opening.camera > 0,
                idle,
                MediaState::Off,
            ),
            screenshare_input: DevicePart {
                device: String::new(),
                state: if state.local_participant.is_screen_sharing {
                    MediaState::On
                } else {
                    MediaState::Off
                },
                reason: None,
            },
            speaker: output(
                self.engine.speaker.as_deref(),
                self.speaker_muted,
                "no speaker: nothing is heard here",
            ),
            display: output(
                self.engine.display.as_deref(),
                false,
                "no display: nothing is decoded for one",
            ),
            encoder: self
                .engine
                .encoders
                .first()
                .map(|encoder| super::state::EncoderPart {
                    name: encoder.name.clone(),
                    reason: encoder.why.clone(),
                }),
            volume: self.volume,
            speaker_muted: self.speaker_muted,
            changed_by: None,
        }
    }
}

/// `wish`: it is on, or a demand to open it is still unanswered.
fn capture(report: &CaptureReport, wish: bool, idle: bool, closed: MediaState) -> CapturePart {
    let state = match (report.flowing, &report.error, wish) {
        (true, _, _) => MediaState::On,
        (false, Some(_), _) => MediaState::Failed,
        (false, None, _) if idle => MediaState::Off,
        (false, None, true) => MediaState::Starting,
        (false, None, false) => closed,
    };
    CapturePart {
        device: report.device.clone(),
        state,
        reason: report.error.clone(),
        proof: Proof::from(report),
    }
}

fn output(name: Option<&str>, muted: bool, absent: &str) -> DevicePart {
    let state = match name {
        Some(_) if muted => MediaState::Muted,
        Some(_) => MediaState::On,
        None => MediaState::Off,
    };
    DevicePart {
        device: name.unwrap_or_default().to_owned(),
        state,
        reason: name.is_none().then(|| absent.to_owned()),
    }
}

fn replace<T: PartialEq>(shown: &mut Arc<T>, value: T) {
    if **shown != value {
        *shown = Arc::new(value);
    }
}

/// Replaces a part that changed and marks who changed it.
fn replace_marked<T: PartialEq + Clone>(
    shown: &mut Arc<T>,
    mut value: T,
    cause: &ChangedBy,
    mark: impl Fn(&mut T) -> &mut Option<ChangedBy>,
) {
    let mut before = (**shown).clone();
    let last = mark(&mut before).take();
    if before == value {
        return;
    }
    *mark(&mut value) = Some(cause.clone()).or(last);
    *shown = Arc::new(value);
}
