//! The chat.

use roomd_protocol::{
    ClientMessage,
    client::{ChatMessageRequest, RemoveChatMessage},
    server::ChatMessageEvent,
};

use crate::{
    event::RoomEvent, input::Refusal, room_connection::RoomConnection, state::ChatMessage,
};

/// The SDK keeps every message of a join; a box that is never switched off keeps the last ones.
pub(crate) const KEPT_MESSAGES: usize = 500;

impl RoomConnection {
    /// Nothing is shown before the server's echo.
    pub(crate) fn send_chat_message(
        &mut self,
        text: String,
        parent_id: Option<String>,
        is_broadcast: bool,
    ) -> Result<(), Refusal> {
        self.require_connected()?;
        let breakout_group = self
            .state
            .local_participant
            .breakout_group
            .clone()
            .filter(|group| !group.is_empty());
        self.send(ClientMessage::ChatMessage(ChatMessageRequest {
            text,
            parent_id: parent_id.filter(|id| !id.is_empty()),
            breakout_group,
            broadcast: is_broadcast.then_some(true),
            file: None,
        }));
        Ok(())
    }

    pub(crate) fn remove_chat_message(&mut self, id: String) -> Result<(), Refusal> {
        self.require_connected()?;
        let Some(message) = self
            .state
            .chat_messages
            .iter()
            .find(|message| message.id == id)
        else {
            return Err(Refusal::NotFound {
                what: "chat message",
                id,
            });
        };
        let sig = message.sig.clone();
        self.send(ClientMessage::RemoveChatMessage(RemoveChatMessage {
            id,
            sig,
        }));
        Ok(())
    }

    pub(crate) fn chat_message(&mut self, event: ChatMessageEvent) {
        let ChatMessageEvent::Message(message) = event else {
            return;
        };
        self.state
            .chat_messages
            .push(ChatMessage::from(message.clone()));
        if self.state.chat_messages.len() > KEPT_MESSAGES {
            self.state.chat_messages.remove(0);
        }
        if let Some(client) = self.person(&message.sender_id) {
            self.event(RoomEvent::ChatMessageReceived {
                client: Box::new(client),
                message: message.clone(),
            });
        }
        self.event(RoomEvent::ChatNewMessage(message));
    }

    pub(crate) fn chat_message_removed(&mut self, id: &str) {
        for message in self
            .state
            .chat_messages
            .iter_mut()
            .filter(|message| message.id == id)
        {
            message.removed = true;
        }
    }
}
