//! Outputs that look at what they are given: real pipelines, whose pictures and sound a test can read.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use roomd_media::{
    outputs::{BoxFuture, OutputSource, PictureOutput, SoundOutput},
    playback::PlaybackError,
    scene::Scene,
    settings::MediaSettings,
};
use roomd_protocol::{ClientId, StreamId};
use tokio::sync::Notify;

/// The last picture of a stream and how many there were.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub frames: u64,
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<u8>,
}

impl Seen {
    /// Mean colour of a small cell around a place, with `x` and `y` from 0.0 to 1.0.
    pub fn colour_at(&self, x: f64, y: f64) -> [u8; 3] {
        let (column, row) = (
            (x * self.width as f64) as usize,
            (y * self.height as f64) as usize,
        );
        let stride = (self.width * 3).div_ceil(4) * 4;
        let mut sum = [0usize; 3];
        for row in row - 2..row + 2 {
            for column in column - 2..column + 2 {
                for (part, sum) in sum.iter_mut().enumerate() {
                    *sum += usize::from(self.rgb[row * stride + column * 3 + part]);
                }
            }
        }
        sum.map(|sum| (sum / 16) as u8)
    }
}

/// What was heard of a stream: the last samples of the left channel, and how many there were in all.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    pub samples: u64,
    pub last: Vec<f32>,
}

impl Heard {
    /// RMS of the last samples in dBFS.
    pub fn level(&self) -> f64 {
        let square: f64 = self.last.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>()
            / self.last.len().max(1) as f64;
        10.0 * square.max(1e-12).log10()
    }

    /// Part of the energy that lies at a frequency (Goertzel), 0 to 1.
    pub fn share_at(&self, frequency: f64) -> f64 {
        let omega = std::f64::consts::TAU * frequency / 48_000.0;
        let (mut re, mut im, mut energy) = (0.0, 0.0, 0.0);
        for (n, sample) in self.last.iter().enumerate() {
            let sample = f64::from(*sample);
            re += sample * (omega * n as f64).cos();
            im += sample * (omega * n as f64).sin();
            energy += sample * sample;
        }
        2.0 * (re * re + im * im) / (energy.max(1e-12) * self.last.len().max(1) as f64)
    }
}

type Shared<T> = Arc<Mutex<HashMap<(String, String), T>>>;

/// What a test reads.
#[derive(Clone, Default)]
pub struct Observed {
    pictures: Shared<Seen>,
    sounds: Shared<Heard>,
    /// Somebody pulls the display's plug.
    plug_pulled: Arc<Notify>,
    /// The display cannot be opened.
    is_gone: Arc<AtomicBool>,
}

impl Observed {
    pub fn picture(&self, stream: &StreamId) -> Seen {
        let pictures = self.pictures.lock().unwrap();
        pictures
            .iter()
            .find(|((_, id), _)| id == stream.as_str())
            .map(|(_, seen)| seen.clone())
            .unwrap_or_default()
    }

    pub fn sound(&self, stream: &StreamId) -> Heard {
        let sounds = self.sounds.lock().unwrap();
        sounds
            .iter()
            .find(|((_, id), _)| id == stream.as_str())
            .map(|(_, heard)| heard.clone())
            .unwrap_or_default()
    }
}

impl Observed {
    /// The display fails, and cannot be opened until [`Observed::put_display_back`].
    pub fn lose_display(&self) {
        self.is_gone.store(true, Ordering::SeqCst);
        self.plug_pulled.notify_one();
    }

    pub fn put_display_back(&self) {
        self.is_gone.store(false, Ordering::SeqCst);
    }
}

fn gone() -> PlaybackError {
    PlaybackError::Lost {
        pipeline: "display",
        element: "test display".into(),
        message: "the plug was pulled".into(),
        details: String::new(),
    }
}

impl OutputSource for Observed {
    fn display(
        &self,
        _: &MediaSettings,
        _: &gst::Clock,
        _: gst::ClockTime,
    ) -> Result<Option<Box<dyn PictureOutput>>, PlaybackError> {
        if self.is_gone.load(Ordering::SeqCst) {
            return Err(gone());
        }
        Ok(Some(Box::new(Display {
            pictures: self.pictures.clone(),
            inputs: HashMap::new(),
            plug_pulled: Arc::clone(&self.plug_pulled),
        })))
    }

    fn speaker(
        &self,
        _: &MediaSettings,
        _: &gst::Clock,
        _: gst::ClockTime,
    ) -> Result<Option<Box<dyn SoundOutput>>, PlaybackError> {
        Ok(Some(Box::new(Speaker {
            sounds: self.sounds.clone(),
            inputs: HashMap::new(),
        })))
    }
}

