//! What may be shown of a room connection: the SDK's `RoomConnectionState`, field by field.

use roomd_protocol::{
    ClientId, DeviceId, Secret, StreamId,
    records::{KnockResponse, RoleName, RoomMode, RoomSession, Spotlight, StickyReaction},
    server::ChatMessage as WireChatMessage,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::media_port::RemoteTracks;

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

/// Oneself in the room.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalParticipant {
    /// Own id, empty before the first join.
    pub id: ClientId,
    /// Shown name.
    pub display_name: String,
    /// What one is in the room.
    pub role_name: RoleName,
    /// Microphone on, as the room knows it.
    pub is_audio_enabled: bool,
    /// Camera on, as the room knows it.
    pub is_video_enabled: bool,
    /// Always true.
    pub is_local_participant: bool,
    /// Sharing a screen.
    pub is_screen_sharing: bool,
    /// Own breakout group; `None` and `""` are the main room.
    pub breakout_group: Option<String>,
    /// Id of the group one is assigned to, `""` for none.
    pub breakout_group_assigned: String,
    /// The raised hand; lowered again it is `null`.
    pub sticky_reaction: Option<StickyReaction>,
    /// Joined by telephone; never set from the options.
    pub is_dial_in: bool,
    /// Records sound only; never set from the options.
    pub is_audio_recorder: bool,
    /// Needed to get the same id back; a secret, never published.
    #[serde(skip)]
    #[schemars(skip)]
    pub client_claim: Option<Secret>,
}

impl Default for LocalParticipant {
    fn default() -> Self {
        Self {
            id: ClientId::default(),
            display_name: String::new(),
            role_name: RoleName::None,
            is_audio_enabled: true,
            is_video_enabled: true,
            is_local_participant: true,
            is_screen_sharing: false,
            breakout_group: None,
            breakout_group_assigned: String::new(),
            sticky_reaction: None,
            is_dial_in: false,
            is_audio_recorder: false,
            client_claim: None,
        }
    }
}

/// Somebody else in the room.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoteParticipant {
    /// Its id.
    pub id: ClientId,
    /// Its device.
    pub device_id: DeviceId,
    /// Shown name.
    pub display_name: String,
    /// What it is in the room.
    pub role_name: RoleName,
    /// Microphone on.
    pub is_audio_enabled: bool,
    /// Camera on.
    pub is_video_enabled: bool,
    /// Always false.
    pub is_local_participant: bool,
    /// Camera and microphone as they arrive here.
    pub stream: Option<RemoteStream>,
    /// Screenshare as it arrives here.
    pub presentation_stream: Option<RemoteStream>,
    /// The integrator's id.
    pub external_id: Option<String>,
    /// The raised hand.
    pub sticky_reaction: Option<StickyReaction>,
    /// Joined by telephone.
    pub is_dial_in: bool,
    /// Records sound only.
    pub is_audio_recorder: bool,
    /// Breakout group, `None` is the main room.
    pub breakout_group: Option<String>,
    /// Id of the group it is assigned to, `""` for none.
    pub breakout_group_assigned: String,
    /// Ids of the streams that the room knows of: `"0"` and screenshares.
    #[serde(skip)]
    pub streams: Vec<StreamId>,
    /// Present since before we joined: we are the one to ask it for an offer.
    #[serde(skip)]
    pub was_here_first: bool,
}

/// A stream that arrives from somebody.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoteStream {
    /// Its id in the sender's description.
    #[serde(skip)]
    pub id: StreamId,
    /// What arrives.
    #[serde(flatten)]
    pub tracks: RemoteTracks,
}

/// Somebody who waits outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingParticipant {
    /// The id it will have inside.
    pub id: ClientId,
    /// Shown name.
    pub display_name: Option<String>,
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
    /// The owner's breakout group.
    pub breakout_group: Option<String>,
}

/// State of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloudRecording {
    /// Requested, running or failed.
    pub status: CloudRecordingStatus,
    /// Start, milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<i64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Status of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloudRecordingStatus {
    /// We asked for it.
    Requested,
    /// A recorder is in the room.
    Recording,
    /// It failed.
    Error,
}

/// One tile: a participant or a screenshare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientView {
    /// Client id, `pres-<client id>` or `local-screenshare`.
    pub id: String,
    /// Whose.
    pub client_id: ClientId,
    /// Shown name.
    pub display_name: String,
    /// The stream, where one exists.
    #[serde(skip)]
    #[schemars(skip)]
    pub stream: Option<StreamId>,
    /// One's own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_local_client: bool,
    /// Microphone on; for one's own screenshare: it has sound.
    pub is_audio_enabled: bool,
    /// Camera on; always true for screenshares.
    pub is_video_enabled: bool,
    /// A screenshare.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_presentation: bool,
    /// Its owner shares a screen (remote cameras only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_active_presentation: Option<bool>,
    /// Breakout group.
    pub breakout_group: Option<String>,
    /// Assigned group (remote cameras only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breakout_group_assigned: Option<String>,
}

/// Everything about a room connection that may be shown.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// The recording, `None` when nobody asked for one.
    pub cloud_recording: Option<CloudRecording>,
    /// The wish: microphone on.
    pub is_microphone_enabled: bool,
    /// The wish: camera on.
    pub is_camera_enabled: bool,
}
