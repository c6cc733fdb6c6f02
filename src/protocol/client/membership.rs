//! Payloads about getting into a room.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{ClientId, Secret},
    records::{DeviceCredentials, KnockResponse},
};

/// Payload of `identify_device`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentifyDevice {
    /// What the API handed out, unchanged.
    pub device_credentials: DeviceCredentials,
}

/// Payload of `join_room` and `knock_room`. A reader should need no more than `room_name`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinRoom {
    /// Picture, always null.
    #[serde(default)]
    pub avatar_url: Option<String>,
    /// Whether microphone and camera are on.
    #[serde(default)]
    pub config: MediaConfig,
    /// What the device can do.
    #[serde(default)]
    pub device_capabilities: DeviceCapabilities,
    /// Shown name.
    #[serde(default)]
    pub display_name: String,
    /// Several devices in one physical room, always false.
    #[serde(default)]
    pub is_co_located: bool,
    /// Joined by telephone.
    #[serde(default)]
    pub is_dial_in: bool,
    /// Records sound only.
    #[serde(default)]
    pub is_audio_recorder: bool,
    /// Always false.
    #[serde(default)]
    pub is_device_permission_denied: bool,
    /// Always false.
    #[serde(default)]
    pub kick_from_other_rooms: bool,
    /// The tenant, from the organization call.
    #[serde(default)]
    pub organization_id: String,
    /// Key of the room's link, or of an accepted knock.
    #[serde(default)]
    pub room_key: Option<Secret>,
    /// Key of a program; present (null for persons) in `join_room`, absent in `knock_room`.
    #[serde(
        default,
        with = "crate::absent_or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub assistant_key: Option<Option<Secret>>,
    /// The room, with the leading slash.
    pub room_name: String,
    /// Which program this is.
    #[serde(default)]
    pub user_agent: String,
    /// The integrator's id of this client.
    #[serde(default)]
    pub external_id: Option<String>,
    /// Asks for the id of an earlier participation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_claim: Option<Secret>,
}

/// Microphone and camera at the moment of joining.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaConfig {
    /// Whether the microphone is on.
    #[serde(default)]
    pub is_audio_enabled: bool,
    /// Whether the camera is on.
    #[serde(default)]
    pub is_video_enabled: bool,
}

/// What a device can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceCapabilities {
    /// Always true in the SDK.
    #[serde(default)]
    pub can_screenshare: bool,
}

/// Payload of `handle_knock`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandleKnock {
    /// The decision.
    pub action: KnockAction,
    /// About whom.
    pub client_id: ClientId,
    /// What to tell the knocker.
    #[serde(default)]
    pub knock_response: KnockResponse,
}

/// A host's decision about a knocker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KnockAction {
    /// Let in.
    Accept,
    /// Ask to wait.
    Hold,
    /// Turn away.
    Reject,
}
