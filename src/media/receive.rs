//! What arrives from a peer: packets are counted, and decoded when there is something to show or play.
//!
//! A decoder has a pipeline of its own behind a leaky bridge, so that neither its errors nor its pace
//! reach the connection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use roomd_protocol::StreamId;
use tokio::sync::mpsc;

use crate::{
    coded::CodedInput,
    encoders::{Codec, EncoderError, Tables, is_present},
    fanout::{APPSINK, Fanout, Flow, Output, bounded_appsrc, passing_appsink},
    launch::{self, LaunchError},
    pipeline::{self, BusEvent, Timing},
};

/// An unanswered request for a key frame is made again after this time: peers drop those that come
/// too soon after another.
const KEY_FRAME_PATIENCE: Duration = Duration::from_millis(700);
/// How long the first picture may take before a key frame is asked for.
const FIRST_PICTURE_PATIENCE: Duration = Duration::from_millis(150);
/// Packets count as arriving for this long after the last one.
const RECEIVING_FOR: Duration = Duration::from_secs(2);
/// Packets that may wait for a decoder: more than the largest key frame.
const PACKET_LIMIT: u64 = 2000;

/// The end of a webrtcbin source pad: every packet is counted and offered to a decoder.
#[derive(Debug)]
pub(crate) struct RtpTap {
    sink: gst_app::AppSink,
    packets: Fanout,
    frames: Arc<AtomicU64>,
}

impl RtpTap {
    /// Links a new source pad. Called on webrtcbin's thread, before the pad's first packet.
    pub(crate) fn link(
        pipeline: &gst::Pipeline,
        pad: &gst::Pad,
    ) -> Result<Self, gst::glib::BoolError> {
        let sink = passing_appsink();
        let packets = Fanout::holding(HELD_PACKETS);
        packets.feed_from(&sink, || {});
        packets.forward_loss_from(&sink);
        pipeline.add(&sink)?;
        sink.sync_state_with_parent()?;
        let target = sink
            .static_pad("sink")
            .ok_or_else(|| gst::glib::bool_error!("an appsink without sink pad"))?;
        let frames = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&frames);
        target.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if info.buffer().is_some_and(|packet| ends_picture(packet)) {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            gst::PadProbeReturn::Ok
        });
        pad.link(&target)
            .map_err(|error| gst::glib::bool_error!("cannot link an appsink: {error}"))?;
        Ok(Self {
            sink,
            packets,
            frames,
        })
    }
}

/// Packets kept between the first one and the decoder's start: without them the first key frame would be
/// lost, and the next takes a request that the peer may pass over.
const HELD_PACKETS: usize = 500;

/// Whether a packet is the last of its picture: the marker bit (RFC 3550 §5.1, RFC 7741 §4.1, RFC 6184
/// §5.1). Received buffers have it in their header only; the flag of the same name is for payloaders.
fn ends_picture(packet: &gst::BufferRef) -> bool {
    let mut header = [0; 2];
    // The size first: copying more than there is panics instead of failing.
    packet.size() >= header.len()
        && packet.copy_to_slice(0, &mut header).is_ok()
        && header[1] & 0x80 != 0
}

/// What a decoder tells its peer connection.
#[derive(Debug)]
pub(crate) enum DecoderNews {
    /// It needs a key frame.
    KeyFrameNeeded,
    /// It failed.
    Failed(BusEvent),
}

/// Where a track goes.
#[derive(Debug)]
pub(crate) enum Target {
    /// Decoded, to the display or the speaker.
    Raw(gst_app::AppSrc),
    /// As it is, to a recording.
    Coded(CodedInput),
}

/// A decoder, or what takes a track's frames out of their packets for a recording.
#[derive(Debug)]
struct Decoder {
    pipeline: gst::Pipeline,
    input: Arc<Output>,
    output: Way,
    size: Arc<AtomicU64>,
}

/// How it goes on behind a [`Decoder`].
#[derive(Debug)]
enum Way {
    Raw { to: Arc<Output>, decoded: Fanout },
    Coded { delivered: Arc<AtomicU64> },
}

impl Decoder {
    /// Pictures or packets of sound that came out.
    fn samples(&self) -> u64 {
        match &self.output {
            Way::Raw { decoded, .. } => decoded.samples(),
            Way::Coded { delivered } => delivered.load(Ordering::Relaxed),
        }
    }
}

/// One track of a peer.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) pad: gst::Pad,
    pub(crate) index: usize,
    pub(crate) stream: StreamId,
    pub(crate) codec: Codec,
    tap: RtpTap,
    decoder: Option<Decoder>,
    rate: Rate,
    last_packet: Option<Instant>,
    packets: u64,
    wanted_key_frame: Option<KeyFrameWish>,
}

#[derive(Clone, Copy, Debug)]
struct KeyFrameWish {
    asked: Option<Instant>,
    decoded: u64,
}

/// What a track looks like right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TrackReport {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) fps: u32,
    pub(crate) receiving: bool,
}

