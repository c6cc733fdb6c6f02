//! Going: leaving, the grace period and its end, ghosts of a reloaded page, ended meetings.

use roomd_protocol::{
    ClientId, DeviceId, ServerMessage,
    server::{ClientKicked, ClientLeft},
};

use super::{KICKED_STAYS, Outgoing, Place, Rooms, SocketId, room::Room, tell};
use crate::clock::Now;

/// Why a host sent somebody out.
pub(super) const KICKED: &str = "kick";

/// Why the end of a meeting sent somebody out.
pub(super) const MEETING_ENDED: &str = "meeting-ended";

impl Rooms {
    /// Takes a socket out of wherever it is; the others are told.
    pub(super) fn step_out(&mut self, socket: SocketId, out: &mut Vec<Outgoing>) {
        match self.place(socket) {
            Place::Outside => return,
            Place::Refused { .. } => {}
            Place::Knocking { room, id } => {
                self.touch(&room);
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.remove_knocker(&id, out);
                }
            }
            Place::In { room, id } => {
                self.touch(&room);
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.remove(&id, out);
                }
            }
        }
        self.put(socket, Place::Outside);
    }

    /// The kicked are told, taken out at once and disconnected if they stay.
    pub(super) fn send_out(
        &mut self,
        now: Now,
        name: &str,
        id: &ClientId,
        reason: &str,
        out: &mut Vec<Outgoing>,
    ) {
        self.touch(name);
        let room = self.rooms.get(name);
        let Some(client) = room.and_then(|room| room.clients.get(id)) else {
            return;
        };
        let socket = client.socket;
        if let Some(socket) = socket {
            self.tell_kicked(now, socket, id.clone(), reason, out);
        }
        let Some(room) = self.rooms.get_mut(name) else {
            return;
        };
        room.remove(id, out);
        room.remember_kicked(now, id.clone());
        if let Some(socket) = socket {
            self.put(socket, Place::Outside);
        }
    }

    /// The SDK goes by itself then; who does not is disconnected after a while.
    pub(super) fn tell_kicked(
        &mut self,
        now: Now,
        socket: SocketId,
        client_id: ClientId,
        reason: &str,
        out: &mut Vec<Outgoing>,
    ) {
        let kicked = ClientKicked {
            client_id,
            reason_id: Some(reason.to_owned()),
        };
        tell(out, socket, ServerMessage::ClientKicked(kicked));
        self.close_at(socket, Some(now.monotonic + KICKED_STAYS));
    }

    /// Ends a meeting and empties its room. False if there is no such meeting.
    pub(super) fn end_meeting(
        &mut self,
        now: Now,
        meeting_id: &str,
        reason: &str,
        out: &mut Vec<Outgoing>,
    ) -> bool {
        let Some(meeting) = self.meetings.remove(meeting_id) else {
            return false;
        };
        self.ends.remove(&(meeting.end, meeting_id.to_owned()));
        self.names
            .remove(&(meeting.room_name.clone(), meeting_id.to_owned()));
        self.touch(&meeting.room_name);
        let Some(room) = self.rooms.get(&meeting.room_name) else {
            return true;
        };
        let clients: Vec<ClientId> = room.clients.keys().cloned().collect();
        let knockers: Vec<ClientId> = room.knockers.keys().cloned().collect();
        for id in knockers {
            self.turn_away(&meeting.room_name, &id, out);
        }
        for id in clients {
            self.send_out(now, &meeting.room_name, &id, reason, out);
        }
        if let Some(mut room) = self.rooms.remove(&meeting.room_name) {
            room.give_up_recording(out);
        }
        true
    }
}

impl Room {
    /// Takes a client out and tells the others, once.
    pub(super) fn remove(&mut self, id: &ClientId, out: &mut Vec<Outgoing>) {
        let Some(client) = self.clients.shift_remove(id) else {
            return;
        };
        self.service_left(client.role(), out);
        self.breakout.remember(id, client.group());
        self.spotlights
            .retain(|spotlight| spotlight.client_id != *id);
        let left = ClientLeft {
            client_id: id.clone(),
            event_claim: None,
        };
        self.tell_all(&ServerMessage::ClientLeft(left), out);
        self.end_session(out);
    }

    /// A device that comes without a claim was reloaded: what its lost connections left goes now.
    pub(super) fn remove_ghosts(&mut self, device: &DeviceId, out: &mut Vec<Outgoing>) {
        let ghosts: Vec<ClientId> = self
            .clients
            .iter()
            .filter(|(_, client)| client.socket.is_none() && client.record.device_id == *device)
            .map(|(id, _)| id.clone())
            .collect();
        for id in ghosts {
            self.remove(&id, out);
        }
    }

    pub(super) fn expire_grace(&mut self, now: Now, out: &mut Vec<Outgoing>) {
        let expired: Vec<ClientId> = self
            .clients
            .iter()
            .filter(|(_, client)| client.grace_until.is_some_and(|at| at <= now.monotonic))
            .map(|(id, _)| id.clone())
            .collect();
        for id in expired {
            self.remove(&id, out);
        }
    }
}
