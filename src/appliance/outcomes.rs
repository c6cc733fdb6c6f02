//! When a command has come true. A reply says how it ended, never what was asked.

mod in_room;

use std::time::{Duration, Instant};

use roomd_protocol::{ClientId, ClientMessage, client::BreakoutPatch};
use roomd_room::{
    Action, CaptureProfile, CaptureReport, ConnectionStatus as Status, Refusal, Right,
    RoomConnectionState, join_error::JoinError,
};
use roomd_signalling::Command;
use serde_json::{Value, json};

use super::{ApplianceOutput, ChangedBy, CommandError, ErrorCode, RequestId};
use in_room::own_messages;

/// A command whose outcome is awaited.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: RequestId,
    pub(super) outcome: Outcome,
    /// Who commanded it: also what comes back from the room is their doing.
    pub(super) by: ChangedBy,
    pub(super) deadline: Instant,
}

/// What has to become true.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// In the room.
    Joined,
    /// Out of it.
    Left,
    /// The gate is open, or closed.
    Microphone(bool),
    /// The camera's gate is open, or closed.
    Camera(bool),
    /// The own screen is shared, or not.
    Screensharing(bool),
    /// The room is locked, or not.
    Locked(bool),
    /// One more message of ours came back.
    ChatEcho { text: String, own_messages: usize },
    /// The message is marked as removed.
    ChatRemoved(String),
    /// Nobody with this id waits any more.
    NotWaiting(ClientId),
    /// Nobody with this id is in the room any more.
    Gone(ClientId),
    /// All others are gone.
    Alone,
    /// These are muted, as far as they are still there.
    Muted(Vec<ClientId>),
    /// These have their camera off, as far as they are still there.
    CamerasOff(Vec<ClientId>),
    /// In front, or not.
    Spotlit(ClientId, bool),
    /// A recorder records, or none.
    Recording(bool),
    /// The meeting is transcribed, or not.
    Transcription(bool),
    /// Captions come, or not.
    Captions(bool),
    /// The hand is up, or down.
    Hand(bool),
    /// In this breakout group, `""` for the main room.
    InGroup(String),
    /// The breakout groups are as this change asked for.
    Breakout(Box<BreakoutPatch>),
    /// The camera is captured like this, if it is on.
    Profile(CaptureProfile, bool),
}

/// What an outcome is judged by.
pub(super) struct Seen<'a> {
    pub(super) room: &'a RoomConnectionState,
    pub(super) active: bool,
    pub(super) microphone: &'a CaptureReport,
    pub(super) camera: &'a CaptureReport,
    /// The camera has been asked to open and has not answered yet.
    pub(super) camera_opens: bool,
    pub(super) auto_knock: bool,
    pub(super) last_error: Option<&'a str>,
}

type Verdict = Option<Result<Value, CommandError>>;

