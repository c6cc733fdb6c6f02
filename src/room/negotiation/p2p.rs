//! Offers and answers peer to peer: the later joiner solicits, the earlier participant offers.
//!
//! There is no rollback in this protocol. Where two offers cross, the connection is closed and
//! solicited anew; the smaller client id acts at once, the larger one waits for it.

use std::time::Duration;

use roomd_protocol::{
    ClientId, ClientMessage, StreamId,
    client::{IceCandidate, Relay, RelayMessage, SdpType, SessionDescription},
    server,
};
use serde::Serialize;

use crate::{
    input::Now,
    media_port::{MediaCommand, MediaEvent},
    room_connection::RoomConnection,
    state::RemoteParticipant,
    timers::Timer,
};

/// How long an offer, an answer or a connection may take.
const NEGOTIATION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the larger id leaves the smaller one the repair of crossing offers.
const GLARE_WAIT: Duration = Duration::from_secs(2);
/// Longest pause between attempts to rebuild a connection.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The connection with one remote client.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Its number; what belongs to another number is stale.
    session: u64,
    phase: Phase,
    /// ICE and DTLS were through once in this session.
    connected: bool,
    /// The presentation that was offered last in this session.
    offered_presentation: Option<StreamId>,
    /// Connections in a row that came to nothing.
    failures: u32,
}

/// Where the exchange of descriptions stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// We asked for an offer.
    Soliciting,
    /// We offer; `initial` offers begin a connection.
    Offering { initial: bool },
    /// The peer offered, the answer is being made.
    Answering,
    /// Nothing is outstanding.
    Stable,
    /// Closed; to be solicited when the timer ends.
    Pausing,
}

impl RoomConnection {
    pub(crate) fn is_current(&self, peer: &ClientId, session: u64) -> bool {
        self.peers
            .get(peer)
            .is_some_and(|known| known.session == session)
    }

    /// Begins a connection by asking the peer for its offer.
    pub(crate) fn solicit(&mut self, now: Now, id: &ClientId) {
        self.open_peer(now, id, Phase::Soliciting);
        self.send(ClientMessage::ReadyToReceiveOffer(Relay {
            receiver_id: id.clone(),
        }));
    }

    /// The peer asks for an offer: whatever there was is void.
    pub(crate) fn offer_solicited(&mut self, now: Now, id: &ClientId) {
        if !self.is_connected() || !self.may_connect(id) {
            return;
        }
        let we_solicit = self
            .peers
            .get(id)
            .is_some_and(|peer| peer.phase == Phase::Soliciting);
        if we_solicit && self.state.local_participant.id < *id {
            // Crossing solicitations: the smaller id waits for the offer to its own.
            return;
        }
        self.open_peer(now, id, Phase::Offering { initial: true });
    }

    fn open_peer(&mut self, now: Now, id: &ClientId, phase: Phase) {
        self.sessions += 1;
        let offer = matches!(phase, Phase::Offering { .. });
        let presentation = self
            .own_screenshare
            .as_ref()
            .filter(|_| offer)
            .map(|own| own.stream.clone());
        let failures = self.peers.get(id).map_or(0, |peer| peer.failures);
        self.peers.insert(
            id.clone(),
            Peer {
                session: self.sessions,
                phase,
                connected: false,
                offered_presentation: presentation.clone(),
                failures,
            },
        );
        self.forget_streams(id);
        self.timers
            .set(Timer::Peer(id.clone()), now.instant + NEGOTIATION_TIMEOUT);
        self.media_command(MediaCommand::OpenPeer {
            peer: id.clone(),
            session: self.sessions,
            offer,
            presentation,
        });
    }

