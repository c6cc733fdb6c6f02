//! Participants, server and everything on its way between them, stepped from event to event.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use roomd_protocol::{
    ClientId, ClientMessage, RoomUrl, ServerMessage,
    records::{RoleName, RoomMode},
};
use roomd_room::{
    Action, ConnectionStatus, Effect, Input, JoinOptions, MediaEvent, Now, Refusal, SocketEvent,
    state::RemoteParticipant,
};
use roomd_server::{
    Limits,
    clock::Now as ServerNow,
    ids::IdSource,
    keys::{Keys, RoomKey, SIGNING_KEY_LENGTH},
    meetings::MeetingRecord,
    rooms::{Closing, Ended, Outgoing, RoomSettings, Rooms, SocketId},
};

use super::{
    media::{End, HANDSHAKE, MediaEffect, STALL},
    participant::{Link, Participant},
};

const ROOM: &str = "https://rooms.example.org/r";
/// How long the server keeps somebody whose connection broke.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
/// Later than everything that is waited for by itself: reconnects, grace, stalls, pauses.
const QUIET: Duration = Duration::from_secs(120);

/// Something on its way.
#[derive(Debug)]
enum Event {
    /// A message for the server.
    ToServer(SocketId, Box<ClientMessage>),
    /// A message for a client, on this connection.
    ToClient(&'static str, SocketId, Box<ServerMessage>),
    /// The server notices that a connection is gone.
    Ended(SocketId, Ended),
    /// A client hears that its connection is gone.
    Closed(&'static str, SocketId, Closing),
    /// An attempt to connect.
    Connect(&'static str, u64),
    /// Something else for a core.
    Input(&'static str, Box<Input>),
    /// Packets between two engines begin to flow.
    Flow(&'static str, ClientId, End, End),
    /// The other end of a connection closed and nothing came since.
    Stall(&'static str, ClientId, (u64, u64)),
}

/// Ids in no order, none twice, also over a restart of the server.
struct Scattered(u64);

impl IdSource for Scattered {
    fn next_id(&mut self) -> String {
        self.0 += 1;
        format!("{:08x}", (self.0 as u32).wrapping_mul(0x9E37_79B1))
    }
}

/// A room with its server and its participants.
pub(crate) struct TestRoom {
    keys: Arc<Keys>,
    rooms: Rooms,
    meetings: Vec<MeetingRecord>,
    server_lives: u64,
    pub(crate) participants: BTreeMap<&'static str, Participant>,
    began: Instant,
    elapsed: Duration,
    /// By time, then by the order in which they were sent.
    events: BTreeMap<(Duration, u64), Event>,
    count: u64,
    sockets: u64,
    /// When the last message of each direction arrives: none overtakes another.
    arrivals: BTreeMap<(SocketId, bool), Duration>,
    /// Every offer that reached the server: sender and receiver.
    pub(crate) offers: Vec<(ClientId, ClientId)>,
}

/// A room as one participant sees it.
pub(crate) struct SeenBy<'a> {
    viewer: &'a Participant,
    room: &'a TestRoom,
}

impl TestRoom {
    /// An open room in which the first is the host and everybody is connected.
    pub(crate) fn with_participants<const N: usize>(names: [&'static str; N]) -> Self {
        let mut room = Self::empty(false);
        for (index, name) in names.into_iter().enumerate() {
            room.add(name, index == 0);
            room.join(name);
            room.advance(Duration::from_secs(2));
            assert!(room.participants[name].is_connected(), "{name}");
        }
        room
    }

    /// A room with nobody in it.
    pub(crate) fn empty(is_locked: bool) -> Self {
        let keys = Arc::new(Keys::new(&[7; SIGNING_KEY_LENGTH]));
        let meetings = vec![MeetingRecord {
            meeting_id: "m".into(),
            room_name: "/r".into(),
            is_locked,
            mode: RoomMode::Normal,
            start: "2026-11-23T12:00:00Z".parse().unwrap(),
            end: "2027-11-23T12:00:00Z".parse().unwrap(),
        }];
        Self {
            rooms: server(&keys, &meetings, 0),
            keys,
            meetings,
            server_lives: 0,
            participants: BTreeMap::new(),
            began: Instant::now(),
            elapsed: Duration::ZERO,
            events: BTreeMap::new(),
            count: 0,
            sockets: 0,
            arrivals: BTreeMap::new(),
            offers: Vec::new(),
        }
    }

    /// A new client outside the room; each has another distance to the server.
    pub(crate) fn add(&mut self, name: &'static str, is_host: bool) {
        let latency = Duration::from_millis(10 + 17 * self.participants.len() as u64);
        let key = is_host.then(|| {
            self.keys.room_key(RoomKey {
                room: "/r".into(),
                meeting: Some("m".into()),
                role: RoleName::Host,
                device: None,
                client: None,
            })
        });
        let participant = Participant::new(name, latency, key);
        self.participants.insert(name, participant);
    }

    pub(crate) fn join(&mut self, name: &'static str) {
        self.join_with(name, None);
    }

    fn join_with(&mut self, name: &'static str, claim: Option<roomd_protocol::Secret>) {
        let options = JoinOptions {
            room_url: Some(RoomUrl::parse(ROOM).unwrap()),
            room_key: self.participants[name].key.clone(),
            display_name: name.to_owned(),
            client_claim: claim,
            ..JoinOptions::default()
        };
        self.act(name, Action::JoinRoom(Box::new(options)));
    }

    /// An action that must be allowed.
    pub(crate) fn act(&mut self, name: &'static str, action: Action) {
        let what = format!("{action:?}");
        if let Err(refusal) = self.try_act(name, action) {
            panic!("{name}: {what}: {refusal}");
        }
    }

    /// An action, allowed or not.
    pub(crate) fn try_act(&mut self, name: &'static str, action: Action) -> Result<(), Refusal> {
        let now = self.now();
        let participant = self.participants.get_mut(name).unwrap();
        let effects = participant.room.act(now, action)?;
        participant.note_status();
        self.carry_out(name, effects);
        Ok(())
    }

    /// The connection breaks and comes back by itself; the server notices after `server_notices`.
    pub(crate) fn cut_connection_of(&mut self, name: &'static str, server_notices: Duration) {
        let Link::Open(socket) = self.participants[name].link else {
            return;
        };
        self.forget_messages(socket);
        self.later(server_notices, Event::Ended(socket, Ended::Lost));
        self.lost(name, true);
    }

    /// Nothing reaches the server any more, until `restore`.
    pub(crate) fn cut_off(&mut self, name: &'static str) {
        self.participants.get_mut(name).unwrap().is_cut_off = true;
        self.cut_connection_of(name, Duration::from_millis(500));
    }

    pub(crate) fn restore(&mut self, name: &'static str) {
        self.participants.get_mut(name).unwrap().is_cut_off = false;
    }

    /// The server ends without a goodbye and is there again at once, with its meetings and keys.
    pub(crate) fn restart_server(&mut self) {
        self.server_lives += 1;
        self.rooms = server(&self.keys, &self.meetings, self.server_lives << 16);
        let names: Vec<_> = self.participants.keys().copied().collect();
        for name in names {
            if let Link::Open(socket) = self.participants[name].link {
                self.forget_messages(socket);
                self.lost(name, true);
            }
        }
    }

    /// A client's process ends without a goodbye and a new one joins as the same participant.
    pub(crate) fn restart(&mut self, name: &'static str, after: Duration) {
        let claim = self.end_process(name);
        self.advance(after);
        self.join_with(name, claim);
    }

    /// A client's process ends without a goodbye; returns the claim that it leaves.
    fn end_process(&mut self, name: &'static str) -> Option<roomd_protocol::Secret> {
        if let Link::Open(socket) = self.participants[name].link {
            self.forget_messages(socket);
            self.later(Duration::from_millis(20), Event::Ended(socket, Ended::Lost));
        }
        let ended = self.participants.get_mut(name).unwrap().media.restart();
        self.media(name, ended);
        let participant = self.participants.get_mut(name).unwrap();
        let old = std::mem::replace(
            &mut participant.room,
            roomd_room::RoomConnection::new("test:1"),
        );
        participant.link = Link::Closed;
        let state = old.state();
        // What the box remembers.
        let wishes = [
            Action::ToggleMicrophone(Some(state.is_microphone_enabled)),
            Action::ToggleCamera(Some(state.is_camera_enabled)),
        ];
        let claim = state.local_participant.client_claim.clone();
        self.events
            .retain(|_, event| !matches!(event, Event::Input(to, _) if *to == name));
        for wish in wishes {
            self.act(name, wish);
        }
        claim
    }

    pub(crate) fn seen_by(&self, name: &'static str) -> SeenBy<'_> {
        SeenBy {
            viewer: &self.participants[name],
            room: self,
        }
    }

    /// Lets time pass, event by event and deadline by deadline.
    pub(crate) fn advance(&mut self, by: Duration) {
        let end = self.elapsed + by;
        let mut steps = 0;
        while let Some(at) = self.next_moment().filter(|at| *at <= end) {
            steps += 1;
            assert!(steps < 100_000, "nothing comes to rest");
            self.elapsed = self.elapsed.max(at);
            let due = self
                .events
                .first_entry()
                .filter(|first| first.key().0 <= at);
            match due.map(|first| first.remove()) {
                Some(event) => self.happens(event),
                None => self.deadlines(),
            }
        }
        self.elapsed = end;
    }

    /// Lets everything come to rest.
    pub(crate) fn settle(&mut self) {
        self.advance(QUIET);
    }

    fn next_moment(&self) -> Option<Duration> {
        let event = self.events.keys().next().map(|(at, _)| *at);
        let since = |at: Instant| at.saturating_duration_since(self.began);
        let cores = self.participants.values();
        let cores = cores.filter_map(|one| one.room.next_deadline().map(since));
        let server = self.rooms.next_deadline(self.server_now()).map(since);
        event.into_iter().chain(cores).chain(server).min()
    }

    fn deadlines(&mut self) {
        let now = self.now();
        let names: Vec<_> = self.participants.keys().copied().collect();
        for name in names {
            let participant = self.participants.get_mut(name).unwrap();
            let deadline = participant.room.next_deadline();
            if deadline.is_some_and(|at| at <= now.instant) {
                let effects = participant.handle(now, Input::Timeout);
                self.carry_out(name, effects);
            }
        }
        let deadline = self.rooms.next_deadline(self.server_now());
        if deadline.is_some_and(|at| at <= now.instant) {
            let outgoing = self.rooms.timeout(self.server_now());
            self.serve(outgoing);
        }
    }

    fn happens(&mut self, event: Event) {
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

    fn input(&mut self, name: &'static str, input: Input) {
        let now = self.now();
        let effects = self.participants.get_mut(name).unwrap().handle(now, input);
        self.carry_out(name, effects);
    }

    fn carry_out(&mut self, name: &'static str, effects: Vec<Effect>) {
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

    fn media(&mut self, name: &'static str, effects: Vec<MediaEffect>) {
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

    fn other_end_closed(&mut self, name: &'static str, peer: &ClientId, session: (u64, u64)) {
        let own = self.participants[name].id().clone();
        let Some(other) = self.named(peer) else {
            return;
        };
        let media = &self.participants[other].media;
        if media.receives_from(&own, session) {
            self.later(STALL, Event::Stall(other, own, session));
        }
    }

    fn flow(&mut self, name: &'static str, peer: &ClientId, own: End, remote: End) {
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

    fn serve(&mut self, outgoing: Vec<Outgoing>) {
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
            }
        }
    }

    fn lost(&mut self, name: &'static str, will_retry: bool) {
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

    fn connect_after(&mut self, name: &'static str, after: Duration) {
        self.count += 1;
        let attempt = self.count;
        self.participants.get_mut(name).unwrap().link = Link::Connecting(attempt);
        self.later(after, Event::Connect(name, attempt));
    }

    fn connect(&mut self, name: &'static str, attempt: u64) {
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
        self.rooms.attach(self.server_now(), socket);
        self.input(name, Input::Socket(SocketEvent::Connected { again }));
    }

    fn forget_messages(&mut self, socket: SocketId) {
        self.events.retain(|_, event| match event {
            Event::ToServer(of, _) | Event::ToClient(_, of, _) | Event::Closed(_, of, _) => {
                *of != socket
            }
            _ => true,
        });
    }

    fn owner(&self, socket: SocketId) -> Option<&'static str> {
        let mut all = self.participants.values();
        all.find(|one| one.link == Link::Open(socket))
            .map(|one| one.name)
    }

    fn named(&self, id: &ClientId) -> Option<&'static str> {
        let mut all = self.participants.values();
        all.find(|one| one.id() == id).map(|one| one.name)
    }

    fn tell(&mut self, name: &'static str, after: Duration, input: Input) {
        self.later(after, Event::Input(name, Box::new(input)));
    }

    fn later(&mut self, after: Duration, event: Event) {
        self.at(self.elapsed + after, event);
    }

    fn at(&mut self, at: Duration, event: Event) {
        self.count += 1;
        self.events.insert((at, self.count), event);
    }

    /// When something that is sent now arrives, behind everything that was sent before it.
    fn arrival(&mut self, socket: SocketId, to_server: bool, latency: Duration) -> Duration {
        let last = self.arrivals.entry((socket, to_server)).or_default();
        *last = (*last).max(self.elapsed + latency);
        *last
    }

    fn now(&self) -> Now {
        let now = self.server_now();
        Now {
            instant: now.monotonic,
            wall: now.wall,
        }
    }

    fn server_now(&self) -> ServerNow {
        let start: jiff::Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        ServerNow {
            monotonic: self.began + self.elapsed,
            wall: start.checked_add(self.elapsed).unwrap(),
        }
    }
}

fn server(keys: &Arc<Keys>, meetings: &[MeetingRecord], first_id: u64) -> Rooms {
    let settings = RoomSettings {
        limits: Limits {
            clients_per_room: 8,
            ..Limits::default()
        },
        grace: GRACE,
        claim_lifetime: Duration::from_secs(24 * 3600),
        allow_unlisted_rooms: true,
        unlisted_role: RoleName::Visitor,
        unlisted_mode: RoomMode::Normal,
        ice_servers: Vec::new(),
    };
    let ids = Box::new(Scattered(first_id));
    Rooms::new(settings, Arc::clone(keys), ids, meetings.to_vec())
}

impl<'a> SeenBy<'a> {
    /// Another participant; there must be exactly one of it.
    pub(crate) fn participant(&self, name: &'static str) -> &'a RemoteParticipant {
        let id = self.room.participants[name].id();
        let remotes = &self.viewer.state().remote_participants;
        let found: Vec<_> = remotes.iter().filter(|remote| remote.id == *id).collect();
        assert_eq!(found.len(), 1, "{} sees {name}", self.viewer.name);
        found[0]
    }

    /// How many others there are.
    pub(crate) fn others(&self) -> usize {
        self.viewer.state().remote_participants.len()
    }

    pub(crate) fn status(&self) -> ConnectionStatus {
        self.viewer.state().connection_status
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.viewer.state().is_locked
    }

    /// Whose pictures arrive.
    pub(crate) fn receives(&self, name: &'static str) -> bool {
        self.viewer
            .media
            .is_connected(self.room.participants[name].id())
            && self.participant(name).stream.is_some()
    }
}
