//! Every event and notification of a room under its name.

use roomd_room::{Input, MediaEvent, RemoteTracks};
use serde_json::{Value, json};

use crate::{
    broker::Broker,
    ear::Ear,
    wall::{Wall, client, room_joined, settings},
};

async fn host() -> (Broker, Ear, Wall) {
    let broker = Broker::start().await;
    let mut ear = Ear::beside(&broker).await;
    let mut wall = Wall::start(&broker, settings());
    wall.lets_in(room_joined("host")).await;
    ear.state("room", |room| room["connectionStatus"] == "connected")
        .await;
    ear.forget();
    (broker, ear, wall)
}

// conformance: event.local-participant:changed event.remote-participants:changed event.camera:state-changed [mqtt]
// conformance: event.microphone:state-changed event.local-screenshare:status-changed [mqtt]
// conformance: event.screenshare:started event.screenshare:stopped event.waiting-participant:joined [mqtt]
// conformance: event.waiting-participant:left event.spotlight:participant-added [mqtt]
// conformance: event.spotlight:participant-removed event.chat:new-message notification.chatMessageReceived [mqtt]
// conformance: notification.remoteHandRaised notification.remoteHandLowered [mqtt]
// conformance: notification.clientUnableToJoinFullRoom [mqtt]
#[tokio::test]
async fn what_people_do_in_a_room_is_told() {
    let (_broker, mut ear, wall) = host().await;

    wall.says("new_client", json!({ "client": client("c", "visitor") }));
    let told = ear
        .event_where("remote_participants_changed", |event| {
            event["remoteParticipants"][1]["id"] == "c"
        })
        .await;
    assert_eq!(told["remoteParticipants"].as_array().unwrap().len(), 2);

    wall.says(
        "room_knocked",
        json!({ "clientId": "k", "displayName": "Kim" }),
    );
    assert_eq!(
        ear.event("waiting_participant_joined").await,
        json!({ "id": "k", "displayName": "Kim" })
    );
    wall.says("knocker_left", json!({ "clientId": "k" }));
    assert_eq!(
        ear.event("waiting_participant_left").await,
        json!({ "id": "k" })
    );

    wall.says(
        "spotlight_added",
        json!({ "clientId": "a", "streamId": "0" }),
    );
    let added = ear.event("spotlight_participant_added").await;
    assert_eq!(
        (&added["id"], &added["displayName"]),
        (&json!("a"), &json!("A"))
    );
    wall.says(
        "spotlight_removed",
        json!({ "clientId": "a", "streamId": "0" }),
    );
    assert_eq!(
        ear.event("spotlight_participant_removed").await,
        json!({ "id": "a" })
    );

    wall.says(
        "screenshare_started",
        json!({ "clientId": "a", "streamId": "screen", "hasAudioTrack": true }),
    );
    wall.happens(Input::Media(MediaEvent::RemoteStream {
        peer: "a".into(),
        session: 1,
        stream: "screen".into(),
        tracks: RemoteTracks {
            video: true,
            audio: true,
            ..RemoteTracks::default()
        },
    }));
    assert_eq!(
        ear.event("screenshare_started").await,
        json!({
            "participantId": "a", "id": "screen", "hasAudioTrack": true, "isLocal": false,
            "stream": { "video": true, "audio": true }, "breakoutGroup": null
        })
    );
    wall.says(
        "screenshare_stopped",
        json!({ "clientId": "a", "streamId": "screen" }),
    );
    assert_eq!(
        ear.event("screenshare_stopped").await,
        json!({ "id": "screen" })
    );

    let message = json!({
        "id": "m1", "messageType": "text", "senderId": "a", "text": "hello", "timestamp": "2026-11-23T09:00:00.000Z"
    });
    wall.says("chat_message", message);
    let new = ear.event("chat_new_message").await;
    assert_eq!(
        (&new["id"], &new["text"], &new["removed"]),
        (&json!("m1"), &json!("hello"), &json!(false))
    );
    let received = ear.event("chat_message_received").await;
    assert_eq!(received["message"], "A says: hello");
    assert_eq!(
        (&received["client"]["id"], &received["chatMessage"]["id"]),
        (&json!("a"), &json!("m1"))
    );

    let hand = json!({ "reaction": "✋", "timestamp": "2026-11-23T09:00:00.000Z" });
    let metadata = |reaction: &Value| json!({ "type": "UserData", "payload": { "clientId": "a", "displayName": "A", "stickyReaction": reaction } });
    wall.says("client_metadata_received", metadata(&hand));
    let raised = ear.event("remote_hand_raised").await;
    assert_eq!(
        (&raised["message"], &raised["stickyReaction"]),
        (&json!("A raised their hand"), &hand)
    );
    wall.says("client_metadata_received", metadata(&Value::Null));
    let lowered = ear.event("remote_hand_lowered").await;
    assert_eq!(
        (&lowered["message"], &lowered["client"]["id"]),
        (&json!("A lowered their hand"), &json!("a"))
    );

    wall.says(
        "client_unable_to_join",
        json!({ "displayName": "Kim", "error": "room_full" }),
    );
    let full = ear.event("client_unable_to_join_full_room").await;
    assert_eq!(
        full["message"],
        "Someone tried to join but the room is full and at capacity."
    );

    for (command, event) in [
        ("toggle_camera", "camera_state_changed"),
        ("toggle_microphone", "microphone_state_changed"),
    ] {
        let id = ear.command(command, json!({ "enabled": true })).await;
        ear.success(&id).await;
        assert_eq!(ear.event(event).await, json!({ "enabled": true }));
    }
    let own = ear.event_where("local_participant_changed", |event| {
        event["isAudioEnabled"] == true && event["isVideoEnabled"] == true
    });
    assert_eq!(own.await["id"], "b");
    let id = ear.command("start_screenshare", json!({})).await;
    ear.success(&id).await;
    let id = ear.command("stop_screenshare", json!({})).await;
    ear.success(&id).await;
    ear.event_where("local_screenshare_status_changed", |event| {
        event["status"].is_null()
    })
    .await;
    assert_eq!(
        ear.told("local_screenshare_status_changed", "status"),
        [json!("starting"), json!("active"), Value::Null]
    );
}

