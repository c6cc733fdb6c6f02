//! Shapes that several events share.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, DeviceId, Secret, StreamId};

/// What the API hands out to a device once, and the device shows ever after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceCredentials {
    /// The device's id.
    pub credentials: DeviceUuid,
    /// Proof that the id was handed out by the service.
    pub hmac: Secret,
    /// The user the device belongs to, where the service said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// The `credentials` member of [`DeviceCredentials`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceUuid {
    /// The device's id.
    pub uuid: DeviceId,
}

/// What a participant is in the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleName {
    /// Not joined, or the server named no role.
    #[default]
    None,
    /// Joined without a key.
    Visitor,
    /// Let in by a host.
    GrantedVisitor,
    /// Audience.
    Viewer,
    /// Audience, let in by a host.
    GrantedViewer,
    /// Holder of the host key.
    Host,
    /// The recorder of the meeting; no person.
    Recorder,
    /// The sender of a live stream; no person.
    Streamer,
    /// The writer of captions; no person.
    Captioner,
    /// A program that joined with an assistant key; no person.
    Assistant,
    /// A role that this protocol does not know.
    #[serde(other)]
    Unknown,
}

impl RoleName {
    /// False for recorder, streamer, captioner and assistant: clients, but not participants.
    #[must_use]
    pub fn is_person(self) -> bool {
        !matches!(
            self,
            Self::Recorder | Self::Streamer | Self::Captioner | Self::Assistant
        )
    }

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Visitor => "visitor",
            Self::GrantedVisitor => "granted_visitor",
            Self::Viewer => "viewer",
            Self::GrantedViewer => "granted_viewer",
            Self::Host => "host",
            Self::Recorder => "recorder",
            Self::Streamer => "streamer",
            Self::Captioner => "captioner",
            Self::Assistant => "assistant",
            Self::Unknown => "unknown",
        }
    }
}

/// The `role` member of a client record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// Name of the role.
    #[serde(default)]
    pub role_name: RoleName,
}

/// A reaction that stays until it is taken back: the raised hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StickyReaction {
    /// The reaction, `"✋"`.
    pub reaction: String,
    /// When it was raised, by the sender's clock (ISO 8601, UTC, milliseconds).
    #[serde(default)]
    pub timestamp: String,
}

/// A client of the room as the server describes it to others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalClient {
    /// Id of this participation.
    pub id: ClientId,
    /// Id of the device.
    #[serde(default)]
    pub device_id: DeviceId,
    /// Shown name; empty is shown as "Guest".
    #[serde(default)]
    pub display_name: String,
    /// `"0"` for the camera, anything else is a screenshare.
    #[serde(default)]
    pub streams: Vec<StreamId>,
    /// Whether the microphone is on.
    #[serde(default)]
    pub is_audio_enabled: bool,
    /// Whether the camera is on.
    #[serde(default)]
    pub is_video_enabled: bool,
    /// What the client is in the room.
    #[serde(default)]
    pub role: Role,
    /// Start of the recording, on the recorder's record.
    #[serde(default)]
    pub started_cloud_recording_at: Option<String>,
    /// Start of the transcription, on the captioner's record.
    #[serde(default)]
    pub started_live_transcription_at: Option<String>,
    /// Breakout group; `None` and `""` are the main room.
    #[serde(default)]
    pub breakout_group: Option<String>,
    /// The integrator's id of this client.
    #[serde(default)]
    pub external_id: Option<String>,
    /// Joined by telephone.
    #[serde(default)]
    pub is_dial_in: bool,
    /// Records sound only.
    #[serde(default)]
    pub is_audio_recorder: bool,
    /// The raised hand, so that who joins later sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky_reaction: Option<StickyReaction>,
}

/// Somebody who waits outside a locked room, as shown to hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalKnocker {
    /// The id the knocker will have when let in.
    pub client_id: ClientId,
    /// Shown name.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Picture, not used.
    #[serde(default)]
    pub image_url: Option<String>,
    /// Live picture, not used.
    #[serde(default)]
    pub live_video: bool,
    /// Picture of the user, not used.
    #[serde(default)]
    pub user_avatar_url: Option<String>,
    /// Id of the user, not used.
    #[serde(default)]
    pub user_id: Option<String>,
}

/// A stream that a host put in front of everybody.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spotlight {
    /// Whose stream.
    pub client_id: ClientId,
    /// Which one: `"0"` or a screenshare id.
    pub stream_id: StreamId,
}

/// The meeting that goes on in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomSession {
    /// Id of the meeting.
    pub id: String,
    /// Its start (ISO 8601).
    pub created_at: String,
}

/// How participants exchange media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoomMode {
    /// Peer to peer, for small rooms.
    #[default]
    Normal,
    /// Larger rooms, usually through a media server.
    Group,
}

/// One STUN or TURN server, as a browser's `RTCIceServer`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// One address or several.
    #[serde(default)]
    pub urls: OneOrMany,
    /// User name for TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Password for TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Secret>,
}

