//! When a command has come true. A reply says how it ended, never what was asked.

use std::time::{Duration, Instant};

use roomd_protocol::ClientId;
use roomd_room::{
    Action, CaptureReport, ConnectionStatus as Status, Refusal, RoomConnectionState,
    state::{CloudRecordingStatus, LocalScreenshareStatus},
};
use serde_json::{Value, json};

use super::{CommandError, ErrorCode, RequestId};

/// A command whose outcome is awaited.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: RequestId,
    pub(super) outcome: Outcome,
    /// Id that the controller gave the command, for its progress.
    pub(super) name: Option<String>,
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
}

/// What an outcome is judged by.
pub(super) struct Seen<'a> {
    pub(super) room: &'a RoomConnectionState,
    pub(super) active: bool,
    pub(super) microphone: &'a CaptureReport,
    pub(super) camera: &'a CaptureReport,
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
            Action::SpotlightParticipant(id) => Self::Spotlit(id.clone(), true),
            Action::RemoveSpotlight(id) => Self::Spotlit(id.clone(), false),
            Action::StartCloudRecording => Self::Recording(true),
            Action::StopCloudRecording => Self::Recording(false),
            _ => return None,
        })
    }

    /// How long it may take.
    pub(super) fn patience(&self, join: Duration) -> Duration {
        match self {
            Self::Joined => join,
            Self::Left | Self::Screensharing(_) | Self::Recording(_) => Duration::from_secs(10),
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
            other => other.check_in_room(seen.room),
        };
        verdict.or_else(|| overdue.then(|| Err(self.overdue(seen))))
    }

    fn check_in_room(&self, room: &RoomConnectionState) -> Verdict {
        if room.connection_status != Status::Connected {
            return Some(Err(CommandError::new(
                ErrorCode::NotInRoom,
                format!(
                    "the room was lost meanwhile (status {})",
                    room.connection_status.as_str()
                ),
                "send the command again once state/room says connected",
            )));
        }
        match self {
            Self::Screensharing(true) => match room.local_screenshare_status {
                Some(LocalScreenshareStatus::Active) => done(json!({ "sharing": true })),
                Some(LocalScreenshareStatus::Starting) => None,
                None => Some(Err(CommandError::new(
                    ErrorCode::DeviceUnavailable,
                    "the input to be shared did not open",
                    "check the cable and state/local_media, or name another source",
                ))),
            },
            Self::Screensharing(false) => room
                .local_screenshare_status
                .is_none()
                .then(|| Ok(json!({ "sharing": false }))),
            Self::Locked(locked) => {
                (room.is_locked == *locked).then(|| Ok(json!({ "locked": locked })))
            }
            Self::ChatEcho {
                text,
                own_messages: before,
            } => {
                if own_messages(room, text) <= *before {
                    return None;
                }
                let message = room
                    .chat_messages
                    .iter()
                    .rev()
                    .find(|message| is_own(room, message, text));
                done(json!({ "messageId": message.map(|message| &message.id) }))
            }
            Self::ChatRemoved(id) => {
                let removed = room
                    .chat_messages
                    .iter()
                    .any(|message| message.id == *id && message.removed);
                removed.then(|| Ok(json!({})))
            }
            Self::NotWaiting(id) => room
                .waiting_participants
                .iter()
                .all(|waiting| waiting.id != *id)
                .then(|| Ok(json!({}))),
            Self::Gone(id) => room
                .remote_participants
                .iter()
                .all(|remote| remote.id != *id)
                .then(|| Ok(json!({}))),
            Self::Alone => (room.remote_client_count == 0).then(|| Ok(json!({}))),
            Self::Muted(ids) => {
                let on = |id| {
                    room.remote_participants
                        .iter()
                        .any(|one| one.id == id && one.is_audio_enabled)
                };
                (!ids.iter().cloned().any(on)).then(|| Ok(json!({})))
            }
            Self::CamerasOff(ids) => {
                let on = |id| {
                    room.remote_participants
                        .iter()
                        .any(|one| one.id == id && one.is_video_enabled)
                };
                (!ids.iter().cloned().any(on)).then(|| Ok(json!({})))
            }
            Self::Spotlit(id, wanted) => {
                let spotlit = room
                    .spotlights
                    .iter()
                    .any(|spotlight| spotlight.client_id == *id);
                (spotlit == *wanted).then(|| Ok(json!({})))
            }
            Self::Recording(wanted) => match &room.cloud_recording {
                None => (!wanted).then(|| Ok(json!({}))),
                Some(recording) => match recording.status {
                    CloudRecordingStatus::Recording => wanted.then(|| Ok(json!({}))),
                    CloudRecordingStatus::Requested => None,
                    CloudRecordingStatus::Error => Some(Err(CommandError::new(
                        ErrorCode::RejectedByRoom,
                        recording
                            .error
                            .clone()
                            .unwrap_or_else(|| "the recording failed".to_owned()),
                        "ask the room's service whether it offers recording",
                    ))),
                },
            },
            Self::Joined | Self::Left | Self::Microphone(_) | Self::Camera(_) => None,
        }
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

fn done(value: Value) -> Verdict {
    Some(Ok(value))
}

fn is_own(
    room: &RoomConnectionState,
    message: &roomd_room::state::ChatMessage,
    text: &str,
) -> bool {
    message.sender_id == room.local_participant.id && message.text == text
}

fn own_messages(room: &RoomConnectionState, text: &str) -> usize {
    room.chat_messages
        .iter()
        .filter(|message| is_own(room, message, text))
        .count()
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
    match error {
        "room_full" => "wait until somebody leaves, or raise the room's limit",
        "invalid_key" => "use the key of the room's current link",
        "room_unclaimed" => "create the room first, or check its name",
        "media_server_required" => {
            "use a room of mode normal: this version does not speak to media servers"
        }
        "invalid_room_url" => "check the host in the room's address",
        _ => "see the room service's documentation for this error",
    }
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
        Refusal::NotPermitted { .. } => CommandError::new(
            ErrorCode::NotPermitted,
            message,
            "join with a host's room key (join_room.roomKey)",
        ),
        Refusal::NoRoomUrl => CommandError::new(ErrorCode::InvalidPayload, message, "send roomUrl")
            .in_field("roomUrl"),
        Refusal::NotFound { what, .. } => CommandError::new(
            ErrorCode::NotFound,
            message,
            format!("take the id from the state topics; a {what} may have gone meanwhile"),
        ),
        Refusal::NotSupported(_) => CommandError::new(
            ErrorCode::NotSupported,
            message,
            "see the capabilities in info",
        ),
    }
}
