//! Who may do what: the one table of events and roles.
//!
//! A role is what the server gave: by room key, assistant key or claim. What a client says of
//! itself (a role, somebody's id) is never looked at; being a telephone (`isDialIn`) gives no
//! right and takes none. What the table refuses is dropped without an answer: the SDK hides these
//! actions, and a client that sends them all the same waits for nothing.

use roomd_protocol::{ClientMessage, records::RoleName};

/// Who an event is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// Any connection, in a room or not.
    Connected,
    /// Everybody in the room, service clients included.
    Inside,
    /// Who takes part in the conversation: persons and assistants.
    Participant,
    /// Those of them who may be seen and heard: viewers may not.
    Publisher,
    /// Hosts.
    Host,
    /// The writer of captions.
    Captioner,
}

impl Right {
    /// What an event needs.
    pub(super) fn of(message: &ClientMessage) -> Self {
        match message {
            ClientMessage::IdentifyDevice(_)
            | ClientMessage::JoinRoom(_)
            | ClientMessage::KnockRoom(_)
            | ClientMessage::CancelRoomKnock
            | ClientMessage::LeaveRoom => Self::Connected,

            // Receiving media is everybody's: recorders and viewers ask for offers too.
            ClientMessage::ReadyToReceiveOffer(_)
            | ClientMessage::SdpOffer(_)
            | ClientMessage::SdpAnswer(_)
            | ClientMessage::IceCandidate(_)
            | ClientMessage::IceEndOfCandidates(_)
            | ClientMessage::FetchMediaserverConfig
            | ClientMessage::StopScreenshare(_) => Self::Inside,

            ClientMessage::ChatMessage(_)
            | ClientMessage::RemoveChatMessage(_)
            | ClientMessage::RequestFileUploadUrl(_)
            | ClientMessage::SendClientMetadata(_)
            | ClientMessage::JoinBreakoutGroup(_)
            | ClientMessage::LiveCaptionsEnabled
            | ClientMessage::LiveCaptionsDisabled => Self::Participant,

            // Off is always allowed.
            ClientMessage::EnableAudio(request) | ClientMessage::EnableVideo(request) => {
                if request.enabled {
                    Self::Publisher
                } else {
                    Self::Inside
                }
            }
            ClientMessage::StartScreenshare(_) => Self::Publisher,

            ClientMessage::SetLock(_)
            | ClientMessage::HandleKnock(_)
            | ClientMessage::KickClient(_)
            | ClientMessage::RequestAudioEnable(_)
            | ClientMessage::RequestVideoEnable(_)
            | ClientMessage::AddSpotlight(_)
            | ClientMessage::RemoveSpotlight(_)
            | ClientMessage::UpdateBreakoutSession(_)
            | ClientMessage::StartRecording(_)
            | ClientMessage::StopRecording
            | ClientMessage::StartLiveTranscription
            | ClientMessage::StopLiveTranscription => Self::Host,

            ClientMessage::LiveCaption(_) => Self::Captioner,
        }
    }

    /// Whether somebody in the room with that role has the right.
    pub(super) fn includes(self, role: RoleName) -> bool {
        match self {
            Self::Connected | Self::Inside => true,
            Self::Participant => matches!(
                role,
                RoleName::Host
                    | RoleName::Visitor
                    | RoleName::GrantedVisitor
                    | RoleName::Viewer
                    | RoleName::GrantedViewer
                    | RoleName::Assistant
            ),
            Self::Publisher => matches!(
                role,
                RoleName::Host | RoleName::Visitor | RoleName::GrantedVisitor | RoleName::Assistant
            ),
            Self::Host => role == RoleName::Host,
            Self::Captioner => role == RoleName::Captioner,
        }
    }
}

/// Whether microphone, camera and screens of that role are shown to the others.
pub(super) fn may_publish(role: RoleName) -> bool {
    Right::Publisher.includes(role)
}

/// Whether a locked door is open to that role.
pub(super) fn opens_locked(role: RoleName) -> bool {
    matches!(
        role,
        RoleName::Host | RoleName::GrantedVisitor | RoleName::GrantedViewer
    ) || !role.is_person()
}

/// Whether a room has at most one client of that role.
pub(super) fn is_unique(role: RoleName) -> bool {
    matches!(
        role,
        RoleName::Recorder | RoleName::Streamer | RoleName::Captioner
    )
}
