//! What may be shown of a room connection: the SDK's `RoomConnectionState`, field by field.

mod participants;
mod services;
mod views;

use indexmap::IndexMap;
use roomd_protocol::{
    ClientId, DeviceId, StreamId,
    records::{KnockResponse, RoomMode, RoomSession, Spotlight},
    server::ChatMessage as WireChatMessage,
};
use schemars::JsonSchema;
use serde::Serialize;

pub use participants::{LocalParticipant, RemoteParticipant, RemoteStream, WaitingParticipant};
pub use services::{
    CloudRecording, CloudRecordingStatus, LiveCaption, LiveCaptions, LiveCaptionsStatus,
    LiveStream, LiveStreamStatus, LiveTranscription, LiveTranscriptionStatus,
};
pub use views::{BreakoutGroup, BreakoutState, ClientView, GroupedParticipants, ViewStream};

use crate::capture_profile::CaptureProfile;

/// Where the connection with the room stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// Not joined.
    #[default]
    Ready,
    /// `join_room` was sent.
    Connecting,
    /// In the room.
    Connected,
    /// The room is locked; one may knock.
    RoomLocked,
    /// `knock_room` was sent.
    Knocking,
    /// A host asked to wait.
    KnockOnHold,
    /// A host said no.
    KnockRejected,
    /// Sent out.
    Kicked,
    /// `leave_room` was sent.
    Leaving,
    /// Left.
    Left,
    /// The connection is lost, or the join was refused (`connection_error`).
    Disconnected,
    /// The transport is back, the join not yet repeated.
    Reconnecting,
}

impl ConnectionStatus {
    /// The word that is published.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::RoomLocked => "room_locked",
            Self::Knocking => "knocking",
            Self::KnockOnHold => "knock_on_hold",
            Self::KnockRejected => "knock_rejected",
            Self::Kicked => "kicked",
            Self::Leaving => "leaving",
            Self::Left => "left",
            Self::Disconnected => "disconnected",
            Self::Reconnecting => "reconnecting",
        }
    }
}

/// A message of the chat.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatMessage {
    /// Its id.
    pub id: String,
    /// Who wrote it.
    pub sender_id: ClientId,
    /// The text; stays when the message is removed.
    pub text: String,
    /// Time by the server's clock.
    pub timestamp: String,
    /// The message it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Needed to remove it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
    /// Taken away.
    pub removed: bool,
    /// A file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<roomd_protocol::records::ChatFileShare>,
}

impl From<WireChatMessage> for ChatMessage {
    fn from(wire: WireChatMessage) -> Self {
        Self {
            id: wire.id,
            sender_id: wire.sender_id,
            text: wire.text,
            timestamp: wire.timestamp,
            parent_id: wire.parent_id,
            sig: wire.sig,
            removed: false,
            file: wire.file,
        }
    }
}

/// The own screenshare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LocalScreenshareStatus {
    /// The capture is being opened.
    Starting,
    /// The capture runs.
    Active,
}

/// A screenshare in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Screenshare {
    /// Whose: a client id, or `local`.
    pub participant_id: String,
    /// The stream.
    pub id: StreamId,
    /// Whether it has sound.
    pub has_audio_track: bool,
    /// One's own.
    pub is_local: bool,
    /// Its media.
    pub stream: Option<ViewStream>,
    /// The owner's breakout group.
    pub breakout_group: Option<String>,
}

/// Everything about a room connection that may be shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomConnectionState {
    /// Where the connection stands.
    pub connection_status: ConnectionStatus,
    /// Why a join was refused.
    pub connection_error: Option<String>,
    /// What a host answered to the knock.
    pub knock_response: Option<KnockResponse>,
    /// The room's name with its leading slash, empty before the first join.
    pub room_name: String,
    /// One has to knock.
    pub is_locked: bool,
    /// Normal or group.
    pub room_mode: RoomMode,
    /// The meeting.
    pub session: Option<RoomSession>,
    /// Oneself.
    pub local_participant: LocalParticipant,
    /// The others that are persons, in the order of their coming.
    pub remote_participants: Vec<RemoteParticipant>,
    /// Number of remote clients of any role.
    pub remote_client_count: usize,
    /// Who waits outside.
    pub waiting_participants: Vec<WaitingParticipant>,
    /// The chat since the join.
    pub chat_messages: Vec<ChatMessage>,
    /// The own screenshare, `None` when there is none.
    pub local_screenshare_status: Option<LocalScreenshareStatus>,
    /// All screenshares, one's own first.
    pub screenshares: Vec<Screenshare>,
    /// Streams in front, in order.
    pub spotlights: Vec<Spotlight>,
    /// The same as tiles; streams that nobody shows are left out.
    pub spotlighted_participants: Vec<ClientView>,
    /// All tiles.
    pub client_views: Vec<ClientView>,
    /// The recording, `None` when nobody asked for one.
    pub cloud_recording: Option<CloudRecording>,
    /// The live stream, always `None`.
    pub live_stream: Option<LiveStream>,
    /// The transcription, `None` when nobody asked for one.
    pub live_transcription: Option<LiveTranscription>,
    /// The captions, `None` when nobody asked for them.
    pub live_captions: Option<LiveCaptions>,
    /// Breakout groups.
    pub breakout: BreakoutState,
    /// Device id → breakout group, as the server told it last; the participants carry it by person.
    #[serde(skip)]
    #[schemars(skip)]
    pub breakout_assignments: IndexMap<DeviceId, String>,
    /// The wish: microphone on.
    pub is_microphone_enabled: bool,
    /// The wish: camera on.
    pub is_camera_enabled: bool,
    /// How the camera is captured.
    pub capture_profile: CaptureProfile,
}
