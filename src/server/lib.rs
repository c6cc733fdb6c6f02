//! The room server that roomd brings: REST and Socket.IO of the room protocol on one address,
//! and the room page.
//!
//! | module | what it holds |
//! |---|---|
//! | [`rooms`] | the rooms themselves, pure: no I/O, no clock |
//! | [`keys`], [`meetings`] | what is signed; rooms that were made beforehand |
//! | `room_loop` | the one task that owns the rooms |
//! | `session`, `outbox`, `rate` | one WebSocket, its queue, its limits |
//! | `rest`, `page` | HTTP calls and the room page |
//! | [`recorder`] | the processes that record |
//! | `store`, `certificate` | what is kept on disk |
//! | [`config`], `running` | what can be set; start and shutdown |
//!
//! **Invariant:** only the room loop changes rooms, in the order in which its inbox is filled, so
//! every change is either in the `room_joined` of a client or in a later event, never in both.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")
)]

mod certificate;
pub mod clock;
pub mod config;
pub mod ids;
pub mod keys;
pub mod meetings;
mod outbox;
mod page;
mod rate;
pub mod recorder;
mod rest;
mod room_loop;
pub mod rooms;
mod running;
mod session;
mod store;

pub use certificate::CertificateError;
pub use config::{Limits, ServerConfig, TlsMode};
pub use running::{MeetingError, RunningServer, ServerError, start};
pub use store::StoreError;
