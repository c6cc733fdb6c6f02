//! Joining over MQTT: what a command says to the room, every status on the way, every error at the end.

use roomd::appliance::ApplianceSettings;
use roomd_room::{Input, SocketEvent, join_error::JOIN_ERRORS};
use serde_json::{Value, json};

use crate::{
    broker::Broker,
    ear::Ear,
    wall::{Wall, room_joined, settings},
};

/// A box that does nothing by itself.
fn by_hand() -> ApplianceSettings {
    ApplianceSettings {
        auto_join: false,
        auto_knock: false,
        rejoin: false,
        ..settings()
    }
}

/// Commands are taken from now on.
async fn reachable(ear: &mut Ear) {
    ear.state("room", |room| room["connectionStatus"] == "ready")
        .await;
}

fn locked() -> Value {
    json!({ "error": "room_locked", "isLocked": true, "selfId": "b" })
}

// conformance: joinError.room_locked joinError.room_empty joinError.room_full [mqtt]
// conformance: joinError.room_join_permission_denied joinError.unique_role_already_in_room [mqtt]
// conformance: joinError.room_concurrency_control_error joinError.room_unclaimed joinError.free_tier_exhausted [mqtt]
// conformance: joinError.room_meeting_time_exhausted joinError.max_viewer_limit_reached [mqtt]
// conformance: joinError.host_presence_controls_error joinError.internal_server_error [mqtt]
// conformance: joinError.invalid_assistant_key joinError.organization_assistant_not_found [mqtt]
// conformance: joinError.organization_assistant_not_enabled joinError.missing_parameters [mqtt]
// conformance: joinError.invalid_parameters joinError.invalid_room_name joinError.invalid_key [mqtt]
// conformance: joinError.invalid_avatar event.room:joined:error event.connection:error-changed [mqtt]
// conformance: field.RoomConnectionState.connectionError status.room_locked status.disconnected [mqtt]
#[tokio::test]
async fn every_error_of_a_join_is_in_the_reply_the_state_the_problems_and_an_event() {
    let broker = Broker::start().await;
    let mut ear = Ear::beside(&broker).await;
    let mut wall = Wall::start(&broker, by_hand());
    reachable(&mut ear).await;
    let words = JOIN_ERRORS
        .iter()
        .filter(|error| !error.meaning.contains("roomd"));
    let mut count = 0;
    for error in words {
        let word = error.word;
        ear.forget();
        let join = ear.command("join_room", json!({})).await;
        let is_locked = word == "room_locked";
        let answer = json!({ "error": word, "isLocked": is_locked, "selfId": "b" });
        wall.lets_in(answer).await;
        let failure = ear.failure(&join).await;
        assert_eq!(failure["code"], "rejected_by_room", "{word}");
        assert_eq!(failure["message"], word);
        assert_eq!(
            ear.event("room_joined_error").await,
            json!({ "error": word })
        );
        count += 1;
        if is_locked {
            let room = ear
                .state("room", |room| room["connectionStatus"] == "room_locked")
                .await;
            assert_eq!(
                (&room["connectionError"], &room["isLocked"]),
                (&Value::Null, &json!(true))
            );
            continue;
        }
        assert_eq!(failure["remedy"], error.remedy, "{word}");
        let room = ear
            .state("room", |room| room["connectionError"] == word)
            .await;
        assert_eq!(room["connectionStatus"], "disconnected", "{word}");
        let told = ear.event_where("connection_error_changed", |event| {
            event["connectionError"] == word
        });
        told.await;
        let is_refused = |problem: &Value| {
            problem["code"] == "join_refused" && problem["message"].as_str().unwrap().contains(word)
        };
        let problems = ear
            .state("problems", |part| {
                part["problems"].as_array().unwrap().iter().any(is_refused)
            })
            .await;
        let problem = problems["problems"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| is_refused(one));
        assert_eq!(problem.unwrap()["remedy"], error.remedy, "{word}");
    }
    assert_eq!(count, 20);
}

