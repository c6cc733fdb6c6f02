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

/// Opens display and speaker: when the engine starts, and again after each loss.
pub trait OutputSource: Send + Sync + 'static {
    /// The display of the settings; `None` when none is wanted. May block. Timestamps are those of the clock and base
    /// time.
    ///
    /// # Errors
    /// There is none, or it cannot be opened; what does not work now is tried again later.
    fn display(
        &self,
        settings: &MediaSettings,
        clock: &gst::Clock,
        base_time: gst::ClockTime,
    ) -> Result<Option<Box<dyn PictureOutput>>, PlaybackError>;

    /// The speaker of the settings, as [`OutputSource::display`].
    ///
    /// # Errors
    /// As [`OutputSource::display`].
    fn speaker(
        &self,
        settings: &MediaSettings,
        clock: &gst::Clock,
        base_time: gst::ClockTime,
    ) -> Result<Option<Box<dyn SoundOutput>>, PlaybackError>;

    /// Where every stream goes as it was coded, for an engine that records; then nothing is decoded for
    /// display and speaker.
    fn recording(&self) -> Option<mpsc::Sender<CodedFrame>> {
        None
    }
}

/// A recording instead of display and speaker.
#[derive(Clone, Debug)]
pub struct Recording(
    /// Who keeps the frames. Bounded: see [`crate::CodedFrame`].
    pub mpsc::Sender<CodedFrame>,
);

impl OutputSource for Recording {
    fn display(
        &self,
        _: &MediaSettings,
        _: &gst::Clock,
        _: gst::ClockTime,
    ) -> Result<Option<Box<dyn PictureOutput>>, PlaybackError> {
        Ok(None)
    }

    fn speaker(
        &self,
        _: &MediaSettings,
        _: &gst::Clock,
        _: gst::ClockTime,
    ) -> Result<Option<Box<dyn SoundOutput>>, PlaybackError> {
        Ok(None)
    }

    fn recording(&self) -> Option<mpsc::Sender<CodedFrame>> {
        Some(self.0.clone())
    }
}

/// The display and the speaker of this machine.
#[derive(Clone, Copy, Debug)]
pub struct OwnOutputs;

/// Size of the display's canvas in pixels.
const CANVAS: (u32, u32) = (1280, 720);

impl OutputSource for OwnOutputs {
    fn display(
        &self,
        settings: &MediaSettings,
        clock: &gst::Clock,
        base_time: gst::ClockTime,
    ) -> Result<Option<Box<dyn PictureOutput>>, PlaybackError> {
        let latency = crate::playback::input_latency(settings.latency_ms);
        let display = Display::open(&settings.display, CANVAS, clock, base_time, latency)?;
        Ok(display.map(|display| Box::new(display) as Box<dyn PictureOutput>))
    }

    fn speaker(
        &self,
        settings: &MediaSettings,
        clock: &gst::Clock,
        base_time: gst::ClockTime,
    ) -> Result<Option<Box<dyn SoundOutput>>, PlaybackError> {
        let latency = crate::playback::input_latency(settings.latency_ms);
        let speaker = Speaker::open(&settings.speaker, clock, base_time, latency)?;
        Ok(speaker.map(|speaker| Box::new(speaker) as Box<dyn SoundOutput>))
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
