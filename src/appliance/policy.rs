//! What the box does by itself: join at start, knock, join again after errors that pass. Kept above the
//! room core so that the core stays comparable with the SDK.

use std::time::{Duration, Instant};

use roomd_protocol::RoomUrl;
use roomd_room::{Action, ConnectionStatus as Status, JoinOptions, Now};

use super::{
    Appliance, ApplianceEvent, ApplianceOutput, CommandError, ErrorCode, JoinRoom, Memory,
    outcomes::{Outcome, remedy_for},
    settings::InitialState,
};

/// Refusals that may pass; the first wait before the next try, doubled up to the longest.
const PASSING_ERRORS: &[&str] = &[
    "room_full",
    "room_concurrency_control_error",
    "internal_server_error",
    "host_presence_controls_error",
];
const FIRST_REJOIN: Duration = Duration::from_secs(5);
const LONGEST_REJOIN: Duration = Duration::from_secs(120);

/// What the policy waits for.
#[derive(Debug, Default)]
pub(super) struct Policy {
    rejoin_at: Option<Instant>,
    rejoins: u32,
    raise_hand_again: bool,
    status: Option<Status>,
}

impl Policy {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.rejoin_at
    }
}

/// True where nothing is left to be left.
pub(super) fn is_out(status: Status) -> bool {
    !matches!(status, Status::Leaving | Status::Connected)
}

impl Appliance {
    pub(super) fn started(&mut self, now: Now) {
        self.set_speaker();
        self.watch_switches(now);
        let wish = |initial, last| match initial {
            InitialState::Last => last,
            InitialState::On => true,
            InitialState::Off => false,
        };
        let microphone = wish(self.settings.initial_microphone, self.memory.microphone);
        let camera = wish(self.settings.initial_camera, self.memory.camera);
        self.wish(now, microphone, camera);
        self.capture_as_before(now);

        let is_known = self.memory.room_url.is_some() || self.settings.room_url.is_some();
        if self.memory.in_room && is_known {
            self.return_to_the_room(now);
        } else if self.settings.auto_join && self.settings.room_url.is_some() {
            self.join_by_itself(now, &JoinRoom::default(), None);
        }
    }

    /// Joins again as the participant that this box was, with its hand as it was.
    fn return_to_the_room(&mut self, now: Now) {
        self.policy.raise_hand_again = self.memory.hand_raised;
        let join = JoinRoom {
            room_url: self.memory.room_url.clone(),
            room_key: self.memory.room_key.clone(),
            display_name: self.memory.display_name.clone(),
            external_id: self.memory.external_id.clone(),
            assistant_key: self.memory.assistant_key.clone(),
            is_dial_in: Some(self.memory.is_dial_in),
            is_audio_recorder: Some(self.memory.is_audio_recorder),
            initial_mute_states: None,
        };
        let claim = self.memory.client_claim.clone();
        self.join_by_itself(now, &join, claim);
    }

    /// HD, low data and widescreen as they were chosen last. They never need a room.
    fn capture_as_before(&mut self, now: Now) {
        let profile = self.memory.capture_profile;
        for action in [
            Action::ToggleHdMode(Some(profile.hd)),
            Action::ToggleLowDataMode(Some(profile.low_data)),
            Action::ToggleWidescreenMode(Some(profile.widescreen)),
        ] {
            if let Err(error) = self.act(now, action) {
                tracing::error!(error = error.message, "a mode is not as it was chosen");
            }
        }
    }

    fn wish(&mut self, now: Now, microphone: bool, camera: bool) {
        // What a switch forbids is not wished for.
        let microphone = microphone && self.bans.microphone.is_none();
        let camera = camera && self.bans.camera.is_none();
        for action in [
            Action::ToggleMicrophone(Some(microphone)),
            Action::ToggleCamera(Some(camera)),
        ] {
            if let Err(error) = self.act(now, action) {
                tracing::error!(?error, "a toggle is never refused");
            }
        }
    }

    fn join_by_itself(&mut self, now: Now, join: &JoinRoom, claim: Option<roomd_protocol::Secret>) {
        if let Err(error) = self.join(now, join, claim) {
            tracing::error!(message = %error.message, remedy = %error.remedy, "cannot join");
            self.problems
                .raise(now, super::ProblemCode::JoinRefused, error.message);
        }
    }

