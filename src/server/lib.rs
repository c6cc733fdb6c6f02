//! The room server that roomd brings.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic"))]

pub mod clock;
pub mod config;
pub mod ids;
pub mod keys;
pub mod meetings;
pub mod rooms;