struct Input {
    pipeline: gst::Pipeline,
}

impl Drop for Input {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

fn input(
    conversion: &str,
    mut take: impl FnMut(&gst::Sample) + Send + 'static,
) -> (Input, gst_app::AppSrc) {
    let text = format!(
        "appsrc name=in is-live=true format=time ! {conversion} ! appsink name=out sync=false"
    );
    let pipeline = gst::parse::launch(&text)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let sink = pipeline
        .by_name("out")
        .unwrap()
        .downcast::<gst_app::AppSink>()
        .unwrap();
    sink.set_callbacks(
        gst_app::AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                take(&sink.pull_sample().map_err(|_| gst::FlowError::Eos)?);
                Ok(gst::FlowSuccess::Ok)
            })
            .build(),
    );
    pipeline
        .bus()
        .unwrap()
        .set_sync_handler(|_, _| gst::BusSyncReply::Drop);
    pipeline.set_state(gst::State::Playing).unwrap();
    let appsrc = pipeline.by_name("in").unwrap().downcast().unwrap();
    (Input { pipeline }, appsrc)
}

struct Display {
    pictures: Shared<Seen>,
    inputs: HashMap<(String, String), Input>,
    plug_pulled: Arc<Notify>,
}

impl Drop for Display {
    fn drop(&mut self) {
        self.pictures.lock().unwrap().clear();
    }
}

impl PictureOutput for Display {
    fn name(&self) -> String {
        "test display".into()
    }

    fn video_input(
        &mut self,
        peer: &ClientId,
        stream: &StreamId,
    ) -> Result<gst_app::AppSrc, PlaybackError> {
        let key = (peer.to_string(), stream.to_string());
        let (pictures, of) = (self.pictures.clone(), key.clone());
        let (input, appsrc) = input("videoconvert ! video/x-raw,format=RGB", move |sample| {
            let size = sample.caps().unwrap().structure(0).unwrap();
            let mut pictures = pictures.lock().unwrap();
            let seen = pictures.entry(of.clone()).or_default();
            seen.frames += 1;
            seen.width = size.get::<i32>("width").unwrap() as usize;
            seen.height = size.get::<i32>("height").unwrap() as usize;
            seen.rgb = sample.buffer().unwrap().map_readable().unwrap().to_vec();
        });
        self.inputs.insert(key, input);
        Ok(appsrc)
    }

    fn remove_input(&mut self, peer: &ClientId, stream: &StreamId) {
        let key = (peer.to_string(), stream.to_string());
        self.inputs.remove(&key);
        self.pictures.lock().unwrap().remove(&key);
    }

    fn show(&mut self, _: &Scene) {}

    fn next_error(&mut self) -> BoxFuture<'_, PlaybackError> {
        Box::pin(async {
            self.plug_pulled.notified().await;
            gone()
        })
    }
}

struct Speaker {
    sounds: Shared<Heard>,
    inputs: HashMap<(String, String), Input>,
}

impl SoundOutput for Speaker {
    fn name(&self) -> String {
        "test speaker".into()
    }

    fn audio_input(
        &mut self,
        peer: &ClientId,
        stream: &StreamId,
    ) -> Result<gst_app::AppSrc, PlaybackError> {
        let key = (peer.to_string(), stream.to_string());
        let (sounds, of) = (self.sounds.clone(), key.clone());
        let (input, appsrc) = input(
            "audioconvert ! audio/x-raw,format=F32LE,channels=2",
            move |sample| {
                let buffer = sample.buffer().unwrap().map_readable().unwrap();
                let left = buffer
                    .chunks_exact(8)
                    .map(|frame| f32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]));
                let mut sounds = sounds.lock().unwrap();
                let heard = sounds.entry(of.clone()).or_default();
                heard.last.extend(left);
                heard.samples += (buffer.len() / 8) as u64;
                let surplus = heard.last.len().saturating_sub(9600);
                heard.last.drain(..surplus);
            },
        );
        self.inputs.insert(key, input);
        Ok(appsrc)
    }

    fn remove_input(&mut self, peer: &ClientId, stream: &StreamId) {
        let key = (peer.to_string(), stream.to_string());
        self.inputs.remove(&key);
        self.sounds.lock().unwrap().remove(&key);
    }

    fn set_volume(&mut self, _: u8) {}
    fn set_muted(&mut self, _: bool) {}
}
