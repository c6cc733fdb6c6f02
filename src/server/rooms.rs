//! The rooms: who is in, who knocks, what everybody is told. Pure: no I/O and no clock.
//!
//! [`Rooms`] knows the sockets and which room each is in; everything that concerns the people of
//! one room is a method of `Room`, split by subject into the modules below. Whatever happens
//! comes in as a call with the time, what follows comes out as a list of [`Outgoing`].

mod breakout;
mod chat;
mod door;
mod join;
mod leave;
mod media;
mod moderation;
mod relay;
mod room;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use roomd_protocol::{
    ClientId, ClientMessage, DeviceId, ServerMessage,
    client::IdentifyDevice,
    records::{IceServer, RoleName, RoomMode},
};

use self::room::Room;
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
        /// What.
        message: ServerMessage,
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
    keys: Arc<Keys>,
    ids: Box<dyn IdSource>,
    sockets: HashMap<SocketId, Socket>,
    rooms: BTreeMap<String, Room>,
    meetings: BTreeMap<String, MeetingRecord>,
}

/// What is known of one connection.
struct Socket {
    device: Option<DeviceId>,
    place: Place,
    /// When the socket is to be closed: it did not identify, or it was kicked and stayed.
    close_at: Option<Instant>,
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
        Self {
            settings,
            keys,
            ids,
            sockets: HashMap::new(),
            rooms: BTreeMap::new(),
            meetings: meetings
                .into_iter()
                .map(|meeting| (meeting.meeting_id.clone(), meeting))
                .collect(),
        }
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

    /// A connection was opened.
    pub fn attach(&mut self, now: Now, socket: SocketId) {
        let patience = Duration::from_secs(self.settings.limits.identify_seconds);
        let state = Socket {
            device: None,
            place: Place::Outside,
            close_at: Some(now.monotonic + patience),
        };
        self.sockets.insert(socket, state);
    }

