//! The rules of the rooms, driven through [`Rooms`] alone, in simulated time.

mod breakout;
mod door;
mod membership;
mod moving;
mod permissions;
mod properties;
mod records;
mod services;
mod sharing;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, Instant},
};

use roomd_protocol::{
    ClientId, ClientMessage, Secret, ServerMessage,
    client::IdentifyDevice,
    records::{RoleName, RoomMode, SignalClient},
    server::{JoinRefused, RoomJoined, RoomJoinedSuccess},
};
use serde_json::{Value, json};

use super::{Closing, Ended, Outgoing, RoomSettings, Rooms, Services, SocketId};
use crate::{
    clock::Now,
    config::Limits,
    ids::IdSource,
    keys::{Keys, RoomKey, SIGNING_KEY_LENGTH},
    meetings::MeetingRecord,
};

/// The key of assistants, where there are any.
const ASSISTANT_KEY: &str = "the key of assistants";

/// Where everybody comes from.
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Ids that tell in which order they were given.
struct Counted(u64);

impl IdSource for Counted {
    fn next_id(&mut self) -> String {
        self.0 += 1;
        format!("id-{}", self.0)
    }
}

/// The rooms with a clock that is set by hand, and what was sent to whom since the last look.
struct TestRooms {
    rooms: Rooms,
    keys: Arc<Keys>,
    now: Now,
    sent: BTreeMap<SocketId, Vec<ServerMessage>>,
    closed: Vec<(SocketId, Closing)>,
    stored: Vec<Outgoing>,
    next_socket: u64,
}

/// Somebody who has joined.
#[derive(Clone, Debug)]
struct Person {
    socket: SocketId,
    id: ClientId,
    claim: Secret,
    device: String,
}

fn settings() -> RoomSettings {
    RoomSettings {
        limits: Limits::default(),
        grace: Duration::from_secs(10),
        claim_lifetime: Duration::from_secs(24 * 3600),
        allow_unlisted_rooms: true,
        unlisted_role: RoleName::Visitor,
        unlisted_mode: RoomMode::Normal,
        ice_servers: Vec::new(),
    }
}

/// The meeting that every [`TestRooms`] has.
fn meeting(is_locked: bool, mode: RoomMode) -> MeetingRecord {
    MeetingRecord {
        meeting_id: "m".into(),
        room_name: "/r".into(),
        is_locked,
        mode,
        start: "2026-11-23T12:00:00Z".parse().unwrap(),
        end: "2026-11-23T18:00:00Z".parse().unwrap(),
    }
}

impl TestRooms {
    fn open() -> Self {
        Self::with(settings(), vec![meeting(false, RoomMode::Normal)])
    }

    fn locked() -> Self {
        Self::with(settings(), vec![meeting(true, RoomMode::Normal)])
    }

    fn group() -> Self {
        Self::with(settings(), vec![meeting(false, RoomMode::Group)])
    }

    /// A group room with assistants and a recorder.
    fn serviced() -> Self {
        let mut test = Self::group();
        test.rooms.services = Services {
            assistant_key: Some(ASSISTANT_KEY.into()),
            has_recorder: true,
        };
        test
    }

    fn with(settings: RoomSettings, meetings: Vec<MeetingRecord>) -> Self {
        let keys = Arc::new(Keys::new(&[7; SIGNING_KEY_LENGTH]));
        let rooms = Rooms::new(settings, Arc::clone(&keys), Box::new(Counted(0)), meetings);
        Self {
            rooms,
            keys,
            now: Now {
                monotonic: Instant::now(),
                wall: "2026-11-23T12:00:00Z".parse().unwrap(),
            },
            sent: BTreeMap::new(),
            closed: Vec::new(),
            stored: Vec::new(),
            next_socket: 1,
        }
    }

    /// The same keys and meetings in a new process.
    fn restarted(&self) -> Self {
        let mut new = Self::with(settings(), self.rooms.meetings.values().cloned().collect());
        new.now = self.now;
        // Not the ids of the first process again.
        new.rooms.ids = Box::new(Counted(1000));
        new.next_socket = self.next_socket;
        new
    }

    fn key(&self, role: RoleName) -> Value {
        let key = RoomKey {
            room: "/r".into(),
            meeting: Some("m".into()),
            role,
            device: None,
            client: None,
        };
        json!(self.keys.room_key(key))
    }

    fn socket(&mut self, device: &str) -> SocketId {
        let socket = SocketId(self.next_socket);
        self.next_socket += 1;
        let outgoing = self.rooms.attach(self.now, socket, PEER);
        self.take_in(outgoing);
        let device_credentials = self.keys.device_credentials(device.into());
        let identify = IdentifyDevice { device_credentials };
        let outgoing =
            self.rooms
                .receive(self.now, socket, ClientMessage::IdentifyDevice(identify));
        self.take_in(outgoing);
        if self.closed.iter().all(|(closed, _)| *closed != socket) {
            assert_eq!(self.heard(socket), ["device_identified"]);
        }
        socket
    }

