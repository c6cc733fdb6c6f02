//! What hosts do to others: kick, ask for or order off microphone and camera, spotlights.

use roomd_protocol::{
    ClientId, ServerMessage,
    client::{KickClient, RequestEnable, SpotlightRequest},
    records::Spotlight,
    server::{EnableRequested, SpotlightChanged},
};

use super::{Outgoing, Rooms, SocketId, leave::KICKED, room::Room};
use crate::clock::Now;

/// How many spotlights a room has at most.
const SPOTLIGHT_LIMIT: usize = 50;

impl Rooms {
    pub(super) fn kick(
        &mut self,
        now: Now,
        socket: SocketId,
        request: &KickClient,
        out: &mut Vec<Outgoing>,
    ) {
        let Some((room, own_id)) = self.inside(socket) else {
            return;
        };
        let room = room.name.clone();
        let reason = match request.reason_id.as_str() {
            "end-meeting" => "end-meeting",
            _ => KICKED,
        };
        let several = request.client_ids.iter().flatten();
        for id in request.client_id.iter().chain(several) {
            if *id != own_id {
                self.send_out(now, &room, id, reason, out);
            }
        }
    }
}

impl Room {
    pub(super) fn request_audio(
        &self,
        by: &ClientId,
        request: &RequestEnable,
        out: &mut Vec<Outgoing>,
    ) {
        let message = ServerMessage::AudioEnableRequested;
        self.request(by, request, message, |room, id| room.has_audio(id), out);
    }

    pub(super) fn request_video(
        &self,
        by: &ClientId,
        request: &RequestEnable,
        out: &mut Vec<Outgoing>,
    ) {
        let message = ServerMessage::VideoEnableRequested;
        self.request(by, request, message, |room, id| room.has_video(id), out);
    }

    fn request(
        &self,
        by: &ClientId,
        request: &RequestEnable,
        message: fn(EnableRequested) -> ServerMessage,
        is_on: fn(&Self, &ClientId) -> bool,
        out: &mut Vec<Outgoing>,
    ) {
        let asked = EnableRequested {
            requested_by_client_id: by.clone(),
            enable: request.enable,
        };
        for (id, _) in &self.clients {
            let is_meant = id != by && request.client_ids.contains(id);
            // Older SDKs answer a repeated "off" by announcing that they are on.
            let is_news = request.enable || is_on(self, id);
            if is_meant && is_news {
                self.tell(id, message(asked.clone()), out);
            }
        }
    }

    pub(super) fn add_spotlight(
        &mut self,
        by: &ClientId,
        request: SpotlightRequest,
        out: &mut Vec<Outgoing>,
    ) {
        let has_stream = self
            .clients
            .get(&request.client_id)
            .is_some_and(|client| client.record.streams.contains(&request.stream_id));
        let spotlight = Spotlight {
            client_id: request.client_id,
            stream_id: request.stream_id,
        };
        let is_full = self.spotlights.len() >= SPOTLIGHT_LIMIT;
        if has_stream && !is_full && !self.spotlights.contains(&spotlight) {
            self.spotlights.push(spotlight.clone());
            let changed = changed(spotlight, by);
            self.tell_all(&ServerMessage::SpotlightAdded(changed), out);
        }
    }

    pub(super) fn remove_spotlight(
        &mut self,
        by: &ClientId,
        request: SpotlightRequest,
        out: &mut Vec<Outgoing>,
    ) {
        let spotlight = Spotlight {
            client_id: request.client_id,
            stream_id: request.stream_id,
        };
        if self.spotlights.contains(&spotlight) {
            self.spotlights.retain(|known| *known != spotlight);
            let changed = changed(spotlight, by);
            self.tell_all(&ServerMessage::SpotlightRemoved(changed), out);
        }
    }

    fn has_audio(&self, id: &ClientId) -> bool {
        self.clients
            .get(id)
            .is_some_and(|client| client.record.is_audio_enabled)
    }

    fn has_video(&self, id: &ClientId) -> bool {
        self.clients
            .get(id)
            .is_some_and(|client| client.record.is_video_enabled)
    }
}

fn changed(spotlight: Spotlight, by: &ClientId) -> SpotlightChanged {
    SpotlightChanged {
        client_id: spotlight.client_id,
        stream_id: spotlight.stream_id,
        requested_by_client_id: by.clone(),
    }
}
