//! From one pipeline to many: every sample of an appsink is offered to any number of appsrcs.
//!
//! Each output is bounded and alone: one that is full or shut loses samples, and nobody else notices.
//! Samples keep their running time; all pipelines share clock and base time, so no retiming is needed.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use tokio::sync::watch;

/// What flows through an output decides what may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Raw pictures, sound or packets: the oldest may go.
    Loose,
    /// Coded pictures that build on each other: after a loss the next must be a key frame.
    CodedVideo,
}

/// One receiver of samples.
#[derive(Debug)]
pub(crate) struct Output {
    appsrc: gst_app::AppSrc,
    flow: Flow,
    limit: u64,
    open: AtomicBool,
    awaits_key_frame: AtomicBool,
    lost: AtomicU64,
}

impl Output {
    /// An output into `appsrc` that holds at most `limit` samples, shut until [`Output::open`].
    pub(crate) fn new(appsrc: gst_app::AppSrc, flow: Flow, limit: u64) -> Arc<Self> {
        Arc::new(Self {
            appsrc,
            flow,
            limit,
            open: AtomicBool::new(false),
            awaits_key_frame: AtomicBool::new(true),
            lost: AtomicU64::new(0),
        })
    }

    /// The same, open from the start.
    pub(crate) fn opened(appsrc: gst_app::AppSrc, flow: Flow, limit: u64) -> Arc<Self> {
        let output = Self::new(appsrc, flow, limit);
        output.open.store(true, Ordering::Release);
        output
    }

    /// Lets samples through from now on, coded video from its next key frame on. False: it did already.
    pub(crate) fn open(&self) -> bool {
        if self.open.load(Ordering::Acquire) {
            return false;
        }
        self.awaits_key_frame.store(true, Ordering::Release);
        self.open.store(true, Ordering::Release);
        true
    }

    /// Lets nothing through any more.
    pub(crate) fn shut(&self) {
        self.open.store(false, Ordering::Release);
    }

    /// Samples that were lost because the receiver was too slow.
    #[cfg(test)]
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Offers one sample. True: a key frame is needed before this output can go on.
    fn offer(&self, sample: &gst::Sample) -> bool {
        if !self.open.load(Ordering::Acquire) {
            return false;
        }
        if self.flow == Flow::CodedVideo {
            let is_delta = sample
                .buffer()
                .is_some_and(|buffer| buffer.flags().contains(gst::BufferFlags::DELTA_UNIT));
            if is_delta && self.awaits_key_frame.load(Ordering::Acquire) {
                return true;
            }
            if self.appsrc.current_level_buffers() >= self.limit {
                self.lost.fetch_add(1, Ordering::Relaxed);
                self.awaits_key_frame.store(true, Ordering::Release);
                return true;
            }
            self.awaits_key_frame.store(false, Ordering::Release);
        } else if self.appsrc.current_level_buffers() >= self.limit {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        // An appsrc that is stopping answers with a flow error: then it is on its way out of the list.
        let _stopping = self.appsrc.push_sample(sample);
        false
    }
}

/// The list of outputs, and the two things that everybody may see of the stream.
#[derive(Clone, Debug)]
pub(crate) struct Fanout {
    outputs: Arc<watch::Sender<Vec<Arc<Output>>>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    shut: AtomicBool,
    samples: AtomicU64,
    held: Mutex<Option<Held>>,
}

/// Samples kept for the first output.
#[derive(Debug)]
struct Held {
    samples: Vec<gst::Sample>,
    limit: usize,
}

impl Fanout {
    /// A fan-out that keeps up to `limit` samples for its first output; with more it keeps none.
    pub(crate) fn holding(limit: usize) -> Self {
        let fanout = Self::new();
        *fanout.shared.held() = Some(Held {
            samples: Vec::new(),
            limit,
        });
        fanout
    }

    /// Keeps nothing (any more): no output will come.
    pub(crate) fn discard_held(&self) {
        *self.shared.held() = None;
    }

    /// A fan-out without outputs.
    pub(crate) fn new() -> Self {
        Self {
            outputs: Arc::new(watch::Sender::new(Vec::new())),
            shared: Arc::default(),
        }
    }

    /// Adds an output.
    pub(crate) fn add(&self, output: &Arc<Output>) {
        // The lock keeps the streaming thread waiting until the kept samples stand before its next one.
        let mut held = self.shared.held();
        for sample in held.take().into_iter().flat_map(|held| held.samples) {
            output.offer(&sample);
        }
        self.outputs
            .send_modify(|outputs| outputs.push(Arc::clone(output)));
    }

    /// Takes an output away; nothing reaches it any more when this returns.
    pub(crate) fn remove(&self, output: &Arc<Output>) {
        output.shut();
        self.outputs
            .send_modify(|outputs| outputs.retain(|other| !Arc::ptr_eq(other, output)));
    }

