//! The bare pipeline: what a camera and a microphone cost to encode, without a room around them. It is
//! what `roomd bench sending` compares with: the same sources and the same encoders, each in one
//! pipeline that ends in nothing.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use gst::prelude::*;
use gstreamer as gst;

use crate::{
    capture::test_picture::TestPicture,
    capture::{self, CaptureLine, camera, microphone},
    devices,
    encoders::{Codec, EncoderError, Tables, encoder_values, is_present},
    engine::MediaError,
    launch::{self, LaunchError},
    pipeline::{self, BusEvent, Timing},
    settings::MediaSettings,
};

/// What was encoded so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Pictures.
    pub pictures: u64,
    /// Opus frames.
    pub sounds: u64,
}

/// Running bare pipelines; they stop when this is dropped.
#[derive(Debug)]
pub struct BarePipelines {
    pipelines: Vec<gst::Pipeline>,
    pictures: Arc<AtomicU64>,
    sounds: Arc<AtomicU64>,
}

impl BarePipelines {
    /// Starts camera and microphone of `settings` with the encoders that a connection would use.
    /// `failed` is called with the reason when one of them stops.
    ///
    /// # Errors
    /// When GStreamer, the settings or a source is unusable.
    pub fn start(
        settings: &MediaSettings,
        failed: impl Fn(String) + Send + Sync + Clone + 'static,
    ) -> Result<Self, MediaError> {
        gst::init()?;
        settings.check()?;
        let tables = Tables::built_in()?;
        let timing = Timing::start();
        let devices = devices::find();
        let mut bare = Self {
            pipelines: Vec::new(),
            pictures: Arc::default(),
            sounds: Arc::default(),
        };
        let encoding = settings.camera_encoding;
        let codec = settings.video_codecs.0.first().copied();
        let codec = Codec::from(codec.ok_or(MediaError::NoVideoCodec)?);
        let camera = camera::line(&settings.camera, encoding, TestPicture::Camera, &devices)?;
        let microphone = microphone::line(&settings.microphone, &devices)?;
        let video = encoder_values(encoding.bitrate, encoding.fps);
        let audio = encoder_values(settings.audio_bitrate.0, 0);
        let (pictures, sounds) = (Arc::clone(&bare.pictures), Arc::clone(&bare.sounds));
        for (source, codec, values, count) in [
            (camera, codec, video, pictures),
            (microphone, Codec::Opus, audio, sounds),
        ] {
            if let Some(source) = source {
                let encoder = tables.encoders.choose(codec, &[], is_present)?;
                let line = encoder.entry.line(&values)?;
                let pipeline = start(source, &line, &timing, count, failed.clone())?;
                bare.pipelines.push(pipeline);
            }
        }
        Ok(bare)
    }

    /// What was encoded so far.
    #[must_use]
    pub fn encoded(&self) -> Encoded {
        Encoded {
            pictures: self.pictures.load(Ordering::Relaxed),
            sounds: self.sounds.load(Ordering::Relaxed),
        }
    }
}

impl Drop for BarePipelines {
    fn drop(&mut self) {
        for pipeline in &self.pipelines {
            if pipeline.set_state(gst::State::Null).is_err() {
                tracing::error!("a bare pipeline does not stop");
            }
        }
    }
}

fn start(
    source: CaptureLine,
    encoder: &str,
    timing: &Timing,
    count: Arc<AtomicU64>,
    failed: impl Fn(String) + Send + Sync + 'static,
) -> Result<gst::Pipeline, EncoderError> {
    let text = format!(
        "{} ! {encoder} ! fakesink name=end sync=false async=false enable-last-sample=false",
        source.line
    );
    let pipeline = launch::pipeline(&text)?;
    if let Some(picture) = source.painted {
        let painter: gst::Element = launch::named(&pipeline, &text, "painter")?;
        capture::painting::paint(&painter, move |number, width, height, planes| {
            picture.paint(number, width, height, planes);
        });
    }
    let end: gst::Element = launch::named(&pipeline, &text, "end")?;
    if let Some(pad) = end.static_pad("sink") {
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            count.fetch_add(1, Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
    }
    timing.apply(&pipeline);
    pipeline::watch_bus(&pipeline, move |event| {
        failed(match event {
            BusEvent::Failed(failure) => failure.to_string(),
            BusEvent::Ended => "ended".to_owned(),
        });
    });
    if pipeline.set_state(gst::State::Playing).is_err() {
        return Err(LaunchError::MissingElement {
            line: text,
            name: "end",
        }
        .into());
    }
    Ok(pipeline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{AudioSource, VideoSource};

    #[test]
    fn pictures_and_sound_are_encoded_at_their_rate() {
        let settings = MediaSettings {
            camera: VideoSource::Test,
            microphone: AudioSource::Test {
                frequency: 440.0,
                level_dbfs: -20.0,
            },
            ..MediaSettings::default()
        };
        let bare = BarePipelines::start(&settings, |reason| panic!("{reason}")).unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while bare.encoded().pictures < 15 || bare.encoded().sounds < 25 {
            assert!(std::time::Instant::now() < deadline, "{:?}", bare.encoded());
            std::thread::yield_now();
        }
    }
}
