//! The rooms of the server against clients that send anything.

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use roomd_protocol::{
    ClientMessage, ServerMessage,
    client::IdentifyDevice,
    records::{RoleName, RoomMode},
    server::RoomJoined,
    socket_io::Packet,
};
use roomd_server::{
    Limits,
    clock::Now,
    ids::IdSource,
    keys::{Keys, RoomKey, SIGNING_KEY_LENGTH},
    meetings::MeetingRecord,
    rooms::{Ended, Outgoing, RoomSettings, Rooms, SocketId},
};

use super::lines;

/// How many people there are.
const SOCKETS: u64 = 4;

/// A line is a digit and what happens on the connection of that number: a Socket.IO packet, `lost`, `left`, `back`;
/// or `+` and seconds that pass. `#host` stands for the host's key, `#claim` for the last claim that was given,
/// `#id0` to `#id3` for the last ids.
pub(crate) fn rooms(bytes: &[u8]) {
    let mut house = House::open();
    for line in lines(bytes).take(200) {
        if let Some(seconds) = line.strip_prefix('+') {
            let passed = Duration::from_secs(seconds.parse().unwrap_or(1).min(3600));
            house.now.monotonic += passed;
            house.now.wall = house
                .now
                .wall
                .checked_add(passed)
                .expect("within the range");
            let outgoing = house.rooms.timeout(house.now);
            house.check(outgoing);
            continue;
        }
        let Some(number) = line.chars().next().and_then(|digit| digit.to_digit(10)) else {
            continue;
        };
        let socket = SocketId(u64::from(number) % SOCKETS);
        match &line[1..] {
            "lost" => house.end(socket, Ended::Lost),
            "left" => house.end(socket, Ended::Left),
            "back" => house.enter(socket),
            packet => house.receive(socket, packet),
        }
    }
}

struct House {
    rooms: Rooms,
    now: Now,
    open: BTreeSet<SocketId>,
    claim: String,
    ids: Vec<String>,
}

impl House {
    /// Four devices that are known and in no room.
    fn open() -> Self {
        let settings = RoomSettings {
            limits: Limits {
                clients_per_room: 3,
                ..Limits::default()
            },
            grace: Duration::from_secs(10),
            claim_lifetime: Duration::from_secs(24 * 3600),
            allow_unlisted_rooms: true,
            unlisted_role: RoleName::Visitor,
            unlisted_mode: RoomMode::Normal,
            ice_servers: Vec::new(),
        };
        let meeting = MeetingRecord {
            meeting_id: "m".into(),
            room_name: "/r".into(),
            is_locked: false,
            mode: RoomMode::Group,
            start: "2026-11-23T12:00:00Z".parse().unwrap(),
            end: "2026-11-23T18:00:00Z".parse().unwrap(),
        };
        let ids = Box::new(Counted(0));
        let mut house = Self {
            rooms: Rooms::new(settings, Arc::clone(&KEYS), ids, vec![meeting]),
            now: Now {
                monotonic: *BEGAN,
                wall: "2026-11-23T12:00:00Z".parse().unwrap(),
            },
            open: BTreeSet::new(),
            claim: String::new(),
            ids: Vec::new(),
        };
        for number in 0..SOCKETS {
            house.enter(SocketId(number));
        }
        house
    }

    fn enter(&mut self, socket: SocketId) {
        if !self.open.insert(socket) {
            return;
        }
        let outgoing = self.rooms.attach(self.now, socket, [192, 0, 2, 1].into());
        self.check(outgoing);
        let device = format!("device-{}", socket.0).into();
        let identify = ClientMessage::IdentifyDevice(IdentifyDevice {
            device_credentials: KEYS.device_credentials(device),
        });
        let outgoing = self.rooms.receive(self.now, socket, identify);
        self.check(outgoing);
    }

    fn end(&mut self, socket: SocketId, how: Ended) {
        if self.open.remove(&socket) {
            let outgoing = self.rooms.ended(self.now, socket, how);
            self.check(outgoing);
        }
    }

    fn receive(&mut self, socket: SocketId, packet: &str) {
        let mut packet = packet
            .replace("#host", &HOST_KEY)
            .replace("#claim", &self.claim);
        for (number, id) in self.ids.iter().rev().take(4).enumerate() {
            packet = packet.replace(&format!("#id{number}"), id);
        }
        if let Ok(Packet::Event { name, payload, .. }) = Packet::decode(&packet)
            && let Ok(Some(message)) = ClientMessage::decode(&name, payload.as_deref())
        {
            let outgoing = self.rooms.receive(self.now, socket, message);
            self.check(outgoing);
        }
    }

    /// Only who is connected is told anything, and can read it.
    fn check(&mut self, outgoing: Vec<Outgoing>) {
        for one in outgoing {
            match one {
                Outgoing::Event { to, message } => {
                    assert!(self.open.contains(&to), "{to:?} is gone");
                    let payload = message.payload();
                    let read = ServerMessage::decode(message.name(), payload.as_deref());
                    assert!(matches!(read, Ok(Some(_))), "a client reads {message:?}");
                    if let ServerMessage::RoomJoined(joined) = Arc::unwrap_or_clone(message)
                        && let RoomJoined::Success(joined) = *joined
                    {
                        self.ids.push(joined.self_id.to_string());
                        self.claim = joined
                            .client_claim
                            .map(|claim| claim.reveal().to_owned())
                            .unwrap_or_default();
                    }
                }
                Outgoing::Close { socket, .. } => {
                    self.open.remove(&socket);
                }
                Outgoing::MeetingChanged(_)
                | Outgoing::MeetingOver { .. }
                | Outgoing::StartRecorder { .. }
                | Outgoing::StopRecorder { .. } => {}
            }
        }
        let census = self.rooms.census();
        assert_eq!(census.sockets, self.open.len());
        assert!(census.clients <= 16, "{census:?}");
    }
}

/// Ids that come in order, so that a case is the same every time.
struct Counted(u64);

impl IdSource for Counted {
    fn next_id(&mut self) -> String {
        self.0 += 1;
        format!("id-{}", self.0)
    }
}

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
static KEYS: LazyLock<Arc<Keys>> = LazyLock::new(|| Arc::new(Keys::new(&[7; SIGNING_KEY_LENGTH])));
static HOST_KEY: LazyLock<String> = LazyLock::new(|| {
    let key = RoomKey {
        room: "/r".into(),
        meeting: Some("m".into()),
        role: RoleName::Host,
        device: None,
        client: None,
    };
    KEYS.room_key(key).reveal().to_owned()
});
