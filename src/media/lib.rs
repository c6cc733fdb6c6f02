//! Cameras, microphones, peers and playback on GStreamer. The only crate that links it.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")
)]

pub mod playback;
pub mod scene;
pub mod settings;
