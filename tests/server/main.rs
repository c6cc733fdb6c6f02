//! Hostile clients against the real room server, a process of its own on the loopback interface.
//! Whatever they do, two well-behaved clients of the room under attack go on talking, nobody is
//! forged into doing anything, and the server's memory returns.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

mod bystanders;
mod client;
mod disorder;
mod floods;
mod forged;
mod server;
mod slow;
