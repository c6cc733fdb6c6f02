//! The room state machine: inputs in, effects out; no clock, no I/O, no randomness.
//!
//! [`RoomConnection`] holds what the official SDK's `RoomConnection` holds and does what it does,
//! so that traces of both can be compared. What an unattended box does by itself (knocking,
//! joining again, restoring) is policy and lives above this crate.
//!
//! **Invariants**
//! * Time comes in with every call ([`Now`]); the next moment of interest is [`RoomConnection::next_deadline`].
//! * The core never waits: what it wants done are [`Effect`]s, what came of them are [`Input`]s.
//! * [`RoomConnection::state`] is the only thing that may be shown.
//! * Nothing is queued: an action that status or role does not allow is refused at once ([`Refusal`]).

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")
)]

mod action;
#[cfg(test)]
mod behaviour;
mod breakout;
pub mod capture_profile;
mod chat;
pub mod client_view;
mod cloud_recording;
mod connection_status;
mod event;
mod input;
pub mod join_error;
mod live_captions;
mod live_transcription;
mod local_participant;
pub mod media_port;
mod moderation;
mod negotiation;
mod observation;
mod permissions;
mod remote_participants;
mod room_connection;
mod screenshares;
pub mod state;
mod timers;

pub use action::{Action, BreakoutSessionSettings, JoinOptions};
pub use capture_profile::CaptureProfile;
pub use event::{RoomEvent, RoomJoinedEvent};
pub use input::{Effect, Input, Now, Refusal, SocketEvent};
pub use media_port::{CaptureReport, MediaCommand, MediaEvent, RemoteTracks};
pub use permissions::Right;
pub use room_connection::RoomConnection;
pub use state::{ConnectionStatus, RoomConnectionState};
pub use timers::Timer;
