//! Everything that is published about the box, in the parts of the MQTT contract.
//!
//! Each field serialises to exactly what its topic carries (without `version` and `at`, which the
//! publisher adds), so nobody else has to know how a part is made.

use std::sync::Arc;

use roomd_controls::{
    lamp::LightPart,
    panel::{ControlPart, SwitchPart},
};
use roomd_media::{Device, DeviceKind};
use roomd_protocol::records::{KnockResponse, RoomMode, RoomSession};
use roomd_room::{
    CaptureProfile, CaptureReport,
    state::{
        BreakoutState, ChatMessage, ClientView, CloudRecording, ConnectionStatus, LiveCaptions,
        LiveStream, LiveTranscription, LocalParticipant, RemoteParticipant, Screenshare,
        WaitingParticipant,
    },
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{command::ChangedBy, requests::PendingRequest};

/// What the box shows of itself. A snapshot; parts that did not change are shared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApplianceState {
    /// `state/room`.
    pub room: Arc<RoomPart>,
    /// `state/local_participant`.
    pub local_participant: Arc<LocalParticipantPart>,
    /// `state/remote_participants`.
    pub remote_participants: Arc<Vec<RemoteParticipant>>,
    /// `state/waiting_participants`.
    pub waiting_participants: Arc<Vec<WaitingParticipant>>,
    /// `state/screenshares`.
    pub screenshares: Arc<Vec<Screenshare>>,
    /// `state/spotlights`.
    pub spotlights: Arc<Vec<ClientView>>,
    /// `state/client_views`.
    pub client_views: Arc<Vec<ClientView>>,
    /// `state/chat`: the last 50 messages.
    pub chat: Arc<Vec<ChatMessage>>,
    /// `state/devices`.
    pub devices: Arc<Vec<MediaDeviceInfo>>,
    /// `state/cloud_recording`.
    pub cloud_recording: Arc<Option<CloudRecording>>,
    /// `state/live_stream`.
    pub live_stream: Arc<Option<LiveStream>>,
    /// `state/live_transcription`.
    pub live_transcription: Arc<Option<LiveTranscription>>,
    /// `state/live_captions`.
    pub live_captions: Arc<Option<LiveCaptions>>,
    /// `state/breakout`.
    pub breakout: Arc<BreakoutState>,
    /// `state/local_media`.
    pub local_media: Arc<LocalMediaPart>,
    /// `state/controls`.
    pub controls: Arc<ControlsPart>,
    /// `state/requests`.
    pub requests: Arc<Vec<PendingRequest>>,
    /// `state/problems`.
    pub problems: Arc<Vec<Problem>>,
    /// The box's name, while it is asked to show which one it is. For the display.
    pub identify: Option<String>,
}

/// `state/room`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomPart {
    /// Where the connection stands.
    pub connection_status: ConnectionStatus,
    /// Why a join was refused.
    pub connection_error: Option<String>,
    /// The room's address without its key.
    pub room_url: Option<String>,
    /// Its name with the leading slash.
    pub room_name: Option<String>,
    /// One has to knock.
    pub is_locked: bool,
    /// Normal or group.
    pub room_mode: RoomMode,
    /// Clients in the room of any role, oneself included.
    pub num_participants: usize,
    /// The meeting.
    pub session: Option<RoomSession>,
    /// What a host answered to the knock.
    pub knock_response: Option<KnockResponse>,
    /// How often the connection was tried since it was lost, 0 when it stands.
    pub reconnect_attempt: u32,
    /// When it will be tried next (RFC 3339).
    pub next_retry_at: Option<String>,
    /// Who caused the last change.
    pub changed_by: Option<ChangedBy>,
}

/// `state/local_participant`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalParticipantPart {
    /// Oneself in the room. `isAudioEnabled` and `isVideoEnabled` are true for as long as a sample
    /// may still leave.
    #[serde(flatten)]
    pub participant: LocalParticipant,
    /// Who caused the last change.
    pub changed_by: Option<ChangedBy>,
}

