//! Joining, knocking, losing the connection, leaving: everything that moves the connection status.

use std::time::Duration;

use roomd_protocol::{
    ClientId, ClientMessage,
    client::{DeviceCapabilities, IdentifyDevice, JoinRoom, MediaConfig},
    records::{DeviceCredentials, RoomMode},
    server::{
        JoinRefused, KnockHandled, KnockResolution, MediaserverConfig, RoomJoined,
        RoomJoinedSuccess,
    },
};

use crate::{
    action::JoinOptions,
    breakout::Breakout,
    cloud_recording::LastRecording,
    event::{RoomEvent, RoomJoinedEvent},
    input::{Effect, Now, Refusal, SocketEvent},
    media_port::MediaCommand,
    room_connection::RoomConnection,
    state::{ConnectionStatus as Status, RoomConnectionState},
    timers::Timer,
};

/// How long an answer of the server may take before the connection counts as dead.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for `room_left`.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Reported where a room can only be used through a media server.
pub(crate) const MEDIA_SERVER_REQUIRED: &str = "media_server_required";
/// Reported where the service knows no organization for the room's host.
pub(crate) const INVALID_ROOM_URL: &str = "invalid_room_url";

impl RoomConnection {
    pub(crate) fn join_room(&mut self, options: JoinOptions) -> Result<(), Refusal> {
        let Some(url) = options.room_url.clone() else {
            return Err(Refusal::NoRoomUrl);
        };
        if self.state.connection_status == Status::Connected {
            self.send(ClientMessage::LeaveRoom);
        }
        if self.active || self.socket_connected {
            self.end_participation();
            self.close_socket();
        }
        self.reset();
        self.state.room_name = url.room_name();
        self.state.local_participant.display_name = match options.display_name.trim() {
            "" => "Guest".to_owned(),
            name => name.to_owned(),
        };
        self.state
            .local_participant
            .client_claim
            .clone_from(&options.client_claim);
        self.room_key = options.room_key.clone().or_else(|| url.room_key().cloned());
        self.join = Some(options);
        self.active = true;
        let (microphone, camera) = (
            self.state.is_microphone_enabled,
            self.state.is_camera_enabled,
        );
        self.media_command(MediaCommand::Microphone {
            enabled: microphone,
        });
        self.media_command(MediaCommand::Camera { enabled: camera });
        self.push(Effect::FetchDeviceCredentials(url.clone()));
        self.push(Effect::OpenSocket(url));
        Ok(())
    }

    /// Everything starts empty at a join, except for the wishes about microphone and camera.
    fn reset(&mut self) {
        self.state = RoomConnectionState {
            is_microphone_enabled: self.state.is_microphone_enabled,
            is_camera_enabled: self.state.is_camera_enabled,
            capture_profile: self.state.capture_profile,
            ..RoomConnectionState::default()
        };
        self.clients.clear();
        self.credentials = None;
        self.organization_id = None;
        self.own_screenshare = None;
        self.breakout = Breakout::default();
        self.last_recording = LastRecording::default();
        self.hand_was_raised = false;
        self.sent_metadata = None;
        self.timers.clear_all();
    }

    pub(crate) fn credentials_known(&mut self, credentials: DeviceCredentials) {
        let room = self.join.as_ref().and_then(|join| join.room_url.clone());
        if let (true, Some(room)) = (self.active, room) {
            self.push(Effect::FetchOrganization {
                room,
                credentials: credentials.clone(),
            });
        }
        self.credentials = Some(credentials);
    }

    pub(crate) fn organization_not_found(&mut self) {
        if self.active {
            self.refused(INVALID_ROOM_URL);
        }
    }