impl Incoming {
    /// A track that is counted, not decoded yet.
    pub(crate) fn new(
        pad: gst::Pad,
        tap: RtpTap,
        index: usize,
        stream: StreamId,
        codec: Codec,
        now: Instant,
    ) -> Self {
        Self {
            pad,
            index,
            stream,
            codec,
            tap,
            decoder: None,
            rate: Rate::new(now),
            last_packet: None,
            packets: 0,
            wanted_key_frame: None,
        }
    }

    /// Decodes into `target` from now on, or records.
    pub(crate) fn decode(
        &mut self,
        target: Target,
        tables: &Tables,
        timing: &Timing,
        news: mpsc::UnboundedSender<(gst::Pad, DecoderNews)>,
    ) -> Result<(), EncoderError> {
        let table = match &target {
            Target::Raw(_) => &tables.decoders,
            Target::Coded(_) => &tables.depayloaders,
        };
        let choice = table.choose(self.codec, &[], is_present)?;
        let line = choice.entry.line(&[])?;
        let text = format!("identity name=entry silent=true ! {line} ! {APPSINK} name=raw");
        let pipeline = launch::pipeline(&text)?;
        let entry: gst::Element = launch::named(&pipeline, &text, "entry")?;
        let sink: gst_app::AppSink = launch::named(&pipeline, &text, "raw")?;
        let appsrc = bounded_appsrc(self.pad.current_caps().as_ref(), PACKET_LIMIT);
        if pipeline.add(&appsrc).is_err() || appsrc.link(&entry).is_err() {
            return Err(LaunchError::MissingElement {
                line: text,
                name: "entry",
            }
            .into());
        }
        timing.apply(&pipeline);
        let (tell, pad) = (news.clone(), self.pad.clone());
        pipeline::watch_bus(&pipeline, move |event| {
            // The peer is closing: nothing to tell.
            let _ = tell.send((pad.clone(), DecoderNews::Failed(event)));
        });
        request_upstream(&appsrc, news.clone(), self.pad.clone());
        let size = watch_size(&sink);
        let output = match target {
            Target::Raw(target) => {
                let decoded = Fanout::new();
                decoded.feed_from(&sink, || {});
                let limit = if self.codec.is_video() { 4 } else { 50 };
                let to = Output::opened(target, Flow::Loose, limit);
                decoded.add(&to);
                Way::Raw { to, decoded }
            }
            Target::Coded(input) => {
                let (delivered, pad) = (Arc::new(AtomicU64::new(0)), self.pad.clone());
                input.feed_from(&sink, self.codec, Arc::clone(&delivered), move || {
                    // The peer is closing: nothing to tell.
                    let _ = news.send((pad.clone(), DecoderNews::KeyFrameNeeded));
                });
                Way::Coded { delivered }
            }
        };
        if pipeline.set_state(gst::State::Playing).is_err() {
            let _ = pipeline.set_state(gst::State::Null);
            let line = text;
            return Err(LaunchError::MissingElement { line, name: "raw" }.into());
        }
        let input = Output::opened(appsrc, Flow::Loose, PACKET_LIMIT);
        self.tap.packets.add(&input);
        self.decoder = Some(Decoder {
            pipeline,
            input,
            output,
            size,
        });
        self.expect_picture();
        Ok(())
    }

    /// It will not be decoded.
    pub(crate) fn only_count(&self) {
        self.tap.packets.discard_held();
    }

    /// Ends decoding; packets are still counted.
    pub(crate) async fn stop_decoding(&mut self) {
        self.wanted_key_frame = None;
        if let Some(decoder) = self.decoder.take() {
            if let Way::Raw { to, decoded } = &decoder.output {
                decoded.remove(to);
            }
            self.tap.packets.remove(&decoder.input);
            pipeline::close(decoder.pipeline, "decoder").await;
        }
    }

    /// Whether it is decoded.
    pub(crate) fn is_decoded(&self) -> bool {
        self.decoder.is_some()
    }

    /// Asks for a key frame if no picture comes by itself.
    fn expect_picture(&mut self) {
        if self.codec.is_video() {
            let asked = (Instant::now() + FIRST_PICTURE_PATIENCE).checked_sub(KEY_FRAME_PATIENCE);
            self.wanted_key_frame = Some(KeyFrameWish { asked, decoded: 0 });
        }
    }

    /// Asks the peer for a key frame, and again until a picture was decoded.
    pub(crate) fn want_key_frame(&mut self) {
        if self.codec.is_video() && self.wanted_key_frame.is_none() {
            let decoded = self.decoder.as_ref().map_or(0, Decoder::samples);
            self.wanted_key_frame = Some(KeyFrameWish {
                asked: None,
                decoded,
            });
        }
        self.ask_for_key_frame(Instant::now());
    }