    pub(super) fn join_by_command(
        &mut self,
        now: Now,
        join: &JoinRoom,
    ) -> Result<(), CommandError> {
        self.join(now, join, None)?;
        self.policy.rejoins = 0;
        self.policy.raise_hand_again = false;
        self.memory.hand_raised = false;
        Ok(())
    }

    fn join(
        &mut self,
        now: Now,
        join: &JoinRoom,
        client_claim: Option<roomd_protocol::Secret>,
    ) -> Result<(), CommandError> {
        let invalid = |message: String, remedy: &str| {
            CommandError::new(ErrorCode::InvalidPayload, message, remedy).in_field("roomUrl")
        };
        let url = join
            .room_url
            .clone()
            .or_else(|| self.settings.room_url.clone())
            .ok_or_else(|| {
                invalid(
                    "no room is named and none is configured".to_owned(),
                    "send roomUrl or configure room.url",
                )
            })?;
        let parsed = RoomUrl::parse(&url).map_err(|error| {
            invalid(format!("roomUrl: {error}"), "send the room's full address")
        })?;
        let is_configured = self.settings.room_url.as_deref() == Some(parsed.as_str())
            || join.room_url.is_none()
            || join.room_url == self.settings.room_url;
        let own_key = join.room_key.clone().or_else(|| parsed.room_key().cloned());
        let room_key = own_key
            .clone()
            .or_else(|| self.settings.room_key.clone().filter(|_| is_configured));
        let display_name = join
            .display_name
            .clone()
            .unwrap_or_else(|| self.settings.display_name.clone());
        let external_id = join
            .external_id
            .clone()
            .or_else(|| self.settings.external_id.clone());
        self.fail_pending_joins();

        // A claim is good for one room; and that of the configuration may be another one by now.
        let client_claim =
            client_claim.filter(|_| self.memory.claimed_room.as_deref() == Some(parsed.as_str()));
        self.memory.in_room = true;
        self.memory.room_url = (!is_configured).then(|| parsed.as_str().to_owned());
        self.memory.room_key = own_key;
        self.memory.display_name.clone_from(&join.display_name);
        self.memory.external_id.clone_from(&join.external_id);
        self.memory.assistant_key.clone_from(&join.assistant_key);
        self.memory.is_dial_in = join.is_dial_in.unwrap_or_default();
        self.memory.is_audio_recorder = join.is_audio_recorder.unwrap_or_default();
        self.memory.client_claim.clone_from(&client_claim);
        self.room_url = Some(parsed.as_str().to_owned());
        self.policy.rejoin_at = None;
        self.problems.clear(super::ProblemCode::JoinRefused);

        if let Some(mute) = join.initial_mute_states {
            let room = self.room.state();
            let microphone = mute
                .microphone
                .map_or(room.is_microphone_enabled, |muted| !muted);
            let camera = mute.camera.map_or(room.is_camera_enabled, |off| !off);
            self.wish(now, microphone, camera);
        }
        self.act(
            now,
            Action::JoinRoom(Box::new(JoinOptions {
                room_url: Some(parsed),
                room_key,
                display_name,
                external_id,
                assistant_key: join.assistant_key.clone(),
                is_dial_in: join.is_dial_in.unwrap_or_default(),
                is_audio_recorder: join.is_audio_recorder.unwrap_or_default(),
                client_claim,
                ..JoinOptions::default()
            })),
        )
    }

