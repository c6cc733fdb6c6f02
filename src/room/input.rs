//! What goes into the core and what comes out of it.

use std::time::Instant;

use roomd_protocol::{
    ClientMessage, RoomUrl, ServerMessage,
    records::{DeviceCredentials, RoleName},
};
use thiserror::Error;

use crate::{
    event::RoomEvent,
    media_port::{MediaCommand, MediaEvent},
    permissions::Right,
    state::ConnectionStatus,
};

/// The time of a call, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For deadlines.
    pub instant: Instant,
    /// For time stamps that others see.
    pub wall: jiff::Timestamp,
}

/// Something that happened outside the core.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The device's credentials, once they are known.
    Credentials(DeviceCredentials),
    /// The id of the organization that the room's host belongs to.
    Organization(String),
    /// The service knows no such host: this room URL can never be joined.
    OrganizationNotFound,
    /// The signalling connection changed.
    Socket(SocketEvent),
    /// The server sent an event.
    Signal(Box<ServerMessage>),
    /// The media engine reports.
    Media(MediaEvent),
    /// A deadline has passed.
    Timeout,
}

/// A change of the signalling connection. Its owner connects again by itself, with back-off, until
/// it is told to close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketEvent {
    /// The namespace is connected; `again` after a loss.
    Connected {
        /// False for the first connection of a join.
        again: bool,
    },
    /// The connection is lost.
    Disconnected {
        /// False when the server said not to come back.
        will_retry: bool,
    },
}

/// Something that must be done outside the core, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Get the device's credentials for the service of this room, from the store or from the API;
    /// [`Input::Credentials`] follows.
    FetchDeviceCredentials(RoomUrl),
    /// Look the organization of this room's host up; [`Input::Organization`] or
    /// [`Input::OrganizationNotFound`] follows.
    FetchOrganization {
        /// The room.
        room: RoomUrl,
        /// Who asks.
        credentials: DeviceCredentials,
    },
    /// Connect to the signalling server of this room; an older connection is forgotten.
    OpenSocket(RoomUrl),
    /// Disconnect and do not come back.
    CloseSocket,
    /// Drop the connection and make it anew: it does not answer.
    RestartSocket,
    /// Send an event.
    Send(ClientMessage),
    /// Demand something of the media engine.
    Media(MediaCommand),
    /// Tell whoever listens.
    Event(RoomEvent),
}

/// Why an action was refused. Nothing was sent and nothing changed, except that the state keeps why
/// breakout groups were not started (`breakout.error`).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The action needs a joined room.
    #[error("not in a room (status {})", .status.as_str())]
    NotConnected {
        /// The status.
        status: ConnectionStatus,
    },
    /// The action needs another status.
    #[error("needs status {}, this is {}", .needs.as_str(), .status.as_str())]
    WrongStatus {
        /// What it needs.
        needs: ConnectionStatus,
        /// What it is.
        status: ConnectionStatus,
    },
    /// The own role may not do this.
    #[error("needs {needs}, this participant is {}", .role.as_str())]
    NotPermitted {
        /// What it needs.
        needs: Right,
        /// The own role.
        role: RoleName,
    },
    /// A join without a room URL.
    #[error("a room URL is required to join a room")]
    NoRoomUrl,
    /// What the action names does not exist.
    #[error("there is no {what} {id}")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The room does not have what the action is about.
    #[error("{0}")]
    NotAvailable(&'static str),
    /// This build does not offer the action.
    #[error("{0} is not supported by this version")]
    NotSupported(&'static str),
}
