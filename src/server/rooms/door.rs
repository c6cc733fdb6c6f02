//! The door: lock, knock, and what hosts decide about knockers.

use roomd_protocol::{
    ClientId, ServerMessage,
    client::{HandleKnock, JoinRoom, KnockAction, SetLock},
    records::{KnockResponse, RoleName},
    server::{KnockHandled, KnockMetadata, KnockResolution, KnockerLeft, RoomKnocked, RoomLocked},
};

use super::{
    Outgoing, Place, Rooms, SocketId,
    join::{DISPLAY_NAME_LIMIT, check_name},
    room::{Knocker, Room},
    tell, truncated,
};
use crate::{clock::Now, keys::RoomKey};

/// Longest text that a host may tell a knocker, in characters.
const RESPONSE_LIMIT: usize = 1000;

/// How many knockers that went are remembered for a host that is away.
const MISSED_LIMIT: usize = 1000;

impl Rooms {
    pub(super) fn knock(
        &mut self,
        now: Now,
        socket: SocketId,
        request: JoinRoom,
        out: &mut Vec<Outgoing>,
    ) {
        let Some(device) = self.device(socket) else {
            return;
        };
        let name = request.room_name.clone();
        if check_name(&name).is_err() {
            return;
        }
        let display_name = truncated(request.display_name.clone(), DISPLAY_NAME_LIMIT);
        let id = match self.place(socket) {
            Place::In { .. } => return,
            Place::Knocking { room, id } if room == name => {
                // The same knock again: hosts already see it, and would list it twice.
                let room = self.rooms.get_mut(&name);
                if let Some(knocker) = room.and_then(|room| room.knockers.get_mut(&id)) {
                    knocker.display_name = display_name;
                }
                return;
            }
            Place::Refused { room, id } if room == name => id,
            _ => {
                self.step_out(socket, out);
                self.ids.next_id().into()
            }
        };
        let Ok(()) = self.open(&name) else {
            return;
        };
        let admission = self.admission(now, &device, &request, false);
        let role = match admission.map(|admission| admission.role) {
            Ok(Some(RoleName::Viewer)) => RoleName::GrantedViewer,
            _ => RoleName::GrantedVisitor,
        };
        let Some(room) = self.rooms.get_mut(&name) else {
            return;
        };
        if room.is_locked && room.knockers.len() >= self.settings.limits.knockers_per_room {
            return;
        }
        let knocker = Knocker {
            device,
            display_name: display_name.clone(),
            socket,
            role,
        };
        room.knockers.insert(id.clone(), knocker);
        let is_locked = room.is_locked;
        if is_locked {
            let knocked = RoomKnocked {
                client_id: id.clone(),
                display_name: Some(display_name),
                image_url: None,
                live_video: false,
            };
            room.tell_hosts(&ServerMessage::RoomKnocked(knocked), out);
        }
        let place = Place::Knocking {
            room: name.clone(),
            id: id.clone(),
        };
        self.put(socket, place);
        if !is_locked {
            // The room was unlocked between the refusal and the knock.
            self.let_in(&name, &id, KnockResponse::default(), out);
        }
    }

    pub(super) fn cancel_knock(&mut self, socket: SocketId, out: &mut Vec<Outgoing>) {
        if matches!(self.place(socket), Place::Knocking { .. }) {
            self.step_out(socket, out);
        }
    }

    pub(super) fn handle_knock(
        &mut self,
        socket: SocketId,
        request: HandleKnock,
        out: &mut Vec<Outgoing>,
    ) {
        let Some((room, _)) = self.inside(socket) else {
            return;
        };
        let name = room.name.clone();
        let id = request.client_id;
        let response = bounded(request.knock_response);
        match request.action {
            KnockAction::Accept => self.let_in(&name, &id, response, out),
            KnockAction::Reject => self.reject(&name, &id, response, out),
            KnockAction::Hold => {
                if let Some(knocker) = room.knockers.get(&id) {
                    tell(
                        out,
                        knocker.socket,
                        decision(&id, KnockResolution::OnHold, response),
                    );
                }
            }
        }
    }

