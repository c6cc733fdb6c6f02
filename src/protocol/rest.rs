//! Bodies of the HTTP calls.

use serde::{Deserialize, Serialize};

use crate::{
    ids::Secret,
    records::{DeviceCredentials, RoomMode},
};

/// Answer of `POST /devices`.
pub type DeviceResponse = DeviceCredentials;

/// Answer of `GET /organization-subdomains/{subdomain}/`. The SDK insists on all five members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Id of the tenant, a string even where it is a number.
    pub organization_id: String,
    /// Its name.
    #[serde(default)]
    pub organization_name: String,
    /// The subdomain that was asked for.
    #[serde(default)]
    pub subdomain: String,
    /// Not used.
    #[serde(default)]
    pub permissions: serde_json::Map<String, serde_json::Value>,
    /// Not used.
    #[serde(default)]
    pub limits: serde_json::Map<String, serde_json::Value>,
}

/// Body of `POST /v1/meetings`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateMeeting {
    /// When the meeting ends (ISO 8601); the room goes an hour later.
    pub end_date: String,
    /// Whether one has to knock.
    #[serde(default)]
    pub is_locked: bool,
    /// Peer to peer or group.
    #[serde(default)]
    pub room_mode: RoomMode,
    /// Begin of the generated name: at most 39 of `a-z`, `0-9`, `-`.
    #[serde(default)]
    pub room_name_prefix: String,
    /// How the rest of the name is made.
    #[serde(default)]
    pub room_name_pattern: RoomNamePattern,
    /// `viewerMode`: locked, group, both extra addresses.
    #[serde(default)]
    pub template_type: Option<String>,
    /// Which extra addresses the answer has: `hostRoomUrl`, `viewerRoomUrl`; with roomd's own
    /// server also `recorderRoomUrl`, `streamerRoomUrl`, `captionerRoomUrl`.
    #[serde(default)]
    pub fields: Vec<String>,
}

/// How a room's name is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoomNamePattern {
    /// A UUID.
    #[default]
    Uuid,
    /// Short and readable.
    HumanShort,
}

/// Answer of `POST` and `GET /v1/meetings`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meeting {
    /// Id of the meeting.
    pub meeting_id: String,
    /// Name of its room, with the leading slash.
    pub room_name: String,
    /// The visitors' address.
    pub room_url: String,
    /// When it was made (ISO 8601).
    pub start_date: String,
    /// When it ends (ISO 8601).
    pub end_date: String,
    /// The hosts' address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_room_url: Option<Secret>,
    /// The viewers' address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer_room_url: Option<Secret>,
    /// The recorder's address; of roomd's own server alone, like the next two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorder_room_url: Option<Secret>,
    /// The streamer's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streamer_room_url: Option<Secret>,
    /// The captioner's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captioner_room_url: Option<Secret>,
}