/// A list that may be written as a single string.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// A single string.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl OneOrMany {
    /// The strings, however they were written.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// `room.iceServers`: the list stands one level down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IceServers {
    /// The servers.
    #[serde(default)]
    pub ice_servers: Vec<IceServer>,
}

/// The room as the server describes it to who joins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalRoom {
    /// Name, with the leading slash.
    pub name: String,
    /// The tenant the room belongs to.
    #[serde(default)]
    pub organization_id: String,
    /// `normal` or `group`; absent means: as `sfu_server` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<RoomMode>,
    /// Whether the room belongs to somebody.
    #[serde(default)]
    pub is_claimed: bool,
    /// Whether one has to knock.
    #[serde(default)]
    pub is_locked: bool,
    /// Everybody in the room, oneself included.
    pub clients: Vec<SignalClient>,
    /// Who waits outside; hosts only.
    pub knockers: Vec<SignalKnocker>,
    /// Streams in front; absent keeps what was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spotlights: Option<Vec<Spotlight>>,
    /// The meeting, from the second participant on.
    #[serde(default)]
    pub session: Option<RoomSession>,
    /// STUN and TURN servers.
    #[serde(default)]
    pub ice_servers: IceServers,
    /// TURN servers of other front ends, not used.
    #[serde(default)]
    pub turn_servers: Vec<serde_json::Value>,
    /// Seconds until the ICE servers should be asked for again; 0 is never.
    #[serde(default)]
    pub mediaserver_config_ttl_seconds: u64,
    /// Present when media goes through a media server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sfu_server: Option<serde_json::Value>,
    /// Present while a transcription runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_transcription_id: Option<String>,
}

/// What a host tells a knocker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnockResponse {
    /// A text for the knocker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<KnockResponseSender>,
}

/// Author of a [`KnockResponse`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KnockResponseSender {
    /// Shown name; absent for an anonymous answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
}

/// A file that somebody put into the chat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatFileShare {
    /// Where to get it.
    pub download_url: String,
    /// File name.
    pub name: String,
    /// Size in bytes.
    pub size: f64,
    /// MIME type.
    #[serde(rename = "type")]
    pub mime_type: String,
    /// Key in the store.
    pub key: String,
    /// Id of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The configuration of breakout groups; always sent and received as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BreakoutConfig {
    /// Group id → shown name, in the order of the groups.
    pub groups: Option<IndexMap<String, String>>,
    /// Device id → group id; `""` is unassigned.
    pub assignments: Option<IndexMap<DeviceId, String>>,
    /// Set while a session is active.
    pub started_at: Option<String>,
    /// Base of the timer and of the countdown into the groups.
    pub breakout_started_at: Option<String>,
    /// Base of the countdown back to the main room.
    pub breakout_ended_at: Option<String>,
    /// Who changed the session last; `active: false` means "just stopped".
    pub initiated_by: Option<BreakoutInitiator>,
    /// The server will move assigned participants into their groups.
    #[serde(deserialize_with = "null_is_false")]
    pub auto_move_to_group: bool,
    /// Seconds until then.
    pub move_to_group_grace_period: Option<f64>,
    /// The server will move everybody back at the end.
    #[serde(deserialize_with = "null_is_false")]
    pub auto_move_to_main: bool,
    /// Seconds until then.
    pub move_to_main_grace_period: Option<f64>,
    /// Whether a timer runs.
    #[serde(deserialize_with = "null_is_false")]
    pub breakout_timer_setting: bool,
    /// Length of the timer in seconds.
    pub breakout_timer_duration: Option<f64>,
    /// Participants may only enter the group they are assigned to.
    #[serde(deserialize_with = "null_is_false")]
    pub enforce_assignment: bool,
    /// A text for all groups.
    pub breakout_notification: Option<String>,
}

/// A setting that nobody made reads as off, whether it is absent or null.
fn null_is_false<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl Default for BreakoutConfig {
    fn default() -> Self {
        Self {
            groups: None,
            assignments: None,
            started_at: None,
            breakout_started_at: None,
            breakout_ended_at: None,
            initiated_by: None,
            auto_move_to_group: false,
            move_to_group_grace_period: Some(10.0),
            auto_move_to_main: false,
            move_to_main_grace_period: Some(30.0),
            breakout_timer_setting: false,
            breakout_timer_duration: Some(1800.0),
            enforce_assignment: false,
            breakout_notification: None,
        }
    }
}

/// Who changed a breakout session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakoutInitiator {
    /// The client.
    #[serde(default)]
    pub client_id: Option<ClientId>,
    /// Its user.
    #[serde(default)]
    pub user_id: Option<String>,
    /// Its device.
    #[serde(default)]
    pub device_id: Option<DeviceId>,
    /// Whether the session is active after the change.
    #[serde(default)]
    pub active: bool,
}
