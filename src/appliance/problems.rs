//! What is wrong now, with a remedy for each.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use roomd_media::EngineStatus;
use roomd_room::{CaptureReport, Now, RoomConnectionState};

use super::state::{Problem, Severity};

/// A muted device may stay open for this long before it is a problem.
const OPEN_WHILE_MUTED: Duration = Duration::from_secs(1);

/// The kinds of problems, by the word that is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemCode {
    /// The room's service does not answer.
    RoomUnreachable,
    /// The room refused this box.
    JoinRefused,
    /// The microphone does not open.
    MicrophoneFailed,
    /// The camera does not open.
    CameraFailed,
    /// Muted, but the device is still open.
    MicrophoneOpenWhileMuted,
    /// Off, but the device is still open.
    CameraOpenWhileOff,
    /// Display, speaker or an encoder does not work although it was asked for.
    MediaFailed,
    /// What the room chose cannot be kept over a restart.
    MemoryFailed,
    /// What the room chose last was lost over a restart.
    MemoryLost,
    /// Somebody else is in the room as this box.
    IdentityTaken,
    /// A button or a light does not work.
    ControlsFailed,
    /// A hardware mute switch cannot be asked, so it counts as muted.
    SwitchUnknown,
}

impl ProblemCode {
    /// The published word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RoomUnreachable => "room_unreachable",
            Self::JoinRefused => "join_refused",
            Self::MicrophoneFailed => "microphone_failed",
            Self::CameraFailed => "camera_failed",
            Self::MicrophoneOpenWhileMuted => "microphone_open_while_muted",
            Self::CameraOpenWhileOff => "camera_open_while_off",
            Self::MediaFailed => "media_failed",
            Self::MemoryFailed => "memory_failed",
            Self::MemoryLost => "memory_lost",
            Self::IdentityTaken => "identity_taken",
            Self::ControlsFailed => "controls_failed",
            Self::SwitchUnknown => "switch_unknown",
        }
    }

    fn severity(self) -> Severity {
        match self {
            Self::RoomUnreachable
            | Self::JoinRefused
            | Self::MicrophoneOpenWhileMuted
            | Self::CameraOpenWhileOff
            | Self::SwitchUnknown => Severity::Error,
            _ => Severity::Warning,
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::RoomUnreachable => {
                "check the network, the room's address and its certificate; the box keeps trying"
            }
            Self::JoinRefused => "see the error, correct the room or its key, then send join_room",
            Self::MicrophoneFailed => {
                "check that the microphone is plugged in and used by nobody else, then unmute again"
            }
            Self::CameraFailed => {
                "check that the camera is plugged in and used by nobody else, then turn it on again"
            }
            Self::MicrophoneOpenWhileMuted | Self::CameraOpenWhileOff => {
                "no sample leaves the box, but the device did not close: unplug it or restart roomd, and report this"
            }
            Self::MediaFailed => {
                "check the device it names and [media] in the configuration; roomd probe lists what is there"
            }
            Self::MemoryFailed => "check that the state directory is writable and not full",
            Self::MemoryLost => {
                "the box started muted, with the camera off: send join_room, toggle_microphone or toggle_camera as it should be"
            }
            Self::ControlsFailed => {
                "check that it is connected and that the service's user may use it; roomd probe lists what is there, [controls] what is configured"
            }
            Self::SwitchUnknown => {
                "connect the switch again, or let the service's user read it; a switch that is gone for good has to leave controls.switches"
            }
            Self::IdentityTaken => {
                "see that no other box has a copy of this one's state directory; remove it from the copy"
            }
        }
    }
}

/// Something outside the room is wrong, or right again.
#[derive(Clone, Debug)]
pub enum ProblemReport {
    /// It is wrong now; takes the place of a problem with the same code.
    Raised(Problem),
    /// The problem with this code is over.
    Cleared(String),
    /// One of the box's own kinds: what is wrong, `None` when it is right again.
    Own(ProblemCode, Option<String>),
}

