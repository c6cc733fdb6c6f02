//! Transcription and captions: this server makes none. A client of role `captioner` may, and then
//! its words go to those who asked for them.

use roomd_protocol::{
    ClientId, ServerMessage,
    records::RoleName,
    server::{LiveCaption, LiveCaptionsStarted, LiveTranscriptionStarted},
};

use super::{Outgoing, media::NOT_OFFERED, room::Room, truncated};
use crate::{clock::Now, ids::IdSource};

/// Longest caption, in characters, and longest id of a result, in bytes.
const TEXT_LIMIT: usize = 2000;
const ID_LIMIT: usize = 128;

/// A transcription that runs.
#[derive(Clone, Debug)]
pub(super) struct Transcription {
    pub(super) id: String,
    started_at: String,
}

impl Room {
    pub(super) fn start_transcription(
        &mut self,
        now: Now,
        by: &ClientId,
        ids: &mut dyn IdSource,
        out: &mut Vec<Outgoing>,
    ) {
        if let Some(running) = &self.transcription {
            self.tell(by, started(running), out);
            return;
        }
        let Some(captioner) = self.service(RoleName::Captioner) else {
            let refused = LiveTranscriptionStarted {
                error: Some(NOT_OFFERED.to_owned()),
                ..LiveTranscriptionStarted::default()
            };
            self.tell(by, ServerMessage::LiveTranscriptionStarted(refused), out);
            return;
        };
        let transcription = Transcription {
            id: ids.next_id(),
            started_at: now.iso(),
        };
        if let Some(client) = self.clients.get_mut(&captioner) {
            client.record.started_live_transcription_at = Some(now.iso());
        }
        self.tell_all(&started(&transcription), out);
        self.transcription = Some(transcription);
    }

    pub(super) fn stop_transcription(&mut self, out: &mut Vec<Outgoing>) {
        if self.transcription.take().is_none() {
            return;
        }
        for client in self.clients.values_mut() {
            client.record.started_live_transcription_at = None;
        }
        self.tell_all(&ServerMessage::LiveTranscriptionStopped, out);
    }

    pub(super) fn enable_captions(&mut self, id: &ClientId, out: &mut Vec<Outgoing>) {
        let error = match self.service(RoleName::Captioner) {
            Some(_) => None,
            None => Some(NOT_OFFERED.to_owned()),
        };
        if let Some(client) = self.clients.get_mut(id) {
            client.has_captions = error.is_none();
        }
        let answer = LiveCaptionsStarted { error };
        self.tell(id, ServerMessage::LiveCaptionsStarted(answer), out);
    }

    pub(super) fn disable_captions(&mut self, id: &ClientId, out: &mut Vec<Outgoing>) {
        let Some(client) = self.clients.get_mut(id) else {
            return;
        };
        if std::mem::take(&mut client.has_captions) {
            self.tell(id, ServerMessage::LiveCaptionsStopped, out);
        }
    }

    /// Hands a caption to those who want captions and may hear its speaker.
    pub(super) fn caption(&self, mut caption: LiveCaption, out: &mut Vec<Outgoing>) {
        let Some(speaker) = self.clients.get(&caption.sender_id) else {
            return;
        };
        if caption.result_id.len() > ID_LIMIT {
            return;
        }
        caption.text = truncated(caption.text, TEXT_LIMIT);
        let event = ServerMessage::LiveCaption(caption);
        let reads = |_: &ClientId, client: &super::room::Client| {
            client.has_captions && self.may_exchange(client, speaker)
        };
        self.tell_those(&event, reads, out);
    }

    pub(super) fn captioner_left(&mut self, out: &mut Vec<Outgoing>) {
        self.stop_transcription(out);
        let readers: Vec<ClientId> = self
            .clients
            .iter()
            .filter(|(_, client)| client.has_captions)
            .map(|(id, _)| id.clone())
            .collect();
        for id in readers {
            self.disable_captions(&id, out);
        }
    }
}

fn started(transcription: &Transcription) -> ServerMessage {
    ServerMessage::LiveTranscriptionStarted(LiveTranscriptionStarted {
        transcription_id: Some(transcription.id.clone()),
        started_at: Some(transcription.started_at.clone()),
        error: None,
    })
}
