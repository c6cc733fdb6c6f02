//! Events to the code that carries them out, after the table of permissions has let them pass.

use roomd_protocol::{ClientMessage, ServerMessage, client::IdentifyDevice};

use super::{Closing, Outgoing, Place, Rooms, SocketId, media, permissions::Right, relay, tell};
use crate::clock::Now;

impl Rooms {
    pub(super) fn dispatch(
        &mut self,
        now: Now,
        socket: SocketId,
        message: ClientMessage,
        out: &mut Vec<Outgoing>,
    ) {
        let right = Right::of(&message);
        if right == Right::Connected {
            return self.about_connection(now, socket, message, out);
        }
        // Somebody in no room has no rights there: silence.
        let Some((room, id)) = self.inside(socket) else {
            return;
        };
        if !right.includes(room.role(&id)) {
            return;
        }
        let name = room.name.clone();
        self.touch(&name);
        match message {
            ClientMessage::HandleKnock(request) => self.handle_knock(socket, request, out),
            ClientMessage::SetLock(request) => self.set_lock(socket, request, out),
            ClientMessage::KickClient(request) => self.kick(now, socket, &request, out),
            ClientMessage::StartRecording(request) => {
                self.start_recording(now, socket, &request.recording, out);
            }
            ClientMessage::StopRecording => self.stop_recording(now, socket, out),
            other => self.in_room(now, socket, other, out),
        }
    }

    /// What needs no room, or leads into one or out of it.
    fn about_connection(
        &mut self,
        now: Now,
        socket: SocketId,
        message: ClientMessage,
        out: &mut Vec<Outgoing>,
    ) {
        match message {
            ClientMessage::IdentifyDevice(request) => self.identify(socket, &request, out),
            ClientMessage::JoinRoom(request) => self.join(now, socket, *request, out),
            ClientMessage::KnockRoom(request) => self.knock(now, socket, *request, out),
            ClientMessage::CancelRoomKnock => self.cancel_knock(socket, out),
            ClientMessage::LeaveRoom => {
                self.step_out(socket, out);
                // The answer is due even to who is in no room: the SDK waits for it for ever.
                tell(out, socket, ServerMessage::RoomLeft);
            }
            _ => {}
        }
    }

    fn identify(&mut self, socket: SocketId, request: &IdentifyDevice, out: &mut Vec<Outgoing>) {
        // The answer comes at once and always: an SDK that loses it never identifies again.
        tell(out, socket, ServerMessage::DeviceIdentified);
        // A connection belongs to one device for as long as it lasts.
        if self.device(socket).is_some() {
            return;
        }
        if !self.keys.is_genuine(&request.device_credentials) {
            // join_room will be refused with client_missing_device_id.
            return;
        }
        let device = &request.device_credentials.credentials.uuid;
        let others = self.devices.get(device).copied().unwrap_or_default();
        if others >= self.settings.limits.sockets_per_device {
            self.close(socket, Closing::ForGood, out);
            return;
        }
        if let Some(state) = self.sockets.get_mut(&socket) {
            state.device = Some(device.clone());
            *self.devices.entry(device.clone()).or_default() += 1;
        }
        self.unidentified.remove(socket);
        self.close_at(socket, None);
    }

    /// What concerns one room alone.
    fn in_room(
        &mut self,
        now: Now,
        socket: SocketId,
        message: ClientMessage,
        out: &mut Vec<Outgoing>,
    ) {
        let Place::In { room, id } = self.place(socket) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(&room) else {
            return;
        };
        match message {
            ClientMessage::EnableAudio(request) => room.enable_audio(&id, request.enabled, out),
            ClientMessage::EnableVideo(request) => room.enable_video(&id, request.enabled, out),
            ClientMessage::SendClientMetadata(request) => room.set_metadata(&id, request, out),
            ClientMessage::StartScreenshare(request) => room.start_screenshare(&id, request, out),
            ClientMessage::StopScreenshare(request) => {
                room.stop_screenshare(&id, &request.stream_id, out);
            }
            ClientMessage::RequestAudioEnable(request) => room.request_audio(&id, &request, out),
            ClientMessage::RequestVideoEnable(request) => room.request_video(&id, &request, out),
            ClientMessage::AddSpotlight(request) => room.add_spotlight(&id, request, out),
            ClientMessage::RemoveSpotlight(request) => room.remove_spotlight(&id, request, out),
            ClientMessage::ChatMessage(request) => {
                let message_id = self.ids.next_id();
                room.chat(now, &id, message_id, request, &self.keys, out);
            }
            ClientMessage::RemoveChatMessage(request) => {
                room.remove_chat(&id, &request, &self.keys, out);
            }
            ClientMessage::UpdateBreakoutSession(patch) => {
                room.update_breakout(now, &id, patch, out);
            }
            ClientMessage::JoinBreakoutGroup(request) => room.join_group(&id, request.group, out),
            ClientMessage::ReadyToReceiveOffer(to) => room.solicit(now, &id, &to.receiver_id, out),
            ClientMessage::IceEndOfCandidates(to) => {
                room.end_of_candidates(&id, &to.receiver_id, out);
            }
            ClientMessage::SdpOffer(relayed) => {
                room.relay(&id, relayed, ServerMessage::SdpOffer, out);
            }
            ClientMessage::SdpAnswer(relayed) => {
                room.relay(&id, relayed, ServerMessage::SdpAnswer, out);
            }
            ClientMessage::IceCandidate(relayed) => {
                room.relay(&id, relayed, ServerMessage::IceCandidate, out);
            }
            ClientMessage::FetchMediaserverConfig => {
                relay::mediaserver_config(&self.settings.ice_servers, socket, out);
            }
            ClientMessage::StartLiveTranscription => {
                room.start_transcription(now, &id, &mut *self.ids, out);
            }
            ClientMessage::StopLiveTranscription => room.stop_transcription(out),
            ClientMessage::LiveCaptionsEnabled => room.enable_captions(&id, out),
            ClientMessage::LiveCaptionsDisabled => room.disable_captions(&id, out),
            ClientMessage::LiveCaption(caption) => room.caption(caption, out),
            ClientMessage::RequestFileUploadUrl(_) => tell(out, socket, media::files_refused()),
            // `dispatch` has carried them out: they need more than one room knows, or no room.
            ClientMessage::IdentifyDevice(_)
            | ClientMessage::JoinRoom(_)
            | ClientMessage::KnockRoom(_)
            | ClientMessage::CancelRoomKnock
            | ClientMessage::LeaveRoom
            | ClientMessage::HandleKnock(_)
            | ClientMessage::SetLock(_)
            | ClientMessage::KickClient(_)
            | ClientMessage::StartRecording(_)
            | ClientMessage::StopRecording => {}
        }
    }
}
