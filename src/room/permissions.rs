//! Who may do what, before anything is sent.
//!
//! The SDK asks for the host's role where its page shows a button to hosts alone, and sends the rest: a server drops what a
//! role may not do without an answer. A box has no page, and a controller that waits for an answer is better served by being
//! told at once; so this is the server's whole table. A role that this protocol does not know is refused only what needs a
//! host.

use std::fmt;

use roomd_protocol::records::RoleName;

use crate::{
    action::Action, input::Refusal, media_port::MediaCommand, room_connection::RoomConnection,
    state::ConnectionStatus,
};

/// What an action needs of who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To be a host.
    Host,
    /// To be seen and heard: viewers and programs of the service are not.
    Publisher,
    /// To take part in the conversation: programs of the service do not.
    Participant,
    /// To have written it, or to be a host.
    Author,
    /// To be assigned to the group, or to be a host.
    Assigned,
}

impl fmt::Display for Right {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str(match self {
            Self::Host => "the role host",
            Self::Publisher => "a role that is seen and heard",
            Self::Participant => "a role that takes part in the conversation",
            Self::Author => "its writer or a host",
            Self::Assigned => "somebody who is assigned to this group, or a host",
        })
    }
}

impl RoomConnection {
    /// Refuses what the own role may not do. Outside of a room there is no role: what needs a room is refused for that.
    pub(crate) fn require_right(&self, action: &Action) -> Result<(), Refusal> {
        if self.state.connection_status != ConnectionStatus::Connected {
            return Ok(());
        }
        let role = self.state.local_participant.role_name;
        match self.right_of(action) {
            Some(needs) if !self.has(needs, action) => Err(Refusal::NotPermitted { needs, role }),
            _ => Ok(()),
        }
    }

    /// Closes the devices of who is not to be seen and heard. Others do not ask whether they may play what arrives, and the
    /// room shows both as off already.
    pub(crate) fn close_what_may_not_be_sent(&mut self) {
        if may_publish(self.state.local_participant.role_name) {
            return;
        }
        if std::mem::take(&mut self.state.is_microphone_enabled) {
            self.media_command(MediaCommand::Microphone { enabled: false });
        }
        if std::mem::take(&mut self.state.is_camera_enabled) {
            self.media_command(MediaCommand::Camera { enabled: false });
        }
    }

    fn right_of(&self, action: &Action) -> Option<Right> {
        use Action as A;
        match action {
            A::JoinRoom(_)
            | A::LeaveRoom
            | A::Knock
            | A::CancelKnock
            | A::SetDisplayName(_)
            | A::ToggleLowDataMode(_)
            | A::ToggleHdMode(_)
            | A::ToggleWidescreenMode(_)
            | A::StopScreenshare => None,
            // Off is always allowed.
            A::ToggleMicrophone(to) => to
                .unwrap_or(!self.state.is_microphone_enabled)
                .then_some(Right::Publisher),
            A::ToggleCamera(to) => to
                .unwrap_or(!self.state.is_camera_enabled)
                .then_some(Right::Publisher),
            A::StartScreenshare { .. } => Some(Right::Publisher),
            A::ToggleRaiseHand(_)
            | A::SendChatMessage { .. }
            | A::StartLiveCaptions
            | A::StopLiveCaptions
            | A::JoinBreakoutMainRoom => Some(Right::Participant),
            A::RemoveChatMessage { .. } => Some(Right::Author),
            A::JoinBreakoutGroup(_) => Some(Right::Assigned),
            A::AcceptWaitingParticipant(_)
            | A::HoldWaitingParticipant(..)
            | A::RejectWaitingParticipant(..)
            | A::LockRoom(_)
            | A::AskToSpeak(_)
            | A::AskToTurnOnCamera(_)
            | A::MuteParticipants(_)
            | A::TurnOffParticipantCameras(_)
            | A::SpotlightParticipant(_)
            | A::RemoveSpotlight(_)
            | A::KickParticipant(_)
            | A::EndMeeting { .. }
            | A::StartCloudRecording
            | A::StopCloudRecording
            | A::StartLiveTranscription
            | A::StopLiveTranscription
            | A::StartBreakoutSession { .. }
            | A::UpdateBreakoutSession { .. }
            | A::StopBreakoutSession
            | A::AssignBreakoutParticipants(_)
            | A::AssignAllBreakoutParticipants
            | A::UnassignAllBreakoutParticipants
            | A::ShuffleBreakoutParticipants
            | A::ExtendBreakoutTimer(_)
            | A::StopBreakoutTimer
            | A::BroadcastToGroups(_)
            | A::StopBroadcastToGroups(_) => Some(Right::Host),
        }
    }

    fn has(&self, right: Right, action: &Action) -> bool {
        let local = &self.state.local_participant;
        let is_host = local.role_name == RoleName::Host;
        let takes_part = takes_part(local.role_name);
        match right {
            Right::Host => is_host,
            Right::Participant => takes_part,
            Right::Publisher => may_publish(local.role_name),
            Right::Author => {
                let Action::RemoveChatMessage { message_id } = action else {
                    return takes_part;
                };
                let mut messages = self.state.chat_messages.iter();
                // What is not there is refused for that.
                let message = messages.find(|message| message.id == *message_id);
                is_host || takes_part && message.is_none_or(|one| one.sender_id == local.id)
            }
            Right::Assigned => {
                let bound = self.state.breakout.enforce_assignment && !is_host;
                let is_own = |group: &String| local.breakout_group_assigned == *group;
                takes_part
                    && (!bound
                        || matches!(action, Action::JoinBreakoutGroup(group) if group.is_empty() || is_own(group)))
            }
        }
    }
}

fn takes_part(role: RoleName) -> bool {
    !matches!(
        role,
        RoleName::Recorder | RoleName::Streamer | RoleName::Captioner
    )
}

fn may_publish(role: RoleName) -> bool {
    takes_part(role) && !matches!(role, RoleName::Viewer | RoleName::GrantedViewer)
}
