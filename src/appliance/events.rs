//! How the room's events are published: the SDK's names in snake case, its fields in camelCase.

use roomd_room::RoomEvent;
use serde_json::{Value, json};

use super::ApplianceEvent;

/// The published form of an event. `request_id` is what `answer_request` takes.
pub(super) fn published(event: RoomEvent, request_id: Option<String>) -> ApplianceEvent {
    let (name, payload): (&str, Value) = match event {
        RoomEvent::RoomJoined => ("room_joined", json!({})),
        RoomEvent::RoomJoinedError(error) => ("room_joined_error", json!({ "error": error })),
        RoomEvent::ChatNewMessage(message) => ("chat_new_message", json!(message)),
        RoomEvent::ScreenshareStarted(share) => ("screenshare_started", json!(share)),
        RoomEvent::ScreenshareStopped(id) => ("screenshare_stopped", json!({ "id": id })),
        RoomEvent::WaitingParticipantJoined(waiting) => {
            ("waiting_participant_joined", json!(waiting))
        }
        RoomEvent::WaitingParticipantLeft(id) => ("waiting_participant_left", json!({ "id": id })),
        RoomEvent::RequestAudio { client, enable } => {
            let name = if enable {
                "request_audio_enable"
            } else {
                "request_audio_disable"
            };
            (
                name,
                json!({ "client": client, "enable": enable, "requestId": request_id }),
            )
        }
        RoomEvent::RequestVideo { client, enable } => {
            let name = if enable {
                "request_video_enable"
            } else {
                "request_video_disable"
            };
            (
                name,
                json!({ "client": client, "enable": enable, "requestId": request_id }),
            )
        }
        RoomEvent::ChatMessageReceived { client, message } => (
            "chat_message_received",
            json!({ "client": client, "chatMessage": message }),
        ),
        RoomEvent::RemoteHand { client } => {
            let raised = client.sticky_reaction.is_some();
            let name = if raised {
                "remote_hand_raised"
            } else {
                "remote_hand_lowered"
            };
            (name, json!({ "client": client }))
        }
        RoomEvent::SignalTrouble => ("signal_trouble", json!({})),
        RoomEvent::SignalOk => ("signal_ok", json!({})),
        RoomEvent::ClientUnableToJoinFullRoom => ("client_unable_to_join_full_room", json!({})),
    };
    ApplianceEvent {
        name: name.to_owned(),
        payload,
    }
}
