//! Every parser of outside input as a function of bytes: it may refuse them, but it must neither panic nor
//! contradict itself.
//!
//! The same functions run three ways: over the corpus and random changes of it (`replay.rs`, in every test run),
//! and guided by coverage (`guided.rs`, nightly). `corpus/<target>/` holds what to begin with: recorded frames,
//! examples of the documents, and every input that once broke something.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic is how a target says that something is wrong"
)]

pub mod mutation;
mod targets;

/// One parser and what has to be true of it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Name of the target and of its corpus.
    pub name: &'static str,
    /// Panics when something is wrong.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "engine_io_frame",
        run: targets::wire::engine_io_frame,
    },
    Target {
        name: "socket_io_packet",
        run: targets::wire::socket_io_packet,
    },
    Target {
        name: "client_messages",
        run: targets::wire::client_messages,
    },
    Target {
        name: "server_messages",
        run: targets::wire::server_messages,
    },
    Target {
        name: "room_connection",
        run: targets::room_connection::room_connection,
    },
    Target {
        name: "rooms",
        run: targets::rooms::rooms,
    },
    Target {
        name: "session_description",
        run: targets::media::session_description,
    },
    Target {
        name: "ice",
        run: targets::media::ice,
    },
    Target {
        name: "room_url",
        run: targets::rest::room_url,
    },
    Target {
        name: "rest_bodies",
        run: targets::rest::rest_bodies,
    },
    Target {
        name: "keys",
        run: targets::rest::keys,
    },
    Target {
        name: "mqtt_message",
        run: targets::control::mqtt_message,
    },
    Target {
        name: "state_file",
        run: targets::files::state_file,
    },
    Target {
        name: "configuration",
        run: targets::files::configuration,
    },
    Target {
        name: "signal_trace",
        run: targets::wire::signal_trace,
    },
];

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
