//! The rooms: who is in, who knocks, what everybody is told. Pure: no I/O and no clock.
//!
//! [`Rooms`] knows the sockets and which room each is in; everything that concerns the people of
//! one room is a method of `Room`, split by subject into the modules below. Whatever happens
//! comes in as a call with the time, what follows comes out as a list of [`Outgoing`].

mod admission;
mod breakout;
mod breakout_timers;
mod captions;
mod chat;
mod deadlines;
mod dispatch;
mod door;
mod join;
mod leave;
mod media;
mod moderation;
mod permissions;
mod recording;
mod relay;
mod room;
#[cfg(test)]
mod tests;
mod unidentified;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use roomd_protocol::{
    ClientId, ClientMessage, DeviceId, Secret, ServerMessage,
    records::{IceServer, RoleName, RoomMode},
};

pub(crate) use self::recording::ENDED;
pub use self::recording::Services;
use self::{
    deadlines::{Deadlines, Due},
    room::Room,
    unidentified::Unidentified,
};
use crate::{clock::Now, config::Limits, ids::IdSource, keys::Keys, meetings::MeetingRecord};

/// One connection, named by whoever accepted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub u64);

/// What follows from an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Outgoing {
    /// An event for one socket.
    Event {
        /// For whom.
        to: SocketId,
        /// What. Events in a row that are one and the same are for several sockets.
        message: Arc<ServerMessage>,
    },
    /// A socket is to be closed, after everything that was sent to it.
    Close {
        /// Which one.
        socket: SocketId,
        /// How.
        closing: Closing,
    },
    /// A meeting changed and is to be stored.
    MeetingChanged(MeetingRecord),
    /// A meeting is over and is to be forgotten.
    MeetingOver {
        /// Id of the meeting.
        meeting_id: String,
    },
    /// A recorder is to be started for a room; [`Rooms::recorder_ended`] is told when it ends.
    StartRecorder {
        /// The id it will have in the room.
        recorder: ClientId,
        /// Name of the room, with the leading slash.
        room: String,
        /// The key that lets it in, once and for this recording.
        key: Secret,
    },
    /// A recorder that was started is to end.
    StopRecorder {
        /// The id it has or would have had in the room.
        recorder: ClientId,
    },
}

/// How a socket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The client is not to come back by itself: Socket.IO disconnect.
    ForGood,
    /// The client may come back: the WebSocket alone is closed.
    ForNow,
}

/// How a client's connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// On purpose: Socket.IO disconnect, or WebSocket code 1001 of a page that is closed.
    Left,
    /// Somehow else: the network may be gone, and the client may return.
    Lost,
}

/// What an operator decides about rooms.
#[derive(Clone, Debug)]
pub struct RoomSettings {
    /// Bounds.
    pub limits: Limits,
    /// How long a client whose connection broke stays in its room.
    pub grace: Duration,
    /// How long a client gets its old id back.
    pub claim_lifetime: Duration,
    /// Whether rooms that no meeting was made for begin to exist when somebody joins.
    pub allow_unlisted_rooms: bool,
    /// Role in such rooms without a key.
    pub unlisted_role: RoleName,
    /// Mode of such rooms.
    pub unlisted_mode: RoomMode,
    /// STUN and TURN servers.
    pub ice_servers: Vec<IceServer>,
}

/// How many there are, for the health check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Rooms in use.
    pub rooms: usize,
    /// Clients in them.
    pub clients: usize,
    /// Connections.
    pub sockets: usize,
    /// Meetings that were made and are not over.
    pub meetings: usize,
}

/// All rooms of the server.
pub struct Rooms {
    settings: RoomSettings,
    services: Services,
    keys: Arc<Keys>,
    ids: Box<dyn IdSource>,
    sockets: HashMap<SocketId, Socket>,
    /// How many connections each device has.
    devices: HashMap<DeviceId, usize>,
    /// Connections of no device yet.
    unidentified: Unidentified,
    rooms: BTreeMap<String, Room>,
    meetings: BTreeMap<String, MeetingRecord>,
    /// The same meetings, the first to end first.
    ends: BTreeSet<(Timestamp, String)>,
    /// Their rooms' names and their ids.
    names: BTreeSet<(String, String)>,
    deadlines: Deadlines,
    /// Rooms that the current input may have changed; looked at by [`Rooms::settle`].
    touched: BTreeSet<String>,
}

/// What is known of one connection.
struct Socket {
    device: Option<DeviceId>,
    place: Place,
}

/// Where a socket stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// In no room.
    Outside,
    /// Was told that the room is locked, and which id it will have.
    Refused { room: String, id: ClientId },
    /// Waits outside.
    Knocking { room: String, id: ClientId },
    /// Is in the room.
    In { room: String, id: ClientId },
}

