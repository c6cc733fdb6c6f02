//! Buttons pressed, switches set, and what lights tell of the box.

use roomd_controls::{
    gesture::Gesture,
    light::{Capture, Indications},
    panel::ControlState,
    switch::{Ban, Bans, SwitchState},
};
use roomd_room::{
    Action, CaptureReport, ConnectionStatus as Status, MediaCommand, Now,
    state::CloudRecordingStatus,
};
use serde_json::json;

use super::{
    Appliance, ApplianceEvent, ApplianceOutput, ChangeSource, ChangedBy, Command, CommandError,
    ControlsPart, ErrorCode, ProblemCode, RequestKind, state::Severity,
};

impl Appliance {
    /// What hardware switches forbid, before anything begins: nothing opens that one of them forbids.
    pub fn forbid(&mut self, bans: Bans) {
        self.bans = bans;
    }

    pub(super) fn gesture(&mut self, button: &str, gesture: Gesture) {
        self.outputs.push(ApplianceOutput::Event(ApplianceEvent {
            name: "button_gesture".to_owned(),
            payload: json!({ "button": button, "gesture": gesture.as_str() }),
        }));
    }

    /// A switch was set or released. What it forbids is closed at once; what it allows again stays closed
    /// until somebody opens it.
    pub(super) fn switched(&mut self, now: Now, bans: Bans) {
        self.bans = bans;
        let room = self.room.state();
        let closes = [
            (
                self.bans.microphone.is_some() && room.is_microphone_enabled,
                Action::ToggleMicrophone(Some(false)),
            ),
            (
                self.bans.camera.is_some() && room.is_camera_enabled,
                Action::ToggleCamera(Some(false)),
            ),
        ];
        for (_, action) in closes.into_iter().filter(|(closes, _)| *closes) {
            if let Err(error) = self.act(now, action) {
                tracing::error!(?error, "muting is never refused");
            }
        }
        self.watch_switches(now);
    }

    /// A switch that cannot be asked is a problem: the box stays muted and nobody pressed anything.
    pub(super) fn watch_switches(&mut self, now: Now) {
        let unknown = |ban: &&Ban| ban.state != SwitchState::Muted;
        let bans = [&self.bans.microphone, &self.bans.camera];
        let ban = bans.into_iter().flatten().find(unknown);
        let message = ban.map(Ban::in_words);
        self.problems.set(now, ProblemCode::SwitchUnknown, message);
    }

    pub(super) fn controls_changed(&mut self, now: Now, controls: ControlsPart) {
        self.controls = controls;
        let buttons = self.controls.buttons.iter().filter_map(|button| {
            let reason = button.reason.as_deref()?;
            (button.state == ControlState::Failed).then(|| format!("{}: {reason}", button.name))
        });
        let lights = self.controls.lights.iter().filter_map(|light| {
            let reason = light.reason.as_deref()?;
            Some(format!("{}: {reason}", light.name))
        });
        let failed: Vec<String> = buttons.chain(lights).collect();
        let message = (!failed.is_empty()).then(|| failed.join("; "));
        self.problems.set(now, ProblemCode::ControlsFailed, message);
    }

    /// A hardware switch overrules everything.
    pub(super) fn check_switches(&self, action: &Action) -> Result<(), CommandError> {
        let room = self.room.state();
        let ban = match action {
            Action::ToggleMicrophone(to) if to.unwrap_or(!room.is_microphone_enabled) => {
                &self.bans.microphone
            }
            Action::ToggleCamera(to) if to.unwrap_or(!room.is_camera_enabled) => &self.bans.camera,
            _ => &None,
        };
        match ban {
            Some(ban) => Err(CommandError::new(
                ErrorCode::WrongState,
                ban.in_words(),
                ban.remedy(),
            )),
            None => Ok(()),
        }
    }

    /// The last line: whatever the room core may wish, a device that a switch forbids is not opened.
    pub(super) fn allowed(&self, command: MediaCommand) -> Option<MediaCommand> {
        let ban = match &command {
            MediaCommand::Microphone { enabled: true } => &self.bans.microphone,
            MediaCommand::Camera { enabled: true } => &self.bans.camera,
            _ => &None,
        };
        if let Some(ban) = ban {
            tracing::error!(switch = ban.switch, "a forbidden device was to be opened");
            return None;
        }
        Some(command)
    }

    /// While somebody asks the box to unmute, the press that unmutes is the answer; likewise with the camera.
    pub(super) fn as_answer(&self, command: Command, by: &ChangedBy) -> Command {
        let kind = match &command {
            Command::Room(Action::ToggleMicrophone(None)) => RequestKind::Unmute,
            Command::Room(Action::ToggleCamera(None)) => RequestKind::CameraOn,
            _ => return command,
        };
        if by.source != ChangeSource::Button {
            return command;
        }
        match self.first_request(Some(kind)) {
            Some(request_id) => Command::AnswerRequest {
                request_id,
                accept: true,
            },
            None => command,
        }
    }

    /// What is true of the box, as far as lights tell it.
    #[must_use]
    pub fn indications(&self) -> Indications {
        let room = self.room.state();
        let active = self.room.is_active();
        let status = room.connection_status;
        Indications {
            microphone: capture(
                &self.microphone,
                active && room.is_microphone_enabled,
                self.opening.microphone > 0,
            ),
            camera: capture(
                &self.camera,
                active && room.is_camera_enabled,
                self.opening.camera > 0,
            ),
            active,
            connected: status == Status::Connected,
            connecting: matches!(status, Status::Connecting | Status::Reconnecting)
                || (active && self.retry.is_some()),
            knocking: matches!(status, Status::Knocking | Status::KnockOnHold),
            waiting: !room.waiting_participants.is_empty(),
            request: !self.shown.requests.is_empty(),
            hand_raised: room.local_participant.sticky_reaction.is_some(),
            recording: room
                .cloud_recording
                .as_ref()
                .is_some_and(|recording| recording.status == CloudRecordingStatus::Recording),
            error: (self.shown.problems.iter()).any(|problem| problem.severity == Severity::Error),
            switched_off: self.bans != Bans::default(),
            identify: self.identify_until.is_some(),
        }
    }
}

/// `opening`: a demand to open it is still unanswered, so samples may flow.
fn capture(report: &CaptureReport, wish: bool, opening: bool) -> Capture {
    match (report.flowing, opening, wish) {
        (true, _, true) => Capture::Live,
        (true, _, false) | (false, true, false) => Capture::Closing,
        (false, true, true) => Capture::Opening,
        // A device that was lost comes back by itself, and samples with it.
        (false, false, true) if report.returning => Capture::Opening,
        (false, false, _) if report.error.is_some() => Capture::Failed,
        (false, false, true) => Capture::Opening,
        (false, false, false) => Capture::Closed,
    }
}
