//! Who may come in: what keys and claims are worth, and requests that cannot be read.

use roomd_protocol::{
    ClientId, DeviceId, Secret, client::JoinRoom, records::RoleName, server::JoinRefused,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use subtle::ConstantTimeEq;

use super::{
    Outgoing, Rooms, SocketId,
    join::{Refusal, refuse},
    leave::{KICKED, MEETING_ENDED},
};
use crate::{clock::Now, keys::ClientClaim};

/// What the key and the claim of a request are worth.
pub(super) struct Admission {
    /// The id to be given again.
    pub(super) claimed: Option<ClientId>,
    /// The role by key or claim; `None` without either.
    pub(super) role: Option<RoleName>,
}

impl Rooms {
    /// A socket asked to join with a payload that is none. Its SDK waits for an answer for ever.
    #[must_use]
    pub fn receive_malformed_join(
        &self,
        socket: SocketId,
        payload: Option<&RawValue>,
    ) -> Vec<Outgoing> {
        let mut out = Vec::new();
        if self.sockets.contains_key(&socket) {
            let error = match self.device(socket) {
                None => "client_missing_device_id",
                Some(_) if names_room(payload) => "invalid_parameters",
                Some(_) => "missing_parameters",
            };
            refuse(&mut out, socket, error, JoinRefused::default());
        }
        out
    }

    /// Who was sent out while its connection was lost does not know yet: it still shows its claim. It
    /// hears now what it missed. Who knows that it was sent out comes again without a claim.
    pub(super) fn send_back(
        &mut self,
        now: Now,
        socket: SocketId,
        device: &DeviceId,
        request: &JoinRoom,
        out: &mut Vec<Outgoing>,
    ) -> bool {
        let Some(claim) = self.claim(now, device, request) else {
            return false;
        };
        let is_over = |meeting: &String| !self.meetings.contains_key(meeting);
        let room = self.rooms.get(&claim.room);
        let room = room.filter(|room| room.meeting_id == claim.meeting);
        let reason = if claim.meeting.as_ref().is_some_and(is_over) {
            MEETING_ENDED
        } else if room.is_some_and(|room| room.is_kicked(&claim.client)) {
            KICKED
        } else {
            return false;
        };
        self.tell_kicked(now, socket, claim.client, reason, out);
        true
    }

    /// The claim of a request, where it is one of this room and device, and not too old.
    fn claim(&self, now: Now, device: &DeviceId, request: &JoinRoom) -> Option<ClientClaim> {
        let lifetime = self.settings.claim_lifetime.as_secs() as i64;
        let claim = self
            .keys
            .read_client_claim(request.client_claim.as_ref()?)?;
        let age = now.wall.as_second() - claim.issued.as_second();
        let is_good = claim.room == request.room_name && claim.device == *device && age <= lifetime;
        is_good.then_some(claim)
    }

    /// The role of who shows the key of assistants; `None` for persons.
    pub(super) fn assistant(&self, request: &JoinRoom) -> Result<Option<RoleName>, Refusal> {
        let shown = request.assistant_key.iter().flatten();
        let Some(shown) = shown.map(Secret::reveal).find(|key| !key.is_empty()) else {
            return Ok(None);
        };
        let Some(key) = &self.services.assistant_key else {
            return Err("organization_assistant_not_enabled");
        };
        if bool::from(key.reveal().as_bytes().ct_eq(shown.as_bytes())) {
            Ok(Some(RoleName::Assistant))
        } else {
            Err("invalid_assistant_key")
        }
    }

    /// What key and claim are worth in the room that the request names. The room exists.
    pub(super) fn admission(
        &self,
        now: Now,
        device: &DeviceId,
        request: &JoinRoom,
        is_inside: bool,
    ) -> Result<Admission, Refusal> {
        let Some(room) = self.rooms.get(&request.room_name) else {
            return Err("internal_server_error");
        };
        let claim = self
            .claim(now, device, request)
            .filter(|claim| claim.meeting == room.meeting_id && !room.is_kicked(&claim.client));
        let key = request
            .room_key
            .as_ref()
            .filter(|token| !token.reveal().is_empty());
        let key_role = match key.map(|token| self.keys.read_room_key(token)) {
            None => None,
            Some(Some(key)) if key.room == room.name && key.meeting == room.meeting_id => {
                if let (RoleName::Recorder, Some(recorder)) = (key.role, key.client.clone()) {
                    // Started by this server, for one recording.
                    let wanted = room.recording.as_ref();
                    let is_wanted = wanted.is_some_and(|wanted| wanted.recorder == recorder);
                    return if is_wanted {
                        Ok(Admission {
                            claimed: Some(recorder),
                            role: Some(key.role),
                        })
                    } else {
                        Err("room_join_permission_denied")
                    };
                }
                let is_ours = key.device.as_ref().is_none_or(|bound| bound == device);
                let is_kicked = key.client.as_ref().is_some_and(|id| room.is_kicked(id));
                // A granted key that was taken away, or belongs to another device, opens nothing,
                // but its holder may knock again.
                (is_ours && !is_kicked).then_some(key.role)
            }
            // A key of another server or room. Who has been in before still has its claim.
            Some(_) if claim.is_some() || is_inside => None,
            Some(_) => return Err("invalid_key"),
        };
        Ok(Admission {
            role: key_role.or(claim.as_ref().map(|claim| claim.role)),
            claimed: claim.map(|claim| claim.client),
        })
    }
}

/// Whether a request says which room it is for, whatever else is wrong with it.
fn names_room(payload: Option<&RawValue>) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        room_name: Option<IgnoredAny>,
    }
    let named = payload.map(|payload| serde_json::from_str::<Named>(payload.get()));
    match named {
        None | Some(Err(_)) => false,
        Some(Ok(named)) => named.room_name.is_some(),
    }
}
