//! What a pipeline's bus has to say, as a channel: no thread and no main loop is needed to drain it.

use gst::prelude::*;
use gstreamer as gst;
use tokio::sync::mpsc;

use super::PlaybackError;

/// More errors than this at once say nothing new: the first ones count.
const KEPT_ERRORS: usize = 16;

/// An error, and the branch of the pipeline in which it happened.
#[derive(Debug)]
pub(super) struct Failure {
    /// Name of the bin that was added as an input; `None` for the pipeline itself.
    pub(super) branch: Option<String>,
    pub(super) error: PlaybackError,
}

/// Forwards errors and the end of the stream, and has the latency computed again when an element asks for it.
/// Everything else is dropped.
pub(super) fn errors_of(
    pipeline: &gst::Pipeline,
    name: &'static str,
) -> Result<mpsc::Receiver<Failure>, PlaybackError> {
    let (errors, receiver) = mpsc::channel(KEPT_ERRORS);
    let bus = pipeline
        .bus()
        .ok_or_else(|| PlaybackError::pipeline(name, "taking the bus", "it has none"))?;
    let pipeline = pipeline.downgrade();
    bus.set_sync_handler(move |_, message| {
        match message.view() {
            gst::MessageView::Error(error) => report(&errors, lost(name, error)),
            gst::MessageView::Eos(_) => {
                let reason = "the stream ended although nobody ended it";
                let error = PlaybackError::pipeline(name, "playing", reason);
                report(
                    &errors,
                    Failure {
                        branch: None,
                        error,
                    },
                );
            }
            gst::MessageView::Warning(warning) => {
                tracing::warn!(pipeline = name, warning = %warning.error(), "playback");
            }
            gst::MessageView::Latency(_) => {
                if let Some(pipeline) = pipeline.upgrade() {
                    // Not from this streaming thread: the query goes through all pads.
                    pipeline.call_async(|pipeline| {
                        if let Err(error) = pipeline.recalculate_latency() {
                            tracing::debug!(%error, "latency of playback not computed");
                        }
                    });
                }
            }
            _ => {}
        }
        gst::BusSyncReply::Drop
    });
    Ok(receiver)
}

fn report(errors: &mpsc::Sender<Failure>, failure: Failure) {
    tracing::warn!(branch = failure.branch, error = %failure.error, "playback");
    // Full: the owner has not read the first errors yet. Closed: it is closing.
    let _ = errors.try_send(failure);
}

fn lost(pipeline: &'static str, error: &gst::message::Error) -> Failure {
    let lost = PlaybackError::Lost {
        pipeline,
        element: error
            .src()
            .map_or_else(String::new, |source| source.name().to_string()),
        message: error.error().to_string(),
        details: error
            .debug()
            .map_or_else(String::new, |details| details.to_string()),
    };
    Failure {
        branch: error.src().and_then(branch_of),
        error: lost,
    }
}

/// Name of the bin between an element and its pipeline.
fn branch_of(source: &gst::Object) -> Option<String> {
    let mut inner = source.clone();
    while let Some(outer) = inner.parent() {
        if outer.is::<gst::Pipeline>() {
            return inner.is::<gst::Bin>().then(|| inner.name().to_string());
        }
        inner = outer;
    }
    None
}