    /// An offer or answer of a peer.
    pub(crate) fn description_received(&mut self, now: Now, relay: &server::RelayMessage) {
        let Ok(description) = serde_json::from_str::<SessionDescription>(relay.message.get())
        else {
            return;
        };
        let Some(sdp) = description.sdp.or(description.sdp_u) else {
            return;
        };
        let id = &relay.client_id;
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        match (description.kind, peer.phase) {
            (SdpType::Offer, Phase::Soliciting | Phase::Stable) => peer.phase = Phase::Answering,
            (SdpType::Answer, Phase::Offering { .. }) => peer.phase = Phase::Stable,
            (SdpType::Offer, Phase::Offering { .. }) => return self.crossing_offers(now, id),
            // A late answer, an offer upon an offer, or something for a connection that is no more.
            _ => return,
        }
        let (session, connected) = (peer.session, peer.connected);
        if connected && description.kind == SdpType::Answer {
            self.timers.clear(&Timer::Peer(id.clone()));
        } else if !connected {
            self.timers
                .set(Timer::Peer(id.clone()), now.instant + NEGOTIATION_TIMEOUT);
        }
        self.media_command(MediaCommand::RemoteDescription {
            peer: id.clone(),
            session,
            kind: description.kind,
            sdp,
        });
    }

    fn crossing_offers(&mut self, now: Now, id: &ClientId) {
        if self.state.local_participant.id < *id {
            self.solicit(now, id);
        } else {
            self.pause(now, id, GLARE_WAIT);
        }
    }

    pub(crate) fn candidate_received(&mut self, relay: &server::RelayMessage) {
        let Some(peer) = self.peers.get(&relay.client_id) else {
            return;
        };
        let Ok(Some(candidate)) = serde_json::from_str::<Option<IceCandidate>>(relay.message.get())
        else {
            return;
        };
        if peer.phase != Phase::Pausing && !candidate.candidate.is_empty() {
            let (peer, session) = (relay.client_id.clone(), peer.session);
            self.media_command(MediaCommand::RemoteCandidate {
                peer,
                session,
                candidate,
            });
        }
    }

    /// What the media engine says of a connection.
    pub(crate) fn peer_event(&mut self, now: Now, event: MediaEvent) {
        match event {
            MediaEvent::LocalDescription {
                peer,
                session,
                kind,
                sdp,
            } if self.is_current(&peer, session) => {
                self.describe(peer, kind, sdp);
            }
            MediaEvent::LocalCandidate {
                peer,
                session,
                candidate,
            } if self.is_current(&peer, session) => {
                if let Some(message) = raw(&candidate) {
                    self.send(ClientMessage::IceCandidate(RelayMessage {
                        receiver_id: peer,
                        message,
                    }));
                }
            }
            MediaEvent::PeerConnected { peer, session } if self.is_current(&peer, session) => {
                if let Some(known) = self.peers.get_mut(&peer) {
                    known.connected = true;
                    known.failures = 0;
                    if known.phase == Phase::Stable {
                        self.timers.clear(&Timer::Peer(peer));
                    }
                }
            }
            MediaEvent::PeerFailed { peer, session, .. } if self.is_current(&peer, session) => {
                self.peer_lost(now, &peer);
            }
            _ => {}
        }
    }

