//! Outcomes that show in the state of the room.

use roomd_protocol::{CAMERA_STREAM_ID, ClientId, client::BreakoutPatch};
use roomd_room::{
    ConnectionStatus as Status, RoomConnectionState,
    state::{
        ChatMessage, CloudRecordingStatus, LiveCaptionsStatus, LiveTranscriptionStatus,
        LocalScreenshareStatus, RemoteParticipant,
    },
};
use serde_json::json;

use super::{CommandError, ErrorCode, Outcome, Verdict, done};

impl Outcome {
    pub(super) fn check_in_room(&self, room: &RoomConnectionState) -> Verdict {
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
        let so = |is_so: bool| is_so.then(|| Ok(json!({})));
        match self {
            Self::Screensharing(wanted) => screensharing(room, *wanted),
            Self::Locked(locked) => {
                (room.is_locked == *locked).then(|| Ok(json!({ "locked": locked })))
            }
            Self::Hand(up) => (room.local_participant.sticky_reaction.is_some() == *up)
                .then(|| Ok(json!({ "enabled": up }))),
            Self::ChatEcho { text, own_messages } => chat_echo(room, text, *own_messages),
            Self::ChatRemoved(id) => {
                let mut messages = room.chat_messages.iter();
                so(messages.any(|message| message.id == *id && message.removed))
            }
            Self::NotWaiting(id) => {
                let mut waiting = room.waiting_participants.iter();
                so(waiting.all(|waiting| waiting.id != *id))
            }
            Self::Gone(id) => {
                let mut remotes = room.remote_participants.iter();
                so(remotes.all(|remote| remote.id != *id))
            }
            Self::Alone => so(room.remote_client_count == 0),
            Self::Muted(ids) => so(none_of(room, ids, |one| one.is_audio_enabled)),
            Self::CamerasOff(ids) => so(none_of(room, ids, |one| one.is_video_enabled)),
            Self::Spotlit(id, wanted) => {
                let spotlit = room.spotlights.iter().any(|spotlight| {
                    spotlight.client_id == *id && spotlight.stream_id.as_str() == CAMERA_STREAM_ID
                });
                so(spotlit == *wanted)
            }
            Self::InGroup(group) => {
                let own = room.local_participant.breakout_group.as_deref();
                (own.unwrap_or_default() == group).then(|| Ok(json!({ "group": group })))
            }
            Self::Breakout(patch) => so(agrees(room, patch)),
            service => service.check_service(room),
        }
    }

    fn check_service(&self, room: &RoomConnectionState) -> Verdict {
        let (what, wanted, state) = match self {
            Self::Recording(wanted) => {
                let state = room.cloud_recording.as_ref().map(|recording| {
                    let status = match recording.status {
                        CloudRecordingStatus::Recording => Service::Runs,
                        CloudRecordingStatus::Requested => Service::Requested,
                        CloudRecordingStatus::Error => Service::Failed,
                    };
                    (status, recording.error.as_ref())
                });
                ("recording", *wanted, state)
            }
            Self::Transcription(wanted) => {
                let state = room.live_transcription.as_ref().map(|transcription| {
                    let status = match transcription.status {
                        LiveTranscriptionStatus::Transcribing => Service::Runs,
                        LiveTranscriptionStatus::Requested => Service::Requested,
                        LiveTranscriptionStatus::Error => Service::Failed,
                    };
                    (status, transcription.error.as_ref())
                });
                ("transcription", *wanted, state)
            }
            Self::Captions(wanted) => {
                let state = room.live_captions.as_ref().map(|captions| {
                    let status = match captions.status {
                        LiveCaptionsStatus::Captioning => Service::Runs,
                        LiveCaptionsStatus::Requested => Service::Requested,
                        LiveCaptionsStatus::Error => Service::Failed,
                    };
                    (status, captions.error.as_ref())
                });
                ("captions", *wanted, state)
            }
            _ => return None,
        };
        match (state, wanted) {
            (None, false) | (Some((Service::Runs, _)), true) => done(json!({})),
            (Some((Service::Failed, _)), false) => done(json!({})),
            (Some((Service::Failed, error)), true) => Some(Err(CommandError::new(
                ErrorCode::RejectedByRoom,
                error.map_or_else(|| format!("the {what} failed"), Clone::clone),
                format!("ask the room's service whether it offers {what}"),
            ))),
            // The room took the request back.
            (None, true) | (Some(_), _) => None,
        }
    }
}

/// How a service of the room stands.
enum Service {
    Requested,
    Runs,
    Failed,
}

fn screensharing(room: &RoomConnectionState, wanted: bool) -> Verdict {
    match (wanted, room.local_screenshare_status) {
        (true, Some(LocalScreenshareStatus::Active)) => done(json!({ "sharing": true })),
        (true, Some(LocalScreenshareStatus::Starting)) | (false, Some(_)) => None,
        (true, None) => Some(Err(CommandError::new(
            ErrorCode::DeviceUnavailable,
            "the input to be shared did not open",
            "check the cable and state/local_media, or name another source",
        ))),
        (false, None) => done(json!({ "sharing": false })),
    }
}

fn chat_echo(room: &RoomConnectionState, text: &str, before: usize) -> Verdict {
    if own_messages(room, text) <= before {
        return None;
    }
    let mut messages = room.chat_messages.iter().rev();
    let message = messages.find(|message| is_own(room, message, text));
    done(json!({ "messageId": message.map(|message| &message.id) }))
}

fn is_own(room: &RoomConnectionState, message: &ChatMessage, text: &str) -> bool {
    message.sender_id == room.local_participant.id && message.text == text
}

pub(super) fn own_messages(room: &RoomConnectionState, text: &str) -> usize {
    let messages = room.chat_messages.iter();
    messages
        .filter(|message| is_own(room, message, text))
        .count()
}

/// Whether none of these is so, as far as they are still there.
fn none_of(
    room: &RoomConnectionState,
    ids: &[ClientId],
    is_so: impl Fn(&RemoteParticipant) -> bool,
) -> bool {
    let mut remotes = room.remote_participants.iter();
    !remotes.any(|one| ids.contains(&one.id) && is_so(one))
}

/// Whether the breakout groups are as a change asked for.
fn agrees(room: &RoomConnectionState, patch: &BreakoutPatch) -> bool {
    fn same<T: PartialEq>(asked: Option<&T>, is: &T) -> bool {
        asked.is_none_or(|asked| asked == is)
    }
    let now = &room.breakout;
    let groups = patch.groups.as_ref();
    let assigned = patch.assignments.iter().flatten().all(|(device, group)| {
        let is = room.breakout_assignments.get(device);
        is.map(String::as_str).unwrap_or_default() == group
    });
    assigned
        && same(patch.active.as_ref(), &now.is_active)
        && groups.is_none_or(|groups| now.groups.as_ref() == Some(groups))
        && same(patch.enforce_assignment.as_ref(), &now.enforce_assignment)
        && same(patch.auto_move_to_group.as_ref(), &now.auto_move_to_group)
        && same(patch.auto_move_to_main.as_ref(), &now.auto_move_to_main)
        && same(
            patch.move_to_group_grace_period.as_ref(),
            &now.move_to_group_grace_period,
        )
        && same(
            patch.move_to_main_grace_period.as_ref(),
            &now.move_to_main_grace_period,
        )
        && same(
            patch.breakout_timer_setting.as_ref(),
            &now.breakout_timer_setting,
        )
        && same(
            patch.breakout_timer_duration.as_ref(),
            &now.breakout_timer_duration,
        )
}
