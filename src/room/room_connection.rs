//! [`RoomConnection`]: what it holds, and which part answers which input.

use std::{collections::BTreeMap, time::Instant};

use roomd_protocol::{
    ClientId, ClientMessage, Secret, ServerMessage,
    client::MediaConfig,
    records::{DeviceCredentials, RoleName},
};

use crate::{
    action::{Action, JoinOptions},
    breakout::Breakout,
    cloud_recording::LastRecording,
    event::RoomEvent,
    input::{Effect, Input, Now, Refusal},
    local_participant::Metadata,
    media_port::MediaEvent,
    negotiation::Peer,
    permissions::Right,
    state::{ConnectionStatus, RemoteParticipant, RoomConnectionState},
    timers::{Timer, Timers},
};

/// A client of a room. See the crate's documentation for its rules.
#[derive(Debug, Default)]
pub struct RoomConnection {
    pub(crate) state: RoomConnectionState,
    /// The state of which events have told.
    pub(crate) observed: RoomConnectionState,
    /// Options of the current join.
    pub(crate) join: Option<JoinOptions>,
    /// Somebody wants to be in the room.
    pub(crate) active: bool,
    pub(crate) user_agent: String,
    pub(crate) credentials: Option<DeviceCredentials>,
    pub(crate) organization_id: Option<String>,
    pub(crate) socket_connected: bool,
    pub(crate) identifying: bool,
    pub(crate) identified: bool,
    /// Microphone and camera as the last `join_room` told them, until it is answered.
    pub(crate) joined_with: Option<MediaConfig>,
    /// Key of the link, or the one that an accepted knock brought.
    pub(crate) room_key: Option<Secret>,
    /// Every remote client of the room, bots included.
    pub(crate) clients: Vec<RemoteParticipant>,
    pub(crate) peers: BTreeMap<ClientId, Peer>,
    /// Counts the peer connections that were ever made.
    pub(crate) sessions: u64,
    pub(crate) breakout: Breakout,
    pub(crate) last_recording: LastRecording,
    pub(crate) own_screenshare: Option<crate::screenshares::OwnScreenshare>,
    /// A hand was raised since the join: from then on its absence is sent as null.
    pub(crate) hand_was_raised: bool,
    pub(crate) sent_metadata: Option<Metadata>,
    pub(crate) timers: Timers,
    pub(crate) effects: Vec<Effect>,
    /// So many of them belong to changes that were told.
    pub(crate) told: usize,
}

impl RoomConnection {
    /// A connection that has not joined anything. `user_agent` is what `join_room` says of this
    /// program, for example `roomd:0.1.0`.
    #[must_use]
    pub fn new(user_agent: impl Into<String>) -> Self {
        let mut room = Self {
            user_agent: user_agent.into(),
            ..Self::default()
        };
        room.publish();
        room.observed.clone_from(&room.state);
        room
    }

    /// What may be shown.
    #[must_use]
    pub fn state(&self) -> &RoomConnectionState {
        &self.state
    }

    /// In a room or on the way into one: only then is a device open.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// When to call [`Self::handle`] with [`Input::Timeout`] if nothing else happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Carries an action out, or says why not.
    ///
    /// # Errors
    /// When status, role or arguments do not allow the action; then nothing changed, and
    /// [`Self::after_refusal`] gives what is to be told of it.
    pub fn act(&mut self, now: Now, action: Action) -> Result<Vec<Effect>, Refusal> {
        self.require_right(&action)?;
        match action {
            Action::JoinRoom(options) => self.join_room(*options)?,
            Action::LeaveRoom => self.leave_room(now),
            Action::Knock => self.knock()?,
            Action::CancelKnock => self.cancel_knock()?,
            Action::SetDisplayName(name) => self.state.local_participant.display_name = name,
            Action::ToggleMicrophone(enabled) => self.toggle_microphone(enabled),
            Action::ToggleCamera(enabled) => self.toggle_camera(enabled),
            Action::ToggleRaiseHand(enabled) => self.toggle_raise_hand(now, enabled)?,
            Action::StartScreenshare { source } => self.start_screenshare(source)?,
            Action::StopScreenshare => self.stop_screenshare()?,
            Action::SendChatMessage {
                text,
                parent_id,
                is_broadcast,
            } => {
                self.send_chat_message(text, parent_id, is_broadcast)?;
            }
            Action::RemoveChatMessage { message_id } => self.remove_chat_message(message_id)?,
            Action::StartCloudRecording => self.start_cloud_recording()?,
            Action::StopCloudRecording => self.stop_cloud_recording()?,
            Action::ToggleLowDataMode(to) => {
                self.change_profile(|profile| profile.low_data = to.unwrap_or(!profile.low_data));
            }
            Action::ToggleHdMode(to) => {
                self.change_profile(|profile| profile.hd = to.unwrap_or(!profile.hd));
            }
            Action::ToggleWidescreenMode(to) => self
                .change_profile(|profile| profile.widescreen = to.unwrap_or(!profile.widescreen)),
            Action::StartLiveTranscription => self.start_live_transcription()?,
            Action::StopLiveTranscription => self.stop_live_transcription()?,
            Action::StartLiveCaptions => self.start_live_captions()?,
            Action::StopLiveCaptions => self.stop_live_captions()?,
            breakout @ (Action::JoinBreakoutGroup(_)
            | Action::JoinBreakoutMainRoom
            | Action::StartBreakoutSession { .. }
            | Action::UpdateBreakoutSession { .. }
            | Action::StopBreakoutSession
            | Action::AssignBreakoutParticipants(_)
            | Action::AssignAllBreakoutParticipants
            | Action::UnassignAllBreakoutParticipants
            | Action::ShuffleBreakoutParticipants
            | Action::ExtendBreakoutTimer(_)
            | Action::StopBreakoutTimer) => self.manage_breakout(now, breakout)?,
            moderation => self.moderate(now, moderation)?,
        }
        Ok(self.settle(now))
    }

