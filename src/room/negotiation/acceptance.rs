//! With whom media is exchanged: between people of one breakout group, and from who speaks to all
//! groups to everybody.
//!
//! Being heard in a group is not mutual: who broadcasts does not listen to the groups, but answers
//! when they ask.

use roomd_protocol::{CAMERA_STREAM_ID, ClientId};

use crate::{input::Now, room_connection::RoomConnection, state::RemoteParticipant};

impl RoomConnection {
    /// What a client sends is to be received here.
    pub(crate) fn wants(&self, client: &RemoteParticipant) -> bool {
        let theirs = client.breakout_group.as_deref().unwrap_or_default();
        let ignores_groups = self
            .join
            .as_ref()
            .is_some_and(|join| join.ignore_breakout_groups);
        ignores_groups
            || theirs == self.own_group()
            || (theirs.is_empty() && self.is_broadcasting(&client.id))
    }

    /// What is sent from here may be received there. Recorders and other programs of the service
    /// may receive everything.
    fn is_wanted_by(&self, client: &RemoteParticipant) -> bool {
        let own = &self.state.local_participant.id;
        !client.role_name.is_person() || (self.own_group().is_empty() && self.is_broadcasting(own))
    }

    fn is_broadcasting(&self, id: &ClientId) -> bool {
        self.state.spotlights.iter().any(|spotlight| {
            spotlight.client_id == *id && spotlight.stream_id.as_str() == CAMERA_STREAM_ID
        })
    }

    /// The same by id; nobody wants who is not there.
    pub(crate) fn is_wanted(&self, id: &ClientId) -> bool {
        let client = self.clients.iter().find(|client| client.id == *id);
        client.is_some_and(|client| self.wants(client))
    }

    /// A connection with this client is allowed.
    pub(crate) fn may_connect(&self, id: &ClientId) -> bool {
        let client = self.clients.iter().find(|client| client.id == *id);
        client.is_some_and(|client| self.wants(client) || self.is_wanted_by(client))
    }

    /// Follows every move: connects with who is wanted now, and with nobody else.
    pub(crate) fn accept_streams(&mut self, now: Now) {
        if !self.is_connected() {
            return;
        }
        let wishes: Vec<bool> = self
            .clients
            .iter()
            .map(|client| self.wants(client))
            .collect();
        let mut newly_wanted = Vec::new();
        for (client, wanted) in self.clients.iter_mut().zip(wishes) {
            let was = std::mem::replace(&mut client.is_accepted, wanted);
            if wanted && !was && has_camera(client) {
                newly_wanted.push((client.id.clone(), client.was_here_first));
            }
        }
        let connected = self.peers.keys().filter(|id| !self.may_connect(id));
        for id in connected.cloned().collect::<Vec<_>>() {
            self.close_peer(&id);
            self.forget_streams(&id);
        }
        for (id, was_here_first) in newly_wanted {
            if self.peers.contains_key(&id) {
                continue;
            }
            // A broadcast is for us to ask for; of two who meet the later one asks, and the earlier
            // one only when that does not happen.
            if was_here_first || self.is_broadcasting(&id) {
                self.solicit(now, &id);
            } else {
                self.await_solicitation(now, &id);
            }
        }
    }
}

/// A client without it cannot be asked for an offer.
pub(crate) fn has_camera(client: &RemoteParticipant) -> bool {
    client
        .streams
        .iter()
        .any(|stream| stream.as_str() == CAMERA_STREAM_ID)
}
