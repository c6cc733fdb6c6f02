//! How the room's events are published: the SDK's names in snake case, its fields in camelCase.

use roomd_room::{RoomEvent, state::RemoteParticipant};
use serde_json::{Value, json};

use super::ApplianceEvent;

/// Every event of the room that is published, with its payload and meaning: the SDK's 22 named
/// events, then its 14 notifications.
pub const ROOM_EVENTS: &[(&str, &str, &str)] = &[
    (
        "cloud_recording_status_changed",
        "`cloudRecording`",
        "The recording changed.",
    ),
    (
        "live_captions_status_changed",
        "`liveCaptions`",
        "The captions changed.",
    ),
    (
        "live_transcription_status_changed",
        "`liveTranscription`",
        "The transcription changed.",
    ),
    (
        "breakout_config_changed",
        "as `state/breakout`",
        "The breakout groups, or who sits in them, changed.",
    ),
    (
        "connection_status_changed",
        "`connectionStatus`",
        "The connection with the room stands elsewhere.",
    ),
    (
        "connection_error_changed",
        "`connectionError`",
        "A join was refused, or the reason is forgotten.",
    ),
    (
        "camera_state_changed",
        "`enabled`",
        "The camera is on, or off for certain.",
    ),
    (
        "microphone_state_changed",
        "`enabled`",
        "The microphone is on, or muted for certain.",
    ),
    (
        "streaming_started",
        "`status`, `startedAt`",
        "A live stream began; no service tells of one yet.",
    ),
    ("streaming_stopped", "", "A live stream ended; likewise."),
    (
        "local_screenshare_status_changed",
        "`status`",
        "The own screenshare: `starting`, `active` or `null`.",
    ),
    (
        "local_participant_changed",
        "as `state/local_participant`",
        "Oneself changed.",
    ),
    (
        "remote_participants_changed",
        "`remoteParticipants`",
        "The others changed, sizes and rates of their pictures aside.",
    ),
    (
        "screenshare_started",
        "a screenshare",
        "A screen is shared.",
    ),
    ("screenshare_stopped", "`id`", "It is not shared any more."),
    (
        "waiting_participant_joined",
        "`id`, `displayName`",
        "Somebody knocks.",
    ),
    (
        "waiting_participant_left",
        "`id`",
        "Somebody does not wait any more.",
    ),
    (
        "spotlight_participant_added",
        "a tile",
        "A tile was put in front.",
    ),
    (
        "spotlight_participant_removed",
        "`id`",
        "The tile of this id was taken back.",
    ),
    (
        "room_joined",
        "`isLocked`, `selfId`",
        "The room was joined, or joined again.",
    ),
    ("room_joined_error", "`error`", "A join was refused."),
    (
        "chat_new_message",
        "a chat message",
        "A message, one's own included.",
    ),
    (
        "request_audio_enable",
        "`client`, `enable`, `requestId`",
        "Somebody asks the box to unmute.",
    ),
    (
        "request_audio_disable",
        "`client`, `enable`",
        "Somebody muted the box.",
    ),
    (
        "request_video_enable",
        "`client`, `enable`, `requestId`",
        "Somebody asks for the camera.",
    ),
    (
        "request_video_disable",
        "`client`, `enable`",
        "Somebody turned the camera off.",
    ),
    (
        "chat_message_received",
        "`client`, `chatMessage`",
        "A message of somebody else.",
    ),
    (
        "remote_hand_raised",
        "`client`, `stickyReaction`",
        "Somebody raised a hand; told to hosts.",
    ),
    (
        "remote_hand_lowered",
        "`client`, `stickyReaction`",
        "Somebody lowered it; told to hosts.",
    ),
    ("signal_trouble", "", "The connection is lost."),
    ("signal_ok", "", "The connection stands."),
    (
        "client_unable_to_join_full_room",
        "",
        "Somebody could not join: the room is full.",
    ),
    (
        "breakout_timer_ending",
        "",
        "The timer of the breakout groups ends soon.",
    ),
    ("breakout_timer_ended", "", "It ended."),
    ("breakout_timer_extended", "", "It was made longer."),
    (
        "breakout_group_assigned",
        "`group`, `groupName`",
        "The box was assigned to a breakout group.",
    ),
];