// conformance: status.ready status.connecting status.connected status.room_locked status.knocking [mqtt]
// conformance: status.knock_on_hold status.knock_rejected status.kicked status.leaving status.left [mqtt]
// conformance: status.disconnected status.reconnecting event.connection:status-changed [mqtt]
// conformance: action.joinRoom action.leaveRoom action.knock action.cancelKnock rule.knock [mqtt]
// conformance: field.RoomConnectionState.connectionStatus field.RoomConnectionState.knockResponse [mqtt]
// conformance: field.KnockResponse.message field.KnockResponse.sender event.room:joined [mqtt]
// conformance: field.RoomJoinedEvent.isLocked field.RoomJoinedEvent.selfId [mqtt]
// conformance: notification.signalTrouble notification.signalOk [mqtt]
#[tokio::test]
async fn every_status_on_the_way_into_a_room_and_out_of_it_is_published() {
    let broker = Broker::start().await;
    let mut ear = Ear::beside(&broker).await;
    let mut wall = Wall::start(&broker, by_hand());
    reachable(&mut ear).await;
    ear.forget();

    let early = ear.command("knock", json!({})).await;
    assert_eq!(ear.failure(&early).await["code"], "wrong_state");
    let join = ear.command("join_room", json!({})).await;
    wall.sent("join_room").await;
    ear.state("room", |room| room["connectionStatus"] == "connecting")
        .await;
    assert_eq!(
        ear.event("signal_ok").await["message"],
        "Network connection available"
    );
    wall.says("room_joined", locked());
    assert_eq!(ear.failure(&join).await["message"], "room_locked");

    let knock = ear.command("knock", json!({})).await;
    wall.sent("knock_room").await;
    ear.success(&knock).await;
    ear.state("room", |room| room["connectionStatus"] == "knocking")
        .await;
    let cancel = ear.command("cancel_knock", json!({})).await;
    wall.sent("cancel_room_knock").await;
    ear.success(&cancel).await;
    wall.lets_in(locked()).await;
    let knock = ear.command("knock", json!({})).await;
    ear.success(&knock).await;
    let answers = |resolution: &str, more: Value| {
        let mut handled = json!({ "clientId": "b", "resolution": resolution });
        handled
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        wall.says("knock_handled", handled);
    };
    let response =
        json!({ "message": "soon", "sender": { "displayName": "Anna", "avatarUrl": null } });
    answers("on_hold", json!({ "knockResponse": response }));
    let room = ear
        .state("room", |room| room["connectionStatus"] == "knock_on_hold")
        .await;
    assert_eq!(room["knockResponse"]["message"], "soon");
    assert_eq!(room["knockResponse"]["sender"]["displayName"], "Anna");
    answers(
        "rejected",
        json!({ "knockResponse": { "message": "no", "sender": {} } }),
    );
    let room = ear
        .state("room", |room| room["connectionStatus"] == "knock_rejected")
        .await;
    assert_eq!(room["knockResponse"]["message"], "no");
    assert_eq!(room["changedBy"]["source"], "room");
    assert_eq!(
        ear.told("connection_status_changed", "connectionStatus"),
        [
            "connecting",
            "room_locked",
            "knocking",
            "ready",
            "connecting",
            "room_locked",
            "knocking",
            "knock_on_hold",
            "knock_rejected"
        ]
    );

    ear.forget();
    let join = ear.command("join_room", json!({})).await;
    wall.lets_in(room_joined("visitor")).await;
    let result = ear.success(&join).await;
    assert_eq!(
        result,
        json!({ "participantId": "b", "roomName": "/standup", "roleName": "visitor" })
    );
    assert_eq!(
        ear.event("room_joined").await,
        json!({ "isLocked": false, "selfId": "b" })
    );
    let room = ear
        .state("room", |room| room["connectionStatus"] == "connected")
        .await;
    assert_eq!(room["changedBy"], json!({ "source": "mqtt", "id": join }));
    assert_eq!(room["knockResponse"], Value::Null);
    wall.happens(Input::Socket(SocketEvent::Disconnected {
        will_retry: true,
    }));
    ear.event("signal_trouble").await;
    ear.state("room", |room| room["connectionStatus"] == "disconnected")
        .await;
    wall.happens(Input::Socket(SocketEvent::Connected { again: true }));
    let again = wall.lets_in(room_joined("visitor")).await;
    assert_eq!(again["clientClaim"], "claim-b");
    ear.event_where("connection_status_changed", |event| {
        event["connectionStatus"] == "reconnecting"
    })
    .await;
    let leave = ear.command("leave_room", json!({})).await;
    wall.sent("leave_room").await;
    ear.state("room", |room| room["connectionStatus"] == "leaving")
        .await;
    wall.says("room_left", Value::Null);
    ear.success(&leave).await;
    ear.state("room", |room| room["connectionStatus"] == "left")
        .await;
    let join = ear.command("join_room", json!({})).await;
    wall.lets_in(room_joined("visitor")).await;
    ear.success(&join).await;
    wall.says("client_kicked", json!({ "clientId": "b" }));
    ear.state("room", |room| room["connectionStatus"] == "kicked")
        .await;
    assert_eq!(
        ear.told("connection_status_changed", "connectionStatus"),
        [
            "ready",
            "connecting",
            "connected",
            "disconnected",
            "reconnecting",
            "connecting",
            "connected",
            "leaving",
            "left",
            "ready",
            "connecting",
            "connected",
            "kicked"
        ]
    );
}

