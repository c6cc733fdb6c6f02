//! Payloads that the server hands on to a peer.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::ClientId;

/// A relayed event without a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relay {
    /// For whom.
    pub receiver_id: ClientId,
}

/// A relayed event; the server hands `message` on as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RelayMessage {
    /// For whom.
    pub receiver_id: ClientId,
    /// Left as it was written.
    pub message: Box<RawValue>,
}

impl PartialEq for RelayMessage {
    fn eq(&self, other: &Self) -> bool {
        self.receiver_id == other.receiver_id && self.message.get() == other.message.get()
    }
}

/// `message` of offers and answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionDescription {
    /// `offer` or `answer`.
    #[serde(rename = "type")]
    pub kind: SdpType,
    /// The text, RFC 8866.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp: Option<String>,
    /// The same text again; a reader takes it when `sdp` is missing.
    #[serde(rename = "sdpU", default, skip_serializing_if = "Option::is_none")]
    pub sdp_u: Option<String>,
    /// In offers: false for a renegotiation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_initial_offer: Option<bool>,
}

/// Kind of a session description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SdpType {
    /// An offer.
    Offer,
    /// An answer.
    Answer,
}

/// `message` of `ice_candidate`: a browser's candidate as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IceCandidate {
    /// `candidate:…`, RFC 8839 §5.1, without `a=`.
    #[serde(default)]
    pub candidate: String,
    /// The section's mid.
    #[serde(default)]
    pub sdp_mid: Option<String>,
    /// The section's index.
    #[serde(default, rename = "sdpMLineIndex")]
    pub sdp_m_line_index: Option<u32>,
    /// The ICE user name fragment it belongs to.
    #[serde(default)]
    pub username_fragment: Option<String>,
}
