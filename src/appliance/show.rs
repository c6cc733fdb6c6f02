//! How the published parts are made of what is known. Parts that did not change are left alone, and
//! a part remembers who changed it last.

use std::sync::Arc;

use roomd_protocol::CAMERA_STREAM_ID;
use roomd_room::{
    CaptureReport, ConnectionStatus as Status, RoomEvent,
    state::{BreakoutState, ClientView, ViewStream},
};
use serde_json::json;

use super::{
    Appliance, ApplianceEvent, ApplianceOutput, ChangedBy,
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
        let own = (
            local.participant.is_audio_enabled,
            local.participant.is_video_enabled,
        );
        let before = Arc::clone(&self.shown.local_participant);
        replace_marked(&mut self.shown.local_participant, local, cause, |part| {
            &mut part.changed_by
        });
        let media = self.local_media_part();
        replace_marked(&mut self.shown.local_media, media, cause, |part| {
            &mut part.changed_by
        });

        let state = self.room.state();
        let spotlights = truthful_views(&state.spotlighted_participants, own);
        replace(&mut self.shown.spotlights, spotlights);
        let views = truthful_views(&state.client_views, own);
        replace(&mut self.shown.client_views, views);
        let breakout_before = Arc::clone(&self.shown.breakout);
        replace(
            &mut self.shown.breakout,
            truthful_breakout(&state.breakout, own),
        );
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
        replace(&mut self.shown.controls, self.controls.clone());
        self.shown.identify = (self.identify_until).map(|_| self.settings.display_name.clone());
        replace(&mut self.shown.live_stream, state.live_stream.clone());
        replace(
            &mut self.shown.live_transcription,
            state.live_transcription.clone(),
        );
        replace(&mut self.shown.live_captions, state.live_captions.clone());
        replace(&mut self.shown.problems, self.problems.list());
        let devices = self.engine.devices.iter();
        replace(&mut self.shown.devices, devices.map(Into::into).collect());
        if std::mem::replace(&mut self.was_shown, true) {
            self.tell_changes(&before, &breakout_before);
        }
    }

    /// The events about oneself. They are told from what is shown, not from what the room core
    /// wished: no event says "muted" before it is so.
    fn tell_changes(&mut self, local: &Arc<LocalParticipantPart>, breakout: &Arc<BreakoutState>) {
        let (before, now) = (
            &local.participant,
            &self.shown.local_participant.participant,
        );
        let mut events = Vec::new();
        if !Arc::ptr_eq(breakout, &self.shown.breakout) {
            events.push(("breakout_config_changed", json!(self.shown.breakout)));
        }
        if before.is_video_enabled != now.is_video_enabled {
            let enabled = now.is_video_enabled;
            events.push(("camera_state_changed", json!({ "enabled": enabled })));
        }
        if before.is_audio_enabled != now.is_audio_enabled {
            let enabled = now.is_audio_enabled;
            events.push(("microphone_state_changed", json!({ "enabled": enabled })));
        }
        if before != now {
            let part = json!(self.shown.local_participant);
            events.push(("local_participant_changed", part));
        }
        let events = events.into_iter().map(|(name, payload)| ApplianceEvent {
            name: name.to_owned(),
            payload,
        });
        self.outputs.extend(events.map(ApplianceOutput::Event));
    }

    /// Tiles in an event say of oneself what the state says.
    pub(super) fn truthful(&self, event: RoomEvent) -> RoomEvent {
        let participant = self.local_participant_part().participant;
        let own = (participant.is_audio_enabled, participant.is_video_enabled);
        match event {
            RoomEvent::SpotlightParticipantAdded(view) => {
                let mut views = truthful_views(&[*view], own);
                RoomEvent::SpotlightParticipantAdded(Box::new(views.remove(0)))
            }
            other => other,
        }
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
            num_participants: state.remote_client_count + 1,
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
            mode: state.capture_profile.into(),
            widescreen: state.capture_profile.widescreen,
            volume: self.volume,
            speaker_muted: self.speaker_muted,
            changed_by: None,
        }
    }
}

/// One's own camera tile with microphone and camera as the media graph has them.
fn truthful_views(views: &[ClientView], (audio, video): (bool, bool)) -> Vec<ClientView> {
    let mut views = views.to_vec();
    for view in &mut views {
        if view.is_local_client && !view.is_presentation {
            view.is_audio_enabled = audio;
            view.is_video_enabled = video;
            view.stream = (audio || video).then(|| ViewStream {
                id: CAMERA_STREAM_ID.into(),
                video,
                audio,
            });
        }
    }
    views
}

fn truthful_breakout(state: &BreakoutState, own: (bool, bool)) -> BreakoutState {
    let mut state = state.clone();
    for views in [
        &mut state.participants_in_current_group,
        &mut state.broadcasting_participants,
    ] {
        *views = truthful_views(views, own);
    }
    for group in &mut state.grouped_participants {
        group.clients = truthful_views(&group.clients, own);
    }
    state
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
