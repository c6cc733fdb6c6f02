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
    Action, ConnectionStatus, Effect, Input, JoinOptions, Now, Refusal, state::RemoteParticipant,
};
use roomd_server::{
    Limits,
    clock::Now as ServerNow,
    ids::IdSource,
    keys::{Keys, RoomKey, SIGNING_KEY_LENGTH},
    meetings::MeetingRecord,
    rooms::{Closing, Ended, RoomSettings, Rooms, SocketId},
};

use crate::invariants::{Cause, Transcript, Watcher};

use super::{
    media::End,
    participant::{Link, Participant},
};

const ROOM: &str = "https://rooms.example.org/r";
/// How long the server keeps somebody whose connection broke.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
/// Later than everything that is waited for by itself: reconnects, grace, stalls, pauses.
const QUIET: Duration = Duration::from_secs(120);

/// Something on its way.
#[derive(Debug)]
pub(super) enum Event {
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
    pub(super) keys: Arc<Keys>,
    pub(super) rooms: Rooms,
    pub(crate) meetings: Vec<MeetingRecord>,
    server_lives: u64,
    pub(crate) participants: BTreeMap<&'static str, Participant>,
    pub(super) began: Instant,
    pub(super) elapsed: Duration,
    /// By time, then by the order in which they were sent.
    pub(super) events: BTreeMap<(Duration, u64), Event>,
    pub(super) count: u64,
    pub(super) sockets: u64,
    /// When the last message of each direction arrives: none overtakes another.
    pub(super) arrivals: BTreeMap<(SocketId, bool), Duration>,
    /// Every offer that reached the server: sender and receiver.
    pub(crate) offers: Vec<(ClientId, ClientId)>,
    /// What everybody was given lately.
    pub(crate) transcript: Transcript,
    /// How many actions and inputs the cores were given.
    pub(crate) turns: u64,
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
        Self::of_mode(is_locked, RoomMode::Normal)
    }

    /// The same, with or without breakout groups.
    pub(crate) fn of_mode(is_locked: bool, mode: RoomMode) -> Self {
        let keys = Arc::new(Keys::new(&[7; SIGNING_KEY_LENGTH]));
        let meetings = vec![MeetingRecord {
            meeting_id: "m".into(),
            room_name: "/r".into(),
            is_locked,
            mode,
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
            transcript: Transcript::default(),
            turns: 0,
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

    /// Joins as the participant that the claim is of.
    pub(crate) fn join_with(&mut self, name: &'static str, claim: Option<roomd_protocol::Secret>) {
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
        let effects = self.turn(name, Cause::Act(action))?;
        self.carry_out(name, effects);
        Ok(())
    }

    /// Gives a core an action or an input, and holds what comes of it against the invariants.
    pub(super) fn turn(
        &mut self,
        name: &'static str,
        cause: Cause,
    ) -> Result<Vec<Effect>, Refusal> {
        let now = self.now();
        self.turns += 1;
        let participant = self.participants.get_mut(name).unwrap();
        let before = participant.state().clone();
        let outcome = match &cause {
            Cause::Act(action) | Cause::Refused(action) => {
                participant.room.act(now, action.clone())
            }
            Cause::Input(input) => Ok(participant.room.handle(now, input.clone())),
        };
        participant.note_status();
        let cause = match cause {
            Cause::Act(action) if outcome.is_err() => Cause::Refused(action),
            cause => cause,
        };
        let told = match &outcome {
            Ok(_) => Vec::new(),
            Err(_) => participant.room.after_refusal(now),
        };
        let effects = outcome.as_deref().unwrap_or(&told);
        let after = participant.room.state();
        let status = after.connection_status;
        self.transcript
            .note(self.elapsed, name, &cause, status, effects);
        let watcher = &mut participant.watcher;
        if let Err(why) = watcher.judge(&cause, now, &before, after, effects) {
            panic!("{name}: {why}\n{}", self.transcript);
        }
        outcome
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
        participant.watcher = Watcher::default();
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

    /// What a client remembers over a restart.
    pub(crate) fn claim_of(&self, name: &'static str) -> Option<roomd_protocol::Secret> {
        let local = &self.participants[name].state().local_participant;
        local.client_claim.clone()
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

    pub(super) fn owner(&self, socket: SocketId) -> Option<&'static str> {
        let mut all = self.participants.values();
        all.find(|one| one.link == Link::Open(socket))
            .map(|one| one.name)
    }

    pub(super) fn named(&self, id: &ClientId) -> Option<&'static str> {
        let mut all = self.participants.values();
        all.find(|one| one.id() == id).map(|one| one.name)
    }

    pub(super) fn tell(&mut self, name: &'static str, after: Duration, input: Input) {
        self.later(after, Event::Input(name, Box::new(input)));
    }

    pub(super) fn later(&mut self, after: Duration, event: Event) {
        self.at(self.elapsed + after, event);
    }

    pub(super) fn at(&mut self, at: Duration, event: Event) {
        self.count += 1;
        self.events.insert((at, self.count), event);
    }

    /// When something that is sent now arrives, behind everything that was sent before it.
    pub(super) fn arrival(
        &mut self,
        socket: SocketId,
        to_server: bool,
        latency: Duration,
    ) -> Duration {
        let last = self.arrivals.entry((socket, to_server)).or_default();
        *last = (*last).max(self.elapsed + latency);
        *last
    }

    pub(super) fn now(&self) -> Now {
        let now = self.server_now();
        Now {
            instant: now.monotonic,
            wall: now.wall,
        }
    }

    pub(super) fn server_now(&self) -> ServerNow {
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
