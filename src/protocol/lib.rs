//! The words and codecs of the room protocol, without any I/O.
//!
//! | module | what it holds |
//! |---|---|
//! | [`engine_io`], [`socket_io`] | the two packet codecs of the signalling connection |
//! | [`client`], [`server`] | every event a client sends, every event a server sends |
//! | [`records`] | the shapes that several events share: client records, rooms, chat messages |
//! | [`rest`] | bodies of the HTTP calls |
//! | [`room_url`] | a room's URL and what is read from it |
//! | [`ids`] | identifiers and secrets as types of their own |
//!
//! Everything a peer may send is parsed leniently, as the official SDK does: unknown events and
//! unknown members are skipped, enumerations have a catch-all.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")
)]

mod absent_or_null;
pub mod client;
pub mod engine_io;
pub mod ids;
mod message;
pub mod records;
pub mod rest;
pub mod room_url;
pub mod server;
pub mod socket_io;

pub use client::ClientMessage;
pub use ids::{ClientId, DeviceId, Secret, StreamId};
pub use message::MessageError;
pub use room_url::{RoomUrl, RoomUrlError};
pub use server::ServerMessage;

/// The path of the signalling connection, with the slash that Socket.IO appends.
pub const SIGNAL_PATH: &str = "/protocol/socket.io/v4/";

/// The stream id of every camera stream in client records and spotlights.
pub const CAMERA_STREAM_ID: &str = "0";

/// The only sticky reaction that the SDK sends: the raised hand, U+270B.
pub const RAISED_HAND: &str = "✋";
