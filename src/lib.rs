//! A conferencing room appliance: a small Linux computer as a participant of a Whereby room.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")
)]

pub mod appliance;
pub mod ctl;
pub mod mqtt;
