//! What the service does with the meeting: recording, live stream, transcription, captions.

use roomd_protocol::ClientId;
use schemars::JsonSchema;
use serde::Serialize;

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

/// State of a live stream. No event of the room's service sets it: like the SDK's it is always absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiveStream {
    /// Streaming.
    pub status: LiveStreamStatus,
    /// When it was noticed, milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<i64>,
}

/// Status of a live stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiveStreamStatus {
    /// The meeting is streamed.
    Streaming,
}

/// State of a transcription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiveTranscription {
    /// Requested, running or failed.
    pub status: LiveTranscriptionStatus,
    /// When its start was heard of, milliseconds since the epoch; absent when it ran before the join.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<i64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Status of a transcription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiveTranscriptionStatus {
    /// It runs.
    Transcribing,
    /// We asked for it.
    Requested,
    /// It failed.
    Error,
}

/// State of the captions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiveCaptions {
    /// Requested, running or failed.
    pub status: LiveCaptionsStatus,
    /// When their start was heard of, milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<i64>,
    /// Why they failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What is said now; each result goes 5 s after its last change.
    pub caption_log: Vec<LiveCaption>,
}

/// Status of the captions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiveCaptionsStatus {
    /// They come.
    Captioning,
    /// We asked for them.
    Requested,
    /// They failed.
    Error,
}

/// One caption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiveCaption {
    /// Which result of the recognition.
    pub result_id: String,
    /// Who speaks.
    pub participant_id: ClientId,
    /// The whole text of the result so far.
    pub text: String,
    /// When its first part came, milliseconds since the epoch.
    pub timestamp: i64,
}