impl Outcome {
    /// What an action is meant to bring about; `None` when it is done once it was sent.
    pub(super) fn of(action: &Action, room: &RoomConnectionState) -> Option<Self> {
        Some(match action {
            Action::LeaveRoom | Action::EndMeeting { stay_behind: false } => Self::Left,
            Action::ToggleMicrophone(to) => {
                Self::Microphone(to.unwrap_or(!room.is_microphone_enabled))
            }
            Action::ToggleCamera(to) => Self::Camera(to.unwrap_or(!room.is_camera_enabled)),
            Action::StartScreenshare { .. } => Self::Screensharing(true),
            Action::StopScreenshare => Self::Screensharing(false),
            Action::LockRoom(locked) => Self::Locked(*locked),
            Action::SendChatMessage { text, .. } => Self::ChatEcho {
                text: text.clone(),
                own_messages: own_messages(room, text),
            },
            Action::RemoveChatMessage { message_id } => Self::ChatRemoved(message_id.clone()),
            Action::AcceptWaitingParticipant(id) | Action::RejectWaitingParticipant(id, _) => {
                Self::NotWaiting(id.clone())
            }
            Action::KickParticipant(id) => Self::Gone(id.clone()),
            Action::EndMeeting { stay_behind: true } => Self::Alone,
            Action::MuteParticipants(ids) => Self::Muted(ids.clone()),
            Action::TurnOffParticipantCameras(ids) => Self::CamerasOff(ids.clone()),
            Action::SpotlightParticipant(id) | Action::BroadcastToGroups(id) => {
                Self::Spotlit(id.clone(), true)
            }
            Action::RemoveSpotlight(id) | Action::StopBroadcastToGroups(id) => {
                Self::Spotlit(id.clone(), false)
            }
            Action::StartCloudRecording => Self::Recording(true),
            Action::StopCloudRecording => Self::Recording(false),
            Action::StartLiveTranscription => Self::Transcription(true),
            Action::StopLiveTranscription => Self::Transcription(false),
            Action::StartLiveCaptions => Self::Captions(true),
            Action::StopLiveCaptions => Self::Captions(false),
            Action::ToggleRaiseHand(to) => {
                let is_up = room.local_participant.sticky_reaction.is_some();
                Self::Hand(to.unwrap_or(!is_up))
            }
            Action::JoinBreakoutGroup(group) => Self::InGroup(group.clone()),
            Action::JoinBreakoutMainRoom => Self::InGroup(String::new()),
            Action::ToggleHdMode(to) => {
                let mut profile = room.capture_profile;
                profile.hd = to.unwrap_or(!profile.hd);
                Self::Profile(profile, profile.hd)
            }
            Action::ToggleLowDataMode(to) => {
                let mut profile = room.capture_profile;
                profile.low_data = to.unwrap_or(!profile.low_data);
                Self::Profile(profile, profile.low_data)
            }
            Action::ToggleWidescreenMode(to) => {
                let mut profile = room.capture_profile;
                profile.widescreen = to.unwrap_or(!profile.widescreen);
                Self::Profile(profile, profile.widescreen)
            }
            _ => return None,
        })
    }

    /// How long it may take.
    pub(super) fn patience(&self, join: Duration) -> Duration {
        match self {
            Self::Joined => join,
            Self::Left
            | Self::Screensharing(_)
            | Self::Recording(_)
            | Self::Transcription(_)
            | Self::Captions(_)
            | Self::Profile(..) => Duration::from_secs(10),
            _ => Duration::from_secs(5),
        }
    }

    /// How it ended, if it did.
    pub(super) fn check(&self, seen: &Seen<'_>, overdue: bool) -> Verdict {
        let verdict = match self {
            Self::Joined => joined(seen),
            Self::Left => left(seen.room),
            Self::Microphone(on) => capture(
                seen.active,
                *on,
                seen.room.is_microphone_enabled,
                seen.microphone,
                "microphone",
            ),
            Self::Camera(on) => capture(
                seen.active,
                *on,
                seen.room.is_camera_enabled,
                seen.camera,
                "camera",
            ),
            Self::Profile(profile, enabled) => captured_as(seen, *profile, *enabled),
            other => other.check_in_room(seen.room),
        };
        verdict.or_else(|| overdue.then(|| Err(self.overdue(seen))))
    }

    fn overdue(&self, seen: &Seen<'_>) -> CommandError {
        match (self, seen.last_error) {
            (Self::Joined, Some(error)) => CommandError::new(
                ErrorCode::Timeout,
                error.to_owned(),
                "check the network and the room's address; the box keeps trying until leave_room",
            ),
            _ => CommandError::new(
                ErrorCode::Timeout,
                "it did not become true in time",
                "look at the state topics and at state/problems, then try again",
            ),
        }
    }
}

/// The outcome of a change of breakout groups: what was sent comes back.
pub(super) fn breakout(outputs: &[ApplianceOutput]) -> Option<Outcome> {
    outputs.iter().find_map(|output| match output {
        ApplianceOutput::Signalling(Command::Send(ClientMessage::UpdateBreakoutSession(patch))) => {
            Some(Outcome::Breakout(Box::new(patch.clone())))
        }
        _ => None,
    })
}

fn done(value: Value) -> Verdict {
    Some(Ok(value))
}

