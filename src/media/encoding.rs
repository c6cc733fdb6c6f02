//! Running encoders: one for each source and codec in use, shared by all peers.
//!
//! An encoder runs while its source is on and somebody wants its codec. When its source is switched
//! off it is stopped, so that nothing captured before can leave later.

use std::{collections::HashMap, sync::Arc, time::Instant};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::{
    capture::Source,
    encoders::{
        BitrateProperty, BitrateUnit, Codec, EncoderError, Tables, encoder_values, is_present,
    },
    fanout::{APPSINK, Fanout, Flow, Output, bounded_appsrc},
    key_frames::KeyFrameRequests,
    launch,
    pipeline::{self, BusEvent, Timing},
    settings::VideoEncoding,
};

/// Which encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EncoderKey {
    pub(crate) source: Source,
    pub(crate) codec: Codec,
}

/// What encoders tell the graph.
#[derive(Debug)]
pub(crate) enum EncoderNews {
    /// A receiver waits for a key frame.
    KeyFrameNeeded(EncoderKey),
    /// An encoder failed; the number tells which run of it.
    Failed(EncoderKey, u64, BusEvent),
}

/// An encoder in use, for status and reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EncoderInUse {
    /// What it encodes.
    pub source: Source,
    /// To what.
    pub codec: Codec,
    /// Its name in `pipelines/encoders.toml`.
    pub name: String,
    /// Why this one.
    pub why: String,
    /// How many connections it serves.
    pub connections: usize,
    /// Whether it runs now (its source is on).
    pub running: bool,
    /// Why it does not work.
    pub error: Option<String>,
}

#[derive(Debug)]
struct Running {
    pipeline: gst::Pipeline,
    encoder: gst::Element,
    input: Arc<Output>,
    bitrate: Option<BitrateProperty>,
}

#[derive(Debug)]
struct Encoding {
    coded: Fanout,
    running: Option<Running>,
    requests: KeyFrameRequests,
    refused: Vec<(String, String)>,
    name: String,
    why: String,
    error: Option<String>,
    run: u64,
}

/// Sizes and rates of what is encoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) camera: VideoEncoding,
    pub(crate) presentation: VideoEncoding,
    pub(crate) audio_bitrate: u32,
}

impl Rates {
    fn of(&self, source: Source) -> (u32, u32) {
        match source {
            Source::Camera => (self.camera.bitrate, self.camera.fps),
            Source::Presentation => (self.presentation.bitrate, self.presentation.fps),
            Source::Microphone => (self.audio_bitrate, 0),
        }
    }
}

/// All encoders. Owned by the graph.
#[derive(Debug)]
pub(crate) struct Encoders {
    tables: Tables,
    timing: Timing,
    rates: Rates,
    news: mpsc::UnboundedSender<EncoderNews>,
    sources: HashMap<Source, (Fanout, bool)>,
    encodings: HashMap<EncoderKey, Encoding>,
}

impl Encoders {
    /// No encoder runs yet. `sources` are the raw samples of each source, all of them off.
    pub(crate) fn new(
        tables: Tables,
        timing: Timing,
        rates: Rates,
        sources: HashMap<Source, Fanout>,
        news: mpsc::UnboundedSender<EncoderNews>,
    ) -> Self {
        let sources = sources
            .into_iter()
            .map(|(source, raw)| (source, (raw, false)))
            .collect();
        Self {
            tables,
            timing,
            rates,
            news,
            sources,
            encodings: HashMap::new(),
        }
    }

    /// Gives `output` the coded stream of a source from its next key frame on.
    pub(crate) fn attach(&mut self, key: EncoderKey, output: &Arc<Output>) {
        let encoding = self.encodings.entry(key).or_insert_with(|| Encoding {
            coded: Fanout::new(),
            running: None,
            requests: KeyFrameRequests::default(),
            refused: Vec::new(),
            name: String::new(),
            why: String::new(),
            error: None,
            run: 0,
        });
        encoding.coded.add(output);
        self.refresh(key);
    }

    /// Takes an output away; the encoder stops with its last one.
    pub(crate) fn detach(&mut self, key: EncoderKey, output: &Arc<Output>) {
        if let Some(encoding) = self.encodings.get(&key) {
            encoding.coded.remove(output);
        }
        self.refresh(key);
        if self
            .encodings
            .get(&key)
            .is_some_and(|encoding| encoding.coded.len() == 0)
        {
            self.encodings.remove(&key);
        }
    }