    /// A client sent an event. Events of sockets that are not attached are dropped.
    #[must_use]
    pub fn receive(&mut self, now: Now, socket: SocketId, message: ClientMessage) -> Vec<Outgoing> {
        let mut out = Vec::new();
        if !self.sockets.contains_key(&socket) {
            return out;
        }
        match message {
            ClientMessage::IdentifyDevice(request) => self.identify(socket, &request, &mut out),
            ClientMessage::JoinRoom(request) => self.join(now, socket, *request, &mut out),
            ClientMessage::KnockRoom(request) => self.knock(now, socket, *request, &mut out),
            ClientMessage::CancelRoomKnock => self.cancel_knock(socket, &mut out),
            ClientMessage::LeaveRoom => {
                self.step_out(socket, &mut out);
                // The answer is due even to who is in no room: the SDK waits for it for ever.
                tell(&mut out, socket, ServerMessage::RoomLeft);
            }
            ClientMessage::HandleKnock(request) => self.handle_knock(socket, request, &mut out),
            ClientMessage::SetLock(request) => self.set_lock(socket, request, &mut out),
            ClientMessage::KickClient(request) => self.kick(now, socket, &request, &mut out),
            other => self.in_room(now, socket, other, &mut out),
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
                if let Some(client) = self.client_mut(&room, &id) {
                    client.socket = None;
                    client.grace_until = Some(until);
                }
            }
            _ => self.step_out(socket, &mut out),
        }
        self.sockets.remove(&socket);
        out
    }

    /// When [`Rooms::timeout`] is to be called, if nothing else happens before.
    #[must_use]
    pub fn next_deadline(&self, now: Now) -> Option<Instant> {
        let sockets = self.sockets.values().filter_map(|socket| socket.close_at);
        let rooms = self.rooms.values().filter_map(Room::next_deadline);
        let meetings = self.meetings.values().map(|meeting| meeting.over_at(now));
        sockets.chain(rooms).chain(meetings).min()
    }

    /// Does what is due.
    #[must_use]
    pub fn timeout(&mut self, now: Now) -> Vec<Outgoing> {
        let mut out = Vec::new();
        let due: Vec<(SocketId, Closing)> = self
            .sockets
            .iter()
            .filter(|(_, state)| state.close_at.is_some_and(|at| at <= now.monotonic))
            .map(|(&socket, state)| match state.device {
                None => (socket, Closing::ForNow),
                Some(_) => (socket, Closing::ForGood),
            })
            .collect();
        for (socket, closing) in due {
            self.close(socket, closing, &mut out);
        }
        for room in self.rooms.values_mut() {
            room.timeout(now, &mut out);
        }
        let over: Vec<String> = self
            .meetings
            .values()
            .filter(|meeting| meeting.over_at(now) <= now.monotonic)
            .map(|meeting| meeting.meeting_id.clone())
            .collect();
        for meeting_id in over {
            self.end_meeting(now, &meeting_id, "meeting-ended", &mut out);
            out.push(Outgoing::MeetingOver { meeting_id });
        }
        self.forget_empty_rooms();
        out
    }

    /// A meeting was made and stored.
    pub fn add_meeting(&mut self, meeting: MeetingRecord) {
        self.meetings.insert(meeting.meeting_id.clone(), meeting);
    }

    /// The meeting with that id.
    #[must_use]
    pub fn meeting(&self, meeting_id: &str) -> Option<&MeetingRecord> {
        self.meetings.get(meeting_id)
    }

    /// A meeting was deleted: everybody is sent out. `None` if there is no such meeting.
    #[must_use]
    pub fn remove_meeting(&mut self, now: Now, meeting_id: &str) -> Option<Vec<Outgoing>> {
        let mut out = Vec::new();
        self.end_meeting(now, meeting_id, "room-deleted", &mut out)
            .then_some(out)
    }

    fn identify(&mut self, socket: SocketId, request: &IdentifyDevice, out: &mut Vec<Outgoing>) {
        // The answer comes at once and always: an SDK that loses it never identifies again.
        tell(out, socket, ServerMessage::DeviceIdentified);
        // A connection belongs to one device for as long as it lasts.
        if self.device(socket).is_some() {
            return;
        }
        if !self.keys.is_genuine(&request.device_credentials) {
            // join_room will be refused with client_missing_device_id.
            return;
        }
        let device = &request.device_credentials.credentials.uuid;
        let others = self
            .sockets
            .iter()
            .filter(|(id, other)| **id != socket && other.device.as_ref() == Some(device));
        if others.count() >= self.settings.limits.sockets_per_device {
            self.close(socket, Closing::ForGood, out);
            return;
        }
        if let Some(state) = self.sockets.get_mut(&socket) {
            state.device = Some(device.clone());
            state.close_at = None;
        }
    }

    /// Everything that only somebody in a room can do; silence for all others.
    fn in_room(
        &mut self,
        now: Now,
        socket: SocketId,
        message: ClientMessage,
        out: &mut Vec<Outgoing>,
    ) {
        let Place::In { room, id } = self.place(socket) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(&room) else {
            return;
        };
        match message {
            ClientMessage::EnableAudio(request) => room.enable_audio(&id, request.enabled, out),
            ClientMessage::EnableVideo(request) => room.enable_video(&id, request.enabled, out),
            ClientMessage::SendClientMetadata(request) => room.set_metadata(&id, request, out),
            ClientMessage::StartScreenshare(request) => room.start_screenshare(&id, request, out),
            ClientMessage::StopScreenshare(request) => {
                room.stop_screenshare(&id, &request.stream_id, out);
            }
            ClientMessage::RequestAudioEnable(request) => room.request_audio(&id, &request, out),
            ClientMessage::RequestVideoEnable(request) => room.request_video(&id, &request, out),
            ClientMessage::AddSpotlight(request) => room.add_spotlight(&id, request, out),
            ClientMessage::RemoveSpotlight(request) => room.remove_spotlight(&id, request, out),
            ClientMessage::ChatMessage(request) => {
                let message_id = self.ids.next_id();
                room.chat(now, &id, message_id, request, &self.keys, out);
            }
            ClientMessage::RemoveChatMessage(request) => {
                room.remove_chat(&id, &request, &self.keys, out);
            }
            ClientMessage::UpdateBreakoutSession(patch) => {
                room.update_breakout(now, &id, patch, out);
            }
            ClientMessage::JoinBreakoutGroup(request) => room.join_group(&id, request.group, out),
            ClientMessage::ReadyToReceiveOffer(to) => room.solicit(now, &id, &to.receiver_id, out),
            ClientMessage::IceEndOfCandidates(to) => {
                room.end_of_candidates(&id, &to.receiver_id, out);
            }
            ClientMessage::SdpOffer(relayed) => {
                room.relay(&id, relayed, ServerMessage::SdpOffer, out);
            }
            ClientMessage::SdpAnswer(relayed) => {
                room.relay(&id, relayed, ServerMessage::SdpAnswer, out);
            }
            ClientMessage::IceCandidate(relayed) => {
                room.relay(&id, relayed, ServerMessage::IceCandidate, out);
            }
            ClientMessage::FetchMediaserverConfig => {
                relay::mediaserver_config(&self.settings.ice_servers, socket, out);
            }
            ClientMessage::StartRecording(_)
            | ClientMessage::StopRecording
            | ClientMessage::StartLiveTranscription
            | ClientMessage::StopLiveTranscription
            | ClientMessage::LiveCaptionsEnabled
            | ClientMessage::LiveCaptionsDisabled
            | ClientMessage::RequestFileUploadUrl(_) => {
                media::refuse_feature(&message, socket, out);
            }
            // Handled before: they do not need a room, or need more than one room knows.
            ClientMessage::IdentifyDevice(_)
            | ClientMessage::JoinRoom(_)
            | ClientMessage::KnockRoom(_)
            | ClientMessage::CancelRoomKnock
            | ClientMessage::LeaveRoom
            | ClientMessage::HandleKnock(_)
            | ClientMessage::SetLock(_)
            | ClientMessage::KickClient(_) => {}
        }
    }

    /// Closes a socket. Whatever it still sends is not heard any more.
    fn close(&mut self, socket: SocketId, closing: Closing, out: &mut Vec<Outgoing>) {
        self.step_out(socket, out);
        self.sockets.remove(&socket);
        out.push(Outgoing::Close { socket, closing });
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

    /// The room that a host sits in, together with the host's id.
    fn hosted(&mut self, socket: SocketId) -> Option<(&mut Room, ClientId)> {
        let Place::In { room, id } = self.place(socket) else {
            return None;
        };
        let room = self.rooms.get_mut(&room)?;
        room.is_host(&id).then_some((room, id))
    }

    fn forget_empty_rooms(&mut self) {
        self.rooms.retain(|_, room| !room.is_forgettable());
    }
}

/// Adds an event for one socket.
fn tell(out: &mut Vec<Outgoing>, to: SocketId, message: ServerMessage) {
    out.push(Outgoing::Event { to, message });
}

/// At most `limit` characters of a text.
fn truncated(mut text: String, limit: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(limit) {
        text.truncate(end);
    }
    text
}