// conformance: field.WherebyClientOptions.displayName field.WherebyClientOptions.roomUrl [mqtt]
// conformance: field.WherebyClientOptions.roomKey field.WherebyClientOptions.externalId [mqtt]
// conformance: field.WherebyClientOptions.isDialIn field.WherebyClientOptions.isAudioRecorder [mqtt]
// conformance: field.WherebyClientOptions.initialMuteStates field.InitialMuteStates.camera [mqtt]
// conformance: field.InitialMuteStates.microphone field.WherebyClientOptions.localMediaOptions [mqtt]
// conformance: field.LocalMediaOptions.audio field.LocalMediaOptions.video field.MediaStreamConstraints.audio [mqtt]
#[tokio::test]
async fn a_join_says_to_the_room_what_its_command_said_and_opens_what_it_wants() {
    let broker = Broker::start().await;
    let mut ear = Ear::beside(&broker).await;
    let mut wall = Wall::start(&broker, by_hand());
    reachable(&mut ear).await;
    for (camera, microphone) in [(true, false), (false, true), (true, true)] {
        ear.forget();
        let command = json!({
            "roomUrl": "https://acme.whereby.com/board", "roomKey": "key", "displayName": "Wall", "externalId": "e1",
            "isDialIn": true, "isAudioRecorder": true,
            "initialMuteStates": { "camera": !camera, "microphone": !microphone }
        });
        let id = ear.command("join_room", command).await;
        let join = wall.lets_in(room_joined("visitor")).await;
        for (field, is) in [
            ("roomName", json!("/board")),
            ("roomKey", json!("key")),
            ("displayName", json!("Wall")),
            ("externalId", json!("e1")),
            ("isDialIn", json!(true)),
            ("isAudioRecorder", json!(true)),
            (
                "config",
                json!({ "isAudioEnabled": microphone, "isVideoEnabled": camera }),
            ),
        ] {
            assert_eq!(join[field], is, "{field}");
        }
        ear.success(&id).await;
        let room = ear
            .state("room", |room| room["connectionStatus"] == "connected")
            .await;
        assert_eq!(room["roomUrl"], "https://acme.whereby.com/board");
        let media = ear
            .state("local_media", |media| {
                media["camera"]["proof"]["open"] == camera
                    && media["microphone"]["proof"]["open"] == microphone
            })
            .await;
        assert_eq!(media["camera"]["state"], if camera { "on" } else { "off" });
        assert_eq!(
            media["microphone"]["state"],
            if microphone { "on" } else { "muted" }
        );
        let leave = ear.command("leave_room", json!({})).await;
        wall.says("room_left", Value::Null);
        ear.success(&leave).await;
    }
}

// conformance: field.WherebyClientOptions.assistantKey field.WherebyClientOptions.isAssistant [mqtt]
#[tokio::test]
async fn a_box_with_an_assistant_key_is_a_program_that_tells_nobody_its_name() {
    let broker = Broker::start().await;
    let mut ear = Ear::beside(&broker).await;
    let mut wall = Wall::start(&broker, by_hand());
    reachable(&mut ear).await;
    let id = ear
        .command("join_room", json!({ "assistantKey": "a-key" }))
        .await;
    let join = wall.lets_in(room_joined("assistant")).await;
    assert_eq!(join["assistantKey"], "a-key");
    assert_eq!(ear.success(&id).await["roleName"], "assistant");
    let renamed = ear
        .command("set_display_name", json!({ "displayName": "Robot" }))
        .await;
    ear.success(&renamed).await;
    let views = ear
        .state("client_views", |views| {
            !views["clientViews"][0]["isLocalClient"].is_boolean()
        })
        .await;
    assert_eq!(views["clientViews"][0]["id"], "a", "no tile of its own");
    assert!(!wall.sent_so_far().contains(&"send_client_metadata"));
}
