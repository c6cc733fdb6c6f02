//! What a role may not do is refused over MQTT before anything is sent, with what would help.

use serde_json::{Value, json};

use crate::{
    broker::Broker,
    ear::Ear,
    wall::{Wall, room_joined, settings},
};

/// What hosts alone may do, with arguments that a host could give.
fn of_hosts() -> Vec<(&'static str, Value)> {
    let somebody = || json!({ "participantId": "a" });
    let everybody = || json!({ "participantIds": ["a"] });
    vec![
        ("lock_room", json!({ "locked": true })),
        ("kick_participant", somebody()),
        ("end_meeting", json!({})),
        ("ask_to_speak", somebody()),
        ("ask_to_turn_on_camera", somebody()),
        ("mute_participants", everybody()),
        ("turn_off_participant_cameras", everybody()),
        ("spotlight_participant", somebody()),
        ("remove_spotlight", somebody()),
        ("broadcast_to_groups", somebody()),
        ("stop_broadcast_to_groups", somebody()),
        ("accept_waiting_participant", somebody()),
        ("hold_waiting_participant", somebody()),
        ("reject_waiting_participant", somebody()),
        ("start_cloud_recording", json!({})),
        ("stop_cloud_recording", json!({})),
        ("start_live_transcription", json!({})),
        ("stop_live_transcription", json!({})),
        (
            "start_breakout_session",
            json!({ "groups": { "g": "Group G" } }),
        ),
        (
            "update_breakout_session",
            json!({ "groups": { "g": "Group G" } }),
        ),
        ("stop_breakout_session", json!({})),
        (
            "assign_breakout_participants",
            json!({ "assignments": { "a": "g" } }),
        ),
        ("assign_all_breakout_participants", json!({})),
        ("unassign_all_breakout_participants", json!({})),
        ("shuffle_breakout_participants", json!({})),
        ("extend_breakout_timer", json!({})),
        ("stop_breakout_timer", json!({})),
    ]
}

/// The box in a room with that role, with everything that it said on its way looked at.
async fn in_room_as(role: &str) -> (Broker, Ear, Wall) {
    let broker = Broker::start().await;
    let mut ear = Ear::beside(&broker).await;
    let mut wall = Wall::start(&broker, settings());
    wall.lets_in(room_joined(role)).await;
    wall.sent("send_client_metadata").await;
    ear.state("room", |room| room["connectionStatus"] == "connected")
        .await;
    (broker, ear, wall)
}

// conformance: rule.lockRoom rule.kickParticipant rule.endMeeting rule.requestAudioAndVideo rule.spotlights [mqtt]
// conformance: rule.breakoutSession rule.waitingRoom rule.cloudRecording rule.liveTranscription [mqtt]
#[tokio::test]
async fn what_only_a_host_may_do_is_refused_to_a_visitor_with_the_remedy() {
    let (_broker, mut ear, mut wall) = in_room_as("visitor").await;
    wall.sent_so_far();
    for (command, arguments) in of_hosts() {
        let id = ear.command(command, arguments).await;
        let error = ear.failure(&id).await;
        assert_eq!(error["code"], "not_permitted", "{command}: {error}");
        assert_eq!(
            error["message"], "needs the role host, this participant is visitor",
            "{command}"
        );
        assert_eq!(
            error["remedy"], "join with a host's room key (join_room.roomKey)",
            "{command}"
        );
        assert_eq!(wall.sent_so_far(), Vec::<&str>::new(), "{command}");
    }
    // Nor did the box leave with the meeting that it could not end.
    let lock = ear
        .command("toggle_raise_hand", json!({ "enabled": true }))
        .await;
    ear.success(&lock).await;
}

// conformance: rule.screenshare rule.ownMediaNameAndHand rule.chat rule.liveCaptions rule.breakoutMoves [mqtt]
#[tokio::test]
async fn a_viewer_writes_and_raises_a_hand_and_is_neither_seen_nor_heard() {
    let (_broker, mut ear, mut wall) = in_room_as("viewer").await;
    wall.sent_so_far();
    for (command, arguments) in [
        ("toggle_microphone", json!({ "enabled": true })),
        ("toggle_camera", json!({ "enabled": true })),
        ("start_screenshare", json!({})),
    ] {
        let id = ear.command(command, arguments).await;
        let error = ear.failure(&id).await;
        assert_eq!(error["code"], "not_permitted", "{command}: {error}");
        assert_eq!(
            error["message"],
            "needs a role that is seen and heard, this participant is viewer"
        );
        assert_eq!(wall.sent_so_far(), Vec::<&str>::new(), "{command}");
    }
    let media = ear.state("local_media", |_| true).await;
    assert_eq!(
        media["microphone"]["proof"],
        json!({ "open": false, "flowing": false })
    );
    let hand = ear
        .command("toggle_raise_hand", json!({ "enabled": true }))
        .await;
    ear.success(&hand).await;
    wall.sent("send_client_metadata").await;
    let captions = ear.command("start_live_captions", json!({})).await;
    wall.sent("live_captions_enabled").await;
    wall.says("live_captions_started", json!({}));
    ear.success(&captions).await;
    let question = ear
        .command("send_chat_message", json!({ "text": "a question" }))
        .await;
    wall.sent("chat_message").await;
    wall.says(
        "chat_message",
        json!({ "id": "m1", "messageType": "text", "senderId": "b", "text": "a question" }),
    );
    assert_eq!(ear.success(&question).await, json!({ "messageId": "m1" }));
    let moves = ear.command("join_breakout_main_room", json!({})).await;
    wall.sent("join_breakout_group").await;
    ear.success(&moves).await;
}

// conformance: rule.removeChatMessage [mqtt]
#[tokio::test]
async fn a_visitor_takes_away_only_what_it_wrote() {
    let (_broker, mut ear, mut wall) = in_room_as("visitor").await;
    for (id, sender) in [("own", "b"), ("other", "a")] {
        let message = json!({ "id": id, "messageType": "text", "senderId": sender, "text": "hello", "sig": id });
        wall.says("chat_message", message);
    }
    ear.state("chat", |part| part["chat"].as_array().unwrap().len() == 2)
        .await;
    wall.sent_so_far();
    let id = ear
        .command("remove_chat_message", json!({ "messageId": "other" }))
        .await;
    let error = ear.failure(&id).await;
    assert_eq!(
        (&error["code"], wall.sent_so_far()),
        (&json!("not_permitted"), Vec::new()),
        "{error}"
    );
    let id = ear
        .command("remove_chat_message", json!({ "messageId": "own" }))
        .await;
    assert_eq!(
        wall.sent("remove_chat_message").await,
        json!({ "id": "own", "sig": "own" })
    );
    wall.says(
        "chat_message_removed",
        json!({ "id": "own", "requestedByClientId": "b" }),
    );
    ear.success(&id).await;
}
