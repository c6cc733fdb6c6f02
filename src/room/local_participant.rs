//! Oneself: microphone, camera, name and hand.

use roomd_protocol::{
    ClientMessage, RAISED_HAND,
    client::{Enable, SendClientMetadata, UserData},
    records::StickyReaction,
    server::EnableRequested,
};

use crate::{
    action::JoinOptions,
    event::RoomEvent,
    input::{Now, Refusal},
    media_port::{CaptureReport, MediaCommand},
    room_connection::RoomConnection,
    state::ConnectionStatus,
};

/// What was announced last: name and hand.
pub(crate) type Metadata = UserData;

impl RoomConnection {
    pub(crate) fn toggle_microphone(&mut self, enabled: Option<bool>) {
        let enabled = enabled.unwrap_or(!self.state.is_microphone_enabled);
        self.state.is_microphone_enabled = enabled;
        if self.active {
            self.media_command(MediaCommand::Microphone { enabled });
        }
        if self.state.connection_status == ConnectionStatus::Connected {
            self.state.local_participant.is_audio_enabled = enabled;
            self.send(ClientMessage::EnableAudio(Enable { enabled }));
            if enabled {
                // Who speaks need not ask for the word any more.
                self.state.local_participant.sticky_reaction = None;
            }
        }
    }

    pub(crate) fn toggle_camera(&mut self, enabled: Option<bool>) {
        let enabled = enabled.unwrap_or(!self.state.is_camera_enabled);
        self.state.is_camera_enabled = enabled;
        if self.active {
            self.media_command(MediaCommand::Camera { enabled });
        }
        if self.state.connection_status == ConnectionStatus::Connected {
            self.state.local_participant.is_video_enabled = enabled;
            self.send(ClientMessage::EnableVideo(Enable { enabled }));
        }
    }

    /// A microphone that does not open is not announced as open: the wish falls back. One that is waited for keeps it.
    pub(crate) fn microphone_reported(&mut self, report: &CaptureReport) {
        if does_not_work(report) && self.active && self.state.is_microphone_enabled {
            self.toggle_microphone(Some(false));
        }
    }

    /// The same for the camera.
    pub(crate) fn camera_reported(&mut self, report: &CaptureReport) {
        if does_not_work(report) && self.active && self.state.is_camera_enabled {
            self.toggle_camera(Some(false));
        }
    }

    pub(crate) fn toggle_raise_hand(
        &mut self,
        now: Now,
        enabled: Option<bool>,
    ) -> Result<(), Refusal> {
        self.require_connected()?;
        let raised = self.state.local_participant.sticky_reaction.is_some();
        let enabled = enabled.unwrap_or(!raised);
        if enabled != raised {
            self.hand_was_raised = true;
            self.state.local_participant.sticky_reaction = enabled.then(|| StickyReaction {
                reaction: RAISED_HAND.to_owned(),
                timestamp: format!("{:.3}", now.wall),
            });
        }
        Ok(())
    }

    /// Sends name and hand whenever they changed, and once after every join. Assistants never do.
    pub(crate) fn announce_metadata(&mut self) {
        let is_assistant = self.join.as_ref().is_some_and(JoinOptions::is_assistant);
        if self.state.connection_status != ConnectionStatus::Connected || is_assistant {
            return;
        }
        let local = &self.state.local_participant;
        let metadata = Metadata {
            display_name: local.display_name.clone(),
            sticky_reaction: self.hand_was_raised.then(|| local.sticky_reaction.clone()),
        };
        if self.sent_metadata.as_ref() != Some(&metadata) {
            self.sent_metadata = Some(metadata.clone());
            self.send(ClientMessage::SendClientMetadata(SendClientMetadata {
                kind: "UserData".to_owned(),
                payload: metadata,
            }));
        }
    }

    /// "Off" is obeyed at once, whoever asks; "on" is only told.
    pub(crate) fn audio_requested(&mut self, request: &EnableRequested) {
        if !request.enable {
            self.toggle_microphone(Some(false));
        }
        if let Some(client) = self.person(&request.requested_by_client_id) {
            self.event(RoomEvent::RequestAudio {
                client: Box::new(client),
                enable: request.enable,
            });
        }
    }

    pub(crate) fn video_requested(&mut self, request: &EnableRequested) {
        if !request.enable {
            self.toggle_camera(Some(false));
        }
        if let Some(client) = self.person(&request.requested_by_client_id) {
            self.event(RoomEvent::RequestVideo {
                client: Box::new(client),
                enable: request.enable,
            });
        }
    }
}

/// It was to be on, is not, and will not be by itself.
fn does_not_work(report: &CaptureReport) -> bool {
    report.error.is_some() && !report.flowing && !report.returning
}