    /// What follows from a refusal: a refused start of breakout groups is told, nothing is sent.
    pub fn after_refusal(&mut self, now: Now) -> Vec<Effect> {
        self.settle(now)
    }

    /// Applies one input and returns everything that follows from it.
    pub fn handle(&mut self, now: Now, input: Input) -> Vec<Effect> {
        match input {
            Input::Credentials(credentials) => self.credentials_known(credentials),
            Input::Organization(id) => self.organization_id = Some(id),
            Input::OrganizationNotFound => self.organization_not_found(),
            Input::Socket(event) => self.socket_changed(event),
            Input::Signal(message) => self.signal(now, *message),
            Input::Media(event) => self.media(now, event),
            Input::Timeout => {
                while let Some(timer) = self.timers.take_expired(now.instant) {
                    self.expired(now, timer);
                }
            }
        }
        self.settle(now)
    }

    fn signal(&mut self, now: Now, message: ServerMessage) {
        use ServerMessage as M;
        match message {
            M::DeviceIdentified => self.device_identified(),
            M::RoomJoined(joined) => self.room_joined(now, *joined),
            M::KnockHandled(handled) => self.knock_handled(handled),
            M::ClientKicked(kicked) => self.kicked(&kicked.client_id),
            M::RoomLeft => self.room_left(),
            M::RoomLocked(locked) => self.state.is_locked = locked.is_locked,
            M::RoomSessionEnded(ended) => {
                if self
                    .state
                    .session
                    .as_ref()
                    .is_some_and(|session| session.id == ended.room_session_id)
                {
                    self.state.session = None;
                }
            }
            M::NewClient(new) => self.new_client(now, *new),
            M::ClientLeft(left) => self.client_left(&left.client_id),
            M::ClientUnableToJoin(unable) => {
                if unable.error == "room_full" {
                    self.event(RoomEvent::ClientUnableToJoinFullRoom);
                }
            }
            M::AudioEnabled(event) => {
                self.update_client(&event.client_id, |client| {
                    client.is_audio_enabled = event.is_audio_enabled
                });
            }
            M::VideoEnabled(event) => self.remote_camera_changed(&event),
            M::AudioEnableRequested(request) => self.audio_requested(&request),
            M::VideoEnableRequested(request) => self.video_requested(&request),
            M::ClientMetadataReceived(metadata) => self.metadata_received(metadata),
            M::ScreenshareStarted(started) => self.screenshare_started(&started),
            M::ScreenshareStopped(stopped) => self.screenshare_stopped(&stopped),
            M::ChatMessage(message) => self.chat_message(*message),
            M::ChatMessageRemoved(removed) => self.chat_message_removed(&removed.id),
            M::RoomKnocked(knocked) => self.room_knocked(knocked),
            M::KnockerLeft(left) => self.knocker_left(&left.client_id),
            M::SpotlightAdded(added) => self.spotlight(added.client_id, added.stream_id),
            M::SpotlightRemoved(spotlight) => self.spotlight_removed(&spotlight),
            M::CloudRecordingStarted(started) => self.cloud_recording_started(started),
            M::CloudRecordingStopped => self.state.cloud_recording = None,
            M::MediaserverConfig(config) => self.mediaserver_config(now, config),
            M::ReadyToReceiveOffer(relay) => self.offer_solicited(now, &relay.client_id),
            M::SdpOffer(relay) => self.description_received(now, &relay),
            M::SdpAnswer(relay) => self.description_received(now, &relay),
            M::IceCandidate(relay) => self.candidate_received(&relay),
            M::LiveTranscriptionStarted(started) => self.live_transcription_started(now, started),
            M::LiveTranscriptionStopped => self.state.live_transcription = None,
            M::LiveCaptionsStarted(started) => self.live_captions_started(now, started),
            M::LiveCaptionsStopped => self.live_captions_stopped(),
            M::LiveCaption(caption) => self.live_caption(now, caption),
            M::BreakoutSessionUpdated(config) => self.breakout_session_updated(*config),
            M::BreakoutGroupJoined(joined) => self.breakout_group_joined(joined),
            M::BreakoutMoveToGroup => self.move_to_group(),
            M::BreakoutMoveToMain => self.move_to_main(),
            M::BreakoutEnding => self.event(RoomEvent::BreakoutTimerEnding),
            M::BreakoutTimerEnded => self.event(RoomEvent::BreakoutTimerEnded),
            M::BreakoutTimerExtended => self.event(RoomEvent::BreakoutTimerExtended),
            // Nothing follows from these, as in the SDK.
            M::IceEndOfCandidates(_) | M::PendingClientLeft(_) | M::StreamingStopped => {}
        }
    }