    pub(crate) fn socket_changed(&mut self, event: SocketEvent) {
        match event {
            SocketEvent::Connected { again } => {
                self.socket_connected = true;
                if again {
                    self.state.connection_status = Status::Reconnecting;
                }
                self.event(RoomEvent::SignalOk);
            }
            SocketEvent::Disconnected { .. } => {
                self.socket_connected = false;
                self.identified = false;
                self.identifying = false;
                self.timers.clear(&Timer::Identify);
                self.timers.clear(&Timer::Join);
                match self.state.connection_status {
                    Status::Kicked | Status::Left | Status::KnockRejected => {}
                    // Nobody answers any more: gone is gone.
                    Status::Leaving => self.room_left(),
                    _ => {
                        self.state.connection_status = Status::Disconnected;
                        self.event(RoomEvent::SignalTrouble);
                    }
                }
            }
        }
    }

    pub(crate) fn device_identified(&mut self) {
        self.timers.clear(&Timer::Identify);
        self.identifying = false;
        self.identified = true;
    }

    /// Identifies and joins as soon as everything for it is there.
    pub(crate) fn join_if_ready(&mut self, now: Now) {
        if !self.active || !self.socket_connected {
            return;
        }
        if !self.identified
            && !self.identifying
            && let Some(credentials) = self.credentials.clone()
        {
            self.identifying = true;
            self.timers
                .set(Timer::Identify, now.instant + ANSWER_TIMEOUT);
            self.send(ClientMessage::IdentifyDevice(IdentifyDevice {
                device_credentials: credentials,
            }));
        }
        let may_join = matches!(
            self.state.connection_status,
            Status::Ready | Status::Reconnecting | Status::Disconnected
        );
        if self.identified
            && self.organization_id.is_some()
            && may_join
            && self.state.connection_error.is_none()
        {
            self.send_join(now);
        }
    }

    fn send_join(&mut self, now: Now) {
        if let Some(join) = self.join_message(false) {
            self.timers.set(Timer::Join, now.instant + ANSWER_TIMEOUT);
            self.send_join_message(join);
        }
    }

    fn send_join_message(&mut self, join: JoinRoom) {
        self.state.connection_status = Status::Connecting;
        self.joined_with = Some(join.config);
        self.send(ClientMessage::JoinRoom(Box::new(join)));
    }

    /// What was switched between `join_room` and its answer: the room does not know it yet.
    fn announce_media_again(&mut self) {
        let Some(config) = self.joined_with.take() else {
            return;
        };
        if config.is_audio_enabled != self.state.is_microphone_enabled {
            self.toggle_microphone(Some(self.state.is_microphone_enabled));
        }
        if config.is_video_enabled != self.state.is_camera_enabled {
            self.toggle_camera(Some(self.state.is_camera_enabled));
        }
    }

    /// The payload of `join_room`, or of `knock_room`, which says "on" of both devices whatever they
    /// are and knows no assistants.
    fn join_message(&self, knock: bool) -> Option<JoinRoom> {
        let options = self.join.as_ref()?;
        Some(JoinRoom {
            avatar_url: None,
            config: MediaConfig {
                is_audio_enabled: knock || self.state.is_microphone_enabled,
                is_video_enabled: knock || self.state.is_camera_enabled,
            },
            device_capabilities: DeviceCapabilities {
                can_screenshare: true,
            },
            display_name: match options.display_name.trim() {
                "" => "Guest".to_owned(),
                name => name.to_owned(),
            },
            is_co_located: false,
            is_dial_in: options.is_dial_in,
            is_audio_recorder: options.is_audio_recorder,
            is_device_permission_denied: false,
            kick_from_other_rooms: false,
            organization_id: self.organization_id.clone()?,
            room_key: self.room_key.clone(),
            assistant_key: (!knock).then(|| options.assistant_key.clone()),
            room_name: self.state.room_name.clone(),
            user_agent: self.user_agent.clone(),
            external_id: options.external_id.clone(),
            client_claim: self.state.local_participant.client_claim.clone(),
        })
    }