    /// Makes an unanswered request again.
    pub(crate) fn ask_for_key_frame(&mut self, now: Instant) {
        let Some(wish) = &mut self.wanted_key_frame else {
            return;
        };
        let answered = match &self.decoder {
            Some(decoder) => decoder.samples() > wish.decoded,
            None => wish.asked.is_some(),
        };
        if answered {
            self.wanted_key_frame = None;
        } else if wish
            .asked
            .is_none_or(|asked| asked + KEY_FRAME_PATIENCE <= now)
        {
            wish.asked = Some(now);
            self.pad.send_event(
                gst_video::UpstreamForceKeyUnitEvent::builder()
                    .all_headers(true)
                    .build(),
            );
        }
    }

    /// Looks at the counters.
    pub(crate) fn report(&mut self, now: Instant) -> TrackReport {
        let packets = self.tap.packets.samples();
        if packets > self.packets {
            self.packets = packets;
            self.last_packet = Some(now);
        }
        let frames = match &self.decoder {
            Some(decoder) => decoder.samples(),
            None => self.tap.frames.load(Ordering::Relaxed),
        };
        let fps = self.rate.at(now, frames);
        let size = self
            .decoder
            .as_ref()
            .map_or(0, |decoder| decoder.size.load(Ordering::Relaxed));
        let is_video = self.codec.is_video();
        TrackReport {
            width: (size >> 32) as u32,
            height: (size & 0xffff_ffff) as u32,
            fps: if is_video { fps } else { 0 },
            receiving: self
                .last_packet
                .is_some_and(|last| now < last + RECEIVING_FOR),
        }
    }

    /// Takes the end of the pad out of its pipeline.
    pub(crate) async fn remove(mut self, pipeline: &gst::Pipeline) {
        self.stop_decoding().await;
        let (pipeline, sink) = (pipeline.clone(), self.tap.sink.clone());
        let removal = tokio::task::spawn_blocking(move || {
            // Both fail only for an element that is gone already.
            let _ = pipeline.remove(&sink);
            let _ = sink.set_state(gst::State::Null);
        });
        if removal.await.is_err() {
            tracing::error!("a receiving branch could not be taken away");
        }
    }
}

/// The decoder's requests for key frames end here and become news.
fn request_upstream(
    appsrc: &gst_app::AppSrc,
    news: mpsc::UnboundedSender<(gst::Pad, DecoderNews)>,
    of: gst::Pad,
) {
    let Some(pad) = appsrc.static_pad("src") else {
        return;
    };
    pad.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
        if info
            .event()
            .is_some_and(|event| gst_video::ForceKeyUnitEvent::is(event))
        {
            let _ = news.send((of.clone(), DecoderNews::KeyFrameNeeded));
            // Not `Drop`: the binding has taken the event, and 1.22 would unref nothing.
            return gst::PadProbeReturn::Handled;
        }
        gst::PadProbeReturn::Ok
    });
}

/// Width and height of the pictures that arrive at `sink`, in the upper and the lower half.
fn watch_size(sink: &gst_app::AppSink) -> Arc<AtomicU64> {
    let size = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&size);
    if let Some(pad) = sink.static_pad("sink") {
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            if let Some(gst::EventView::Caps(caps)) = info.event().map(|event| event.view())
                && let Some(structure) = caps.caps().structure(0)
                && let (Ok(width), Ok(height)) = (
                    structure.get::<i32>("width"),
                    structure.get::<i32>("height"),
                )
            {
                seen.store(
                    (u64::from(width.unsigned_abs()) << 32) | u64::from(height.unsigned_abs()),
                    Ordering::Relaxed,
                );
            }
            gst::PadProbeReturn::Ok
        });
    }
    size
}

/// Events per second over the last second or more.
#[derive(Debug)]
struct Rate {
    since: Instant,
    count: u64,
    rate: u32,
}

impl Rate {
    fn new(now: Instant) -> Self {
        Self {
            since: now,
            count: 0,
            rate: 0,
        }
    }

    fn at(&mut self, now: Instant, count: u64) -> u32 {
        let elapsed = now.duration_since(self.since);
        if elapsed >= Duration::from_secs(1) {
            let events = count.saturating_sub(self.count) as f64;
            self.rate = (events / elapsed.as_secs_f64()).round() as u32;
            (self.since, self.count) = (now, count);
        }
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_bit_of_a_received_packet_ends_its_picture() {
        gst::init().unwrap();
        let packet = |bytes: &'static [u8]| gst::Buffer::from_slice(bytes);
        assert!(ends_picture(&packet(&[0x80, 0xe0, 0, 1])));
        assert!(!ends_picture(&packet(&[0x80, 0x60, 0, 1])));
        assert!(!ends_picture(&packet(&[0x80])));
    }

    #[test]
    fn the_rate_is_that_of_the_last_second() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut rate = Rate::new(start);
        assert_eq!(rate.at(at(500), 15), 0);
        assert_eq!(rate.at(at(1000), 30), 30);
        assert_eq!(rate.at(at(1500), 30), 30);
        assert_eq!(rate.at(at(2000), 30), 0);
    }
}
