//! Payloads about what one does in a room.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{ClientId, DeviceId, StreamId},
    records::{ChatFileShare, StickyReaction},
};

/// Payload of `enable_audio` and `enable_video`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enable {
    /// The new state.
    pub enabled: bool,
}

/// Payload of `request_audio_enable` and `request_video_enable`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestEnable {
    /// Who is asked.
    pub client_ids: Vec<ClientId>,
    /// False orders off, true asks for on.
    pub enable: bool,
}

/// Payload of `chat_message`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatMessageRequest {
    /// The text, empty for files.
    #[serde(default)]
    pub text: String,
    /// The message this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The sender's breakout group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakout_group: Option<String>,
    /// For all groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<bool>,
    /// A file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ChatFileShare>,
}

/// Payload of `remove_chat_message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveChatMessage {
    /// The message.
    pub id: String,
    /// Its signature, as received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
}

/// Payload of `send_client_metadata`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SendClientMetadata {
    /// Always `UserData`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Name and hand.
    pub payload: UserData,
}

/// Display name and raised hand; both are replaced by every message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserData {
    /// Shown name.
    #[serde(default)]
    pub display_name: String,
    /// Absent: never raised; null: lowered.
    #[serde(
        default,
        with = "crate::absent_or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub sticky_reaction: Option<Option<StickyReaction>>,
}

/// Payload of `start_screenshare`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartScreenshare {
    /// Id of the stream, as in the SDP.
    pub stream_id: StreamId,
    /// Whether it has sound.
    #[serde(default)]
    pub has_audio_track: bool,
    /// Tell only this client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver_id: Option<ClientId>,
}

/// Payload of `stop_screenshare`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StopScreenshare {
    /// Id of the stream.
    pub stream_id: StreamId,
}

/// Payload of `add_spotlight` and `remove_spotlight`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpotlightRequest {
    /// Whose stream.
    pub client_id: ClientId,
    /// Which one.
    pub stream_id: StreamId,
}

/// Payload of `set_lock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetLock {
    /// Whether one has to knock.
    pub locked: bool,
}

/// Payload of `kick_client`; one of the two targets is present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KickClient {
    /// One client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Several clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ids: Option<Vec<ClientId>>,
    /// `kick` or `end-meeting`.
    #[serde(default)]
    pub reason_id: String,
}

/// Payload of `start_recording`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRecording {
    /// Always `cloud`.
    #[serde(default)]
    pub recording: String,
}

/// Payload of `update_breakout_session`: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakoutPatch {
    /// Start or stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Group id → name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<IndexMap<String, String>>,
    /// Device id → group id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignments: Option<IndexMap<DeviceId, String>>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforce_assignment: Option<bool>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_move_to_group: Option<bool>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub move_to_group_grace_period: Option<f64>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_move_to_main: Option<bool>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub move_to_main_grace_period: Option<f64>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakout_timer_setting: Option<bool>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakout_timer_duration: Option<f64>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakout_notification: Option<String>,
}

/// Payload of `join_breakout_group`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinBreakoutGroup {
    /// Group id, `""` is the main room.
    #[serde(default)]
    pub group: String,
}

/// Payload of `request_file_upload_url`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFileUploadUrl {
    /// The files to come.
    pub files: Vec<FileToUpload>,
}

/// A file to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileToUpload {
    /// File name.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// MIME type.
    #[serde(rename = "type")]
    pub mime_type: String,
}
