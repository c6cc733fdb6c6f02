//! Cameras, microphones, peers and playback on GStreamer. The only crate that links it.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")
)]

pub mod playback;
pub mod scene;
pub mod settings;

use serde::Serialize;

/// What the engine uses now, apart from microphone and camera, which report by events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineStatus {
    /// The input that is or can be shared.
    pub screenshare: DeviceStatus,
    /// The speaker.
    pub speaker: DeviceStatus,
    /// The display.
    pub display: DeviceStatus,
    /// The video encoder in use.
    pub encoder: Option<EncoderStatus>,
}

/// A device without a gate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceStatus {
    /// Its name, empty when there is none.
    pub device: String,
    /// It is open.
    pub in_use: bool,
    /// Why it is not.
    pub error: Option<String>,
}

/// The encoder in use.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EncoderStatus {
    /// Name of the GStreamer element.
    pub name: String,
    /// Why this one.
    pub reason: String,
}