    /// A source goes on or off. Off holds at once: no coded sample leaves after this call.
    pub(crate) fn switch(&mut self, source: Source, on: bool) {
        if let Some((raw, is_on)) = self.sources.get_mut(&source) {
            *is_on = on;
            if !on {
                raw.set_shut(true);
            }
        }
        let keys: Vec<_> = self
            .encodings
            .keys()
            .filter(|key| key.source == source)
            .copied()
            .collect();
        for key in keys {
            if let Some(encoding) = self.encodings.get(&key) {
                encoding.coded.set_shut(!on);
            }
            self.refresh(key);
        }
    }

    /// Carries out news of an encoder.
    pub(crate) fn hear(&mut self, news: EncoderNews) {
        match news {
            EncoderNews::KeyFrameNeeded(key) => {
                if let Some(encoding) = self.encodings.get_mut(&key) {
                    // Asked again with every delta frame: no need to put it off.
                    if encoding.requests.repeat(Instant::now()) {
                        encoding.force_key_frame();
                    }
                }
            }
            EncoderNews::Failed(key, run, event) => {
                let Some(encoding) = self
                    .encodings
                    .get_mut(&key)
                    .filter(|encoding| encoding.run == run)
                else {
                    return;
                };
                let reason = match event {
                    BusEvent::Failed(failure) => failure.to_string(),
                    BusEvent::Ended => "ended".to_owned(),
                };
                tracing::warn!(
                    encoder = encoding.name,
                    reason,
                    "an encoder failed; the next of its list is tried"
                );
                encoding.refused.push((encoding.name.clone(), reason));
                if let Some((raw, _)) = self.sources.get(&key.source) {
                    encoding.stop(raw);
                }
                self.refresh(key);
            }
        }
    }

    /// A peer asks for a key frame, or its connection has just begun.
    pub(crate) fn request_key_frame(&mut self, key: EncoderKey) {
        if let Some(encoding) = self.encodings.get_mut(&key)
            && encoding.requests.request(Instant::now())
        {
            encoding.force_key_frame();
        }
    }

    /// When [`Encoders::expire`] should be called.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.encodings
            .values()
            .filter_map(|encoding| encoding.requests.due())
            .min()
    }

    /// Makes the key frames that had been put off.
    pub(crate) fn expire(&mut self, now: Instant) {
        for encoding in self.encodings.values_mut() {
            if encoding.requests.expire(now) {
                encoding.force_key_frame();
            }
        }
    }

    /// Whether a source is on.
    pub(crate) fn is_on(&self, source: Source) -> bool {
        self.sources.get(&source).is_some_and(|(_, on)| *on)
    }

    /// What the camera's encoders are started with from now on; running ones are stopped.
    pub(crate) fn set_camera(&mut self, encoding: VideoEncoding) {
        let on = self.is_on(Source::Camera);
        self.switch(Source::Camera, false);
        self.rates.camera = encoding;
        self.switch(Source::Camera, on);
    }

    /// Sets a bitrate for the encoders of a source, running ones included.
    pub(crate) fn set_bitrate(&mut self, source: Source, bitrate: u32) {
        match source {
            Source::Camera => self.rates.camera.bitrate = bitrate,
            Source::Presentation => self.rates.presentation.bitrate = bitrate,
            Source::Microphone => self.rates.audio_bitrate = bitrate,
        }
        for (key, encoding) in &self.encodings {
            if key.source == source
                && let Some(running) = &encoding.running
            {
                running.set_bitrate(bitrate);
            }
        }
    }

    /// What is in use.
    pub(crate) fn in_use(&self) -> Vec<EncoderInUse> {
        let mut in_use: Vec<_> = self
            .encodings
            .iter()
            .map(|(key, encoding)| EncoderInUse {
                source: key.source,
                codec: key.codec,
                name: encoding.name.clone(),
                why: encoding.why.clone(),
                connections: encoding.coded.len(),
                running: encoding.running.is_some(),
                error: encoding.error.clone(),
            })
            .collect();
        in_use.sort_by_key(|encoder| (encoder.source as u8, encoder.codec));
        in_use
    }

    /// Starts or stops an encoder as its source and its users ask.
    fn refresh(&mut self, key: EncoderKey) {
        let (Some((raw, on)), Some(encoding)) =
            (self.sources.get(&key.source), self.encodings.get_mut(&key))
        else {
            return;
        };
        let wanted = *on && encoding.coded.len() > 0;
        match (&encoding.running, wanted) {
            (None, true) => {
                let (bitrate, fps) = self.rates.of(key.source);
                let outcome = encoding.start(
                    key,
                    raw,
                    &self.tables,
                    &self.timing,
                    (bitrate, fps),
                    &self.news,
                );
                encoding.error = outcome.err().map(|error| error.to_string());
                if let Some(error) = &encoding.error {
                    tracing::error!(source = ?key.source, codec = key.codec.name(), error, "no encoder works");
                }
            }
            (Some(_), false) => encoding.stop(raw),
            _ => {}
        }
    }
}

