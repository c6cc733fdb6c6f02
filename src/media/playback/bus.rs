//! What a pipeline's bus has to say, as a channel: no thread and no main loop is needed to drain it.

use gst::prelude::*;
use gstreamer as gst;
use tokio::sync::mpsc;

use super::PlaybackError;

/// More errors than this at once say nothing new: the first ones count.
const KEPT_ERRORS: usize = 16;

/// Forwards errors and the end of the stream, and has the latency computed again when an element asks for it.
/// Everything else is dropped.
pub(super) fn errors_of(
    pipeline: &gst::Pipeline,
    name: &'static str,
) -> Result<mpsc::Receiver<PlaybackError>, PlaybackError> {
    let (errors, receiver) = mpsc::channel(KEPT_ERRORS);
    let bus = pipeline
        .bus()
        .ok_or_else(|| PlaybackError::pipeline(name, "taking the bus", "it has none"))?;
    let pipeline = pipeline.downgrade();
    bus.set_sync_handler(move |_, message| {
        match message.view() {
            gst::MessageView::Error(error) => report(&errors, lost(name, error)),
            gst::MessageView::Eos(_) => report(
                &errors,
                PlaybackError::pipeline(
                    name,
                    "playing",
                    "the stream ended although nobody ended it",
                ),
            ),
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

fn report(errors: &mpsc::Sender<PlaybackError>, error: PlaybackError) {
    tracing::warn!(%error, "playback");
    // Full: the owner has not read the first errors yet. Closed: it is closing.
    let _ = errors.try_send(error);
}

fn lost(pipeline: &'static str, error: &gst::message::Error) -> PlaybackError {
    PlaybackError::Lost {
        pipeline,
        element: error
            .src()
            .map_or_else(String::new, |source| source.name().to_string()),
        message: error.error().to_string(),
        details: error
            .debug()
            .map_or_else(String::new, |details| details.to_string()),
    }
}