/// The problems that stand, and the news about them.
#[derive(Debug, Default)]
pub(super) struct Problems {
    standing: BTreeMap<String, Problem>,
    open_since: BTreeMap<ProblemCode, Instant>,
    news: Vec<(&'static str, Problem)>,
}

impl Problems {
    pub(super) fn raise(&mut self, now: Now, code: ProblemCode, message: String) {
        self.raise_with(now, code, message, code.remedy());
    }

    /// A problem whose remedy is better known than its kind tells.
    pub(super) fn raise_with(
        &mut self,
        now: Now,
        code: ProblemCode,
        message: String,
        remedy: &str,
    ) {
        self.stands(Problem {
            code: code.as_str().to_owned(),
            since: format!("{:.3}", now.wall),
            severity: code.severity(),
            message,
            remedy: remedy.to_owned(),
        });
    }

    pub(super) fn clear(&mut self, code: ProblemCode) {
        self.over(code.as_str());
    }

    pub(super) fn report(&mut self, now: Now, report: ProblemReport) {
        match report {
            ProblemReport::Raised(problem) => self.stands(problem),
            ProblemReport::Cleared(code) => self.over(&code),
            ProblemReport::Own(code, message) => self.set(now, code, message),
        }
    }

    /// A problem that stands already keeps the time of its beginning.
    fn stands(&mut self, mut problem: Problem) {
        if let Some(standing) = self.standing.get(&problem.code) {
            problem.since.clone_from(&standing.since);
        } else {
            self.news.push(("problem_raised", problem.clone()));
        }
        self.standing.insert(problem.code.clone(), problem);
    }

    fn over(&mut self, code: &str) {
        if let Some(problem) = self.standing.remove(code) {
            self.news.push(("problem_cleared", problem));
        }
    }

    pub(super) fn set(&mut self, now: Now, code: ProblemCode, message: Option<String>) {
        match message {
            Some(message) => self.raise(now, code, message),
            None => self.clear(code),
        }
    }

    pub(super) fn engine(&mut self, now: Now, status: &EngineStatus) {
        let message = (!status.problems.is_empty()).then(|| status.problems.join("; "));
        self.set(now, ProblemCode::MediaFailed, message);
    }

    /// A device that failed stays a problem until it works: that nobody asks for it any more repairs nothing.
    fn watch_device(&mut self, now: Now, code: ProblemCode, report: &CaptureReport) {
        match &report.error {
            Some(error) => self.raise(now, code, error.clone()),
            None if report.flowing => self.clear(code),
            None => {}
        }
    }

    /// Keeps an eye on devices that failed, and on those that should be closed.
    pub(super) fn watch_muted(
        &mut self,
        now: Now,
        room: &RoomConnectionState,
        microphone: &CaptureReport,
        camera: &CaptureReport,
    ) {
        self.watch_device(now, ProblemCode::MicrophoneFailed, microphone);
        self.watch_device(now, ProblemCode::CameraFailed, camera);
        for (code, wish, report, what) in [
            (
                ProblemCode::MicrophoneOpenWhileMuted,
                room.is_microphone_enabled,
                microphone,
                "muted",
            ),
            (
                ProblemCode::CameraOpenWhileOff,
                room.is_camera_enabled,
                camera,
                "off",
            ),
        ] {
            if wish || !report.open {
                self.open_since.remove(&code);
                self.clear(code);
                continue;
            }
            let since = *self.open_since.entry(code).or_insert(now.instant);
            if now.instant >= since + OPEN_WHILE_MUTED {
                self.raise(
                    now,
                    code,
                    format!("{} is {what} but still open", report.device),
                );
            }
        }
    }

    /// The next moment at which an open device becomes a problem.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.open_since
            .iter()
            .filter(|(code, _)| !self.standing.contains_key(code.as_str()))
            .map(|(_, since)| *since + OPEN_WHILE_MUTED)
            .min()
    }

    pub(super) fn message(&self, code: ProblemCode) -> Option<&str> {
        self.standing
            .get(code.as_str())
            .map(|problem| problem.message.as_str())
    }

    pub(super) fn list(&self) -> Vec<Problem> {
        self.standing.values().cloned().collect()
    }

    pub(super) fn take_news(&mut self) -> Vec<(&'static str, Problem)> {
        std::mem::take(&mut self.news)
    }
}
