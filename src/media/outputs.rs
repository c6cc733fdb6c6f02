//! Where decoded pictures and sound go: the display and the speaker, seen from the engine.

use gstreamer_app as gst_app;
use roomd_protocol::{ClientId, StreamId};

use crate::scene::Scene;

/// A display that takes pictures.
pub trait PictureOutput: Send {
    /// What it is called in reports.
    fn name(&self) -> String;
    /// An input for the pictures of a stream: raw video with running times of the shared clock.
    fn video_input(&mut self, peer: &ClientId, stream: &StreamId) -> gst_app::AppSrc;
    /// The stream is gone.
    fn remove_input(&mut self, peer: &ClientId, stream: &StreamId);
    /// Shows a scene.
    fn show(&mut self, scene: &Scene);
}

/// A speaker that takes sound.
pub trait SoundOutput: Send {
    /// What it is called in reports.
    fn name(&self) -> String;
    /// An input for the sound of a stream: raw audio with running times of the shared clock.
    fn audio_input(&mut self, peer: &ClientId, stream: &StreamId) -> gst_app::AppSrc;
    /// The stream is gone.
    fn remove_input(&mut self, peer: &ClientId, stream: &StreamId);
    /// Volume in percent, 0 to 100.
    fn set_volume(&mut self, percent: u8);
    /// Silences it without losing the volume.
    fn set_muted(&mut self, muted: bool);
}

/// The outputs of an engine. A part that is missing is neither decoded for nor an error.
#[derive(Default)]
pub struct Outputs {
    /// The display, if there is one.
    pub display: Option<Box<dyn PictureOutput>>,
    /// The speaker, if there is one.
    pub speaker: Option<Box<dyn SoundOutput>>,
}