/// How long a kicked client may take to close its connection.
const KICKED_STAYS: Duration = Duration::from_secs(5);

impl Rooms {
    /// A server with these meetings and nobody there.
    #[must_use]
    pub fn new(
        settings: RoomSettings,
        keys: Arc<Keys>,
        ids: Box<dyn IdSource>,
        meetings: Vec<MeetingRecord>,
    ) -> Self {
        let mut rooms = Self {
            settings,
            services: Services::default(),
            keys,
            ids,
            sockets: HashMap::new(),
            devices: HashMap::new(),
            unidentified: Unidentified::default(),
            rooms: BTreeMap::new(),
            meetings: BTreeMap::new(),
            ends: BTreeSet::new(),
            names: BTreeSet::new(),
            deadlines: Deadlines::default(),
            touched: BTreeSet::new(),
        };
        for meeting in meetings {
            rooms.add_meeting(meeting);
        }
        rooms
    }

    /// The same with assistants and a recorder, where the operator has set them up.
    #[must_use]
    pub fn with_services(mut self, services: Services) -> Self {
        self.services = services;
        self
    }

    /// How many there are.
    #[must_use]
    pub fn census(&self) -> Census {
        Census {
            rooms: self.rooms.len(),
            clients: self.rooms.values().map(|room| room.clients.len()).sum(),
            sockets: self.sockets.len(),
            meetings: self.meetings.len(),
        }
    }

    /// A connection was opened from an address. An older one may have to make room for it.
    #[must_use]
    pub fn attach(&mut self, now: Now, socket: SocketId, peer: IpAddr) -> Vec<Outgoing> {
        let patience = Duration::from_secs(self.settings.limits.identify_seconds);
        let state = Socket {
            device: None,
            place: Place::Outside,
        };
        self.sockets.insert(socket, state);
        self.close_at(socket, Some(now.monotonic + patience));
        let limit = self.settings.limits.unidentified();
        let mut out = Vec::new();
        if let Some(oldest) = self.unidentified.add(socket, peer, limit) {
            self.close(oldest, Closing::ForNow, &mut out);
        }
        out
    }

    /// A client sent an event. Events of sockets that are not attached are dropped.
    #[must_use]
    pub fn receive(&mut self, now: Now, socket: SocketId, message: ClientMessage) -> Vec<Outgoing> {
        let mut out = Vec::new();
        if self.sockets.contains_key(&socket) {
            self.dispatch(now, socket, message, &mut out);
            self.settle(now, &mut out);
        }
        out
    }

    /// A connection is gone.
    #[must_use]
    pub fn ended(&mut self, now: Now, socket: SocketId, how: Ended) -> Vec<Outgoing> {
        let mut out = Vec::new();
        match self.place(socket) {
            Place::In { room, id } if how == Ended::Lost && !self.settings.grace.is_zero() => {
                let until = now.monotonic + self.settings.grace;
                self.touch(&room);
                if let Some(client) = self.client_mut(&room, &id) {
                    client.socket = None;
                    client.grace_until = Some(until);
                }
            }
            _ => self.step_out(socket, &mut out),
        }
        self.forget_socket(socket);
        self.settle(now, &mut out);
        out
    }

    /// When [`Rooms::timeout`] is to be called, if nothing else happens before.
    #[must_use]
    pub fn next_deadline(&self, now: Now) -> Option<Instant> {
        let first_end = self.ends.first();
        let meeting = first_end.and_then(|(_, id)| self.meetings.get(id));
        let over = meeting.map(|meeting| meeting.over_at(now));
        self.deadlines.next().into_iter().chain(over).min()
    }

    /// Does what is due.
    #[must_use]
    pub fn timeout(&mut self, now: Now) -> Vec<Outgoing> {
        let mut out = Vec::new();
        for due in self.deadlines.take_due(now.monotonic) {
            match due {
                Due::Socket(socket) => {
                    let is_known = self.device(socket).is_some();
                    let closing = if is_known {
                        Closing::ForGood
                    } else {
                        Closing::ForNow
                    };
                    self.close(socket, closing, &mut out);
                }
                Due::Room(name) => {
                    self.touch(&name);
                    if let Some(room) = self.rooms.get_mut(&name) {
                        room.timeout(now, &mut out);
                    }
                }
            }
        }
        while let Some((_, meeting_id)) = self.ends.first().cloned() {
            let meeting = self.meetings.get(&meeting_id);
            if meeting.is_some_and(|meeting| meeting.over_at(now) > now.monotonic) {
                break;
            }
            self.ends.pop_first();
            self.end_meeting(now, &meeting_id, leave::MEETING_ENDED, &mut out);
            out.push(Outgoing::MeetingOver { meeting_id });
        }
        self.settle(now, &mut out);
        out
    }

