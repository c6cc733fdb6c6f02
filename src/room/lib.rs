//! The room state machine: inputs in, effects out, no clock, no I/O.

mod action;
pub mod media_port;
pub mod state;

pub use action::{Action, BreakoutSessionSettings, JoinOptions};
pub use media_port::{CaptureReport, MediaCommand, MediaEvent, RemoteTracks};
