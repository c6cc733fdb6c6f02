//! The MQTT interface over a real broker (mosquitto on a private loopback port). The appliance
//! side is a task that answers the requests and owns the state, as the room loop does; in `requests` it is
//! the pure appliance itself.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

mod appliance;
mod asyncapi;
mod broker;
mod commands;
mod connection;
mod controller;
mod ctl;
mod documentation;
mod flood;
mod requests;
mod room_connection;
mod state;
mod transports;
