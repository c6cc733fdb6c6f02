//! Negotiation between peers passes through untouched: `receiverId` in, `clientId` out. It passes
//! between those alone who may see and hear each other.

use std::time::Duration;

use roomd_protocol::{
    CAMERA_STREAM_ID, ClientId, ServerMessage,
    client::RelayMessage as ClientRelay,
    records::IceServer,
    server::{MediaserverConfig, Relay, RelayMessage},
};

use super::{
    Outgoing, SocketId,
    permissions::is_unique,
    room::{Client, Room},
    tell,
};
use crate::clock::Now;

/// How long after a join the solicitation of who was there before is taken for a crossing one.
const CROSSING: Duration = Duration::from_secs(2);

impl Room {
    /// "Make me an offer." Two peers that solicit each other at the same time both offer, and
    /// two SDKs then wait for ever. Of two peers the one that joined later solicits; the other's
    /// solicitation shortly after that join is dropped. A later one is a deliberate restart.
    pub(super) fn solicit(
        &self,
        now: Now,
        from: &ClientId,
        to: &ClientId,
        out: &mut Vec<Outgoing>,
    ) {
        let (Some(sender), Some(receiver)) = (self.clients.get(from), self.clients.get(to)) else {
            return;
        };
        let age = now.monotonic.saturating_duration_since(receiver.joined_at);
        if receiver.join_number > sender.join_number && age < CROSSING {
            return;
        }
        self.pass(
            from,
            to,
            ServerMessage::ReadyToReceiveOffer(relay(from)),
            out,
        );
    }

    pub(super) fn end_of_candidates(
        &self,
        from: &ClientId,
        to: &ClientId,
        out: &mut Vec<Outgoing>,
    ) {
        self.pass(
            from,
            to,
            ServerMessage::IceEndOfCandidates(relay(from)),
            out,
        );
    }

    pub(super) fn relay(
        &self,
        from: &ClientId,
        relayed: ClientRelay,
        event: fn(RelayMessage) -> ServerMessage,
        out: &mut Vec<Outgoing>,
    ) {
        let message = RelayMessage {
            client_id: from.clone(),
            message: relayed.message,
        };
        self.pass(from, &relayed.receiver_id, event(message), out);
    }

    fn pass(&self, from: &ClientId, to: &ClientId, event: ServerMessage, out: &mut Vec<Outgoing>) {
        let (Some(sender), Some(receiver)) = (self.clients.get(from), self.clients.get(to)) else {
            return;
        };
        if from != to && self.may_exchange(sender, receiver) {
            self.tell(to, event, out);
        }
    }

    /// Whether media may go between two clients: both are in the same breakout group or both in
    /// the main room, or one speaks from the main room to all groups by its spotlight, or serves
    /// the whole room.
    pub(super) fn may_exchange(&self, a: &Client, b: &Client) -> bool {
        let speaks_to_all = |client: &Client| {
            let mut spotlights = self.spotlights.iter();
            client.group().is_empty()
                && spotlights.any(|spotlight| {
                    spotlight.client_id == client.record.id
                        && spotlight.stream_id.as_str() == CAMERA_STREAM_ID
                })
        };
        let serves_all = |client: &Client| is_unique(client.role());
        a.group() == b.group()
            || [a, b]
                .into_iter()
                .any(|c| speaks_to_all(c) || serves_all(c))
    }
}

fn relay(from: &ClientId) -> Relay {
    Relay {
        client_id: from.clone(),
    }
}

/// The answer to `fetch_mediaserver_config`. The servers are those of the configuration and never
/// change, so the client need not ask again.
pub(super) fn mediaserver_config(
    ice_servers: &[IceServer],
    socket: SocketId,
    out: &mut Vec<Outgoing>,
) {
    let config = MediaserverConfig {
        ice_servers: ice_servers.to_vec(),
        ..MediaserverConfig::default()
    };
    tell(out, socket, ServerMessage::MediaserverConfig(config));
}
