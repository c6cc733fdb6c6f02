//! One clock for everything in a test.

use gst::prelude::*;
use gstreamer as gst;

/// The screen of the X server and the size of the display.
pub(crate) const SCREEN: (u32, u32) = (1280, 720);

/// One clock and one base time for everything in a test.
pub(crate) struct Timeline {
    pub(crate) clock: gst::Clock,
    pub(crate) base_time: gst::ClockTime,
}

impl Timeline {
    /// A call that began long before the display was opened: nothing may try to catch up.
    pub(crate) fn long_ago() -> Self {
        gst::init().unwrap();
        let clock: gst::Clock = gst::SystemClock::obtain();
        let base_time = clock
            .time()
            .saturating_sub(gst::ClockTime::from_seconds(600));
        Self { clock, base_time }
    }

    /// Gives a pipeline this clock and base time and starts it.
    pub(crate) fn start(&self, pipeline: &gst::Pipeline) {
        pipeline.use_clock(Some(&self.clock));
        pipeline.set_start_time(gst::ClockTime::NONE);
        pipeline.set_base_time(self.base_time);
        pipeline.set_state(gst::State::Playing).unwrap();
    }
}

/// How many threads this process has.
pub(crate) fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}