    fn media(&mut self, now: Now, event: MediaEvent) {
        match event {
            MediaEvent::Microphone(report) => self.microphone_reported(&report),
            MediaEvent::Camera(report) => self.camera_reported(&report),
            MediaEvent::ScreenshareStarted { stream, has_audio } => {
                self.capture_started(stream, has_audio)
            }
            MediaEvent::ScreenshareEnded { .. } => self.capture_ended(),
            MediaEvent::RemoteStream {
                peer,
                session,
                stream,
                tracks,
            } => {
                if self.is_current(&peer, session) {
                    self.stream_arrived(&peer, stream, tracks);
                }
            }
            MediaEvent::RemoteStreamEnded {
                peer,
                session,
                stream,
            } => {
                if self.is_current(&peer, session) {
                    self.stream_ended(&peer, &stream);
                }
            }
            negotiation => self.peer_event(now, negotiation),
        }
    }

    fn expired(&mut self, now: Now, timer: Timer) {
        match timer {
            Timer::Identify | Timer::Join => {
                self.identifying = false;
                self.push(Effect::RestartSocket);
            }
            Timer::Leave => self.room_left(),
            Timer::MediaserverConfig => {
                if self.state.connection_status == ConnectionStatus::Connected {
                    self.send(ClientMessage::FetchMediaserverConfig);
                }
            }
            Timer::Caption(result) => self.caption_expired(&result),
            Timer::Peer(peer) => self.peer_overdue(now, &peer),
        }
    }

    /// What runs after every input: joining as soon as all is there, the own metadata, who media is
    /// exchanged with, renegotiation, the parts of the state that follow from others, and the events
    /// that follow from all that.
    fn settle(&mut self, now: Now) -> Vec<Effect> {
        self.join_if_ready(now);
        self.announce_metadata();
        self.accept_streams(now);
        self.offer_presentation(now);
        self.publish();
        self.observe();
        self.told = 0;
        std::mem::take(&mut self.effects)
    }

    /// Tells of a state that lasts only until the rest of the step is done.
    pub(crate) fn tell_now(&mut self) {
        self.publish();
        self.observe();
    }

    fn publish(&mut self) {
        self.publish_assignments();
        self.publish_participants();
        self.publish_views();
        self.publish_breakout();
    }

    pub(crate) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(crate) fn send(&mut self, message: ClientMessage) {
        self.push(Effect::Send(message));
    }

    pub(crate) fn media_command(&mut self, command: crate::MediaCommand) {
        self.push(Effect::Media(command));
    }

    pub(crate) fn event(&mut self, event: RoomEvent) {
        self.push(Effect::Event(event));
    }

    pub(crate) fn require_connected(&self) -> Result<(), Refusal> {
        match self.state.connection_status {
            ConnectionStatus::Connected => Ok(()),
            status => Err(Refusal::NotConnected { status }),
        }
    }

    pub(crate) fn require_host(&self) -> Result<(), Refusal> {
        match self.state.local_participant.role_name {
            RoleName::Host => Ok(()),
            role => Err(Refusal::NotPermitted {
                needs: Right::Host,
                role,
            }),
        }
    }
}
