//! Coming in: who gets which place and id, the answer `room_joined`.

use std::time::Duration;

use roomd_protocol::{
    CAMERA_STREAM_ID, ClientId, DeviceId, ServerMessage, StreamId,
    client::JoinRoom,
    records::{Role, RoleName, SignalClient},
    server::{
        AudioEnabled, ClientUnableToJoin, JoinRefused, KnockerLeft, RoomJoined, RoomJoinedSuccess,
        VideoEnabled,
    },
};

use super::{
    Closing, Outgoing, Place, Rooms, SocketId,
    admission::Admission,
    permissions::{is_unique, may_publish, opens_locked},
    room::{Client, Room},
    tell, truncated,
};
use crate::{clock::Now, keys::ClientClaim};

/// Longest room name, slash included.
const NAME_LIMIT: usize = 256;

/// Longest display name and external id, in characters.
pub(super) const DISPLAY_NAME_LIMIT: usize = 256;

/// How long a returning client has to announce its screenshare again.
const ANNOUNCE_AGAIN: Duration = Duration::from_secs(10);

/// Why somebody does not come in.
pub(super) type Refusal = &'static str;

impl Rooms {
    pub(super) fn join(
        &mut self,
        now: Now,
        socket: SocketId,
        request: JoinRoom,
        out: &mut Vec<Outgoing>,
    ) {
        if let Err(error) = self.try_join(now, socket, request, out) {
            refuse(out, socket, error, JoinRefused::default());
        }
    }

