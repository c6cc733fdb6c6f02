//! Why a connection cannot go on.

use super::STALL_TIMEOUT;
use crate::{
    encoders::EncoderError,
    launch::LaunchError,
    pipeline::{self, StateError},
};

/// Why a connection cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NegotiationError {
    #[error("webrtcbin is missing ({0}); install the GStreamer plugins \"bad\" and \"nice\"")]
    NoWebRtc(String),
    #[error("{signal}: {message}")]
    Refused {
        signal: &'static str,
        message: String,
    },
    #[error("{signal} was interrupted")]
    Interrupted { signal: &'static str },
    #[error("{signal} was not answered within 5 s")]
    Unanswered { signal: &'static str },
    #[error("the peer's description cannot be read")]
    Unreadable,
    #[error("the peer offers no {0} that is spoken here")]
    NoCommonCodec(&'static str),
    #[error("both sides made an offer at the same time")]
    Glare,
    #[error("the peer restarted ICE, which needs a new connection")]
    IceRestart,
    #[error(transparent)]
    Media(#[from] EncoderError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("{0}")]
    Element(pipeline::ElementFailure),
    #[error("ICE or DTLS failed")]
    Failed,
    #[error("nothing was received for {} s", STALL_TIMEOUT.as_secs())]
    Stalled,
}

impl From<LaunchError> for NegotiationError {
    fn from(error: LaunchError) -> Self {
        Self::Media(error.into())
    }
}