impl Encoding {
    fn start(
        &mut self,
        key: EncoderKey,
        raw: &Fanout,
        tables: &Tables,
        timing: &Timing,
        (bitrate, fps): (u32, u32),
        news: &mpsc::UnboundedSender<EncoderNews>,
    ) -> Result<(), EncoderError> {
        let choice = tables
            .encoders
            .choose(key.codec, &self.refused, is_present)?;
        let line = choice.entry.line(&encoder_values(bitrate, fps))?;
        let text = format!("identity name=entry silent=true ! {line} ! {APPSINK} name=coded");
        let pipeline = launch::pipeline(&text)?;
        let entry: gst::Element = launch::named(&pipeline, &text, "entry")?;
        let encoder: gst::Element = launch::named(&pipeline, &text, "encoder")?;
        let sink: gst_app::AppSink = launch::named(&pipeline, &text, "coded")?;
        let limit = if key.codec.is_video() { 3 } else { 10 };
        let appsrc = bounded_appsrc(None, limit);
        let linked = pipeline.add(&appsrc).is_ok() && appsrc.link(&entry).is_ok();
        if !linked {
            return Err(launch::LaunchError::MissingElement {
                line: text,
                name: "entry",
            }
            .into());
        }
        timing.apply(&pipeline);
        self.run += 1;
        let (run, tell) = (self.run, news.clone());
        pipeline::watch_bus(&pipeline, move |event| {
            // The graph is gone: the engine stops.
            let _ = tell.send(EncoderNews::Failed(key, run, event));
        });
        let tell = news.clone();
        self.coded.feed_from(&sink, move || {
            let _ = tell.send(EncoderNews::KeyFrameNeeded(key));
        });
        self.coded.set_shut(false);
        if pipeline.set_state(gst::State::Playing).is_err() {
            let reason = "does not start".to_owned();
            // Nothing streams yet, so stopping it here cannot wait for itself.
            let _ = pipeline.set_state(gst::State::Null);
            self.refused.push((choice.entry.name, reason));
            return self.start(key, raw, tables, timing, (bitrate, fps), news);
        }
        let input = Output::opened(appsrc, Flow::Loose, limit);
        raw.add(&input);
        tracing::info!(source = ?key.source, encoder = choice.entry.name, why = choice.why, "encoder started");
        self.name = choice.entry.name;
        self.why = choice.why;
        self.running = Some(Running {
            pipeline,
            encoder,
            input,
            bitrate: choice.entry.bitrate,
        });
        Ok(())
    }

    fn stop(&mut self, raw: &Fanout) {
        self.coded.set_shut(true);
        if let Some(running) = self.running.take() {
            raw.remove(&running.input);
            self.run += 1;
            tokio::spawn(pipeline::close(running.pipeline, "encoder"));
        }
    }

    fn force_key_frame(&self) {
        if let Some(running) = &self.running
            && let Some(pad) = running.encoder.static_pad("src")
        {
            pad.send_event(
                gst_video::UpstreamForceKeyUnitEvent::builder()
                    .all_headers(true)
                    .build(),
            );
        }
    }
}

impl Running {
    fn set_bitrate(&self, bitrate: u32) {
        let Some(BitrateProperty { property, unit }) = &self.bitrate else {
            return;
        };
        let value = match unit {
            BitrateUnit::Bps => bitrate,
            BitrateUnit::Kbps => (bitrate / 1000).max(1),
        };
        // Some encoders count in signed, some in unsigned integers.
        let Some(spec) = self.encoder.find_property(property) else {
            return;
        };
        if spec.value_type() == gst::glib::Type::U32 {
            self.encoder.set_property(property, value);
        } else if spec.value_type() == gst::glib::Type::I32 {
            self.encoder
                .set_property(property, i32::try_from(value).unwrap_or(i32::MAX));
        }
    }
}