    pub(super) fn set_lock(&mut self, socket: SocketId, request: SetLock, out: &mut Vec<Outgoing>) {
        let Some((room, id)) = self.inside(socket) else {
            return;
        };
        let is_change = room.is_locked != request.locked;
        room.is_locked = request.locked;
        let locked = RoomLocked {
            is_locked: request.locked,
            client_id: Some(id),
        };
        room.tell_all(&ServerMessage::RoomLocked(locked), out);
        let name = room.name.clone();
        let meeting_id = room.meeting_id.clone();
        let waiting: Vec<ClientId> = room.knockers.keys().cloned().collect();
        if !request.locked {
            // An SDK that waits does not react to the unlocking itself.
            for knocker in waiting {
                self.let_in(&name, &knocker, KnockResponse::default(), out);
            }
        }
        let meeting = meeting_id.and_then(|id| self.meetings.get_mut(&id));
        if let Some(meeting) = meeting.filter(|_| is_change) {
            meeting.is_locked = request.locked;
            out.push(Outgoing::MeetingChanged(meeting.clone()));
        }
    }

    /// The server's own refusal of a knocker.
    pub(super) fn turn_away(&mut self, room: &str, id: &ClientId, out: &mut Vec<Outgoing>) {
        self.reject(room, id, KnockResponse::default(), out);
    }

    fn let_in(
        &mut self,
        name: &str,
        id: &ClientId,
        response: KnockResponse,
        out: &mut Vec<Outgoing>,
    ) {
        let Some(room) = self.rooms.get_mut(name) else {
            return;
        };
        let Some(knocker) = room.take_knocker(id) else {
            return;
        };
        let room_key = self.keys.room_key(RoomKey {
            room: name.to_owned(),
            meeting: room.meeting_id.clone(),
            role: knocker.role,
            device: Some(knocker.device),
            client: Some(id.clone()),
        });
        let handled = KnockHandled {
            client_id: id.clone(),
            resolution: KnockResolution::Accepted,
            knock_response: Some(response),
            metadata: Some(KnockMetadata {
                room_key,
                room_name: name.to_owned(),
            }),
        };
        tell(out, knocker.socket, ServerMessage::KnockHandled(handled));
        room.tell_knocker_left(id, out);
        self.keep_id(knocker.socket, name, id);
    }

    fn reject(
        &mut self,
        name: &str,
        id: &ClientId,
        response: KnockResponse,
        out: &mut Vec<Outgoing>,
    ) {
        let Some(room) = self.rooms.get_mut(name) else {
            return;
        };
        let Some(knocker) = room.take_knocker(id) else {
            return;
        };
        tell(
            out,
            knocker.socket,
            decision(id, KnockResolution::Rejected, response),
        );
        room.tell_knocker_left(id, out);
        self.keep_id(knocker.socket, name, id);
    }

    /// The id stays reserved: the join that follows an accepted knock gets it.
    fn keep_id(&mut self, socket: SocketId, room: &str, id: &ClientId) {
        let place = Place::Refused {
            room: room.to_owned(),
            id: id.clone(),
        };
        self.put(socket, place);
    }
}

impl Room {
    /// A knock is over for a reason of the knocker's.
    pub(super) fn remove_knocker(&mut self, id: &ClientId, out: &mut Vec<Outgoing>) {
        if self.take_knocker(id).is_some() {
            self.tell_knocker_left(id, out);
        }
    }

    /// Takes the knocker out; [`Room::tell_knocker_left`] has to follow.
    fn take_knocker(&mut self, id: &ClientId) -> Option<Knocker> {
        self.knockers.shift_remove(id)
    }

    fn tell_knocker_left(&mut self, id: &ClientId, out: &mut Vec<Outgoing>) {
        let left = KnockerLeft {
            client_id: id.clone(),
        };
        self.tell_hosts(&ServerMessage::KnockerLeft(left), out);
        for client in self.clients.values_mut() {
            if client.is_host()
                && client.missed_knockers.len() < MISSED_LIMIT
                && client.socket.is_none()
            {
                client.missed_knockers.push(id.clone());
            }
        }
    }
}

fn decision(id: &ClientId, resolution: KnockResolution, response: KnockResponse) -> ServerMessage {
    ServerMessage::KnockHandled(KnockHandled {
        client_id: id.clone(),
        resolution,
        knock_response: Some(response),
        metadata: None,
    })
}

fn bounded(mut response: KnockResponse) -> KnockResponse {
    response.message = response.message.map(|text| truncated(text, RESPONSE_LIMIT));
    response
}
