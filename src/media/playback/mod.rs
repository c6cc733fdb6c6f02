//! The room on the display and on the speaker: remote pictures in a grid, remote sound mixed.
//!
//! Both halves are one pipeline each that runs from `open` to `close`, whoever comes and goes. They share
//! clock and base time with the pipelines that receive, so buffers are handed over with their timestamps.

mod bus;
mod display;
mod input;
mod launch;
pub mod layout;
mod sink;
mod speaker;
pub mod text;

use gst::prelude::*;
use gstreamer as gst;
use roomd_protocol::{ClientId, StreamId};
use tokio::sync::mpsc;

use self::bus::Failure;

pub use display::Display;
pub use speaker::Speaker;

/// How long after its timestamp a frame or a sample may arrive at an input and still be in time: what the jitter
/// buffer takes, and the decoder.
#[must_use]
pub fn input_latency(jitter_buffer: crate::settings::LatencyMs) -> gst::ClockTime {
    gst::ClockTime::from_mseconds(u64::from(jitter_buffer.0)) + DECODING
}

/// Measured: a decoded frame leaves its decoder within this time.
const DECODING: gst::ClockTime = gst::ClockTime::from_mseconds(20);

/// What can go wrong between the decoder and the room.
#[derive(Debug, thiserror::Error)]
pub enum PlaybackError {
    /// GStreamer itself did not start.
    #[error("GStreamer does not start: {0}")]
    Initialise(#[source] gst::glib::Error),
    /// A pipeline description does not fit the installed plugins.
    #[error(
        "the pipeline {file} cannot be built: {source}; install the GStreamer plugins base, good and bad"
    )]
    Launch {
        /// Which of the files in `pipelines/playback`.
        file: &'static str,
        /// What GStreamer says.
        source: gst::glib::Error,
    },
    /// A sink's element is not installed.
    #[error("the element {element} is not installed; install the package {package}")]
    MissingElement {
        /// The element.
        element: &'static str,
        /// Its package on Debian.
        package: &'static str,
    },
    /// The sink is there and cannot be used.
    #[error("{sink} cannot be opened: {reason}; {remedy}")]
    Unusable {
        /// The element, with its device where it has one.
        sink: String,
        /// What GStreamer or the system says.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Nothing was asked for by name, and nothing was found.
    #[error("no {what} is usable: {tried}")]
    NothingThere {
        /// `display` or `speaker`.
        what: &'static str,
        /// What was tried and why it was none.
        tried: String,
    },
    /// A pipeline refused an operation: a fault of this program or of a plugin.
    #[error("{operation} failed on {pipeline}: {reason}")]
    Pipeline {
        /// `display` or `speaker`.
        pipeline: &'static str,
        /// What was tried.
        operation: &'static str,
        /// What GStreamer says.
        reason: String,
    },
    /// One input failed; the others go on. Remove it, and add it again.
    #[error("the input for {stream} of {peer} failed: {reason}")]
    Input {
        /// Whose stream.
        peer: ClientId,
        /// Which of theirs.
        stream: StreamId,
        /// What GStreamer says.
        reason: String,
    },
    /// The sink worked and does not any more: window closed, display or sound card gone. Close and open again.
    #[error("{pipeline} lost at {element}: {message} ({details})")]
    Lost {
        /// `display` or `speaker`.
        pipeline: &'static str,
        /// The element that reported it.
        element: String,
        /// What it says.
        message: String,
        /// More of it, for the log.
        details: String,
    },
}

impl PlaybackError {
    /// A refused operation.
    fn pipeline(pipeline: &'static str, operation: &'static str, reason: impl ToString) -> Self {
        Self::Pipeline {
            pipeline,
            operation,
            reason: reason.to_string(),
        }
    }
}

/// Adds the sink after `out` and links the two.
fn link_sink(
    out: &gst::Element,
    sink: &gst::Element,
    name: &'static str,
) -> Result<(), PlaybackError> {
    let bin = out.parent().and_downcast::<gst::Bin>().ok_or_else(|| {
        PlaybackError::pipeline(name, "adding the sink", "no bin around its source")
    })?;
    bin.add(sink)
        .map_err(|error| PlaybackError::pipeline(name, "adding the sink", error))?;
    out.link(sink)
        .map_err(|error| PlaybackError::pipeline(name, "linking the sink", error))
}

/// How long a sink may take until it plays. On a screen or sound card that is there, the first frame is enough.
const LONGEST_START: gst::ClockTime = gst::ClockTime::from_seconds(3);

/// A pipeline that is stopped when it goes, whatever happens.
struct Running {
    pipeline: gst::Pipeline,
    name: &'static str,
    /// How much later than everybody's running time this pipeline's begins. It starts at zero, because a mixer
    /// begins there and would make up for every moment since; its inputs are shifted instead.
    begins: gst::ClockTime,
}

impl Running {
    /// Puts the pipeline on the shared clock, from now on. `latency`: how long after its timestamp the sink plays what
    /// the mixer made, where the pipeline cannot find out.
    fn new(
        pipeline: gst::Pipeline,
        name: &'static str,
        clock: &gst::Clock,
        base_time: gst::ClockTime,
        latency: Option<gst::ClockTime>,
    ) -> Self {
        let now = clock.time();
        pipeline.set_latency(latency);
        pipeline.use_clock(Some(clock));
        pipeline.set_start_time(gst::ClockTime::NONE);
        pipeline.set_base_time(now);
        Self {
            pipeline,
            name,
            begins: now.saturating_sub(base_time),
        }
    }

    /// Starts the pipeline and waits until it plays: an input that is added or removed while the sink still waits for
    /// its first buffer can make the bin forget to start it, and the first frame stands for ever. What fails later is
    /// told by its errors.
    fn start(&self, errors: &mut mpsc::Receiver<Failure>) -> Result<(), PlaybackError> {
        let refused =
            |reason: &dyn std::fmt::Display| PlaybackError::pipeline(self.name, "starting", reason);
        let started = self
            .pipeline
            .set_state(gst::State::Playing)
            .and_then(|_| self.pipeline.state(LONGEST_START).0)
            .map_err(|error| {
                let said = errors.try_recv();
                said.map_or_else(|_| refused(&error), |failure| failure.error)
            })?;
        match started {
            gst::StateChangeSuccess::Async => {
                Err(refused(&format!("it does not play after {LONGEST_START}")))
            }
            _ => Ok(()),
        }
    }

    /// Stops the pipeline on a thread that may block.
    async fn stop(self) {
        if let Err(error) = tokio::task::spawn_blocking(move || drop(self)).await {
            tracing::warn!(%error, "playback not stopped");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(%error, pipeline = self.name, "not stopped");
        }
    }
}

/// What a failure means to the owner of the inputs `known`, of which only some are streams. `None`: it happened in an
/// input that has been removed meanwhile.
fn meaning<'a>(
    Failure { branch, error }: Failure,
    streams: impl IntoIterator<Item = (&'a (ClientId, StreamId), gst::glib::GString)>,
    others: impl IntoIterator<Item = gst::glib::GString>,
) -> Option<PlaybackError> {
    let Some(branch) = branch else {
        return Some(error);
    };
    let of = streams.into_iter().find(|(_, name)| *name == branch);
    if let Some(((peer, stream), _)) = of {
        return Some(PlaybackError::Input {
            peer: peer.clone(),
            stream: stream.clone(),
            reason: error.to_string(),
        });
    }
    others
        .into_iter()
        .any(|name| name == branch)
        .then_some(error)
}
