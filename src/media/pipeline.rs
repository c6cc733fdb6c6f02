//! What all pipelines share: one clock, one base time, a bus that is always read, and an end that
//! never runs on a streaming thread.

use std::time::Duration;

use gst::prelude::*;
use gstreamer as gst;

/// How long a pipeline may take to stop before it is given up.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The clock and base time of every pipeline: running times agree, so buffers may cross from one
/// pipeline to another with their timestamps.
#[derive(Clone, Debug)]
pub(crate) struct Timing {
    /// The system's monotonic clock.
    pub(crate) clock: gst::Clock,
    /// Its time when the engine started.
    pub(crate) base_time: gst::ClockTime,
}

impl Timing {
    /// Running time begins now.
    pub(crate) fn start() -> Self {
        let clock = gst::SystemClock::obtain();
        let base_time = clock.time();
        Self { clock, base_time }
    }

    /// Gives a pipeline this clock and base time; it never chooses its own.
    pub(crate) fn apply(&self, pipeline: &gst::Pipeline) {
        pipeline.use_clock(Some(&self.clock));
        pipeline.set_base_time(self.base_time);
        pipeline.set_start_time(gst::ClockTime::NONE);
    }
}

/// What a pipeline says that matters to its owner.
#[derive(Clone, Debug)]
pub(crate) enum BusEvent {
    /// An element failed; its pipeline does nothing any more.
    Failed(ElementFailure),
    /// The source ended.
    Ended,
}

/// An element's error message.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{element}: {message}")]
pub(crate) struct ElementFailure {
    /// Name of the element.
    pub(crate) element: String,
    /// What it said.
    pub(crate) message: String,
}

/// Reads a pipeline's bus for as long as it lives: messages hold references to their elements, so a
/// bus that nobody reads keeps them alive for ever.
pub(crate) fn watch_bus(pipeline: &gst::Pipeline, tell: impl Fn(BusEvent) + Send + Sync + 'static) {
    let Some(bus) = pipeline.bus() else { return };
    bus.set_sync_handler(move |_, message| {
        match message.view() {
            gst::MessageView::Error(error) => tell(BusEvent::Failed(ElementFailure {
                element: error
                    .src()
                    .map(|src| src.name().to_string())
                    .unwrap_or_default(),
                message: match error.debug() {
                    Some(debug) => format!("{} ({debug})", error.error()),
                    None => error.error().to_string(),
                },
            })),
            gst::MessageView::Warning(warning) => tracing::warn!(
                element = warning.src().map(|src| src.name().to_string()),
                warning = %warning.error(),
                "a media element warns"
            ),
            gst::MessageView::Eos(_) => tell(BusEvent::Ended),
            _ => {}
        }
        gst::BusSyncReply::Drop
    });
}

/// Changes the state on a thread where it may block. `Err` says what did not work.
pub(crate) async fn set_state(
    pipeline: &gst::Pipeline,
    state: gst::State,
    timeout: Duration,
) -> Result<(), StateError> {
    let changed = pipeline.clone();
    let change = tokio::task::spawn_blocking(move || changed.set_state(state).map(|_| ()));
    match tokio::time::timeout(timeout, change).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(_) => Err(StateError::Refused(state)),
        Err(_) => Err(StateError::Stuck(state, timeout)),
    }
}

/// A pipeline did not reach a state.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// An element refused.
    #[error("an element refused the state {0:?}")]
    Refused(gst::State),
    /// It neither reached it nor refused.
    #[error("the state {0:?} was not reached within {1:?}")]
    Stuck(gst::State, Duration),
}

/// Stops a pipeline for good. One that hangs is left to its thread, the log says so, and the answer is false.
pub(crate) async fn close(pipeline: gst::Pipeline, what: &str) -> bool {
    if let Err(error) = set_state(&pipeline, gst::State::Null, STOP_TIMEOUT).await {
        tracing::error!(what, %error, "a media pipeline does not stop; it is given up");
        return false;
    }
    if let Some(bus) = pipeline.bus() {
        bus.unset_sync_handler();
    }
    true
}