    /// A meeting was made and stored.
    pub fn add_meeting(&mut self, meeting: MeetingRecord) {
        let id = meeting.meeting_id.clone();
        self.ends.insert((meeting.end, id.clone()));
        self.names.insert((meeting.room_name.clone(), id.clone()));
        if let Some(old) = self.meetings.insert(id.clone(), meeting)
            && self.meetings.get(&id).is_none_or(|new| new.end != old.end)
        {
            self.ends.remove(&(old.end, id));
        }
    }

    /// The meeting with that id.
    #[must_use]
    pub fn meeting(&self, meeting_id: &str) -> Option<&MeetingRecord> {
        self.meetings.get(meeting_id)
    }

    /// The meeting that a room was made for.
    fn meeting_of(&self, room: &str) -> Option<&MeetingRecord> {
        let mut from = self.names.range((room.to_owned(), String::new())..);
        let (name, id) = from.next()?;
        self.meetings.get(id).filter(|_| name == room)
    }

    /// A meeting was deleted: everybody is sent out. `None` if there is no such meeting.
    #[must_use]
    pub fn remove_meeting(&mut self, now: Now, meeting_id: &str) -> Option<Vec<Outgoing>> {
        let mut out = Vec::new();
        let existed = self.end_meeting(now, meeting_id, "room-deleted", &mut out);
        self.settle(now, &mut out);
        existed.then_some(out)
    }

    /// Closes a socket. Whatever it still sends is not heard any more.
    fn close(&mut self, socket: SocketId, closing: Closing, out: &mut Vec<Outgoing>) {
        self.step_out(socket, out);
        self.forget_socket(socket);
        out.push(Outgoing::Close { socket, closing });
    }

    fn forget_socket(&mut self, socket: SocketId) {
        self.unidentified.remove(socket);
        let device = self.sockets.remove(&socket).and_then(|state| state.device);
        if let Some(device) = device
            && let Some(count) = self.devices.get_mut(&device)
        {
            *count -= 1;
            if *count == 0 {
                self.devices.remove(&device);
            }
        }
        self.close_at(socket, None);
    }

    /// Sets when the socket is to be closed: it did not identify, or it was kicked and stayed.
    fn close_at(&mut self, socket: SocketId, at: Option<Instant>) {
        self.deadlines.set(Due::Socket(socket), at);
    }

    /// Notes that the current input may have changed the room of that name.
    fn touch(&mut self, room: &str) {
        if !self.touched.contains(room) {
            self.touched.insert(room.to_owned());
        }
    }

    /// The end of every input: rooms that nobody needs any more go, the others have new deadlines.
    fn settle(&mut self, now: Now, out: &mut Vec<Outgoing>) {
        while let Some(name) = self.touched.pop_first() {
            self.dismiss_services(now, &name, out);
            self.touched.remove(&name);
            let deadline = match self.rooms.get_mut(&name) {
                Some(room) if room.is_forgettable(now) => {
                    self.rooms.remove(&name);
                    None
                }
                Some(room) => {
                    room.forget_past();
                    room.next_deadline()
                }
                None => None,
            };
            self.deadlines.set(Due::Room(name), deadline);
        }
    }

    fn place(&self, socket: SocketId) -> Place {
        self.sockets
            .get(&socket)
            .map_or(Place::Outside, |state| state.place.clone())
    }

    fn put(&mut self, socket: SocketId, place: Place) {
        if let Some(state) = self.sockets.get_mut(&socket) {
            state.place = place;
        }
    }

    fn client_mut(&mut self, room: &str, id: &ClientId) -> Option<&mut room::Client> {
        self.rooms.get_mut(room)?.clients.get_mut(id)
    }

    /// The room that somebody sits in, together with the id there.
    fn inside(&mut self, socket: SocketId) -> Option<(&mut Room, ClientId)> {
        let Place::In { room, id } = self.place(socket) else {
            return None;
        };
        let room = self.rooms.get_mut(&room)?;
        Some((room, id))
    }
}

/// Adds an event for one socket.
fn tell(out: &mut Vec<Outgoing>, to: SocketId, message: ServerMessage) {
    let message = Arc::new(message);
    out.push(Outgoing::Event { to, message });
}

/// At most `limit` characters of a text.
fn truncated(mut text: String, limit: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(limit) {
        text.truncate(end);
    }
    text
}
