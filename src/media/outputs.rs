//! Where decoded pictures and sound go: the display and the speaker, seen from the engine.

use std::pin::Pin;

use gstreamer as gst;
use gstreamer_app as gst_app;
use roomd_protocol::{ClientId, StreamId};
use tokio::sync::mpsc;

use crate::{
    coded::CodedFrame,
    playback::{Display, PlaybackError, Speaker},
    scene::Scene,
    settings::MediaSettings,
};

/// A future of a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A display that takes pictures.
pub trait PictureOutput: Send {
    /// What it is called in reports.
    fn name(&self) -> String;
    /// An input for the pictures of a stream: raw video with running times of the shared clock.
    ///
    /// # Errors
    /// The display takes no more; the others go on.
    fn video_input(
        &mut self,
        peer: &ClientId,
        stream: &StreamId,
    ) -> Result<gst_app::AppSrc, PlaybackError>;
    /// The stream is gone.
    fn remove_input(&mut self, peer: &ClientId, stream: &StreamId);
    /// Shows a scene.
    fn show(&mut self, scene: &Scene);

    /// What went wrong while it runs; for ever pending while nothing does. May be dropped while it waits.
    fn next_error(&mut self) -> BoxFuture<'_, PlaybackError> {
        Box::pin(std::future::pending())
    }
}

/// A speaker that takes sound.
pub trait SoundOutput: Send {
    /// What it is called in reports.
    fn name(&self) -> String;
    /// An input for the sound of a stream: raw audio with running times of the shared clock.
    ///
    /// # Errors
    /// The speaker takes no more; the others go on.
    fn audio_input(
        &mut self,
        peer: &ClientId,
        stream: &StreamId,
    ) -> Result<gst_app::AppSrc, PlaybackError>;
    /// The stream is gone.
    fn remove_input(&mut self, peer: &ClientId, stream: &StreamId);
    /// Volume in percent, 0 to 100.
    fn set_volume(&mut self, percent: u8);
    /// Silences it without losing the volume.
    fn set_muted(&mut self, muted: bool);

    /// What went wrong while it runs; for ever pending while nothing does. May be dropped while it waits.
    fn next_error(&mut self) -> BoxFuture<'_, PlaybackError> {
        Box::pin(std::future::pending())
    }
}

/// The outputs of an engine. A part that is missing is neither decoded for nor an error.
#[derive(Default)]
pub struct Outputs {
    /// The display, if there is one.
    pub display: Option<Box<dyn PictureOutput>>,
    /// The speaker, if there is one.
    pub speaker: Option<Box<dyn SoundOutput>>,
    /// A recording, if this engine is one: it gets every stream as it was coded, and then nothing is
    /// decoded for display and speaker.
    pub recording: Option<mpsc::Sender<CodedFrame>>,
}

/// Size of the display's canvas in pixels.
const CANVAS: (u32, u32) = (1280, 720);

impl Outputs {
    /// Opens the display and the speaker of the settings; what does not open is told in the list, with its
    /// remedy. Blocks while it does.
    pub(crate) fn open(
        settings: &MediaSettings,
        clock: &gst::Clock,
        base_time: gst::ClockTime,
    ) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let latency = crate::playback::input_latency(settings.latency_ms);
        let display = Display::open(&settings.display, CANVAS, clock, base_time, latency)
            .unwrap_or_else(|error| {
                problems.push(error.to_string());
                None
            });
        let speaker =
            Speaker::open(&settings.speaker, clock, base_time, latency).unwrap_or_else(|error| {
                problems.push(error.to_string());
                None
            });
        let outputs = Self {
            display: display.map(|display| Box::new(display) as Box<dyn PictureOutput>),
            speaker: speaker.map(|speaker| Box::new(speaker) as Box<dyn SoundOutput>),
            recording: None,
        };
        (outputs, problems)
    }
}

impl PictureOutput for Display {
    fn name(&self) -> String {
        self.name().to_owned()
    }

    fn video_input(
        &mut self,
        peer: &ClientId,
        stream: &StreamId,
    ) -> Result<gst_app::AppSrc, PlaybackError> {
        self.video_input(peer, stream)
    }

    fn remove_input(&mut self, peer: &ClientId, stream: &StreamId) {
        self.remove_input(peer, stream);
    }

    fn show(&mut self, scene: &Scene) {
        self.show(scene);
    }

    fn next_error(&mut self) -> BoxFuture<'_, PlaybackError> {
        Box::pin(self.next_error())
    }
}

impl SoundOutput for Speaker {
    fn name(&self) -> String {
        self.name().to_owned()
    }

    fn audio_input(
        &mut self,
        peer: &ClientId,
        stream: &StreamId,
    ) -> Result<gst_app::AppSrc, PlaybackError> {
        self.audio_input(peer, stream)
    }

    fn remove_input(&mut self, peer: &ClientId, stream: &StreamId) {
        self.remove_input(peer, stream);
    }

    fn set_volume(&mut self, percent: u8) {
        self.set_volume(percent);
    }

    fn set_muted(&mut self, muted: bool) {
        self.set_muted(muted);
    }

    fn next_error(&mut self) -> BoxFuture<'_, PlaybackError> {
        Box::pin(self.next_error())
    }
}
