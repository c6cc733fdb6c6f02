//! A conferencing room appliance: a small Linux computer as a participant of a Whereby room.
//!
//! `docs/ARCHITECTURE.md` is the map; this is the index of the daemon's own modules. The parts whose
//! boundary the compiler guards are crates beside them: `protocol`, `room`, `controls`, `signalling`,
//! `media`, `server`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`config`] | the configuration, read into types that cannot be wrong |
//! | [`daemon`] | starts the tasks and ends them in order |
//! | [`room_loop`] | drives the box: one inbox, effects out, one published state |
//! | [`appliance`] | the box itself, pure |
//! | [`lights_first`] | a device opens after the lights have said so |
//! | [`display`] | the scene on the display, a function of the state |
//! | [`mqtt`], [`ctl`] | the MQTT interface, and its command-line client |
//! | [`suspend`] | whether the machine slept |
//! | [`systemd`] | readiness, status, watchdog, journal |
//! | [`room_server`], [`record`] | the room server as a service, and its recorder |
//! | [`probe`] | what was found on this machine, as a table |
//! | [`demo`] | everything in one process |
//! | [`bench`] | what it costs and how long it takes, measured on this machine |
//! | [`broker`] | a broker inside the process, for these two |

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")
)]

pub mod appliance;
pub mod bench;
pub mod broker;
pub mod cli;
pub mod config;
pub mod ctl;
pub mod daemon;
pub mod demo;
pub mod display;
pub mod lights_first;
pub mod mqtt;
pub mod probe;
pub mod record;
pub mod room_loop;
pub mod room_server;
pub mod suspend;
pub mod systemd;
