//! Remote pictures and sounds as a receiving pipeline hands them over: with their timestamps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

use crate::timeline::Timeline;

/// Red, green, blue.
pub(crate) type Colour = (u8, u8, u8);

/// A picture of one colour at 30 frames a second.
pub(crate) struct PictureFeed {
    pipeline: gst::Pipeline,
    frames: Arc<AtomicU64>,
    stalled: Arc<AtomicBool>,
}

impl PictureFeed {
    pub(crate) fn start(
        timeline: &Timeline,
        target: gst_app::AppSrc,
        (width, height): (u32, u32),
        colour: Colour,
    ) -> Self {
        let (pipeline, frames, stalled) = hand_over(
            &format!(
                "videotestsrc name=source is-live=true pattern=solid-color foreground-color={}
                 ! video/x-raw,format=I420,width={width},height={height},framerate=30/1 ! appsink name=out sync=false",
                argb(colour)
            ),
            target,
        );
        timeline.start(&pipeline);
        Self {
            pipeline,
            frames,
            stalled,
        }
    }

    pub(crate) fn set_colour(&self, colour: Colour) {
        self.pipeline
            .by_name("source")
            .unwrap()
            .set_property("foreground-color", argb(colour));
    }

    /// Frames stop, the input stays.
    pub(crate) fn stall(&self) {
        self.stalled.store(true, Ordering::SeqCst);
    }

    pub(crate) fn resume(&self) {
        self.stalled.store(false, Ordering::SeqCst);
    }

    /// Frames handed over so far.
    pub(crate) fn frames(&self) -> u64 {
        self.frames.load(Ordering::SeqCst)
    }

    pub(crate) fn wait_for_frames(&self, wanted: u64) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.frames() < wanted {
            assert!(
                Instant::now() < deadline,
                "{} of {wanted} frames",
                self.frames()
            );
            std::thread::yield_now();
        }
    }
}

impl Drop for PictureFeed {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

/// A tone of −18 dBFS peak in mono, as Opus packets of 20 ms would give it.
pub(crate) struct ToneFeed(gst::Pipeline);

impl ToneFeed {
    pub(crate) fn start(timeline: &Timeline, target: gst_app::AppSrc, frequency: f64) -> Self {
        let (pipeline, ..) = hand_over(
            &format!(
                "audiotestsrc is-live=true freq={frequency} volume=0.125 samplesperbuffer=960
                 ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! appsink name=out sync=false"
            ),
            target,
        );
        timeline.start(&pipeline);
        Self(pipeline)
    }
}

impl Drop for ToneFeed {
    fn drop(&mut self) {
        self.0.set_state(gst::State::Null).unwrap();
    }
}

type HandOver = (gst::Pipeline, Arc<AtomicU64>, Arc<AtomicBool>);

fn hand_over(launch: &str, target: gst_app::AppSrc) -> HandOver {
    let pipeline = gst::parse::launch(launch)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let frames = Arc::new(AtomicU64::new(0));
    let stalled = Arc::new(AtomicBool::new(false));
    let (counted, is_stalled) = (Arc::clone(&frames), Arc::clone(&stalled));
    let out = pipeline
        .by_name("out")
        .unwrap()
        .downcast::<gst_app::AppSink>()
        .unwrap();
    out.set_callbacks(
        gst_app::AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                if !is_stalled.load(Ordering::SeqCst) {
                    // An input that was removed refuses: the peer goes on sending for a moment.
                    let _ = target.push_sample(&sample);
                }
                counted.fetch_add(1, Ordering::SeqCst);
                Ok(gst::FlowSuccess::Ok)
            })
            .build(),
    );
    (pipeline, frames, stalled)
}

fn argb((red, green, blue): Colour) -> u32 {
    u32::from_be_bytes([255, red, green, blue])
}
