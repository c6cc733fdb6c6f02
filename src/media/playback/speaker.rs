//! The speaker: every remote sound mixed into one, through the volume to an ALSA device.

use std::collections::HashMap;

use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_audio::{StreamVolume, StreamVolumeFormat, prelude::*};
use roomd_protocol::{ClientId, StreamId};
use tokio::sync::mpsc;

use super::{
    PlaybackError, Running,
    bus::{self, Failure},
    input::Branch,
    launch, sink,
};
use crate::settings::AudioSink;

/// One pipeline from the remote sounds to the device. Silence runs through it while nobody speaks.
///
/// Operations block for a few milliseconds at most; none may be called from a streaming thread.
pub struct Speaker {
    running: Running,
    input_latency: gst::ClockTime,
    mixer: gst::Element,
    volume: StreamVolume,
    sink: String,
    inputs: HashMap<(ClientId, StreamId), Branch>,
    errors: mpsc::Receiver<Failure>,
}

/// What the mixer makes in one go (`output-buffer-duration` in `speaker.launch`).
const MIXED_AT_ONCE: gst::ClockTime = gst::ClockTime::from_mseconds(10);

impl Speaker {
    /// Opens the speaker at full volume. `clock` and `base_time` are those of the receiving pipelines,
    /// `input_latency` is [`super::input_latency`] of their jitter buffers.
    ///
    /// `Ok(None)`: no speaker is wanted.
    ///
    /// # Errors
    /// The device cannot be opened, with `Auto` ALSA's default, or the plugins are not installed.
    pub fn open(
        wanted: &AudioSink,
        clock: &gst::Clock,
        base_time: gst::ClockTime,
        input_latency: gst::ClockTime,
    ) -> Result<Option<Self>, PlaybackError> {
        gst::init().map_err(PlaybackError::Initialise)?;
        let Some(opened) = sink::speaker(wanted)? else {
            return Ok(None);
        };
        let pipeline = launch::SPEAKER
            .pipeline(&[("input_latency_ns", input_latency.nseconds().to_string())])?;
        let element = |name| launch::SPEAKER.element(&pipeline, name);
        let (mixer, out) = (element("mix")?, element("out")?);
        let volume = element("volume")?
            .dynamic_cast::<StreamVolume>()
            .map_err(|element| {
                PlaybackError::pipeline("speaker", "taking the volume", element.name())
            })?;
        super::link_sink(&out, &opened.element, "speaker")?;
        // A mixer without inputs does not call itself live: the sink would be told a latency of 0, and nobody asks again
        // when the first input comes. All sound would be late then, and the sink drop it.
        let running = Running::new(
            pipeline,
            "speaker",
            clock,
            base_time,
            Some(input_latency + MIXED_AT_ONCE + sink::SPEAKER_BUFFER),
        );
        let mut errors = bus::errors_of(&running.pipeline, "speaker")?;
        running.start(&mut errors)?;
        Ok(Some(Self {
            running,
            input_latency,
            mixer,
            volume,
            sink: opened.name,
            inputs: HashMap::new(),
            errors,
        }))
    }

    /// The sink and its device, for the status and the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.sink
    }

    /// A place to push one remote stream's decoded sound: raw audio of any format and rate, timestamps in running
    /// time of the shared clock, caps set on the source or with each sample. It holds 200 ms and drops the oldest.
    /// What comes later than the input latency after its timestamp is not heard. A second call for a stream replaces
    /// its input.
    ///
    /// # Errors
    /// The pipeline refuses another input; the others go on.
    pub fn audio_input(
        &mut self,
        peer: &ClientId,
        stream: &StreamId,
    ) -> Result<gst_app::AppSrc, PlaybackError> {
        self.remove_input(peer, stream);
        let values = [(
            "input_latency_ns",
            self.input_latency.nseconds().to_string(),
        )];
        let branch = Branch::add(
            &self.running,
            &self.mixer,
            &launch::SPEAKER_INPUT,
            &values,
            |_| {},
        )?;
        branch.take_running_time_of_all(&self.running);
        let source = branch.source.clone();
        self.inputs.insert((peer.clone(), stream.clone()), branch);
        Ok(source)
    }

    /// Takes a stream's sound away. Unknown streams are none.
    pub fn remove_input(&mut self, peer: &ClientId, stream: &StreamId) {
        if let Some(branch) = self.inputs.remove(&(peer.clone(), stream.clone())) {
            branch.remove();
        }
    }

    /// Loudness as people hear it, 0 to 100 (more counts as 100): the cubic scale of GStreamer's `StreamVolume`.
    pub fn set_volume(&mut self, percent: u8) {
        self.volume.set_volume(
            StreamVolumeFormat::Cubic,
            f64::from(percent.min(100)) / 100.0,
        );
    }

    /// Silences the speaker; the volume is kept.
    pub fn set_muted(&mut self, muted: bool) {
        self.volume.set_mute(muted);
    }

    /// The next thing that went wrong while running; waits until there is one. After [`PlaybackError::Input`] remove
    /// that input and add it again; after anything else close this speaker and open another. May be dropped while it
    /// waits.
    pub async fn next_error(&mut self) -> PlaybackError {
        // The bus, which holds the other end, lives as long as the pipeline: without it there is never another error.
        while let Some(failure) = self.errors.recv().await {
            let streams = self
                .inputs
                .iter()
                .map(|(of, branch)| (of, branch.bin.name()));
            let others = [];
            if let Some(error) = super::meaning(failure, streams, others) {
                return error;
            }
        }
        std::future::pending().await
    }

    /// Ends the pipeline and gives the device back.
    pub async fn close(self) {
        self.running.stop().await;
    }
}