    /// Sends an event as the wire would carry it.
    fn send(&mut self, socket: SocketId, name: &str, payload: Value) {
        let raw = serde_json::value::to_raw_value(&payload).unwrap();
        let message = ClientMessage::decode(name, Some(&raw)).unwrap().unwrap();
        let outgoing = self.rooms.receive(self.now, socket, message);
        self.take_in(outgoing);
    }

    fn join_with(&mut self, socket: SocketId, members: Value) -> RoomJoined {
        let mut request = json!({ "roomName": "/r", "displayName": "Guest",
            "config": { "isAudioEnabled": true, "isVideoEnabled": true } });
        for (name, value) in members.as_object().unwrap() {
            request[name] = value.clone();
        }
        self.send(socket, "join_room", request);
        let sent = self.sent.get_mut(&socket).unwrap();
        let at = sent
            .iter()
            .position(|m| matches!(m, ServerMessage::RoomJoined(_)))
            .unwrap();
        let ServerMessage::RoomJoined(joined) = sent.remove(at) else {
            unreachable!("just found")
        };
        *joined
    }

    /// Joins and returns the whole answer, which has to be a success.
    fn enter(&mut self, device: &str, members: Value) -> (Person, RoomJoinedSuccess) {
        let socket = self.socket(device);
        let RoomJoined::Success(joined) = self.join_with(socket, members) else {
            panic!("{device} was refused")
        };
        let person = Person {
            socket,
            id: joined.self_id.clone(),
            claim: joined.client_claim.clone().unwrap(),
            device: device.to_owned(),
        };
        (person, joined)
    }

    fn refused(&mut self, device: &str, members: Value) -> (SocketId, JoinRefused) {
        let socket = self.socket(device);
        let RoomJoined::Refused(refused) = self.join_with(socket, members) else {
            panic!("{device} was let in")
        };
        (socket, refused)
    }

    fn host(&mut self, device: &str) -> Person {
        let key = self.key(RoleName::Host);
        self.enter(device, json!({ "roomKey": key })).0
    }

    fn visitor(&mut self, device: &str) -> Person {
        self.enter(device, json!({})).0
    }

    fn back(&mut self, person: &Person) -> (Person, RoomJoinedSuccess) {
        self.enter(&person.device, json!({ "clientClaim": person.claim }))
    }

    fn lose(&mut self, person: &Person) {
        let outgoing = self.rooms.ended(self.now, person.socket, Ended::Lost);
        self.take_in(outgoing);
    }

    fn close(&mut self, person: &Person) {
        let outgoing = self.rooms.ended(self.now, person.socket, Ended::Left);
        self.take_in(outgoing);
    }

    /// Lets time pass, deadline by deadline.
    fn advance(&mut self, seconds: u64) {
        let end = self.now.monotonic + Duration::from_secs(seconds);
        while let Some(at) = self.rooms.next_deadline(self.now).filter(|at| *at <= end) {
            self.step_to(at);
            let outgoing = self.rooms.timeout(self.now);
            self.take_in(outgoing);
            let next = self.rooms.next_deadline(self.now);
            assert!(next.is_none_or(|next| next > at), "a deadline stays due");
        }
        self.step_to(end);
    }

    fn step_to(&mut self, at: Instant) {
        let step = at.saturating_duration_since(self.now.monotonic);
        self.now.monotonic += step;
        let step = jiff::SignedDuration::try_from(step).unwrap();
        self.now.wall = self.now.wall.checked_add(step).unwrap();
    }

    /// Names of the events that a socket was sent since the last look.
    fn heard(&mut self, socket: SocketId) -> Vec<&'static str> {
        let sent = self.sent.remove(&socket).unwrap_or_default();
        sent.iter().map(ServerMessage::name).collect()
    }

    /// The events themselves, as JSON: `[name, payload]`.
    fn events(&mut self, socket: SocketId) -> Vec<(String, Value)> {
        let sent = self.sent.remove(&socket).unwrap_or_default();
        let json = |message: &ServerMessage| {
            message
                .payload()
                .map_or(Value::Null, |raw| serde_json::from_str(raw.get()).unwrap())
        };
        sent.iter()
            .map(|message| (message.name().to_owned(), json(message)))
            .collect()
    }

    fn forget_sent(&mut self) {
        self.sent.clear();
    }

    fn record(&self, id: &ClientId) -> &SignalClient {
        &self.rooms.rooms["/r"].clients[id].record
    }

    fn take_in(&mut self, outgoing: Vec<Outgoing>) {
        for one in outgoing {
            match one {
                Outgoing::Event { to, message } => {
                    let message = Arc::unwrap_or_clone(message);
                    self.sent.entry(to).or_default().push(message);
                }
                Outgoing::Close { socket, closing } => self.closed.push((socket, closing)),
                other => self.stored.push(other),
            }
        }
    }
}
