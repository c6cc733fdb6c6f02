//! The started server, over loopback: real HTTP, real WebSockets, a real database.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

mod abuse;
mod http;
mod recording;
mod restart;
mod rooms;
mod support;
