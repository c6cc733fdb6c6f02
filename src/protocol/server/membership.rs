//! Payloads about who is in the room, who wants in and who is out.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{ClientId, Secret},
    records::{BreakoutConfig, KnockResponse, RoomSession, SignalClient, SignalRoom},
};

/// The answer to `join_room`. The mere presence of `error` makes it a refusal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(
    clippy::large_enum_variant,
    reason = "the whole is boxed in ServerMessage"
)]
pub enum RoomJoined {
    /// Refused.
    Refused(JoinRefused),
    /// Joined.
    Success(RoomJoinedSuccess),
}

/// A refused join.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinRefused {
    /// Why; unknown words are passed on. Null, which the protocol forbids, reads as `None`.
    #[serde(deserialize_with = "present")]
    pub error: Option<String>,
    /// Whether the room belongs to somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_claimed: Option<bool>,
    /// With `room_locked`: whether one may knock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_locked: Option<bool>,
    /// With `room_locked`: the id that `knock_handled` will name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_id: Option<ClientId>,
}

/// A member that must be there, though it may be null.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(from)
}

/// A successful join: the room as it is, whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomJoinedSuccess {
    /// One's own id.
    pub self_id: ClientId,
    /// Shown at the next join to get the same id back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_claim: Option<Secret>,
    /// Shown to a media server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_claim: Option<Secret>,
    /// One's own group; the SDK reads it from the own record instead.
    #[serde(default)]
    pub breakout_group: Option<String>,
    /// The breakout configuration; absent keeps what was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakout: Option<BreakoutConfig>,
    /// Length of the server's grace period in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disconnect_timeout: Option<u64>,
    /// The room.
    pub room: SignalRoom,
}

/// Payload of `new_client`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewClient {
    /// Who came.
    pub client: SignalClient,
    /// The meeting; absent or null means there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<NewClientRoom>,
}

/// The `room` member of `new_client`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewClientRoom {
    /// The meeting.
    #[serde(default)]
    pub session: Option<RoomSession>,
}

/// Payload of `client_left`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientLeft {
    /// Who went.
    pub client_id: ClientId,
    /// A fresh claim for the media server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_claim: Option<Secret>,
}

/// Payload of `room_session_ended`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomSessionEnded {
    /// The meeting.
    pub room_session_id: String,
}

/// Payload of `client_unable_to_join`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientUnableToJoin {
    /// Who wanted in.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Why not.
    #[serde(default)]
    pub error: String,
}

/// Payload of `room_knocked`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomKnocked {
    /// Who knocks.
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
}

/// Payload of `knocker_left`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnockerLeft {
    /// Who went.
    pub client_id: ClientId,
}

/// Payload of `knock_handled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnockHandled {
    /// About whom.
    pub client_id: ClientId,
    /// The decision.
    pub resolution: KnockResolution,
    /// What the host says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knock_response: Option<KnockResponse>,
    /// With `accepted`: the key that opens the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<KnockMetadata>,
}

/// A decision about a knock, as told to the knocker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnockResolution {
    /// Come in.
    Accepted,
    /// Wait.
    OnHold,
    /// Go away.
    Rejected,
    /// A decision that this protocol does not know.
    #[serde(other)]
    Unknown,
}

/// What an accepted knocker needs to enter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnockMetadata {
    /// To be used in every further join.
    pub room_key: Secret,
    /// The room.
    #[serde(default)]
    pub room_name: String,
}
