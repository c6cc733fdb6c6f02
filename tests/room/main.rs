//! Two to five room connections against the pure server, in simulated time: what everybody sees of
//! everybody else, whatever the network does.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

mod actions;
mod agreement;
mod door;
mod hostile;
mod invariants;
mod negotiation;
mod reconnect;
mod returning;
mod sharing;
mod support;
