//! The MQTT interface over a real broker (mosquitto on a private loopback port). The appliance
//! side is a task that answers the requests and owns the state, as the room loop does; in `wall` it is
//! the pure appliance itself, in a room whose server the test speaks for.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

mod appliance;
mod asyncapi;
mod broker;
mod commands;
mod connection;
mod controller;
mod ctl;
mod documentation;
mod ear;
mod flood;
mod joining;
mod requests;
mod roles;
mod room_actions;
mod room_connection;
mod room_events;
mod room_fields;
mod state;
mod transports;
mod wall;
