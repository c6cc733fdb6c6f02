//! One room: its people and what they share.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use indexmap::IndexMap;
use roomd_protocol::{
    ClientId, DeviceId, ServerMessage, StreamId,
    records::{
        IceServer, IceServers, RoleName, RoomMode, RoomSession, SignalClient, SignalKnocker,
        SignalRoom, Spotlight,
    },
    server::RoomSessionEnded,
};

use super::{
    Outgoing, SocketId, breakout::Breakout, captions::Transcription, chat::ChatEntry,
    recording::Recording, tell,
};
use crate::{clock::Now, ids::IdSource, meetings::MeetingRecord};

/// The organization that all rooms belong to.
pub(super) const ORGANIZATION_ID: &str = "1";

/// How many kicked clients are remembered.
const KICKED_LIMIT: usize = 1000;

/// How long an empty room remembers them: the longest grace that can be configured, after which nobody
/// takes a return for a continuation.
const KICKED_MEMORY: Duration = Duration::from_secs(300);

/// One room.
pub(super) struct Room {
    pub(super) name: String,
    pub(super) meeting_id: Option<String>,
    pub(super) mode: RoomMode,
    pub(super) is_locked: bool,
    pub(super) clients: IndexMap<ClientId, Client>,
    pub(super) knockers: IndexMap<ClientId, Knocker>,
    pub(super) session: Option<RoomSession>,
    pub(super) spotlights: Vec<Spotlight>,
    pub(super) chat: VecDeque<ChatEntry>,
    pub(super) breakout: Breakout,
    pub(super) recording: Option<Recording>,
    pub(super) transcription: Option<Transcription>,
    /// Ids whose claims and granted keys open nothing any more.
    pub(super) kicked: VecDeque<ClientId>,
    /// How long an empty room that was made for no meeting remembers them.
    kicked_until: Option<Instant>,
    /// Counts answered joins: who came later solicits (see `relay`).
    pub(super) joins: u64,
}

/// Somebody in the room, connected or in the grace period.
pub(super) struct Client {
    pub(super) record: SignalClient,
    pub(super) socket: Option<SocketId>,
    pub(super) grace_until: Option<Instant>,
    pub(super) join_number: u64,
    pub(super) joined_at: Instant,
    /// Screenshares from before a reconnect that were not announced again yet.
    pub(super) unannounced_shares: Vec<StreamId>,
    pub(super) announce_until: Option<Instant>,
    /// Knockers that went while this host was away: its own list does not forget them by itself.
    pub(super) missed_knockers: Vec<ClientId>,
    /// The order to move to or from a group that came while this client was away.
    pub(super) missed_move: Option<ServerMessage>,
    /// Whether it asked for captions.
    pub(super) has_captions: bool,
}

/// Somebody who waits outside.
pub(super) struct Knocker {
    pub(super) device: DeviceId,
    pub(super) display_name: String,
    pub(super) socket: SocketId,
    /// The role that an accepted knock will give.
    pub(super) role: RoleName,
}

impl Room {
    pub(super) fn unlisted(name: &str, mode: RoomMode) -> Self {
        Self {
            name: name.to_owned(),
            meeting_id: None,
            mode,
            is_locked: false,
            clients: IndexMap::new(),
            knockers: IndexMap::new(),
            session: None,
            spotlights: Vec::new(),
            chat: VecDeque::new(),
            breakout: Breakout::default(),
            recording: None,
            transcription: None,
            kicked: VecDeque::new(),
            kicked_until: None,
            joins: 0,
        }
    }

    pub(super) fn of_meeting(meeting: &MeetingRecord) -> Self {
        Self {
            meeting_id: Some(meeting.meeting_id.clone()),
            is_locked: meeting.is_locked,
            ..Self::unlisted(&meeting.room_name, meeting.mode)
        }
    }

    pub(super) fn role(&self, id: &ClientId) -> RoleName {
        self.clients.get(id).map_or(RoleName::None, Client::role)
    }

    pub(super) fn is_host(&self, id: &ClientId) -> bool {
        self.role(id) == RoleName::Host
    }

    pub(super) fn tell(&self, id: &ClientId, message: ServerMessage, out: &mut Vec<Outgoing>) {
        if let Some(socket) = self.clients.get(id).and_then(|client| client.socket) {
            tell(out, socket, message);
        }
    }

    pub(super) fn tell_all(&self, message: &ServerMessage, out: &mut Vec<Outgoing>) {
        self.tell_those(message, |_, _| true, out);
    }

    pub(super) fn tell_others(
        &self,
        but: &ClientId,
        message: &ServerMessage,
        out: &mut Vec<Outgoing>,
    ) {
        self.tell_those(message, |id, _| id != but, out);
    }

