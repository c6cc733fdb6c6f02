//! The targets, by what they read.

pub(crate) mod control;
pub(crate) mod files;
pub(crate) mod media;
pub(crate) mod rest;
pub(crate) mod room_connection;
pub(crate) mod rooms;
pub(crate) mod wire;

use serde_json::value::RawValue;

/// A text frame: WebSocket has checked that it is UTF-8.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The payload of an event: the Socket.IO codec has checked that it is JSON.
fn payload(bytes: &[u8]) -> Option<Box<RawValue>> {
    serde_json::from_slice(bytes).ok()
}

/// The lines of a script.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &str> {
    text(bytes).unwrap_or_default().lines()
}
