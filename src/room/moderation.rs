//! What only hosts may do (knock decisions are checked by the server alone), and spotlights.

use roomd_protocol::{
    ClientId, ClientMessage, StreamId,
    client::{HandleKnock, KickClient, KnockAction, RequestEnable, SetLock, SpotlightRequest},
    records::{KnockResponse, KnockResponseSender, Spotlight},
    server::SpotlightChanged,
};

use crate::{
    action::Action,
    client_view::view_stream,
    input::{Now, Refusal},
    room_connection::RoomConnection,
    state::ConnectionStatus,
};

impl RoomConnection {
    pub(crate) fn moderate(&mut self, now: Now, action: Action) -> Result<(), Refusal> {
        match action {
            Action::AcceptWaitingParticipant(id) => {
                self.handle_knock(KnockAction::Accept, id, None)
            }
            Action::HoldWaitingParticipant(id, text) => {
                self.handle_knock(KnockAction::Hold, id, text)
            }
            Action::RejectWaitingParticipant(id, text) => {
                self.handle_knock(KnockAction::Reject, id, text)
            }
            Action::LockRoom(locked) => {
                self.require_host_with_socket()?;
                self.send(ClientMessage::SetLock(SetLock { locked }));
                Ok(())
            }
            Action::KickParticipant(id) => {
                self.require_host_with_socket()?;
                self.require_client(&id)?;
                self.send(ClientMessage::KickClient(KickClient {
                    client_id: Some(id),
                    client_ids: None,
                    reason_id: "kick".to_owned(),
                }));
                Ok(())
            }
            Action::EndMeeting { stay_behind } => self.end_meeting(now, stay_behind),
            Action::AskToSpeak(id) => self.request_audio(vec![id], true),
            Action::MuteParticipants(ids) => self.request_audio(ids, false),
            Action::AskToTurnOnCamera(id) => self.request_video(vec![id], true),
            Action::TurnOffParticipantCameras(ids) => self.request_video(ids, false),
            Action::SpotlightParticipant(id) | Action::BroadcastToGroups(id) => {
                let spotlight = self.first_view(id)?;
                self.send(ClientMessage::AddSpotlight(spotlight));
                Ok(())
            }
            Action::RemoveSpotlight(id) | Action::StopBroadcastToGroups(id) => {
                let spotlight = self.first_view(id)?;
                self.send(ClientMessage::RemoveSpotlight(spotlight));
                Ok(())
            }
            _ => Err(Refusal::NotSupported("this action")),
        }
    }

    fn handle_knock(
        &mut self,
        action: KnockAction,
        id: ClientId,
        text: Option<String>,
    ) -> Result<(), Refusal> {
        self.require_connected()?;
        if self
            .state
            .waiting_participants
            .iter()
            .all(|waiting| waiting.id != id)
        {
            return Err(Refusal::NotFound {
                what: "waiting participant",
                id: id.to_string(),
            });
        }
        let text = text
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty());
        let knock_response = text.map_or_else(KnockResponse::default, |message| KnockResponse {
            message: Some(message),
            // A refusal is anonymous.
            sender: Some(KnockResponseSender {
                display_name: (action == KnockAction::Hold)
                    .then(|| self.state.local_participant.display_name.clone()),
                avatar_url: None,
            }),
        });
        self.send(ClientMessage::HandleKnock(HandleKnock {
            action,
            client_id: id,
            knock_response,
        }));
        Ok(())
    }

    fn end_meeting(&mut self, now: Now, stay_behind: bool) -> Result<(), Refusal> {
        self.require_host_with_socket()?;
        let everybody: Vec<ClientId> = self
            .clients
            .iter()
            .map(|client| client.id.clone())
            .collect();
        if !everybody.is_empty() {
            self.send(ClientMessage::KickClient(KickClient {
                client_id: None,
                client_ids: Some(everybody),
                reason_id: "end-meeting".to_owned(),
            }));
        }
        if !stay_behind {
            self.leave_room(now);
        }
        Ok(())
    }

    fn request_audio(&mut self, client_ids: Vec<ClientId>, enable: bool) -> Result<(), Refusal> {
        self.require_host_for(&client_ids)?;
        self.send(ClientMessage::RequestAudioEnable(RequestEnable {
            client_ids,
            enable,
        }));
        Ok(())
    }

    fn request_video(&mut self, client_ids: Vec<ClientId>, enable: bool) -> Result<(), Refusal> {
        self.require_host_for(&client_ids)?;
        self.send(ClientMessage::RequestVideoEnable(RequestEnable {
            client_ids,
            enable,
        }));
        Ok(())
    }

    /// A client is put in front by its first tile: the camera, except of a program that has none.
    fn first_view(&self, id: ClientId) -> Result<SpotlightRequest, Refusal> {
        self.require_host_with_socket()?;
        let views = &self.state.client_views;
        let view = views.iter().find(|view| view.client_id == id);
        match view.and_then(view_stream) {
            Some(stream_id) => Ok(SpotlightRequest {
                client_id: id,
                stream_id,
            }),
            None => Err(Refusal::NotFound {
                what: "participant",
                id: id.to_string(),
            }),
        }
    }

    fn require_host_for(&self, ids: &[ClientId]) -> Result<(), Refusal> {
        self.require_connected()?;
        self.require_host()?;
        ids.iter().try_for_each(|id| self.require_client(id))
    }

    /// The SDK checks the role alone and loses the event when the connection is away; a controller
    /// is better served by being told.
    pub(crate) fn require_host_with_socket(&self) -> Result<(), Refusal> {
        self.require_connected()?;
        self.require_host()
    }

    fn require_client(&self, id: &ClientId) -> Result<(), Refusal> {
        let known = self.state.local_participant.id == *id
            || self.clients.iter().any(|client| client.id == *id);
        if known {
            Ok(())
        } else {
            Err(Refusal::NotFound {
                what: "participant",
                id: id.to_string(),
            })
        }
    }

    pub(crate) fn spotlight(&mut self, client_id: ClientId, stream_id: StreamId) {
        let spotlight = Spotlight {
            client_id,
            stream_id,
        };
        if !self.state.spotlights.contains(&spotlight) {
            self.state.spotlights.push(spotlight);
        }
    }

    pub(crate) fn spotlight_removed(&mut self, removed: &SpotlightChanged) {
        self.state.spotlights.retain(|spotlight| {
            spotlight.client_id != removed.client_id || spotlight.stream_id != removed.stream_id
        });
    }

    /// True while the room is joined.
    pub(crate) fn is_connected(&self) -> bool {
        self.state.connection_status == ConnectionStatus::Connected
    }
}
