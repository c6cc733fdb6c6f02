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
    /// There is no speaker, or it failed.
    SpeakerFailed,
    /// The display failed.
    DisplayFailed,
    /// What the room chose cannot be kept over a restart.
    MemoryFailed,
    /// Another client uses this box's MQTT client id.
    IdentityInUse,
    /// A message larger than the packet limit came.
    OversizedMessage,
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
            Self::SpeakerFailed => "speaker_failed",
            Self::DisplayFailed => "display_failed",
            Self::MemoryFailed => "memory_failed",
            Self::IdentityInUse => "identity_in_use",
            Self::OversizedMessage => "oversized_message",
        }
    }

    fn severity(self) -> Severity {
        match self {
            Self::RoomUnreachable
            | Self::JoinRefused
            | Self::MicrophoneOpenWhileMuted
            | Self::CameraOpenWhileOff => Severity::Error,
            Self::OversizedMessage => Severity::Info,
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
            Self::SpeakerFailed => "check the speaker and media.speaker in the configuration",
            Self::DisplayFailed => "check the display and media.display in the configuration",
            Self::MemoryFailed => "check that the state directory is writable and not full",
            Self::IdentityInUse => "give each box its own device id (device.id) and MQTT client id",
            Self::OversizedMessage => "send commands of at most 64 KiB",
        }
    }
}

/// Something outside the room is wrong, or right again.
#[derive(Clone, Debug)]
pub struct ProblemReport {
    /// What kind.
    pub code: ProblemCode,
    /// What is wrong, `None` when it is right again.
    pub message: Option<String>,
}

/// The problems that stand, and the news about them.
#[derive(Debug, Default)]
pub(super) struct Problems {
    standing: BTreeMap<ProblemCode, Problem>,
    open_since: BTreeMap<ProblemCode, Instant>,
    news: Vec<(&'static str, Problem)>,
}

impl Problems {
    pub(super) fn raise(&mut self, now: Now, code: ProblemCode, message: String) {
        if let Some(standing) = self.standing.get_mut(&code) {
            standing.message = message;
            return;
        }
        let problem = Problem {
            code: code.as_str().to_owned(),
            since: format!("{:.3}", now.wall),
            severity: code.severity(),
            message,
            remedy: code.remedy().to_owned(),
        };
        self.news.push(("problem_raised", problem.clone()));
        self.standing.insert(code, problem);
    }

    pub(super) fn clear(&mut self, _now: Now, code: ProblemCode) {
        if let Some(problem) = self.standing.remove(&code) {
            self.news.push(("problem_cleared", problem));
        }
    }

    pub(super) fn report(&mut self, now: Now, report: ProblemReport) {
        match report.message {
            Some(message) => self.raise(now, report.code, message),
            None => self.clear(now, report.code),
        }
    }

    fn set(&mut self, now: Now, code: ProblemCode, message: Option<String>) {
        self.report(now, ProblemReport { code, message });
    }

    pub(super) fn engine(&mut self, now: Now, status: &EngineStatus) {
        self.set(
            now,
            ProblemCode::SpeakerFailed,
            status.speaker.error.clone(),
        );
        self.set(
            now,
            ProblemCode::DisplayFailed,
            status.display.error.clone(),
        );
    }

    /// Keeps an eye on devices that should be closed.
    pub(super) fn watch_muted(
        &mut self,
        now: Now,
        room: &RoomConnectionState,
        microphone: &CaptureReport,
        camera: &CaptureReport,
    ) {
        self.set(now, ProblemCode::MicrophoneFailed, microphone.error.clone());
        self.set(now, ProblemCode::CameraFailed, camera.error.clone());
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
                self.clear(now, code);
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
            .filter(|(code, _)| !self.standing.contains_key(code))
            .map(|(_, since)| *since + OPEN_WHILE_MUTED)
            .min()
    }

    pub(super) fn message(&self, code: ProblemCode) -> Option<&str> {
        self.standing
            .get(&code)
            .map(|problem| problem.message.as_str())
    }

    pub(super) fn list(&self) -> Vec<Problem> {
        self.standing.values().cloned().collect()
    }

    pub(super) fn take_news(&mut self) -> Vec<(&'static str, Problem)> {
        std::mem::take(&mut self.news)
    }
}