    fn describe(&mut self, id: ClientId, kind: SdpType, sdp: String) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let is_initial_offer = match (kind, peer.phase) {
            (SdpType::Offer, Phase::Offering { initial }) => Some(initial),
            (SdpType::Answer, Phase::Answering) => {
                peer.phase = Phase::Stable;
                if peer.connected {
                    self.timers.clear(&Timer::Peer(id.clone()));
                }
                None
            }
            _ => return,
        };
        let description = SessionDescription {
            kind,
            sdp: Some(sdp.clone()),
            sdp_u: Some(sdp),
            is_initial_offer,
        };
        let Some(message) = raw(&description) else {
            return;
        };
        let relay = RelayMessage {
            receiver_id: id,
            message,
        };
        self.send(match kind {
            SdpType::Offer => ClientMessage::SdpOffer(relay),
            SdpType::Answer => ClientMessage::SdpAnswer(relay),
        });
    }

    /// Offers the own presentation, or its end, to every connection that is ready for it.
    pub(crate) fn offer_presentation(&mut self, now: Now) {
        if !self.is_connected() {
            return;
        }
        let wanted = self.own_screenshare.as_ref().map(|own| own.stream.clone());
        let ready: Vec<(ClientId, u64)> = self
            .peers
            .iter_mut()
            .filter(|(_, peer)| {
                peer.connected && peer.phase == Phase::Stable && peer.offered_presentation != wanted
            })
            .map(|(id, peer)| {
                peer.phase = Phase::Offering { initial: false };
                peer.offered_presentation.clone_from(&wanted);
                (id.clone(), peer.session)
            })
            .collect();
        for (peer, session) in ready {
            self.timers
                .set(Timer::Peer(peer.clone()), now.instant + NEGOTIATION_TIMEOUT);
            self.media_command(MediaCommand::SetPresentation {
                peer,
                session,
                stream: wanted.clone(),
            });
        }
    }

    /// Leaves the other one a while to ask for an offer before we do.
    pub(crate) fn await_solicitation(&mut self, now: Now, id: &ClientId) {
        self.sessions += 1;
        self.peers.insert(
            id.clone(),
            Peer {
                session: self.sessions,
                phase: Phase::Pausing,
                connected: false,
                offered_presentation: None,
                failures: 0,
            },
        );
        self.timers
            .set(Timer::Peer(id.clone()), now.instant + GLARE_WAIT);
    }

    /// A deadline of a peer has passed: whatever was awaited did not come.
    pub(crate) fn peer_overdue(&mut self, now: Now, id: &ClientId) {
        if self.is_connected() && !self.is_wanted(id) {
            // It asks again if it wants to hear us.
            self.forget_streams(id);
            return self.close_peer(id);
        }
        match self.peers.get(id).map(|peer| peer.phase) {
            Some(Phase::Pausing) if self.is_connected() => self.solicit(now, id),
            Some(_) => self.peer_lost(now, id),
            None => {}
        }
    }

    /// Rebuilds a connection, at once the first time and ever more slowly after that.
    fn peer_lost(&mut self, now: Now, id: &ClientId) {
        if self.is_connected() && !self.is_wanted(id) {
            self.forget_streams(id);
            return self.close_peer(id);
        }
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        peer.failures = peer.failures.saturating_add(1);
        let failures = peer.failures;
        if failures == 1 && self.is_connected() {
            self.solicit(now, id);
        } else {
            let pause = Duration::from_secs(1 << failures.min(5)).min(LONGEST_PAUSE);
            self.pause(now, id, pause);
        }
    }

    fn pause(&mut self, now: Now, id: &ClientId, pause: Duration) {
        if let Some(peer) = self.peers.get_mut(id) {
            peer.phase = Phase::Pausing;
            self.timers
                .set(Timer::Peer(id.clone()), now.instant + pause);
            self.forget_streams(id);
            self.media_command(MediaCommand::ClosePeer { peer: id.clone() });
        }
    }

    pub(crate) fn close_peer(&mut self, id: &ClientId) {
        if self.peers.remove(id).is_some() {
            self.timers.clear(&Timer::Peer(id.clone()));
            self.media_command(MediaCommand::ClosePeer { peer: id.clone() });
        }
    }

    pub(crate) fn close_all_peers(&mut self) {
        self.timers.clear_peers();
        for peer in std::mem::take(&mut self.peers).into_keys() {
            self.forget_streams(&peer);
            self.media_command(MediaCommand::ClosePeer { peer });
        }
    }

    pub(crate) fn forget_streams(&mut self, id: &ClientId) {
        self.update_client(id, |client: &mut RemoteParticipant| {
            client.stream = None;
            client.presentation_stream = None;
            client.ended_shares.clear();
        });
    }
}

fn raw(message: &impl Serialize) -> Option<Box<serde_json::value::RawValue>> {
    serde_json::value::to_raw_value(message).ok()
}
