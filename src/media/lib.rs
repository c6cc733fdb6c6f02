//! Cameras, microphones, peers and playback on GStreamer. The only crate that links it.

pub mod scene;
pub mod settings;
