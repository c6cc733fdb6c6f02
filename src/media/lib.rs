//! Cameras, microphones, peers and playback on GStreamer. The only crate that links it.
//!
//! [`MediaEngine`] is the handle. Behind it one task ([`graph`]) owns sources, encoders and outputs; each
//! source and each peer connection has a task of its own that owns its pipeline. Pictures and sound never
//! cross a Rust channel: they go from pipeline to pipeline through bounded, leaky bridges ([`fanout`]),
//! with one clock and one base time for all.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")
)]

mod bare;
mod capture;
mod coded;
mod devices;
mod encoders;
mod encoding;
mod engine;
mod fanout;
mod graph;
pub mod ice_servers;
mod key_frames;
mod launch;
pub mod outputs;
mod peer_connection;
mod pipeline;
pub mod playback;
mod probe;
mod receive;
pub mod scene;
pub mod sdp;
pub mod settings;

pub use bare::{BarePipelines, Encoded};
pub use capture::{
    Source,
    test_picture::{CAMERA_BARS, PRESENTATION_QUADRANTS, Rgb, TestPicture},
};
pub use coded::{CodedFormat, CodedFrame};
pub use devices::{Device, DeviceKind};
pub use encoders::{Codec, EncoderError};
pub use encoding::EncoderInUse;
pub use engine::{Command, EngineStatus, MediaEngine, MediaError};
pub use launch::LaunchError;
pub use probe::{ProbeReport, ProbedDisplay, ProbedEncoder, probe};