    /// How many outputs there are.
    pub(crate) fn len(&self) -> usize {
        self.outputs.borrow().len()
    }

    /// Shuts or opens all outputs together.
    pub(crate) fn set_shut(&self, shut: bool) {
        self.shared.shut.store(shut, Ordering::Release);
    }

    /// How many samples came so far, whether anybody wanted them or not.
    pub(crate) fn samples(&self) -> u64 {
        self.shared.samples.load(Ordering::Relaxed)
    }

    /// Feeds the outputs from `sink`. `key_frame_needed` is called on the streaming thread whenever an
    /// output waits for a key frame.
    pub(crate) fn feed_from(
        &self,
        sink: &gst_app::AppSink,
        key_frame_needed: impl Fn() + Send + 'static,
    ) {
        let receiver = self.outputs.subscribe();
        let shared = Arc::clone(&self.shared);
        sink.set_callbacks(
            gst_app::AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    shared.samples.fetch_add(1, Ordering::Relaxed);
                    if shared.shut.load(Ordering::Acquire) {
                        return Ok(gst::FlowSuccess::Ok);
                    }
                    let held = shared.held();
                    let outputs = receiver.borrow();
                    let sample = in_running_time(sample);
                    if outputs.is_empty() {
                        drop(outputs);
                        keep(held, sample);
                        return Ok(gst::FlowSuccess::Ok);
                    }
                    drop(held);
                    let mut needed = false;
                    for output in outputs.iter() {
                        needed |= output.offer(&sample);
                    }
                    drop(outputs);
                    if needed {
                        key_frame_needed();
                    }
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
    }

    /// Hands custom downstream events (lost packets) of `sink` on in order.
    pub(crate) fn forward_loss_from(&self, sink: &gst_app::AppSink) {
        let receiver = self.outputs.subscribe();
        let Some(pad) = sink.static_pad("sink") else {
            return;
        };
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            if let Some(event) = info.event()
                && event.type_() == gst::EventType::CustomDownstream
                && event
                    .structure()
                    .is_some_and(|s| s.name() == "GstRTPPacketLost")
            {
                for output in receiver.borrow().iter() {
                    output.appsrc.send_event(event.to_owned());
                }
            }
            gst::PadProbeReturn::Ok
        });
    }
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        // A list of samples is whole even if its last user panicked.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(mut held: MutexGuard<'_, Option<Held>>, sample: gst::Sample) {
    let is_full = match held.as_mut() {
        Some(held) => {
            held.samples.push(sample);
            held.samples.len() > held.limit
        }
        None => false,
    };
    if is_full {
        *held = None;
    }
}

/// The sample with timestamps in running time (x264enc, for one, starts its segment at 1000 hours).
pub(crate) fn in_running_time(sample: gst::Sample) -> gst::Sample {
    let Some(segment) = sample
        .segment()
        .and_then(|s| s.downcast_ref::<gst::ClockTime>())
    else {
        return sample;
    };
    let Some(buffer) = sample.buffer() else {
        return sample;
    };
    let pts = segment.to_running_time(buffer.pts());
    let dts = segment.to_running_time(buffer.dts());
    if pts == buffer.pts() && dts == buffer.dts() {
        return sample;
    }
    let mut buffer = buffer.to_owned();
    {
        let buffer = buffer.make_mut();
        buffer.set_pts(pts);
        buffer.set_dts(dts);
    }
    let retimed = gst::Sample::builder().buffer(&buffer);
    match sample.caps_owned() {
        Some(caps) => retimed.caps(&caps).build(),
        None => retimed.build(),
    }
}

/// A live appsrc that never blocks and holds at most `limit` buffers (the oldest goes first).
pub(crate) fn bounded_appsrc(caps: Option<&gst::Caps>, limit: u64) -> gst_app::AppSrc {
    let appsrc = gst_app::AppSrc::builder()
        .is_live(true)
        .format(gst::Format::Time)
        .block(false)
        .max_bytes(0)
        .max_buffers(limit)
        .max_time(gst::ClockTime::ZERO)
        .leaky_type(gst_app::AppLeakyType::Downstream)
        .build();
    if let Some(caps) = caps {
        appsrc.set_caps(Some(caps));
    }
    appsrc
}

/// The end of a launch line: an appsink that passes samples on at once and keeps none. A name follows.
pub(crate) const APPSINK: &str =
    "appsink sync=false async=false enable-last-sample=false max-buffers=8 drop=true";

/// An appsink like [`APPSINK`].
pub(crate) fn passing_appsink() -> gst_app::AppSink {
    gst_app::AppSink::builder()
        .sync(false)
        .async_(false)
        .enable_last_sample(false)
        .max_buffers(8)
        .drop(true)
        .build()
}

#[cfg(test)]
mod tests;
