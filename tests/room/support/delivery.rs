//! What happens on the way: messages, attempts to connect, deadlines, packets between engines.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use roomd_protocol::{ClientId, ClientMessage, ServerMessage};
use roomd_room::{Effect, Input, MediaEvent, SocketEvent};
use roomd_server::rooms::{Closing, Ended, Outgoing, SocketId};

use crate::invariants::Cause;

use super::{
    media::{End, HANDSHAKE, MediaEffect, STALL},
    participant::Link,
    test_room::{Event, TestRoom},
};

impl TestRoom {
    pub(super) fn next_moment(&self) -> Option<Duration> {
        let event = self.events.keys().next().map(|(at, _)| *at);
        let since = |at: Instant| at.saturating_duration_since(self.began);
        let cores = self.participants.values();
        let cores = cores.filter_map(|one| one.room.next_deadline().map(since));
        let server = self.rooms.next_deadline(self.server_now()).map(since);
        event.into_iter().chain(cores).chain(server).min()
    }

    pub(super) fn deadlines(&mut self) {
        let now = self.now();
        let names: Vec<_> = self.participants.keys().copied().collect();
        for name in names {
            let deadline = self.participants[name].room.next_deadline();
            if deadline.is_some_and(|at| at <= now.instant) {
                self.input(name, Input::Timeout);
            }
        }
        let deadline = self.rooms.next_deadline(self.server_now());
        if deadline.is_some_and(|at| at <= now.instant) {
            let outgoing = self.rooms.timeout(self.server_now());
            self.serve(outgoing);
        }
    }

    pub(super) fn happens(&mut self, event: Event) {
        match event {
            Event::ToServer(socket, message) => {
                if let ClientMessage::SdpOffer(offer) = message.as_ref() {
                    let sender = self.participants.values();
                    let mut sender = sender.filter(|one| one.link == Link::Open(socket));
                    let sender = sender.next().map(|one| one.id().clone());
                    let receiver = offer.receiver_id.clone();
                    self.offers.extend(sender.map(|sender| (sender, receiver)));
                }
                let outgoing = self.rooms.receive(self.server_now(), socket, *message);
                self.serve(outgoing);
            }
            Event::ToClient(name, socket, message) => {
                if self.participants[name].link == Link::Open(socket) {
                    self.input(name, Input::Signal(message));
                }
            }
            Event::Ended(socket, how) => {
                let outgoing = self.rooms.ended(self.server_now(), socket, how);
                self.serve(outgoing);
            }
            Event::Closed(name, socket, closing) => {
                if self.participants[name].link == Link::Open(socket) {
                    self.lost(name, closing == Closing::ForNow);
                }
            }
            Event::Connect(name, attempt) => self.connect(name, attempt),
            Event::Input(name, input) => self.input(name, *input),
            Event::Flow(name, peer, own, remote) => self.flow(name, &peer, own, remote),
            Event::Stall(name, peer, session) => {
                let media = &self.participants[name].media;
                if media.receives_from(&peer, session) {
                    let failed = MediaEvent::PeerFailed {
                        session: media.session(&peer).unwrap().1,
                        peer,
                        reason: "nothing was received".into(),
                    };
                    self.input(name, Input::Media(failed));
                }
            }
        }
    }

    pub(super) fn input(&mut self, name: &'static str, input: Input) {
        if let Ok(effects) = self.turn(name, Cause::Input(input)) {
            self.carry_out(name, effects);
        }
    }

    pub(super) fn carry_out(&mut self, name: &'static str, effects: Vec<Effect>) {
        let latency = self.participants[name].latency;
        for effect in effects {
            match effect {
                Effect::FetchDeviceCredentials(_) => {
                    let device = self.participants[name].device.clone();
                    let credentials = self.keys.device_credentials(device);
                    self.tell(name, 2 * latency, Input::Credentials(credentials));
                }
                Effect::FetchOrganization { .. } => {
                    self.tell(name, 2 * latency, Input::Organization("1".into()));
                }
                Effect::OpenSocket(_) => {
                    self.participants.get_mut(name).unwrap().was_connected = false;
                    self.connect_after(name, 3 * latency);
                }
                Effect::CloseSocket => {
                    let participant = self.participants.get_mut(name).unwrap();
                    let link = std::mem::replace(&mut participant.link, Link::Closed);
                    if let Link::Open(socket) = link {
                        let at = self.arrival(socket, true, latency);
                        self.at(at, Event::Ended(socket, Ended::Left));
                    }
                }
                Effect::RestartSocket => {
                    self.cut_connection_of(name, Duration::from_millis(50));
                }
                Effect::Send(message) => {
                    if let Link::Open(socket) = self.participants[name].link {
                        // As the wire carries it.
                        let payload = message.payload();
                        let message = ClientMessage::decode(message.name(), payload.as_deref());
                        let message = Box::new(message.unwrap().unwrap());
                        let at = self.arrival(socket, true, latency);
                        self.at(at, Event::ToServer(socket, message));
                    }
                }
                Effect::Media(command) => {
                    let media = &mut self.participants.get_mut(name).unwrap().media;
                    let effects = media.command(name, command);
                    self.media(name, effects);
                }
                Effect::Event(_) => {}
            }
        }
    }

