//! Who is behind a change: somebody with a command, somebody in the room, the policy, a failure.

use roomd_controls::switch::{Ban, Bans};
use roomd_room::{Action, Input, MediaEvent, SocketEvent};

use super::{
    Appliance, ApplianceInput, ChangeSource, ChangedBy, Command, ProblemCode, RequestKind,
    outcomes::Outcome, requests, settings::RequestPolicy,
};

impl Appliance {
    /// Who is behind the changes that follow from an input.
    pub(super) fn cause_of(&self, input: &ApplianceInput) -> ChangedBy {
        use roomd_protocol::ServerMessage as M;
        let switched = |cause: &Option<ChangedBy>| {
            cause
                .clone()
                .unwrap_or_else(|| ChangedBy::source(ChangeSource::Policy))
        };
        if let ApplianceInput::Room(input) = input
            && let Some(by) = self.commanded(input)
        {
            return by;
        }
        match input {
            ApplianceInput::Command { by, .. } => by.clone(),
            ApplianceInput::Switches(bans) => ChangedBy {
                id: first_ban(bans).map(|ban| ban.switch.clone()),
                ..ChangedBy::source(ChangeSource::Switch)
            },
            ApplianceInput::Room(Input::Signal(message)) => {
                let participant = match message.as_ref() {
                    M::AudioEnableRequested(request)
                        if request.enable && self.accepts(RequestKind::Unmute) =>
                    {
                        return requests::by_policy(request.requested_by_client_id.clone());
                    }
                    M::VideoEnableRequested(request)
                        if request.enable && self.accepts(RequestKind::CameraOn) =>
                    {
                        return requests::by_policy(request.requested_by_client_id.clone());
                    }
                    M::AudioEnableRequested(request) | M::VideoEnableRequested(request) => {
                        Some(request.requested_by_client_id.clone())
                    }
                    M::RoomLocked(locked) => locked.client_id.clone(),
                    M::BreakoutSessionUpdated(config) => config
                        .initiated_by
                        .as_ref()
                        .and_then(|by| by.client_id.clone()),
                    _ => None,
                };
                ChangedBy {
                    source: ChangeSource::Room,
                    id: None,
                    participant_id: participant,
                }
            }
            ApplianceInput::Room(Input::Media(MediaEvent::Microphone(report)))
                if report.error.is_none() =>
            {
                switched(&self.microphone_cause)
            }
            ApplianceInput::Room(Input::Media(MediaEvent::Camera(report)))
                if report.error.is_none() =>
            {
                switched(&self.camera_cause)
            }
            // An encoder comes and goes with what is captured: whoever caused that still did.
            ApplianceInput::Engine(_) => switched(&self.shown.local_media.changed_by),
            ApplianceInput::Room(Input::Media(_) | Input::Socket(_))
            | ApplianceInput::Retrying { .. }
            | ApplianceInput::Problem(_) => ChangedBy::source(ChangeSource::Failure),
            _ => ChangedBy::source(ChangeSource::Policy),
        }
    }

    /// Whose command is answered with this, if it is an answer: the server tells what it did for us as it tells what others
    /// did.
    fn commanded(&self, input: &Input) -> Option<ChangedBy> {
        use roomd_protocol::ServerMessage as M;
        let own = &self.room.state().local_participant.id;
        let is_answer = |outcome: &Outcome| match (input, outcome) {
            (Input::Credentials(_) | Input::Organization(_), Outcome::Joined) => true,
            (Input::Socket(SocketEvent::Connected { again: false }), Outcome::Joined) => true,
            (Input::Media(MediaEvent::ScreenshareStarted { .. }), Outcome::Screensharing(true)) => {
                true
            }
            (Input::Signal(message), outcome) => match (message.as_ref(), outcome) {
                (M::DeviceIdentified | M::RoomJoined(_), Outcome::Joined) => true,
                (M::RoomLeft, Outcome::Left) => true,
                (M::RoomLocked(locked), Outcome::Locked(wanted)) => {
                    let by = locked.client_id.as_ref();
                    locked.is_locked == *wanted && by.is_none_or(|id| id == own)
                }
                (M::BreakoutGroupJoined(joined), Outcome::InGroup(group)) => {
                    joined.client_id == *own && joined.group == *group
                }
                (M::BreakoutSessionUpdated(config), Outcome::Breakout(_)) => {
                    let by = config.initiated_by.as_ref();
                    by.and_then(|by| by.client_id.as_ref()) == Some(own)
                }
                _ => false,
            },
            _ => false,
        };
        let pending = self.pending.iter().find(|one| is_answer(&one.outcome))?;
        Some(pending.by.clone())
    }

    /// Requests of this kind are granted without a question.
    fn accepts(&self, kind: RequestKind) -> bool {
        self.request_policy(kind) == RequestPolicy::Accept
    }

    /// Remembers who switches a device, for when the media graph confirms it.
    pub(super) fn note_switch(&mut self, input: &ApplianceInput, cause: &ChangedBy) {
        use roomd_protocol::ServerMessage as M;
        let (microphone, camera) = match input {
            ApplianceInput::Room(Input::Signal(message)) => match message.as_ref() {
                M::AudioEnableRequested(request) => (!request.enable, false),
                M::VideoEnableRequested(request) => (false, !request.enable),
                // The end of breakout groups mutes everybody.
                M::BreakoutSessionUpdated(config) => {
                    let by = config.initiated_by.as_ref();
                    (by.is_some_and(|by| !by.active), false)
                }
                // Who is sent out has its devices closed by that.
                M::ClientKicked(_) => (true, true),
                _ => (false, false),
            },
            ApplianceInput::Switches(bans) => (bans.microphone.is_some(), bans.camera.is_some()),
            ApplianceInput::Command { command, .. } => match command {
                Command::JoinRoom(_) | Command::Room(Action::LeaveRoom) => (true, true),
                Command::Room(Action::ToggleMicrophone(_)) => (true, false),
                Command::Room(Action::ToggleCamera(_)) => (false, true),
                _ => (false, false),
            },
            _ => (false, false),
        };
        if (microphone || camera) && matches!(input, ApplianceInput::Command { .. }) {
            // Whatever was lost is chosen anew.
            self.problems.clear(ProblemCode::MemoryLost);
        }
        // Each switch answers for what it mutes.
        let of = |ban: Option<&Ban>| ChangedBy {
            id: ban.map(|ban| ban.switch.clone()).or(cause.id.clone()),
            ..cause.clone()
        };
        let (first, second) = match input {
            ApplianceInput::Switches(bans) => {
                (of(bans.microphone.as_ref()), of(bans.camera.as_ref()))
            }
            _ => (cause.clone(), cause.clone()),
        };
        if microphone {
            self.microphone_cause = Some(first);
        }
        if camera {
            self.camera_cause = Some(second);
        }
    }
}

/// The switch that is named where one has to be: that of the microphone before that of the camera.
fn first_ban(bans: &Bans) -> Option<&Ban> {
    bans.microphone.as_ref().or(bans.camera.as_ref())
}