/// `state/local_media`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalMediaPart {
    /// The microphone.
    pub microphone: CapturePart,
    /// The camera.
    pub camera: CapturePart,
    /// The input that is or can be shared.
    pub screenshare_input: DevicePart,
    /// The speaker.
    pub speaker: DevicePart,
    /// The display.
    pub display: DevicePart,
    /// The video encoder in use.
    pub encoder: Option<EncoderPart>,
    /// How much is asked of the camera.
    pub mode: CaptureMode,
    /// The camera's picture is 16:9, else 4:3.
    pub widescreen: bool,
    /// Volume of the speaker, 0 to 100.
    pub volume: u8,
    /// The speaker is muted.
    pub speaker_muted: bool,
    /// Who caused the last change.
    pub changed_by: Option<ChangedBy>,
}

/// `state/controls`: buttons, switches and lights, as they are and not as they were asked to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ControlsPart {
    /// Buttons, in the order of the configuration.
    pub buttons: Vec<ControlPart>,
    /// Hardware mute switches.
    pub switches: Vec<SwitchPart>,
    /// Lights.
    pub lights: Vec<LightPart>,
}

/// A camera, microphone or speaker of the box, as it was when the media engine looked last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MediaDeviceInfo {
    /// Names it: a link below `/dev/v4l/by-id`, else the path of the V4L2 node, or the name of the ALSA PCM.
    pub device_id: String,
    /// What it is for.
    pub kind: MediaDeviceKind,
    /// Name for people.
    pub label: String,
    /// The same for all that is in one piece of hardware; empty where nobody knows.
    pub group_id: String,
}

/// What a device is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MediaDeviceKind {
    /// Gives pictures.
    VideoInput,
    /// Gives sound.
    AudioInput,
    /// Plays sound.
    AudioOutput,
}

impl From<&Device> for MediaDeviceInfo {
    fn from(device: &Device) -> Self {
        Self {
            device_id: device.id.clone(),
            kind: match device.kind {
                DeviceKind::Camera => MediaDeviceKind::VideoInput,
                DeviceKind::Microphone => MediaDeviceKind::AudioInput,
                DeviceKind::Speaker => MediaDeviceKind::AudioOutput,
            },
            label: device.name.clone(),
            group_id: device.group.clone(),
        }
    }
}

/// How much is asked of the camera.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMode {
    /// The configured height.
    #[default]
    Hd,
    /// At most 360 lines.
    Sd,
    /// At most 360 lines with HD, 270 without.
    LowData,
}

impl From<CaptureProfile> for CaptureMode {
    fn from(profile: CaptureProfile) -> Self {
        match profile {
            CaptureProfile { low_data: true, .. } => Self::LowData,
            CaptureProfile { hd: true, .. } => Self::Hd,
            _ => Self::Sd,
        }
    }
}

/// A capture device with the proof of its state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapturePart {
    /// The device, as people know it.
    pub device: String,
    /// Off, starting, on, muted or failed. `muted` and `off` only once the gate is closed.
    pub state: MediaState,
    /// Why it is not as it was asked to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Read from the media graph.
    pub proof: Proof,
}

/// What the media graph says of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Proof {
    /// The device is open.
    pub open: bool,
    /// Its samples pass the gate.
    pub flowing: bool,
}

impl From<&CaptureReport> for Proof {
    fn from(report: &CaptureReport) -> Self {
        Self {
            open: report.open,
            flowing: report.flowing,
        }
    }
}

/// A device without a gate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DevicePart {
    /// The device, as people know it; empty when there is none.
    pub device: String,
    /// Off, starting, on, muted or failed.
    pub state: MediaState,
    /// Why it is not on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// State of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaState {
    /// Closed.
    #[default]
    Off,
    /// Being opened.
    Starting,
    /// In use.
    On,
    /// No sample leaves.
    Muted,
    /// Cannot be used.
    Failed,
}

/// The video encoder in use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EncoderPart {
    /// Name of the GStreamer element.
    pub name: String,
    /// Why this one.
    pub reason: String,
}

/// Something that is wrong now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A word that programs can match on.
    pub code: String,
    /// Since when (RFC 3339).
    pub since: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Something does not work as it should.
    Warning,
    /// The box cannot do its job.
    Error,
}

/// Something that happened, published once under `event/<name>`.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplianceEvent {
    /// Name in snake case (`chat_new_message`, `request_audio_enable`, `problem_raised`).
    pub name: String,
    /// What happened.
    pub payload: serde_json::Value,
}
