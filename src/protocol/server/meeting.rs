//! Payloads about what happens in the room: media, chat, hands, screens, recordings, groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    ids::{ClientId, StreamId},
    records::{ChatFileShare, IceServer, StickyReaction},
};

/// Payload of `audio_enabled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioEnabled {
    /// Whose microphone.
    pub client_id: ClientId,
    /// Whether it is on.
    pub is_audio_enabled: bool,
}

/// Payload of `video_enabled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoEnabled {
    /// Whose camera.
    pub client_id: ClientId,
    /// Whether it is on.
    pub is_video_enabled: bool,
}

/// Payload of `audio_enable_requested` and `video_enable_requested`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnableRequested {
    /// Who asks.
    #[serde(default)]
    pub requested_by_client_id: ClientId,
    /// False orders off, true asks for on.
    pub enable: bool,
}

/// Payload of `chat_message`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(
    clippy::large_enum_variant,
    reason = "the whole is boxed in ServerMessage"
)]
pub enum ChatMessageEvent {
    /// A message.
    Message(ChatMessage),
    /// A file was refused.
    Refused(ChatRefused),
}

/// A refused upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatRefused {
    /// Why.
    pub error: String,
}

/// A chat message on the wire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatMessage {
    /// Chosen by the server.
    pub id: String,
    /// Always `text`.
    #[serde(default)]
    pub message_type: String,
    /// The room.
    #[serde(default)]
    pub room_name: String,
    /// Who wrote it.
    #[serde(default)]
    pub sender_id: ClientId,
    /// The writer's user, if any.
    #[serde(default)]
    pub user_id: Option<String>,
    /// Needed to take the message away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
    /// The text, empty for files.
    #[serde(default)]
    pub text: String,
    /// Time by the server's clock (ISO 8601).
    #[serde(default)]
    pub timestamp: String,
    /// The message this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The group it was written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakout_group: Option<String>,
    /// For all groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<bool>,
    /// A file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ChatFileShare>,
}

/// Payload of `chat_message_removed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatMessageRemoved {
    /// The message.
    pub id: String,
    /// Who took it away.
    #[serde(default)]
    pub requested_by_client_id: ClientId,
}

/// Payload of `client_metadata_received`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientMetadataReceived {
    /// Always `UserData`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Name and hand; missing together with `error`.
    #[serde(default)]
    pub payload: Option<ClientMetadata>,
    /// Set when the server could not do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Somebody's name and hand; both replace what was known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientMetadata {
    /// Whose.
    pub client_id: ClientId,
    /// Shown name.
    #[serde(default)]
    pub display_name: String,
    /// The raised hand; absent and null both mean none.
    #[serde(default)]
    pub sticky_reaction: Option<StickyReaction>,
}

/// Payload of `screenshare_started`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScreenshareStarted {
    /// Who shares.
    pub client_id: ClientId,
    /// The stream, as in the SDP.
    pub stream_id: StreamId,
    /// Whether it has sound.
    #[serde(default)]
    pub has_audio_track: bool,
}

/// Payload of `screenshare_stopped`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScreenshareStopped {
    /// Who shared.
    pub client_id: ClientId,
    /// The stream.
    pub stream_id: StreamId,
}

/// Payload of `spotlight_added` and `spotlight_removed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpotlightChanged {
    /// Whose stream.
    pub client_id: ClientId,
    /// Which one.
    pub stream_id: StreamId,
    /// Who did it.
    #[serde(default)]
    pub requested_by_client_id: ClientId,
}

/// Payload of the event `room_locked`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomLocked {
    /// Whether one has to knock.
    pub is_locked: bool,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
}

/// Payload of `client_kicked`; whoever receives it is out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientKicked {
    /// The receiver.
    #[serde(default)]
    pub client_id: ClientId,
    /// `kick` or `end-meeting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_id: Option<String>,
}

/// Payload of `cloud_recording_started`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CloudRecordingStarted {
    /// Set when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Start (ISO 8601).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
}

/// Payload of `live_transcription_started`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveTranscriptionStarted {
    /// Id of the transcription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcription_id: Option<String>,
    /// Start (ISO 8601).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// Set when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Payload of `live_captions_started`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCaptionsStarted {
    /// Set when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Payload of `live_caption`: the whole text of a result so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveCaption {
    /// Who speaks.
    #[serde(default)]
    pub sender_id: ClientId,
    /// Which result.
    pub result_id: String,
    /// Its text.
    #[serde(default)]
    pub text: String,
}

/// Payload of `breakout_group_joined`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakoutGroupJoined {
    /// Who moved.
    pub client_id: ClientId,
    /// Where to, `""` is the main room.
    #[serde(default)]
    pub group: String,
}

/// Payload of `mediaserver_config`; here the list is not nested.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaserverConfig {
    /// STUN and TURN servers.
    #[serde(default)]
    pub ice_servers: Vec<IceServer>,
    /// TURN servers of other front ends, not used.
    #[serde(default)]
    pub turn_servers: Vec<serde_json::Value>,
    /// Seconds until one should ask again; 0 is never.
    #[serde(default)]
    pub mediaserver_config_ttl_seconds: u64,
    /// The media server, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sfu_server: Option<serde_json::Value>,
    /// Set when the server could not do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A relayed event without a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relay {
    /// From whom.
    pub client_id: ClientId,
}

/// A relayed event.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RelayMessage {
    /// From whom.
    pub client_id: ClientId,
    /// As the sender wrote it.
    pub message: Box<RawValue>,
}

impl PartialEq for RelayMessage {
    fn eq(&self, other: &Self) -> bool {
        self.client_id == other.client_id && self.message.get() == other.message.get()
    }
}