    pub(super) fn media(&mut self, name: &'static str, effects: Vec<MediaEffect>) {
        for effect in effects {
            match effect {
                MediaEffect::Tell(after, event) => self.tell(name, after, Input::Media(event)),
                MediaEffect::Closed { peer, session } => {
                    self.other_end_closed(name, &peer, session);
                }
                MediaEffect::Established {
                    peer,
                    own_end,
                    peer_end,
                } => self.later(HANDSHAKE, Event::Flow(name, peer, own_end, peer_end)),
            }
        }
    }

    pub(super) fn other_end_closed(
        &mut self,
        name: &'static str,
        peer: &ClientId,
        session: (u64, u64),
    ) {
        let own = self.participants[name].id().clone();
        let Some(other) = self.named(peer) else {
            return;
        };
        let media = &self.participants[other].media;
        if media.receives_from(&own, session) {
            self.later(STALL, Event::Stall(other, own, session));
        }
    }

    pub(super) fn flow(&mut self, name: &'static str, peer: &ClientId, own: End, remote: End) {
        let Some(other) = self.named(peer) else {
            return;
        };
        let own_id = self.participants[name].id().clone();
        let current = |name: &str, peer: &ClientId, end: &End| {
            self.participants[name].media.session(peer) == Some(end.session)
        };
        if !current(name, peer, &own) || !current(other, &own_id, &remote) {
            return;
        }
        for (name, peer, end) in [(name, peer.clone(), remote), (other, own_id, own)] {
            let media = &mut self.participants.get_mut(name).unwrap().media;
            for event in media.established(&peer, end) {
                self.input(name, Input::Media(event));
            }
        }
    }

    pub(super) fn serve(&mut self, outgoing: Vec<Outgoing>) {
        for one in outgoing {
            match one {
                Outgoing::Event { to, message } => {
                    let Some(name) = self.owner(to) else { continue };
                    let payload = message.payload();
                    let message = ServerMessage::decode(message.name(), payload.as_deref());
                    let message = Box::new(message.unwrap().unwrap());
                    let at = self.arrival(to, false, self.participants[name].latency);
                    self.at(at, Event::ToClient(name, to, message));
                }
                Outgoing::Close { socket, closing } => {
                    let Some(name) = self.owner(socket) else {
                        continue;
                    };
                    let at = self.arrival(socket, false, self.participants[name].latency);
                    self.at(at, Event::Closed(name, socket, closing));
                }
                Outgoing::MeetingChanged(meeting) => self.meetings = vec![meeting],
                Outgoing::MeetingOver { .. } => self.meetings.clear(),
                Outgoing::StartRecorder { .. } | Outgoing::StopRecorder { .. } => {
                    unreachable!("this server has no recorder")
                }
            }
        }
    }

    pub(super) fn lost(&mut self, name: &'static str, will_retry: bool) {
        let participant = self.participants.get_mut(name).unwrap();
        participant.link = Link::Closed;
        if will_retry {
            let after = participant.reconnects_after;
            self.connect_after(name, after);
        }
        self.input(
            name,
            Input::Socket(SocketEvent::Disconnected { will_retry }),
        );
    }

    pub(super) fn connect_after(&mut self, name: &'static str, after: Duration) {
        self.count += 1;
        let attempt = self.count;
        self.participants.get_mut(name).unwrap().link = Link::Connecting(attempt);
        self.later(after, Event::Connect(name, attempt));
    }

    pub(super) fn connect(&mut self, name: &'static str, attempt: u64) {
        let participant = self.participants.get_mut(name).unwrap();
        if participant.link != Link::Connecting(attempt) {
            return;
        }
        if participant.is_cut_off {
            self.connect_after(name, Duration::from_secs(1));
            return;
        }
        self.sockets += 1;
        let socket = SocketId(self.sockets);
        participant.link = Link::Open(socket);
        let again = std::mem::replace(&mut participant.was_connected, true);
        let outgoing = self
            .rooms
            .attach(self.server_now(), socket, Ipv4Addr::LOCALHOST.into());
        self.serve(outgoing);
        self.input(name, Input::Socket(SocketEvent::Connected { again }));
    }

    pub(super) fn forget_messages(&mut self, socket: SocketId) {
        self.events.retain(|_, event| match event {
            Event::ToServer(of, _) | Event::ToClient(_, of, _) | Event::Closed(_, of, _) => {
                *of != socket
            }
            _ => true,
        });
    }
}