    fn try_join(
        &mut self,
        now: Now,
        socket: SocketId,
        request: JoinRoom,
        out: &mut Vec<Outgoing>,
    ) -> Result<(), Refusal> {
        let device = self.device(socket).ok_or("client_missing_device_id")?;
        check_name(&request.room_name)?;
        let assistant = self.assistant(&request)?;
        let name = request.room_name.clone();
        // What the socket was doing before: only the same room counts for the new join.
        let (again, reserved) = match self.place(socket) {
            Place::In { room, id } if room == name => (Some(id), None),
            Place::Refused { room, id } | Place::Knocking { room, id } if room == name => {
                self.step_out(socket, out);
                (None, Some(id))
            }
            _ => {
                self.step_out(socket, out);
                (None, None)
            }
        };
        if again.is_none() && self.send_back(now, socket, &device, &request, out) {
            return Ok(());
        }
        self.open(&name)?;
        let mut admission = self.admission(now, &device, &request, again.is_some())?;
        admission.role = assistant.or(admission.role);
        self.enter(
            now,
            socket,
            &device,
            request,
            admission,
            (again, reserved),
            out,
        )
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one step of `try_join`, split for reading"
    )]
    fn enter(
        &mut self,
        now: Now,
        socket: SocketId,
        device: &DeviceId,
        request: JoinRoom,
        admission: Admission,
        (again, reserved): (Option<ClientId>, Option<ClientId>),
        out: &mut Vec<Outgoing>,
    ) -> Result<(), Refusal> {
        let known = again.clone().or(admission.claimed);
        let limit = {
            let Some(room) = self.rooms.get_mut(&request.room_name) else {
                return Err("internal_server_error");
            };
            if known.is_none() {
                room.remove_ghosts(device, out);
            }
            self.settings.limits.clients(room.mode)
        };
        let Some(room) = self.rooms.get(&request.room_name) else {
            return Err("internal_server_error");
        };
        if room.is_locked && known.is_none() && !admission.role.is_some_and(opens_locked) {
            let id = reserved.unwrap_or_else(|| self.ids.next_id().into());
            let members = JoinRefused {
                is_claimed: Some(true),
                is_locked: Some(true),
                self_id: Some(id.clone()),
                ..JoinRefused::default()
            };
            refuse(out, socket, "room_locked", members);
            let room = request.room_name;
            self.put(socket, Place::Refused { room, id });
            return Ok(());
        }
        let default_role = match room.meeting_id {
            None => self.settings.unlisted_role,
            Some(_) => RoleName::Visitor,
        };
        let own_role = again.as_ref().map(|id| room.role(id));
        let role = admission.role.or(own_role).unwrap_or(default_role);
        if let Some(client) = known.as_ref().and_then(|id| room.clients.get(id))
            && client.role().is_person() != role.is_person()
        {
            // The others know it as what it was.
            return Err("room_join_permission_denied");
        }
        let others = || {
            let all = room.clients.iter();
            all.filter(|(id, _)| Some(*id) != known.as_ref())
                .map(|(_, client)| client.role())
        };
        if is_unique(role) {
            let error = if others().any(|other| other == role) {
                Some("unique_role_already_in_room")
            } else if !others().any(|other| !is_unique(other)) {
                Some("room_empty")
            } else {
                None
            };
            if let Some(error) = error {
                let members = JoinRefused {
                    is_claimed: Some(true),
                    ..JoinRefused::default()
                };
                refuse(out, socket, error, members);
                return Ok(());
            }
        }
        // Service clients are not counted as people, nor people as service clients.
        let alike = others().filter(|other| other.is_person() == role.is_person());
        if alike.count() >= limit {
            let unable = ClientUnableToJoin {
                display_name: Some(truncated(request.display_name, DISPLAY_NAME_LIMIT)),
                error: "room_full".to_owned(),
            };
            room.tell_hosts(&ServerMessage::ClientUnableToJoin(unable), out);
            let members = JoinRefused {
                is_claimed: Some(true),
                ..JoinRefused::default()
            };
            refuse(out, socket, "room_full", members);
            return Ok(());
        }
        let id = known
            .or(reserved)
            .unwrap_or_else(|| self.ids.next_id().into());
        self.admit(now, socket, id, device, role, request, out);
        Ok(())
    }

    /// Puts the client into the room and tells everybody, in the order that the protocol asks for.
    #[expect(
        clippy::too_many_arguments,
        reason = "one step of `enter`, split for reading"
    )]
    fn admit(
        &mut self,
        now: Now,
        socket: SocketId,
        id: ClientId,
        device: &DeviceId,
        role: RoleName,
        request: JoinRoom,
        out: &mut Vec<Outgoing>,
    ) {
        let name = request.room_name.clone();
        let Some(room) = self.rooms.get_mut(&name) else {
            return;
        };
        room.joins += 1;
        let old_socket = room.clients.get(&id).and_then(|client| client.socket);
        let is_new = !room.clients.contains_key(&id);
        if is_new {
            let client = new_client(now, socket, &id, device, role, &request, room.joins);
            room.clients.insert(id.clone(), client);
            room.restore_group(&id);
            room.begin_session(now, &mut *self.ids);
            if role == RoleName::Recorder {
                room.recorder_came(now, &id, out);
            }
        } else {
            room.take_back(now, socket, &id, role, &request, out);
        }
        let joined = RoomJoinedSuccess {
            self_id: id.clone(),
            client_claim: Some(self.keys.client_claim(ClientClaim {
                room: name.clone(),
                meeting: room.meeting_id.clone(),
                client: id.clone(),
                device: device.clone(),
                role,
                issued: now.wall,
            })),
            event_claim: Some(self.keys.event_claim(&name, &id, now.wall)),
            breakout_group: room.clients[&id].record.breakout_group.clone(),
            breakout: room.breakout.config_if_used(),
            disconnect_timeout: Some(self.settings.grace.as_millis() as u64),
            room: room.snapshot(role == RoleName::Host, &self.settings.ice_servers),
        };
        let joined = ServerMessage::RoomJoined(Box::new(RoomJoined::Success(joined)));
        tell(out, socket, joined);
        if is_new {
            let event = room.introduce(&id);
            room.tell_others(&id, &event, out);
        }
        if let Some(recorder) = room
            .service(RoleName::Recorder)
            .filter(|other| *other != id)
        {
            tell(out, socket, room.introduce(&recorder));
        }
        room.tell_missed_move(&id, is_new, out);
        if !is_new && let Some(client) = room.clients.get_mut(&id) {
            for client_id in std::mem::take(&mut client.missed_knockers) {
                let left = KnockerLeft { client_id };
                tell(out, socket, ServerMessage::KnockerLeft(left));
            }
        }
        self.put(socket, Place::In { room: name, id });
        self.close_at(socket, None);
        if let Some(old) = old_socket.filter(|old| *old != socket) {
            // The claim was shown by a newer connection. The older one must not take the id back.
            self.put(old, Place::Outside);
            self.close(old, Closing::ForGood, out);
        }
    }

    pub(super) fn device(&self, socket: SocketId) -> Option<DeviceId> {
        self.sockets.get(&socket)?.device.clone()
    }

    /// Makes sure that the room exists.
    pub(super) fn open(&mut self, name: &str) -> Result<(), Refusal> {
        self.touch(name);
        if self.rooms.contains_key(name) {
            return Ok(());
        }
        let meeting = self.meeting_of(name);
        let room = match meeting {
            Some(meeting) => Room::of_meeting(meeting),
            None if self.settings.allow_unlisted_rooms => {
                Room::unlisted(name, self.settings.unlisted_mode)
            }
            None => return Err("room_unclaimed"),
        };
        self.rooms.insert(name.to_owned(), room);
        Ok(())
    }
}