    fn fail_pending_joins(&mut self) {
        let (joins, others) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|pending| pending.outcome == Outcome::Joined);
        self.pending = others;
        for pending in joins {
            let error = CommandError::new(
                ErrorCode::WrongState,
                "another join_room took its place",
                "wait for the reply of a join before the next",
            );
            self.reply(pending.id, Err(error));
        }
    }

    /// Reactions to what the last input brought.
    pub(super) fn policy_after(&mut self, now: Now) {
        if self.policy.rejoin_at.is_some_and(|at| at <= now.instant) {
            self.policy.rejoin_at = None;
            self.return_to_the_room(now);
        }
        // A reaction may move the status on: a locked room is knocked at.
        loop {
            let status = self.room.state().connection_status;
            if self.policy.status.replace(status) == Some(status) {
                break;
            }
            self.status_changed(now, status);
        }
        self.review_requests(now);
    }

    fn status_changed(&mut self, now: Now, status: Status) {
        match status {
            Status::Connected => {
                self.policy.rejoins = 0;
                self.problems.clear(super::ProblemCode::JoinRefused);
                self.problems.clear(super::ProblemCode::IdentityTaken);
                if std::mem::take(&mut self.policy.raise_hand_again)
                    && let Err(error) = self.act(now, Action::ToggleRaiseHand(Some(true)))
                {
                    tracing::warn!(?error, "the hand cannot be raised again");
                }
            }
            Status::RoomLocked if self.settings.auto_knock => {
                if let Err(error) = self.act(now, Action::Knock) {
                    tracing::warn!(?error, "cannot knock");
                }
            }
            // Whoever was sent out or turned away does not come back by itself.
            Status::Kicked | Status::Left | Status::KnockRejected => self.forget_room(),
            Status::Knocking | Status::KnockOnHold => self.tell_progress(status),
            Status::Disconnected => self.refused_or_lost(now),
            _ => {}
        }
    }

    /// A join that waits for a host says so to whoever sent it.
    fn tell_progress(&mut self, status: Status) {
        for pending in self
            .pending
            .iter()
            .filter(|pending| pending.outcome == Outcome::Joined)
        {
            self.outputs.push(ApplianceOutput::Event(ApplianceEvent {
                name: "progress".to_owned(),
                payload: serde_json::json!({
                    "id": pending.by.id, "command": "join_room", "connectionStatus": status
                }),
            }));
        }
    }

    /// The box is out for good: a restart does not bring it back.
    pub(super) fn forget_room(&mut self) {
        if self.stopping {
            return;
        }
        self.policy.rejoin_at = None;
        self.memory = Memory {
            microphone: self.memory.microphone,
            camera: self.memory.camera,
            volume: self.memory.volume,
            camera_stream: self.memory.camera_stream.clone(),
            ..Memory::default()
        };
    }

    fn refused_or_lost(&mut self, now: Now) {
        let Some(error) = self.room.state().connection_error.clone() else {
            return;
        };
        let passes = PASSING_ERRORS.contains(&error.as_str());
        let mut message = format!("the room refused to let this box in: {error}");
        if passes && self.settings.rejoin {
            let wait = self.rejoin_later(now);
            message.push_str(&format!("; it tries again in {} s", wait.as_secs()));
        }
        if !passes {
            self.forget_room();
        }
        let code = super::ProblemCode::JoinRefused;
        self.problems
            .raise_with(now, code, message, remedy_for(&error));
    }

    /// The server ended the connection for good, as it does when another one comes with the same
    /// claim. Coming back as the same would send that one out in turn; and no device stays open for a
    /// room that somebody else is in.
    pub(super) fn dismissed(&mut self, now: Now) {
        let room = self.room.state();
        if room.connection_status != Status::Disconnected || room.connection_error.is_some() {
            return;
        }
        self.memory.client_claim = None;
        if let Err(error) = self.act(now, Action::LeaveRoom) {
            tracing::error!(?error, "leaving is never refused");
        }
        let mut message = "the room's server put another connection in this box's place".to_owned();
        if self.settings.rejoin {
            let wait = self.rejoin_later(now);
            message.push_str(&format!(
                "; it comes back as a new participant in {} s",
                wait.as_secs()
            ));
        }
        self.problems
            .raise(now, super::ProblemCode::IdentityTaken, message);
    }

    fn rejoin_later(&mut self, now: Now) -> Duration {
        let wait = FIRST_REJOIN
            .saturating_mul(1 << self.policy.rejoins.min(8))
            .min(LONGEST_REJOIN);
        self.policy.rejoins += 1;
        self.policy.rejoin_at = Some(now.instant + wait);
        wait
    }

    /// The machine slept: the connection is dead, whatever it looks like, and time that was waited for
    /// has passed.
    pub(super) fn slept(&mut self, now: Now, asleep: Duration) {
        self.requests.slept(now, asleep);
        if let Some(at) = &mut self.policy.rejoin_at {
            *at = at.checked_sub(asleep).unwrap_or(now.instant);
        }
        if self.room.is_active() {
            tracing::info!(?asleep, "the machine slept, connecting again");
            self.outputs.push(ApplianceOutput::Signalling(
                roomd_signalling::Command::Restart,
            ));
        }
    }
}
