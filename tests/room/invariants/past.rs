//! What a client's earlier turns have left: what invariants compare with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use indexmap::IndexMap;
use roomd_protocol::{
    ClientId, ClientMessage, DeviceId, Secret, ServerMessage, StreamId, records::RoleName,
    server::RoomJoined,
};
use roomd_room::{Action, Effect, Input, RoomEvent, SocketEvent};

use super::{Cause, Turn};

/// What is known of the turns before. Most of it is about the current join.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// Somebody wants to be in the room.
    pub(super) active: bool,
    /// The device is known on this connection.
    pub(super) identified: bool,
    /// An assistant tells nobody its name.
    pub(super) is_assistant: bool,
    /// The claim that the next join shows.
    pub(super) claim: Option<Secret>,
    /// Role of the own record in the last answer.
    pub(super) role: Option<RoleName>,
    /// Microphone and camera as the room was told last.
    pub(super) audio: Option<bool>,
    pub(super) video: Option<bool>,
    /// Device → group, as the server told it last.
    pub(super) assignments: IndexMap<DeviceId, String>,
    /// Devices that were ever in the room.
    pub(super) devices: BTreeSet<DeviceId>,
    /// The own device.
    pub(super) device: Option<DeviceId>,
    /// Who waits.
    pub(super) waiting: Vec<ClientId>,
    /// Streams that were announced and not ended.
    pub(super) shares: BTreeSet<StreamId>,
    /// Whose hand was told to be up.
    pub(super) hands: BTreeMap<ClientId, bool>,
    /// When something was last said of a caption.
    pub(super) captions: BTreeMap<String, Instant>,
}

impl Past {
    /// Adds a turn, after it was judged.
    pub(super) fn note(&mut self, turn: &Turn) {
        match turn.cause {
            Cause::Act(Action::JoinRoom(options)) => {
                *self = Self {
                    active: true,
                    is_assistant: options.is_assistant(),
                    claim: options.client_claim.clone(),
                    ..Self::default()
                };
            }
            Cause::Act(Action::LeaveRoom | Action::EndMeeting { stay_behind: false }) => {
                self.active = false;
            }
            Cause::Input(Input::Credentials(own)) => {
                self.device = Some(own.credentials.uuid.clone());
            }
            Cause::Input(Input::Socket(SocketEvent::Disconnected { .. })) => {
                self.identified = false;
            }
            Cause::Input(Input::Signal(message)) => self.heard(turn, message),
            _ => {}
        }
        for effect in turn.effects {
            match effect {
                Effect::Send(message) => self.said(message),
                // A refusal, a kick, the answer to leaving: nobody wants to be in the room any more.
                Effect::CloseSocket if !turn.is_join() => {
                    self.active = false;
                    self.identified = false;
                }
                Effect::Event(RoomEvent::RemoteHand { client }) => {
                    let is_up = client.sticky_reaction.is_some();
                    self.hands.insert(client.id.clone(), is_up);
                }
                _ => {}
            }
        }
        let others = turn.after.remote_participants.iter();
        self.devices.extend(others.map(|one| one.device_id.clone()));
    }

    fn heard(&mut self, turn: &Turn, message: &ServerMessage) {
        match message {
            ServerMessage::DeviceIdentified => self.identified = true,
            ServerMessage::RoomJoined(joined) => {
                if let (RoomJoined::Success(success), Some(_)) = (&**joined, turn.joined()) {
                    self.claim.clone_from(&success.client_claim);
                    let clients = &success.room.clients;
                    if let Some(own) = clients.iter().find(|one| one.id == success.self_id) {
                        self.role = Some(own.role.role_name);
                        self.audio = Some(own.is_audio_enabled);
                        self.video = Some(own.is_video_enabled);
                    }
                    if let Some(config) = &success.breakout {
                        self.assignments = config.assignments.clone().unwrap_or_default();
                    }
                    let knockers = success.room.knockers.iter();
                    self.waiting = knockers.map(|one| one.client_id.clone()).collect();
                    self.hands.clear();
                }
            }
            ServerMessage::BreakoutSessionUpdated(config) => {
                self.assignments = config.assignments.clone().unwrap_or_default();
            }
            ServerMessage::RoomKnocked(knocked)
                if !self.waiting.contains(&knocked.client_id)
                    && knocked.client_id != turn.after.local_participant.id =>
            {
                self.waiting.push(knocked.client_id.clone());
            }
            ServerMessage::KnockerLeft(left) => self.waiting.retain(|id| *id != left.client_id),
            ServerMessage::ClientLeft(left) => {
                self.hands.remove(&left.client_id);
            }
            ServerMessage::LiveCaption(caption) => {
                let at = turn.now.instant;
                self.captions.insert(caption.result_id.clone(), at);
            }
            _ => {}
        }
    }

    fn said(&mut self, message: &ClientMessage) {
        match message {
            ClientMessage::EnableAudio(enable) => self.audio = Some(enable.enabled),
            ClientMessage::EnableVideo(enable) => self.video = Some(enable.enabled),
            ClientMessage::StartScreenshare(share) => {
                self.shares.insert(share.stream_id.clone());
            }
            ClientMessage::StopScreenshare(share) => {
                self.shares.remove(&share.stream_id);
            }
            _ => {}
        }
    }
}