// conformance: notification.requestAudioEnable notification.requestAudioDisable [mqtt]
// conformance: notification.requestVideoEnable notification.requestVideoDisable [mqtt]
#[tokio::test]
async fn what_a_host_asks_of_the_box_is_told_with_who_asked() {
    let (_broker, mut ear, wall) = host().await;
    for (name, enable, event, message) in [
        (
            "audio_enable_requested",
            true,
            "request_audio_enable",
            "A has requested for you to speak",
        ),
        (
            "audio_enable_requested",
            false,
            "request_audio_disable",
            "A has muted your microphone",
        ),
        (
            "video_enable_requested",
            true,
            "request_video_enable",
            "A has requested for you to start video",
        ),
        (
            "video_enable_requested",
            false,
            "request_video_disable",
            "A has stopped your video",
        ),
    ] {
        wall.says(
            name,
            json!({ "requestedByClientId": "a", "enable": enable }),
        );
        let told = ear.event(event).await;
        assert_eq!(
            (&told["message"], &told["enable"]),
            (&json!(message), &json!(enable))
        );
        assert_eq!(told["client"]["id"], "a");
        assert_eq!(
            told["requestId"].is_string(),
            enable,
            "what is obeyed cannot be answered: {told}"
        );
    }
}

// conformance: event.breakout:config-changed notification.breakoutTimerEnding notification.breakoutTimerEnded [mqtt]
// conformance: notification.breakoutTimerExtended notification.breakoutGroupAssigned [mqtt]
#[tokio::test]
async fn breakout_groups_and_their_timer_are_told() {
    let (_broker, mut ear, wall) = host().await;
    let config = |group: &str| {
        json!({
            "groups": { "g": "Group G" }, "assignments": { "d": group }, "startedAt": "2026-11-23T10:00:00.000Z",
            "breakoutStartedAt": "2026-11-23T10:00:00.000Z"
        })
    };
    wall.says("breakout_session_updated", config(""));
    let told = ear
        .event_where("breakout_config_changed", |event| event["isActive"] == true)
        .await;
    assert_eq!(told["groups"], json!({ "g": "Group G" }));
    wall.says("breakout_session_updated", config("g"));
    assert_eq!(
        ear.event("breakout_group_assigned").await,
        json!({ "message": "You've been assigned to Group G", "group": "g", "groupName": "Group G" })
    );
    for (name, event, message) in [
        (
            "breakout_ending",
            "breakout_timer_ending",
            "The breakout session is ending soon",
        ),
        (
            "breakout_timer_ended",
            "breakout_timer_ended",
            "The breakout timer ended",
        ),
        (
            "breakout_timer_extended",
            "breakout_timer_extended",
            "The breakout timer was extended",
        ),
    ] {
        wall.says(name, Value::Null);
        assert_eq!(ear.event(event).await, json!({ "message": message }));
    }
}
