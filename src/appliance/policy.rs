//! What the box does by itself: join at start, knock, join again after errors that pass, answer
//! requests. Kept above the room core so that the core stays comparable with the SDK.

use std::time::{Duration, Instant};

use roomd_protocol::{ClientId, RoomUrl};
use roomd_room::{Action, ConnectionStatus as Status, JoinOptions, Now};

use super::{
    Appliance, ApplianceEvent, ApplianceOutput, ChangeSource, ChangedBy, CommandError, ErrorCode,
    JoinRoom,
    outcomes::Outcome,
    settings::{InitialState, RequestPolicy},
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
    requests: Vec<OpenRequest>,
    request_count: u64,
    raise_hand_again: bool,
    status: Option<Status>,
}

/// Somebody in the room asked for something.
#[derive(Debug)]
struct OpenRequest {
    id: String,
    asked: Asked,
    from: ClientId,
    until: Instant,
}

/// What somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To unmute.
    Microphone,
    /// To turn the camera on.
    Camera,
}

impl Policy {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.requests
            .iter()
            .map(|request| request.until)
            .chain(self.rejoin_at)
            .min()
    }
}

/// True where nothing is left to be left.
pub(super) fn is_out(status: Status) -> bool {
    !matches!(status, Status::Leaving | Status::Connected)
}

impl Appliance {
    pub(super) fn started(&mut self, now: Now) {
        self.set_speaker();
        let wish = |initial, last| match initial {
            InitialState::Last => last,
            InitialState::On => true,
            InitialState::Off => false,
        };
        let microphone = wish(self.settings.initial_microphone, self.memory.microphone);
        let camera = wish(self.settings.initial_camera, self.memory.camera);
        self.wish(now, microphone, camera);

        let back = self.memory.in_room && self.memory.room_url.is_some();
        if back {
            self.policy.raise_hand_again = self.memory.hand_raised;
            let join = JoinRoom {
                room_url: self.memory.room_url.clone(),
                room_key: self.memory.room_key.clone(),
                display_name: self.memory.display_name.clone(),
                external_id: self.memory.external_id.clone(),
                initial_mute_states: None,
            };
            let claim = self.memory.client_claim.clone();
            self.join_by_itself(now, &join, claim);
        } else if self.settings.auto_join && self.settings.room_url.is_some() {
            self.join_by_itself(now, &JoinRoom::default(), None);
        }
    }

    fn wish(&mut self, now: Now, microphone: bool, camera: bool) {
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
        self.policy.rejoins = 0;
        self.join(now, join, None)
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
        let is_configured = join.room_url.is_none() || join.room_url == self.settings.room_url;
        let room_key = join
            .room_key
            .clone()
            .or_else(|| parsed.room_key().cloned())
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

        self.memory.in_room = true;
        self.memory.room_url = Some(parsed.as_str().to_owned());
        self.memory.room_key.clone_from(&room_key);
        self.memory.display_name = Some(display_name.clone());
        self.memory.external_id.clone_from(&external_id);
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
        // A reaction may move the status on: a locked room is knocked at.
        loop {
            let status = self.room.state().connection_status;
            if self.policy.status.replace(status) == Some(status) {
                break;
            }
            self.status_changed(now, status);
        }
        if self.policy.rejoin_at.is_some_and(|at| at <= now.instant) {
            self.policy.rejoin_at = None;
            let join = JoinRoom {
                room_url: self.memory.room_url.clone(),
                room_key: self.memory.room_key.clone(),
                display_name: self.memory.display_name.clone(),
                external_id: self.memory.external_id.clone(),
                initial_mute_states: None,
            };
            let claim = self.memory.client_claim.clone();
            self.join_by_itself(now, &join, claim);
        }
        self.policy
            .requests
            .retain(|request| request.until > now.instant);
    }

    fn status_changed(&mut self, now: Now, status: Status) {
        match status {
            Status::Connected => {
                self.policy.rejoins = 0;
                self.problems.clear(super::ProblemCode::JoinRefused);
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
                    "id": pending.name, "command": "join_room", "connectionStatus": status
                }),
            }));
        }
    }

    /// The box is out for good: a restart does not bring it back.
    pub(super) fn forget_room(&mut self) {
        if !self.stopping {
            self.memory.in_room = false;
            self.memory.client_claim = None;
            self.memory.hand_raised = false;
        }
    }

    fn refused_or_lost(&mut self, now: Now) {
        let Some(error) = self.room.state().connection_error.clone() else {
            return;
        };
        self.problems.raise(
            now,
            super::ProblemCode::JoinRefused,
            format!("the room refused to let this box in: {error}"),
        );
        if self.settings.rejoin && PASSING_ERRORS.contains(&error.as_str()) {
            let wait = FIRST_REJOIN
                .saturating_mul(1 << self.policy.rejoins.min(8))
                .min(LONGEST_REJOIN);
            self.policy.rejoins += 1;
            self.policy.rejoin_at = Some(now.instant + wait);
        } else if !PASSING_ERRORS.contains(&error.as_str()) {
            self.memory.in_room = false;
        }
    }

    /// Somebody asks; the id under which the box may answer, if it is asked.
    pub(super) fn requested(&mut self, now: Now, asked: Asked, from: ClientId) -> Option<String> {
        let policy = match asked {
            Asked::Microphone => self.settings.on_request_audio,
            Asked::Camera => self.settings.on_request_video,
        };
        match policy {
            RequestPolicy::Refuse => None,
            RequestPolicy::Accept => {
                self.grant(now, asked, ChangedBy::source(ChangeSource::Policy));
                None
            }
            RequestPolicy::Ask => {
                self.policy.request_count += 1;
                let id = format!("r{}", self.policy.request_count);
                let until = now.instant + self.settings.request_timeout;
                self.policy
                    .requests
                    .retain(|open| open.asked != asked || open.from != from);
                self.policy.requests.push(OpenRequest {
                    id: id.clone(),
                    asked,
                    from,
                    until,
                });
                Some(id)
            }
        }
    }

    pub(super) fn answer_request(
        &mut self,
        now: Now,
        id: &str,
        accept: bool,
        by: ChangedBy,
    ) -> Result<Option<Outcome>, CommandError> {
        let Some(index) = self
            .policy
            .requests
            .iter()
            .position(|request| request.id == id)
        else {
            return Err(CommandError::new(
                ErrorCode::NotFound,
                format!("there is no open request {id:?}"),
                "use the requestId of an event/request_audio_enable or event/request_video_enable that is not too old",
            )
            .in_field("requestId"));
        };
        let request = self.policy.requests.remove(index);
        self.outputs.push(ApplianceOutput::Event(ApplianceEvent {
            name: "request_answered".to_owned(),
            payload: serde_json::json!({ "requestId": request.id, "participantId": request.from, "accept": accept }),
        }));
        Ok(accept.then(|| self.grant(now, request.asked, by)))
    }

    fn grant(&mut self, now: Now, asked: Asked, by: ChangedBy) -> Outcome {
        self.media_cause = Some(by);
        let (action, outcome) = match asked {
            Asked::Microphone => (
                Action::ToggleMicrophone(Some(true)),
                Outcome::Microphone(true),
            ),
            Asked::Camera => (Action::ToggleCamera(Some(true)), Outcome::Camera(true)),
        };
        if let Err(error) = self.act(now, action) {
            tracing::error!(?error, "a toggle is never refused");
        }
        outcome
    }
}
