//! What is said once about the box and its connection: `info` and the problems of the interface.

use schemars::JsonSchema;
use serde::Serialize;

use crate::appliance::state::Problem;

/// Version of the contract that this interface keeps.
pub const CONTRACT_VERSION: &str = "1";

/// `info`: what the box is and can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// Model of the box.
    pub model: String,
    /// Version of roomd.
    pub version: String,
    /// Serial number, empty when it has none.
    pub serial: String,
    /// What the box can do beyond what every box can (`camera_effect`, `audio_denoiser`, …).
    pub capabilities: Vec<String>,
    /// Its addresses in the network.
    pub addresses: Vec<String>,
}

/// `info` as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishedInfo {
    /// The configured device id.
    pub device: String,
    /// Version of the contract.
    pub contract_version: String,
    /// Groups whose commands the box obeys.
    pub groups: Vec<String>,
    /// Commands that this version can carry out.
    pub commands: Vec<String>,
    /// Everything else.
    #[serde(flatten)]
    pub info: Info,
}

/// What the interface tells the rest of the box about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MqttStatus {
    /// The box is reachable: subscriptions stand, availability is `online`.
    Connected {
        /// Address of the broker.
        broker: String,
    },
    /// The connection is lost, or could not be made.
    Disconnected {
        /// Address of the broker.
        broker: String,
        /// Why.
        reason: String,
    },
    /// Something is wrong now: for the list of problems, in place of one with the same code.
    Raised(Problem),
    /// The problem with this code is over.
    Cleared(&'static str),
}

/// Codes of the problems that the interface raises.
pub mod problem {
    /// No broker can be reached.
    pub const BROKER_UNREACHABLE: &str = "broker_unreachable";
    /// The broker refuses the credentials or the client.
    pub const BROKER_REFUSES: &str = "broker_refuses";
    /// Another client uses the same client id.
    pub const IDENTITY_IN_USE: &str = "identity_in_use";
    /// A packet arrived that is larger than the box takes.
    pub const OVERSIZED_PACKET: &str = "oversized_packet";
    /// The broker refuses a subscription.
    pub const SUBSCRIPTION_REFUSED: &str = "subscription_refused";
}