    pub(crate) fn room_joined(&mut self, now: Now, joined: RoomJoined) {
        self.timers.clear(&Timer::Join);
        if !self.active {
            // The answer came after we had left: do not stay in the room unseen.
            if matches!(joined, RoomJoined::Success(_)) {
                self.send(ClientMessage::LeaveRoom);
            }
            return;
        }
        match joined {
            RoomJoined::Success(success) if success.room.sfu_server.is_some() => {
                self.send(ClientMessage::LeaveRoom);
                self.refused(MEDIA_SERVER_REQUIRED);
            }
            RoomJoined::Success(success) => self.joined(now, success),
            RoomJoined::Refused(refused) => self.join_refused(refused),
        }
    }

    fn joined(&mut self, now: Now, success: RoomJoinedSuccess) {
        let RoomJoinedSuccess {
            self_id,
            client_claim,
            room,
            breakout,
            ..
        } = success;
        if self.state.connection_status != Status::Connected {
            self.sent_metadata = None;
        }
        self.state.connection_status = Status::Connected;
        self.state.is_locked = room.is_locked;
        self.state.room_mode = room.mode.unwrap_or(RoomMode::Normal);
        self.state.session = room.session;
        if let Some(spotlights) = room.spotlights {
            self.state.spotlights = spotlights;
        }
        self.replace_waiting(room.knockers);

        let group_before = self.own_group().to_owned();
        let local = &mut self.state.local_participant;
        local.id = self_id;
        local.client_claim = client_claim;
        if let Some(own) = room.clients.iter().find(|client| client.id == local.id) {
            local.role_name = own.role.role_name;
            local.is_audio_enabled = own.is_audio_enabled;
            local.is_video_enabled = own.is_video_enabled;
            local.breakout_group = own.breakout_group.clone().filter(|group| !group.is_empty());
        }
        self.transcription_joined(room.live_transcription_id.as_deref());
        self.breakout_joined(now, breakout, &group_before);
        self.media_command(MediaCommand::IceServers(room.ice_servers.ice_servers));
        self.refresh_config_after(now, room.mediaserver_config_ttl_seconds);
        self.replace_clients(now, room.clients);
        self.announce_media_again();
        self.close_what_may_not_be_sent();
        self.announce_screenshare_again();
        let joined = RoomJoinedEvent {
            is_locked: self.state.is_locked,
            self_id: self.state.local_participant.id.clone(),
        };
        self.event(RoomEvent::RoomJoined(joined));
    }

    fn join_refused(&mut self, refused: JoinRefused) {
        let error = refused.error.unwrap_or_else(|| "unknown_error".to_owned());
        if error == "room_locked" && refused.is_locked == Some(true) {
            self.state.connection_status = Status::RoomLocked;
            self.state.is_locked = true;
            if let Some(id) = refused.self_id {
                self.state.local_participant.id = id;
            }
            self.event(RoomEvent::RoomJoinedError(error));
        } else {
            self.refused(&error);
        }
    }

    /// A refusal is final until somebody joins again. Unlike a page, which its user closes, a box
    /// keeps no device open for a room that it is not let into.
    fn refused(&mut self, error: &str) {
        self.state.connection_status = Status::Disconnected;
        self.state.connection_error = Some(error.to_owned());
        self.end_participation();
        self.close_socket();
        self.event(RoomEvent::RoomJoinedError(error.to_owned()));
    }

    pub(crate) fn knock(&mut self) -> Result<(), Refusal> {
        self.require_status(Status::RoomLocked)?;
        if let Some(knock) = self.join_message(true) {
            self.state.connection_status = Status::Knocking;
            self.send(ClientMessage::KnockRoom(Box::new(knock)));
        }
        Ok(())
    }

    pub(crate) fn cancel_knock(&mut self) -> Result<(), Refusal> {
        self.require_status(Status::Knocking)?;
        self.state.connection_status = Status::Ready;
        self.send(ClientMessage::CancelRoomKnock);
        // The join that follows at once is a step of its own.
        self.tell_now();
        Ok(())
    }

