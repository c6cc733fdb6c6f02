//! One client: the core under test, its connection and its devices.

use std::time::Duration;

use roomd_protocol::{ClientId, DeviceId, Secret};
use roomd_room::{ConnectionStatus, RoomConnection, RoomConnectionState};
use roomd_server::rooms::SocketId;

use crate::invariants::Watcher;

use super::media::Media;

/// Where a participant's connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Nobody wants one.
    Closed,
    /// Being made; the number tells attempts apart.
    Connecting(u64),
    /// Made.
    Open(SocketId),
}

/// One client.
pub(crate) struct Participant {
    pub(crate) name: &'static str,
    pub(crate) device: DeviceId,
    pub(crate) room: RoomConnection,
    pub(crate) link: Link,
    pub(crate) media: Media,
    /// From here to the server, and back.
    pub(crate) latency: Duration,
    /// How long after a loss it connects again.
    pub(crate) reconnects_after: Duration,
    /// No attempt to connect succeeds.
    pub(crate) is_cut_off: bool,
    /// Connected once since the last join.
    pub(crate) was_connected: bool,
    /// The host's key, for those who have it.
    pub(crate) key: Option<Secret>,
    /// Every connection status it had.
    pub(crate) statuses: Vec<ConnectionStatus>,
    /// Holds every turn against the invariants.
    pub(crate) watcher: Watcher,
}

impl Participant {
    pub(crate) fn new(name: &'static str, latency: Duration, key: Option<Secret>) -> Self {
        Self {
            name,
            device: format!("device-{name}").into(),
            room: RoomConnection::new("test:1"),
            link: Link::Closed,
            media: Media::default(),
            latency,
            reconnects_after: Duration::from_millis(300),
            is_cut_off: false,
            was_connected: false,
            key,
            statuses: vec![ConnectionStatus::Ready],
            watcher: Watcher::default(),
        }
    }

    pub(crate) fn state(&self) -> &RoomConnectionState {
        self.room.state()
    }

    pub(crate) fn id(&self) -> &ClientId {
        &self.state().local_participant.id
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.state().connection_status == ConnectionStatus::Connected
    }

    pub(crate) fn note_status(&mut self) {
        let status = self.state().connection_status;
        if self.statuses.last() != Some(&status) {
            self.statuses.push(status);
        }
    }
}
