//! The chat: messages to the right people, and who may take one away.

use roomd_protocol::{
    ClientId, ServerMessage,
    client::{ChatMessageRequest, RemoveChatMessage},
    server::{ChatMessage, ChatMessageEvent, ChatMessageRemoved},
};

use super::{
    Outgoing,
    media::files_refused,
    room::{Client, Room},
    truncated,
};
use crate::{clock::Now, keys::Keys};

/// Longest text, in characters.
pub(super) const TEXT_LIMIT: usize = 10_000;

/// Of how many messages the writer is remembered, so that a host may remove them.
const HISTORY_LIMIT: usize = 1000;

/// Longest id of a message that is answered, in bytes.
const ID_LIMIT: usize = 128;

/// A message that was written; its text is not kept.
pub(super) struct ChatEntry {
    id: String,
    sender: ClientId,
}

impl Room {
    pub(super) fn chat(
        &mut self,
        now: Now,
        id: &ClientId,
        message_id: String,
        request: ChatMessageRequest,
        keys: &Keys,
        out: &mut Vec<Outgoing>,
    ) {
        if request.file.is_some() {
            self.tell(id, files_refused(), out);
            return;
        }
        let is_active = self.breakout.is_active();
        // The group the writer is in; the one that it names may be forged.
        let group = self.clients.get(id).map(Client::group).unwrap_or_default();
        let group = Some(group.to_owned()).filter(|group| !group.is_empty());
        let broadcast = request.broadcast.filter(|to_all| *to_all);
        let sig = keys.chat_signature(&self.name, &message_id, id);
        let message = ChatMessage {
            id: message_id.clone(),
            message_type: "text".to_owned(),
            room_name: self.name.clone(),
            sender_id: id.clone(),
            user_id: None,
            sig: Some(sig),
            text: truncated(request.text, TEXT_LIMIT),
            timestamp: now.iso(),
            parent_id: request
                .parent_id
                .filter(|id| (1..=ID_LIMIT).contains(&id.len())),
            breakout_group: group.clone(),
            broadcast,
            file: None,
        };
        if self.chat.len() == HISTORY_LIMIT {
            self.chat.pop_front();
        }
        self.chat.push_back(ChatEntry {
            id: message_id,
            sender: id.clone(),
        });
        // Receivers do not filter by group: that is the server's part.
        let reads = |reader: &ClientId, client: &Client| {
            reader == id
                || !is_active
                || broadcast.is_some()
                || client.group() == group.as_deref().unwrap_or_default()
        };
        let event = ServerMessage::ChatMessage(Box::new(ChatMessageEvent::Message(message)));
        self.tell_those(&event, reads, out);
    }

    /// The writer or a host takes a message away. A signature that is shown must be the message's.
    pub(super) fn remove_chat(
        &mut self,
        id: &ClientId,
        request: &RemoveChatMessage,
        keys: &Keys,
        out: &mut Vec<Outgoing>,
    ) {
        let known = self.chat.iter().position(|entry| entry.id == request.id);
        let sender = match known {
            Some(at) => self.chat[at].sender.clone(),
            // Written before a restart: the signature still tells whether this is its writer.
            None if request.sig.is_some() => id.clone(),
            None => return,
        };
        let may = sender == *id || self.is_host(id);
        let is_signed = request
            .sig
            .as_ref()
            .is_none_or(|sig| keys.is_chat_signature(&self.name, &request.id, &sender, sig));
        if !may || !is_signed {
            return;
        }
        if let Some(at) = known {
            self.chat.remove(at);
        }
        let removed = ChatMessageRemoved {
            id: request.id.clone(),
            requested_by_client_id: id.clone(),
        };
        self.tell_all(&ServerMessage::ChatMessageRemoved(removed), out);
    }
}

impl Client {
    /// The breakout group, `""` for the main room.
    pub(super) fn group(&self) -> &str {
        self.record.breakout_group.as_deref().unwrap_or_default()
    }
}
