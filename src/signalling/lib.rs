//! The client end of the signalling connection: HTTP for credentials and organization, a WebSocket
//! for everything else. It connects again by itself until it is told to stop.
//!
//! | module | what it holds |
//! |---|---|
//! | [`endpoints`] | which addresses serve a room |
//! | [`connection`] | one connection at a time: handshake, keep-alive, loss and return |
//! | [`rest`] | the two HTTP calls, retried until they succeed |
//! | [`credentials`] | the device's credentials on disk |
//! | [`backoff`] | how long to wait between attempts |
//! | [`trace`] | every frame as a JSON line, for diagnosis |

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")
)]

pub mod backoff;
pub mod connection;
pub mod credentials;
pub mod endpoints;
pub mod rest;
mod session;
pub mod tls;
pub mod trace;

use std::{path::PathBuf, time::Duration};

use roomd_protocol::{ClientMessage, RoomUrl, ServerMessage, records::DeviceCredentials};
use roomd_room::SocketEvent;
use thiserror::Error;
use tokio::sync::mpsc;

pub use endpoints::Endpoints;

/// What the signalling client is told once.
#[derive(Clone, Debug, Default)]
pub struct SignallingSettings {
    /// Addresses, where they do not follow from the room's URL.
    pub endpoints: Endpoints,
    /// A certificate authority to trust besides the system's, as a PEM file.
    pub ca_file: Option<PathBuf>,
    /// Where the device's credentials are kept; `None` asks for new ones at every start.
    pub credentials_file: Option<PathBuf>,
    /// Where to write every frame, keys left out.
    pub trace_file: Option<PathBuf>,
}

/// A demand on the signalling client.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Get the device's credentials for this room's service.
    FetchDeviceCredentials(RoomUrl),
    /// Look the organization of this room's host up.
    FetchOrganization {
        /// The room.
        room: RoomUrl,
        /// Who asks.
        credentials: DeviceCredentials,
    },
    /// Connect to this room's service; an older connection is closed.
    Open(RoomUrl),
    /// Disconnect for good, and give up the calls that still run.
    Close,
    /// Drop the connection and make it anew, now; calls that wait for their next try are tried, too.
    Restart,
    /// Send an event; lost when there is no connection.
    Send(ClientMessage),
}

/// What the signalling client reports.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The device's credentials.
    Credentials(DeviceCredentials),
    /// The organization's id.
    Organization(String),
    /// The service does not know the room's host.
    OrganizationNotFound,
    /// The connection changed.
    Socket(SocketEvent),
    /// The server sent an event.
    Message(Box<ServerMessage>),
    /// Something failed and will be tried again.
    Retrying {
        /// How often it failed in a row.
        attempt: u32,
        /// When it is tried next.
        delay: Duration,
        /// What failed, in words for people.
        error: String,
    },
}

/// Why the signalling client cannot start.
#[derive(Debug, Error)]
pub enum SignallingError {
    /// The configured certificate authority cannot be used.
    #[error(transparent)]
    CaFile(#[from] tls::CaFileError),
    /// The TLS library refuses its own defaults.
    #[error("cannot set TLS up: {0}")]
    Tls(rustls::Error),
    /// The HTTP client cannot be made.
    #[error("cannot set the HTTP client up: {0}")]
    Http(#[from] reqwest::Error),
    /// The trace file cannot be written.
    #[error("cannot write the trace file {path}: {source}")]
    Trace {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Starts the signalling client. It ends when `commands` is closed.
///
/// # Errors
/// When the certificate authority or the trace file cannot be used.
pub fn start(
    settings: SignallingSettings,
    commands: mpsc::UnboundedReceiver<Command>,
    events: mpsc::UnboundedSender<Event>,
) -> Result<tokio::task::JoinHandle<()>, SignallingError> {
    let tls = tls::client_config(settings.ca_file.as_deref())?;
    let trace = trace::Trace::open(settings.trace_file.as_deref())?;
    let rest = rest::Rest::new(
        tls.clone(),
        settings.endpoints.clone(),
        settings.credentials_file,
    )?;
    let connector = connection::Connector::new(tls, settings.endpoints, trace);
    Ok(tokio::spawn(session::run(
        rest, connector, commands, events,
    )))
}
