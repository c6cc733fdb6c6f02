//! What clients say about their own media: microphone, camera, name and hand, screenshares.

use roomd_protocol::{
    CAMERA_STREAM_ID, ClientId, ServerMessage, StreamId,
    client::{SendClientMetadata, StartScreenshare},
    records::StickyReaction,
    server::{
        AudioEnabled, ChatMessageEvent, ChatRefused, ClientMetadata, ClientMetadataReceived,
        ScreenshareStarted, ScreenshareStopped, SpotlightChanged, VideoEnabled,
    },
};

use super::{Outgoing, join::DISPLAY_NAME_LIMIT, room::Room, truncated};
use crate::clock::Now;

/// How many screens one client may share at a time.
const SHARE_LIMIT: usize = 4;

/// Longest stream id, reaction and time of a reaction, in bytes.
const TOKEN_LIMIT: usize = 128;

/// What the user reads where a feature is asked for that this server does not have.
pub(super) const NOT_OFFERED: &str = "not_offered_by_this_server";

impl Room {
    pub(super) fn enable_audio(&mut self, id: &ClientId, is_on: bool, out: &mut Vec<Outgoing>) {
        if let Some(client) = self.clients.get_mut(id) {
            client.record.is_audio_enabled = is_on;
            let event = AudioEnabled {
                client_id: id.clone(),
                is_audio_enabled: is_on,
            };
            self.tell_others(id, &ServerMessage::AudioEnabled(event), out);
        }
    }

    pub(super) fn enable_video(&mut self, id: &ClientId, is_on: bool, out: &mut Vec<Outgoing>) {
        if let Some(client) = self.clients.get_mut(id) {
            client.record.is_video_enabled = is_on;
            let event = VideoEnabled {
                client_id: id.clone(),
                is_video_enabled: is_on,
            };
            self.tell_others(id, &ServerMessage::VideoEnabled(event), out);
        }
    }

    pub(super) fn set_metadata(
        &mut self,
        id: &ClientId,
        request: SendClientMetadata,
        out: &mut Vec<Outgoing>,
    ) {
        let Some(client) = self.clients.get_mut(id) else {
            return;
        };
        let record = &mut client.record;
        record.display_name = truncated(request.payload.display_name, DISPLAY_NAME_LIMIT);
        record.sticky_reaction = request.payload.sticky_reaction.flatten().filter(is_short);
        let payload = ClientMetadata {
            client_id: id.clone(),
            display_name: record.display_name.clone(),
            sticky_reaction: record.sticky_reaction.clone(),
        };
        let received = ClientMetadataReceived {
            kind: "UserData".to_owned(),
            payload: Some(payload),
            error: None,
        };
        self.tell_others(id, &ServerMessage::ClientMetadataReceived(received), out);
    }

    pub(super) fn start_screenshare(
        &mut self,
        id: &ClientId,
        request: StartScreenshare,
        out: &mut Vec<Outgoing>,
    ) {
        let stream_id = request.stream_id;
        let is_id = !stream_id.is_empty()
            && stream_id.as_str() != CAMERA_STREAM_ID
            && stream_id.as_str().len() <= TOKEN_LIMIT;
        if !is_id {
            return;
        }
        let Some(client) = self.clients.get_mut(id) else {
            return;
        };
        client
            .unannounced_shares
            .retain(|known| *known != stream_id);
        if client.unannounced_shares.is_empty() {
            client.announce_until = None;
        }
        let streams = &mut client.record.streams;
        if !streams.contains(&stream_id) {
            if streams.len() > SHARE_LIMIT {
                return;
            }
            streams.push(stream_id.clone());
        }
        let started = ServerMessage::ScreenshareStarted(ScreenshareStarted {
            client_id: id.clone(),
            stream_id,
            has_audio_track: request.has_audio_track,
        });
        match request.receiver_id {
            Some(receiver) if receiver == *id => {}
            Some(receiver) => self.tell(&receiver, started, out),
            None => self.tell_others(id, &started, out),
        }
    }

    pub(super) fn stop_screenshare(
        &mut self,
        id: &ClientId,
        stream_id: &StreamId,
        out: &mut Vec<Outgoing>,
    ) {
        if stream_id.as_str() == CAMERA_STREAM_ID {
            return;
        }
        let Some(client) = self.clients.get_mut(id) else {
            return;
        };
        let before = client.record.streams.len() + client.unannounced_shares.len();
        client.record.streams.retain(|known| known != stream_id);
        client.unannounced_shares.retain(|known| known != stream_id);
        if client.record.streams.len() + client.unannounced_shares.len() < before {
            self.share_stopped(id, stream_id, out);
        }
    }

    /// Shares that a returned client did not announce again have ended while it was away.
    pub(super) fn expire_shares(&mut self, now: Now, out: &mut Vec<Outgoing>) {
        let mut ended = Vec::new();
        for (id, client) in &mut self.clients {
            if client.announce_until.is_some_and(|at| at <= now.monotonic) {
                client.announce_until = None;
                let shares = std::mem::take(&mut client.unannounced_shares);
                ended.extend(shares.into_iter().map(|share| (id.clone(), share)));
            }
        }
        for (id, share) in ended {
            self.share_stopped(&id, &share, out);
        }
    }

    fn share_stopped(&mut self, id: &ClientId, stream_id: &StreamId, out: &mut Vec<Outgoing>) {
        let before = self.spotlights.len();
        self.spotlights
            .retain(|known| known.client_id != *id || known.stream_id != *stream_id);
        if self.spotlights.len() < before {
            let removed = SpotlightChanged {
                client_id: id.clone(),
                stream_id: stream_id.clone(),
                requested_by_client_id: id.clone(),
            };
            self.tell_all(&ServerMessage::SpotlightRemoved(removed), out);
        }
        let stopped = ScreenshareStopped {
            client_id: id.clone(),
            stream_id: stream_id.clone(),
        };
        self.tell_others(id, &ServerMessage::ScreenshareStopped(stopped), out);
    }
}

/// The answer to files: this server stores none.
pub(super) fn files_refused() -> ServerMessage {
    ServerMessage::ChatMessage(Box::new(ChatMessageEvent::Refused(ChatRefused {
        error: "file_sharing_not_available".to_owned(),
    })))
}

fn is_short(reaction: &StickyReaction) -> bool {
    reaction.reaction.len() <= TOKEN_LIMIT && reaction.timestamp.len() <= TOKEN_LIMIT
}