/// The published form of an event; `None` for those that the box tells of itself, once they are
/// true. `request_id` is what `answer_request` takes.
pub(super) fn published(event: RoomEvent, request_id: Option<String>) -> Option<ApplianceEvent> {
    use RoomEvent as E;
    let (name, payload): (&str, Value) = match event {
        E::BreakoutConfigChanged(_)
        | E::CameraStateChanged(_)
        | E::MicrophoneStateChanged(_)
        | E::LocalParticipantChanged(_) => return None,
        E::CloudRecordingStatusChanged(recording) => (
            "cloud_recording_status_changed",
            json!({ "cloudRecording": recording }),
        ),
        E::LiveCaptionsStatusChanged(captions) => (
            "live_captions_status_changed",
            json!({ "liveCaptions": captions }),
        ),
        E::LiveTranscriptionStatusChanged(transcription) => (
            "live_transcription_status_changed",
            json!({ "liveTranscription": transcription }),
        ),
        E::ConnectionStatusChanged(status) => (
            "connection_status_changed",
            json!({ "connectionStatus": status }),
        ),
        E::ConnectionErrorChanged(error) => (
            "connection_error_changed",
            json!({ "connectionError": error }),
        ),
        E::StreamingStarted(stream) => ("streaming_started", json!(stream)),
        E::StreamingStopped => ("streaming_stopped", json!({})),
        E::LocalScreenshareStatusChanged(status) => (
            "local_screenshare_status_changed",
            json!({ "status": status }),
        ),
        E::RemoteParticipantsChanged(participants) => (
            "remote_participants_changed",
            json!({ "remoteParticipants": participants }),
        ),
        E::ScreenshareStarted(share) => ("screenshare_started", json!(share)),
        E::ScreenshareStopped(id) => ("screenshare_stopped", json!({ "id": id })),
        E::WaitingParticipantJoined(waiting) => ("waiting_participant_joined", json!(waiting)),
        E::WaitingParticipantLeft(id) => ("waiting_participant_left", json!({ "id": id })),
        E::SpotlightParticipantAdded(view) => ("spotlight_participant_added", json!(view)),
        E::SpotlightParticipantRemoved(id) => {
            ("spotlight_participant_removed", json!({ "id": id }))
        }
        E::RoomJoined(joined) => ("room_joined", json!(joined)),
        E::RoomJoinedError(error) => ("room_joined_error", json!({ "error": error })),
        E::ChatNewMessage(message) => {
            let mut payload = json!(message);
            payload["removed"] = Value::Bool(false);
            ("chat_new_message", payload)
        }
        notification => notified(notification, request_id)?,
    };
    Some(ApplianceEvent {
        name: name.to_owned(),
        payload,
    })
}

/// Notifications carry a sentence for people beside what it is made of.
fn notified(event: RoomEvent, request_id: Option<String>) -> Option<(&'static str, Value)> {
    use RoomEvent as E;
    Some(match event {
        E::RequestAudio { client, enable } => {
            let (name, message) = if enable {
                ("request_audio_enable", "has requested for you to speak")
            } else {
                ("request_audio_disable", "has muted your microphone")
            };
            (name, requested(&client, enable, message, request_id))
        }
        E::RequestVideo { client, enable } => {
            let (name, message) = if enable {
                (
                    "request_video_enable",
                    "has requested for you to start video",
                )
            } else {
                ("request_video_disable", "has stopped your video")
            };
            (name, requested(&client, enable, message, request_id))
        }
        E::ChatMessageReceived { client, message } => {
            let sentence = format!("{} says: {}", client.display_name, message.text);
            let mut chat = json!(message);
            if let Some(fields) = chat.as_object_mut() {
                fields.remove("file");
            }
            (
                "chat_message_received",
                json!({ "message": sentence, "client": client, "chatMessage": chat }),
            )
        }
        E::RemoteHand { client } => {
            let (name, did) = if client.sticky_reaction.is_some() {
                ("remote_hand_raised", "raised")
            } else {
                ("remote_hand_lowered", "lowered")
            };
            let message = format!("{} {did} their hand", client.display_name);
            let reaction = &client.sticky_reaction;
            (
                name,
                json!({ "message": message, "client": client, "stickyReaction": reaction }),
            )
        }
        E::SignalTrouble => (
            "signal_trouble",
            said("Network connection lost. Trying to reconnect you..."),
        ),
        E::SignalOk => ("signal_ok", said("Network connection available")),
        E::ClientUnableToJoinFullRoom => (
            "client_unable_to_join_full_room",
            said("Someone tried to join but the room is full and at capacity."),
        ),
        E::BreakoutTimerEnding => (
            "breakout_timer_ending",
            said("The breakout session is ending soon"),
        ),
        E::BreakoutTimerEnded => ("breakout_timer_ended", said("The breakout timer ended")),
        E::BreakoutTimerExtended => (
            "breakout_timer_extended",
            said("The breakout timer was extended"),
        ),
        E::BreakoutGroupAssigned { group, group_name } => {
            let to = group_name.as_deref().unwrap_or("a group");
            let message = format!("You've been assigned to {to}");
            (
                "breakout_group_assigned",
                json!({ "message": message, "group": group, "groupName": group_name }),
            )
        }
        _ => return None,
    })
}

fn said(message: &str) -> Value {
    json!({ "message": message })
}

fn requested(
    client: &RemoteParticipant,
    enable: bool,
    what: &str,
    request_id: Option<String>,
) -> Value {
    json!({
        "message": format!("{} {what}", client.display_name),
        "client": client,
        "enable": enable,
        "requestId": request_id,
    })
}