    pub(super) fn tell_hosts(&self, message: &ServerMessage, out: &mut Vec<Outgoing>) {
        let is_host = |_: &ClientId, client: &Client| client.is_host();
        self.tell_those(message, is_host, out);
    }

    pub(super) fn tell_those(
        &self,
        message: &ServerMessage,
        who: impl Fn(&ClientId, &Client) -> bool,
        out: &mut Vec<Outgoing>,
    ) {
        let those = self.clients.iter().filter(|(id, client)| who(id, client));
        let mut sockets = those.filter_map(|(_, client)| client.socket).peekable();
        if sockets.peek().is_none() {
            return;
        }
        let message = Arc::new(message.clone());
        out.extend(sockets.map(|to| Outgoing::Event {
            to,
            message: Arc::clone(&message),
        }));
    }

    /// The room as `room_joined` describes it to one client.
    pub(super) fn snapshot(&self, for_host: bool, ice_servers: &[IceServer]) -> SignalRoom {
        let knockers = self.knockers.iter().map(|(id, knocker)| SignalKnocker {
            client_id: id.clone(),
            display_name: Some(knocker.display_name.clone()),
            ..SignalKnocker::default()
        });
        SignalRoom {
            name: self.name.clone(),
            organization_id: ORGANIZATION_ID.to_owned(),
            mode: Some(self.mode),
            is_claimed: true,
            is_locked: self.is_locked,
            clients: self.clients.values().map(|c| c.record.clone()).collect(),
            knockers: if for_host {
                knockers.collect()
            } else {
                Vec::new()
            },
            spotlights: Some(self.spotlights.clone()),
            session: self.session.clone(),
            ice_servers: IceServers {
                ice_servers: ice_servers.to_vec(),
            },
            live_transcription_id: self.transcription.as_ref().map(|t| t.id.clone()),
            ..SignalRoom::default()
        }
    }

    /// A meeting goes on while two or more are present.
    pub(super) fn begin_session(&mut self, now: Now, ids: &mut dyn IdSource) {
        if self.session.is_none() && self.clients.len() >= 2 {
            self.session = Some(RoomSession {
                id: ids.next_id(),
                created_at: now.iso(),
            });
        }
    }

    /// The counterpart, after somebody went.
    pub(super) fn end_session(&mut self, out: &mut Vec<Outgoing>) {
        if self.clients.len() < 2
            && let Some(session) = self.session.take()
        {
            let ended = RoomSessionEnded {
                room_session_id: session.id,
            };
            self.tell_all(&ServerMessage::RoomSessionEnded(ended), out);
        }
    }

    pub(super) fn is_kicked(&self, id: &ClientId) -> bool {
        self.kicked.contains(id)
    }

    pub(super) fn remember_kicked(&mut self, now: Now, id: ClientId) {
        if self.kicked.len() == KICKED_LIMIT {
            self.kicked.pop_front();
        }
        self.kicked.push_back(id);
        self.kicked_until = Some(now.monotonic + KICKED_MEMORY);
    }

    fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.knockers.is_empty()
    }

    /// A room without people is forgotten, the later if it remembers who was kicked: for as long as its
    /// meeting, which itself is kept elsewhere, or as one who was away may take to return.
    pub(super) fn is_forgettable(&self, now: Now) -> bool {
        let is_over = self.kicked_until.is_none_or(|until| until <= now.monotonic);
        self.is_empty() && (self.kicked.is_empty() || (self.meeting_id.is_none() && is_over))
    }

    /// An empty room that is not forgotten remembers nothing but who was kicked, and the lock of its
    /// meeting: one that was made for none has nobody who could open it.
    pub(super) fn forget_past(&mut self) {
        if !self.is_empty() {
            return;
        }
        *self = Self {
            is_locked: self.is_locked && self.meeting_id.is_some(),
            meeting_id: self.meeting_id.take(),
            kicked: std::mem::take(&mut self.kicked),
            kicked_until: self.kicked_until,
            ..Self::unlisted(&self.name, self.mode)
        };
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let forgets = self.kicked_until.filter(|_| self.is_empty());
        self.clients
            .values()
            .flat_map(|client| [client.grace_until, client.announce_until])
            .flatten()
            .chain(self.breakout.next_deadline())
            .chain(self.recorder_deadline())
            .chain(forgets.filter(|_| self.meeting_id.is_none()))
            .min()
    }

    pub(super) fn timeout(&mut self, now: Now, out: &mut Vec<Outgoing>) {
        self.expire_grace(now, out);
        self.expire_shares(now, out);
        self.breakout_timers(now, out);
        self.expire_recorder(now, out);
    }
}

impl Client {
    pub(super) fn is_host(&self) -> bool {
        self.role() == RoleName::Host
    }

    pub(super) fn role(&self) -> RoleName {
        self.record.role.role_name
    }
}