    fn require_status(&self, needs: Status) -> Result<(), Refusal> {
        match self.state.connection_status {
            status if status == needs => Ok(()),
            status => Err(Refusal::WrongStatus { needs, status }),
        }
    }

    pub(crate) fn knock_handled(&mut self, handled: KnockHandled) {
        let is_ours = handled.client_id == self.state.local_participant.id;
        if !self.active || !is_ours || self.state.connection_error.is_some() {
            return;
        }
        match handled.resolution {
            KnockResolution::Accepted => {
                let Some(metadata) = handled.metadata else {
                    return;
                };
                self.room_key = Some(metadata.room_key);
                if let Some(join) = self.join_message(false) {
                    self.send_join_message(join);
                }
            }
            KnockResolution::OnHold => {
                self.state.knock_response = handled.knock_response;
                self.state.connection_status = Status::KnockOnHold;
            }
            KnockResolution::Rejected => {
                self.state.knock_response = handled.knock_response;
                self.state.connection_status = Status::KnockRejected;
                // As after a refusal; and a new connection must not knock again.
                self.end_participation();
                self.close_socket();
            }
            KnockResolution::Unknown => {}
        }
    }

    pub(crate) fn kicked(&mut self, named: &ClientId) {
        let spotlights = &mut self.state.spotlights;
        spotlights.retain(|spotlight| spotlight.client_id != *named);
        // Nobody answers to `leave_room` any more.
        self.timers.clear(&Timer::Leave);
        self.state.connection_status = Status::Kicked;
        self.end_participation();
        self.close_socket();
    }

    pub(crate) fn leave_room(&mut self, now: Now) {
        let status = self.state.connection_status;
        self.end_participation();
        match status {
            Status::Connected => {
                self.state.connection_status = Status::Leaving;
                self.timers.set(Timer::Leave, now.instant + LEAVE_TIMEOUT);
                self.send(ClientMessage::LeaveRoom);
            }
            Status::Kicked | Status::Left | Status::Leaving => {}
            // Unlike the SDK nothing is left behind: no standing knock, no join that is answered
            // later, no open socket.
            status => {
                match status {
                    Status::Knocking | Status::KnockOnHold => {
                        self.send(ClientMessage::CancelRoomKnock)
                    }
                    Status::Connecting => self.send(ClientMessage::LeaveRoom),
                    _ => {}
                }
                self.state.connection_status = Status::Ready;
                self.close_socket();
            }
        }
    }

    pub(crate) fn room_left(&mut self) {
        self.timers.clear(&Timer::Leave);
        self.state.connection_status = Status::Left;
        self.end_participation();
        self.close_socket();
    }

    /// Devices are closed and peers dropped; what was known of the room stays readable.
    fn end_participation(&mut self) {
        if !self.active {
            return;
        }
        self.active = false;
        self.timers.clear_all_but_captions();
        self.close_all_peers();
        self.drop_screenshare(false);
        self.media_command(MediaCommand::Microphone { enabled: false });
        self.media_command(MediaCommand::Camera { enabled: false });
    }

    fn close_socket(&mut self) {
        self.socket_connected = false;
        self.identified = false;
        self.identifying = false;
        self.push(Effect::CloseSocket);
    }

    pub(crate) fn mediaserver_config(&mut self, now: Now, config: MediaserverConfig) {
        if config.error.is_none() {
            self.media_command(MediaCommand::IceServers(config.ice_servers));
            self.refresh_config_after(now, config.mediaserver_config_ttl_seconds);
        }
    }

    fn refresh_config_after(&mut self, now: Now, seconds: u64) {
        if seconds == 0 {
            self.timers.clear(&Timer::MediaserverConfig);
        } else {
            // A day is more than any credential lives, and keeps the sum from overflowing.
            let delay = Duration::from_secs(seconds.min(86_400));
            self.timers
                .set(Timer::MediaserverConfig, now.instant + delay);
        }
    }
}