impl Room {
    /// A client is back under its old id: the others are told only what differs.
    fn take_back(
        &mut self,
        now: Now,
        socket: SocketId,
        id: &ClientId,
        role: RoleName,
        request: &JoinRoom,
        out: &mut Vec<Outgoing>,
    ) {
        let join_number = self.joins;
        let Some(client) = self.clients.get_mut(id) else {
            return;
        };
        client.socket = Some(socket);
        client.grace_until = None;
        client.join_number = join_number;
        client.joined_at = now.monotonic;
        let record = &mut client.record;
        record.role.role_name = role;
        // The name stays: the one in the request may be older than the last rename.
        let shares = record.streams.drain(..);
        client.unannounced_shares = shares.filter(|s| s.as_str() != CAMERA_STREAM_ID).collect();
        client.announce_until =
            (!client.unannounced_shares.is_empty()).then(|| now.monotonic + ANNOUNCE_AGAIN);
        record.streams = vec![StreamId::from(CAMERA_STREAM_ID)];
        let before = (record.is_audio_enabled, record.is_video_enabled);
        record.is_audio_enabled = request.config.is_audio_enabled && may_publish(role);
        record.is_video_enabled = request.config.is_video_enabled && may_publish(role);
        let after = (record.is_audio_enabled, record.is_video_enabled);
        if before.0 != after.0 {
            let event = AudioEnabled {
                client_id: id.clone(),
                is_audio_enabled: after.0,
            };
            self.tell_others(id, &ServerMessage::AudioEnabled(event), out);
        }
        if before.1 != after.1 {
            let event = VideoEnabled {
                client_id: id.clone(),
                is_video_enabled: after.1,
            };
            self.tell_others(id, &ServerMessage::VideoEnabled(event), out);
        }
    }
}

fn new_client(
    now: Now,
    socket: SocketId,
    id: &ClientId,
    device: &DeviceId,
    role: RoleName,
    request: &JoinRoom,
    join_number: u64,
) -> Client {
    let external_id = request.external_id.clone();
    Client {
        record: SignalClient {
            id: id.clone(),
            device_id: device.clone(),
            display_name: truncated(request.display_name.clone(), DISPLAY_NAME_LIMIT),
            streams: vec![StreamId::from(CAMERA_STREAM_ID)],
            is_audio_enabled: request.config.is_audio_enabled && may_publish(role),
            is_video_enabled: request.config.is_video_enabled && may_publish(role),
            role: Role { role_name: role },
            external_id: external_id.map(|text| truncated(text, DISPLAY_NAME_LIMIT)),
            is_dial_in: request.is_dial_in,
            is_audio_recorder: request.is_audio_recorder,
            ..SignalClient::default()
        },
        socket: Some(socket),
        grace_until: None,
        join_number,
        joined_at: now.monotonic,
        unannounced_shares: Vec::new(),
        announce_until: None,
        missed_knockers: Vec::new(),
        missed_move: None,
        has_captions: false,
    }
}

pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    let is_name = name.starts_with('/') && name.len() > 1 && name.len() <= NAME_LIMIT;
    if is_name {
        Ok(())
    } else {
        Err("invalid_room_name")
    }
}

pub(super) fn refuse(
    out: &mut Vec<Outgoing>,
    socket: SocketId,
    error: Refusal,
    members: JoinRefused,
) {
    let refused = JoinRefused {
        error: Some(error.to_owned()),
        ..members
    };
    let answer = ServerMessage::RoomJoined(Box::new(RoomJoined::Refused(refused)));
    tell(out, socket, answer);
}