fn joined(seen: &Seen<'_>) -> Verdict {
    let room = seen.room;
    let rejected = |message: &str, remedy: &str| {
        Some(Err(CommandError::new(
            ErrorCode::RejectedByRoom,
            message,
            remedy,
        )))
    };
    match room.connection_status {
        Status::Connected => done(json!({
            "participantId": room.local_participant.id,
            "roomName": room.room_name,
            "roleName": room.local_participant.role_name,
        })),
        Status::RoomLocked if !seen.auto_knock => {
            rejected("room_locked", "send knock, or join with a room key")
        }
        Status::KnockRejected => {
            rejected("knock_rejected", "ask the host, then send join_room again")
        }
        Status::Kicked => rejected("kicked", "ask the host, then send join_room again"),
        Status::Disconnected => {
            let error = room.connection_error.as_deref()?;
            rejected(error, remedy_for(error))
        }
        Status::Left => Some(Err(CommandError::new(
            ErrorCode::WrongState,
            "the room was left before the join ended",
            "send join_room again",
        ))),
        _ => None,
    }
}

/// What to do about an error of a join.
pub(super) fn remedy_for(error: &str) -> &'static str {
    JoinError::find(error).map_or(
        "see the room service's documentation for this error",
        |known| known.remedy,
    )
}

fn left(room: &RoomConnectionState) -> Verdict {
    matches!(
        room.connection_status,
        Status::Left | Status::Ready | Status::Kicked | Status::Disconnected
    )
    .then(|| Ok(json!({ "connectionStatus": room.connection_status })))
}

fn capture(active: bool, on: bool, wish: bool, report: &CaptureReport, what: &str) -> Verdict {
    if wish != on {
        let error = report
            .error
            .clone()
            .unwrap_or_else(|| format!("the {what} was switched otherwise meanwhile"));
        let code = if report.error.is_some() {
            ErrorCode::DeviceUnavailable
        } else {
            ErrorCode::WrongState
        };
        return Some(Err(CommandError::new(
            code,
            error,
            format!("check the {what} and state/local_media, then try again"),
        )));
    }
    // Out of a room no device is open: the choice counts for the next join.
    (!active || report.flowing == on).then(|| Ok(json!({ "enabled": on })))
}

/// A camera that is off needs nothing more; one that is on must have opened with it.
fn captured_as(seen: &Seen<'_>, wanted: CaptureProfile, enabled: bool) -> Verdict {
    if seen.room.capture_profile != wanted {
        return Some(Err(CommandError::new(
            ErrorCode::WrongState,
            "the mode was changed otherwise meanwhile",
            "send the command again if it is still wanted",
        )));
    }
    if seen.camera_opens {
        return None;
    }
    match &seen.camera.error {
        Some(error) if seen.active => Some(Err(CommandError::new(
            ErrorCode::DeviceUnavailable,
            error.clone(),
            "check the camera and state/local_media; the mode counts when it is turned on again",
        ))),
        _ => done(json!({ "enabled": enabled })),
    }
}

/// A refusal of the room core in the contract's words.
pub(super) fn refused(refusal: Refusal) -> CommandError {
    let message = refusal.to_string();
    match refusal {
        Refusal::NotConnected { .. } => CommandError::new(
            ErrorCode::NotInRoom,
            message,
            "join a room first: join_room",
        ),
        Refusal::WrongStatus { needs, .. } => CommandError::new(
            ErrorCode::WrongState,
            message,
            format!("possible only while state/room says {}", needs.as_str()),
        ),
        Refusal::NotPermitted { needs, .. } => CommandError::new(
            ErrorCode::NotPermitted,
            message,
            match needs {
                Right::Host => "join with a host's room key (join_room.roomKey)",
                Right::Publisher => "join with a key that is no viewer's (join_room.roomKey)",
                Right::Participant => "join as a person (join_room without the key of a program)",
                Right::Author => "only its writer or a host can take a message away",
                Right::Assigned => "ask a host for an assignment, or go to the main room",
            },
        ),
        Refusal::NoRoomUrl => CommandError::new(ErrorCode::InvalidPayload, message, "send roomUrl")
            .in_field("roomUrl"),
        Refusal::NotFound { what, .. } => CommandError::new(
            ErrorCode::NotFound,
            message,
            format!("take the id from the state topics; a {what} may have gone meanwhile"),
        ),
        Refusal::NotAvailable(_) => CommandError::new(
            ErrorCode::WrongState,
            message,
            "breakout groups need a room of mode group (roomMode in state/room) and, to be dealt, groups",
        ),
        Refusal::NotSupported(_) => CommandError::new(
            ErrorCode::NotSupported,
            message,
            "see the capabilities in info",
        ),
    }
}
