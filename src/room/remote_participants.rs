//! The others: who is there, what they show, who waits outside.

use std::collections::BTreeSet;

use roomd_protocol::{
    ClientId, StreamId,
    records::{RoleName, SignalClient, SignalKnocker},
    server::{
        ClientMetadataReceived, NewClient, RoomKnocked, ScreenshareStarted, ScreenshareStopped,
        VideoEnabled,
    },
};

use crate::{
    client_view::{client_views, spotlighted},
    event::RoomEvent,
    input::Now,
    media_port::{MediaCommand, RemoteTracks},
    negotiation::has_camera,
    room_connection::RoomConnection,
    state::{RemoteParticipant, RemoteStream, WaitingParticipant},
};

impl RoomConnection {
    /// The list of a `room_joined` is the whole truth; every connection is asked for anew.
    pub(crate) fn replace_clients(&mut self, now: Now, clients: Vec<SignalClient>) {
        self.close_all_peers();
        let own = self.state.local_participant.id.clone();
        let mut ids = BTreeSet::from([own]);
        self.clients = clients
            .into_iter()
            .filter(|client| ids.insert(client.id.clone()))
            .map(|client| participant(client, true))
            .collect();
        for mut client in std::mem::take(&mut self.clients) {
            client.is_accepted = self.wants(&client);
            self.clients.push(client);
        }
        let wanted = self
            .clients
            .iter()
            .filter(|one| one.is_accepted && has_camera(one));
        for id in wanted.map(|client| client.id.clone()).collect::<Vec<_>>() {
            self.solicit(now, &id);
        }
    }

    pub(crate) fn new_client(&mut self, now: Now, new: NewClient) {
        if !self.is_connected() {
            return;
        }
        self.state.session = new.room.and_then(|room| room.session);
        let known = self.clients.iter().any(|client| client.id == new.client.id);
        if known || new.client.id == self.state.local_participant.id {
            return;
        }
        if new.client.role.role_name == RoleName::Recorder {
            self.recorder_joined(now, new.client.started_cloud_recording_at.as_deref());
        }
        // The newcomer asks for the offer.
        let mut client = participant(new.client, false);
        client.is_accepted = self.wants(&client);
        self.clients.push(client);
    }

    pub(crate) fn client_left(&mut self, id: &ClientId) {
        self.clients.retain(|client| client.id != *id);
        self.state
            .spotlights
            .retain(|spotlight| spotlight.client_id != *id);
        self.close_peer(id);
    }

    pub(crate) fn update_client(
        &mut self,
        id: &ClientId,
        change: impl FnOnce(&mut RemoteParticipant),
    ) {
        if let Some(client) = self.clients.iter_mut().find(|client| client.id == *id) {
            change(client);
        }
    }

    /// A remote participant that is a person.
    pub(crate) fn person(&self, id: &ClientId) -> Option<RemoteParticipant> {
        self.clients
            .iter()
            .find(|client| client.id == *id && client.role_name.is_person())
            .cloned()
    }

    pub(crate) fn remote_camera_changed(&mut self, event: &VideoEnabled) {
        self.update_client(&event.client_id, |client| {
            client.is_video_enabled = event.is_video_enabled
        });
        // A browser goes on with delta frames when its camera comes back.
        if event.is_video_enabled && self.peers.contains_key(&event.client_id) {
            self.media_command(MediaCommand::RequestKeyFrame {
                peer: event.client_id.clone(),
            });
        }
    }

    pub(crate) fn metadata_received(&mut self, received: ClientMetadataReceived) {
        let (None, Some(metadata)) = (received.error, received.payload) else {
            return;
        };
        let is_host = self.state.local_participant.role_name == RoleName::Host;
        let before = self
            .person(&metadata.client_id)
            .map(|client| client.sticky_reaction);
        let reaction = metadata.sticky_reaction.clone();
        self.update_client(&metadata.client_id, |client| {
            client.display_name = metadata.display_name;
            client.sticky_reaction = metadata.sticky_reaction;
        });
        let Some(before) = before else { return };
        let stamp = |reaction: &Option<roomd_protocol::records::StickyReaction>| {
            reaction.as_ref().map(|reaction| reaction.timestamp.clone())
        };
        if is_host
            && stamp(&before) != stamp(&reaction)
            && let Some(client) = self.person(&metadata.client_id)
        {
            self.event(RoomEvent::RemoteHand {
                client: Box::new(client),
            });
        }
    }

    pub(crate) fn screenshare_started(&mut self, started: &ScreenshareStarted) {
        self.update_client(&started.client_id, |client| {
            if !client.streams.contains(&started.stream_id) {
                client.streams.push(started.stream_id.clone());
            }
            client.ended_shares.retain(|id| *id != started.stream_id);
            // It may have arrived before it was announced.
            if client
                .stream
                .as_ref()
                .is_some_and(|stream| stream.id == started.stream_id)
            {
                client.presentation_stream = client.stream.take();
            }
        });
    }

    pub(crate) fn screenshare_stopped(&mut self, stopped: &ScreenshareStopped) {
        self.update_client(&stopped.client_id, |client| {
            client.streams.retain(|stream| *stream != stopped.stream_id);
            if client
                .presentation_stream
                .as_ref()
                .is_some_and(|stream| stream.id == stopped.stream_id)
            {
                client.presentation_stream = None;
                client.ended_shares.push(stopped.stream_id.clone());
            }
        });
    }

    /// Media does not say which stream is the camera: announced ids are presentations, the first
    /// other one is the camera, any further one a presentation again.
    pub(crate) fn stream_arrived(&mut self, peer: &ClientId, id: StreamId, tracks: RemoteTracks) {
        self.update_client(peer, |client| {
            if client.ended_shares.contains(&id) {
                return;
            }
            let announced = client.streams.contains(&id);
            let is_camera =
                !announced && client.stream.as_ref().is_none_or(|stream| stream.id == id);
            let slot = if is_camera {
                &mut client.stream
            } else {
                &mut client.presentation_stream
            };
            *slot = Some(RemoteStream { id, tracks });
        });
    }

    pub(crate) fn stream_ended(&mut self, peer: &ClientId, id: &StreamId) {
        self.update_client(peer, |client| {
            client.ended_shares.retain(|ended| ended != id);
            for slot in [&mut client.stream, &mut client.presentation_stream] {
                if slot.as_ref().is_some_and(|stream| stream.id == *id) {
                    *slot = None;
                }
            }
        });
    }

    /// An empty list is the truth as well; the SDK keeps the old one then, to nobody's use.
    pub(crate) fn replace_waiting(&mut self, knockers: Vec<SignalKnocker>) {
        self.state.waiting_participants = knockers
            .into_iter()
            .map(|knocker| WaitingParticipant {
                id: knocker.client_id,
                display_name: knocker.display_name,
            })
            .collect();
    }

    pub(crate) fn room_knocked(&mut self, knocked: RoomKnocked) {
        let known = self
            .state
            .waiting_participants
            .iter()
            .any(|one| one.id == knocked.client_id);
        if known || knocked.client_id == self.state.local_participant.id {
            return;
        }
        self.state.waiting_participants.push(WaitingParticipant {
            id: knocked.client_id,
            display_name: knocked.display_name,
        });
    }

    pub(crate) fn knocker_left(&mut self, id: &ClientId) {
        self.state.waiting_participants.retain(|one| one.id != *id);
    }

    /// Brings what follows from the clients up to date.
    pub(crate) fn publish_participants(&mut self) {
        self.state.remote_client_count = self.clients.len();
        let persons = self
            .clients
            .iter()
            .filter(|client| client.role_name.is_person());
        if !persons.clone().eq(self.state.remote_participants.iter()) {
            self.state.remote_participants = persons.cloned().collect();
        }
        self.publish_screenshares();
    }

    /// The same for the tiles.
    pub(crate) fn publish_views(&mut self) {
        let views = client_views(&self.state);
        let spotlighted = spotlighted(&self.state, &views);
        if self.state.client_views != views {
            self.state.client_views = views;
        }
        if self.state.spotlighted_participants != spotlighted {
            self.state.spotlighted_participants = spotlighted;
        }
    }
}

fn participant(client: SignalClient, was_here_first: bool) -> RemoteParticipant {
    RemoteParticipant {
        id: client.id,
        device_id: client.device_id,
        display_name: client.display_name,
        role_name: client.role.role_name,
        is_audio_enabled: client.is_audio_enabled,
        is_video_enabled: client.is_video_enabled,
        is_local_participant: false,
        stream: None,
        presentation_stream: None,
        external_id: client.external_id,
        sticky_reaction: client.sticky_reaction,
        is_dial_in: client.is_dial_in,
        is_audio_recorder: client.is_audio_recorder,
        breakout_group: client.breakout_group.filter(|group| !group.is_empty()),
        breakout_group_assigned: String::new(),
        streams: client.streams,
        was_here_first,
        is_accepted: false,
        ended_shares: Vec::new(),
    }
}
