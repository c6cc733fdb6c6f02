//! Every field that is published of a room, as JSON.

use roomd_media::{Device, DeviceKind};
use roomd_room::{Input, MediaEvent, RemoteTracks};
use serde_json::{Value, json};

use crate::{
    broker::Broker,
    ear::Ear,
    wall::{Wall, client, room_joined, settings},
};

const HAND: &str = "2026-11-23T09:00:00.000Z";

/// The box as host `b` of a room with groups, with Anna (`a`), a recorder, and Kim at the door; Anna is in front.
async fn full_room() -> (Broker, Ear, Wall) {
    let broker = Broker::start().await;
    let mut ear = Ear::beside(&broker).await;
    let mut wall = Wall::start(&broker, settings());
    let mut joined = room_joined("host");
    let room = &mut joined["room"];
    room["clients"][0] = json!({
        "id": "a", "deviceId": "device-a", "displayName": "Anna", "streams": ["0", "screen"], "isAudioEnabled": true,
        "isVideoEnabled": true, "role": { "roleName": "granted_visitor" }, "breakoutGroup": null, "externalId": "ext",
        "isDialIn": true, "isAudioRecorder": true, "stickyReaction": { "reaction": "✋", "timestamp": HAND }
    });
    room["clients"]
        .as_array_mut()
        .unwrap()
        .push(client("rec", "recorder"));
    room["knockers"] = json!([{ "clientId": "k", "displayName": "Kim" }]);
    room["spotlights"] = json!([{ "clientId": "a", "streamId": "0" }]);
    room["session"] = json!({ "id": "m1", "createdAt": "2026-11-23T08:00:00.000Z" });
    wall.lets_in(joined).await;
    ear.state("room", |room| room["connectionStatus"] == "connected")
        .await;
    (broker, ear, wall)
}

fn arrives(wall: &Wall, session: u64, stream: &str, tracks: RemoteTracks) {
    wall.happens(Input::Media(MediaEvent::RemoteStream {
        peer: "a".into(),
        session,
        stream: stream.into(),
        tracks,
    }));
}

/// Anna's camera and screen arrive.
fn media_arrives(wall: &Wall) {
    let camera = RemoteTracks {
        video: true,
        audio: true,
        width: 640,
        height: 360,
        fps: 24,
        receiving: true,
    };
    let screen = RemoteTracks {
        video: true,
        audio: false,
        width: 1920,
        height: 1080,
        fps: 5,
        receiving: true,
    };
    arrives(wall, 1, "camera", camera);
    arrives(wall, 1, "screen", screen);
}

fn first<'a>(state: &'a Value, member: &str, id: &str) -> &'a Value {
    let mut items = state[member].as_array().unwrap().iter();
    items.find(|item| item["id"] == id).unwrap_or(&Value::Null)
}

// conformance: field.RemoteParticipantState.displayName field.RemoteParticipantState.id [mqtt]
// conformance: field.RemoteParticipantState.roleName field.RemoteParticipantState.stream [mqtt]
// conformance: field.RemoteParticipantState.isAudioEnabled field.RemoteParticipantState.isVideoEnabled [mqtt]
// conformance: field.RemoteParticipantState.isLocalParticipant field.RemoteParticipantState.presentationStream [mqtt]
// conformance: field.RemoteParticipantState.externalId field.RemoteParticipantState.stickyReaction [mqtt]
// conformance: field.RemoteParticipantState.isDialIn field.RemoteParticipantState.deviceId [mqtt]
// conformance: field.RemoteParticipantState.breakoutGroup field.RemoteParticipantState.breakoutGroupAssigned [mqtt]
// conformance: field.RemoteParticipantState.isAudioRecorder field.RoomConnectionState.remoteParticipants [mqtt]
// conformance: field.MediaStream.active field.WaitingParticipantState.id field.WaitingParticipantState.displayName [mqtt]
// conformance: field.RoomConnectionState.waitingParticipants field.GridState.numParticipants [mqtt]
// conformance: field.RoomJoinedSuccess.room [mqtt]
#[tokio::test]
async fn the_others_and_who_waits_are_published_with_every_field() {
    let (_broker, mut ear, wall) = full_room().await;
    media_arrives(&wall);
    let others = ear
        .state("remote_participants", |part| {
            part["remoteParticipants"][0]["presentationStream"].is_object()
        })
        .await;
    let anna = json!({
        "id": "a", "deviceId": "device-a", "displayName": "Anna", "roleName": "granted_visitor", "isAudioEnabled": true,
        "isVideoEnabled": true, "isLocalParticipant": false,
        "stream": { "video": true, "audio": true, "width": 640, "height": 360, "fps": 24, "receiving": true },
        "presentationStream": { "video": true, "audio": false, "width": 1920, "height": 1080, "fps": 5, "receiving": true },
        "externalId": "ext", "stickyReaction": { "reaction": "✋", "timestamp": HAND }, "isDialIn": true,
        "isAudioRecorder": true, "breakoutGroup": null, "breakoutGroupAssigned": ""
    });
    assert_eq!(
        others,
        json!({ "remoteParticipants": [anna] }),
        "the recorder is no participant"
    );
    let waiting = ear
        .state("waiting_participants", |part| {
            part["waitingParticipants"][0].is_object()
        })
        .await;
    assert_eq!(
        waiting,
        json!({ "waitingParticipants": [{ "id": "k", "displayName": "Kim" }] })
    );
    let mut room = ear
        .state("room", |room| room["connectionStatus"] == "connected")
        .await;
    room.as_object_mut().unwrap().shift_remove("changedBy");
    assert_eq!(
        room,
        json!({
            "connectionStatus": "connected", "connectionError": null, "roomUrl": "https://acme.whereby.com/standup",
            "roomName": "/standup", "isLocked": false, "roomMode": "group", "numParticipants": 3,
            "session": { "id": "m1", "createdAt": "2026-11-23T08:00:00.000Z" }, "knockResponse": null,
            "reconnectAttempt": 0, "nextRetryAt": null
        })
    );

    let config = json!({
        "groups": { "g": "Group G" }, "assignments": { "device-a": "g" }, "startedAt": "2026-11-23T10:00:00.000Z"
    });
    wall.says("breakout_session_updated", config);
    wall.says(
        "breakout_group_joined",
        json!({ "clientId": "a", "group": "g" }),
    );
    let others = ear
        .state("remote_participants", |part| {
            part["remoteParticipants"][0]["breakoutGroup"] == "g"
        })
        .await;
    assert_eq!(
        others["remoteParticipants"][0]["breakoutGroupAssigned"],
        "g"
    );
    assert_eq!(
        others["remoteParticipants"][0]["stream"],
        Value::Null,
        "not of our group"
    );
}

// conformance: field.LocalParticipantState.displayName field.LocalParticipantState.id [mqtt]
// conformance: field.LocalParticipantState.stream field.LocalParticipantState.isAudioEnabled [client, mqtt]
// conformance: field.LocalParticipantState.isVideoEnabled field.LocalParticipantState.isLocalParticipant [mqtt]
// conformance: field.LocalParticipantState.isScreensharing field.LocalParticipantState.breakoutGroupAssigned [mqtt]
// conformance: field.LocalParticipantState.breakoutGroup field.LocalParticipantState.stickyReaction [mqtt]
// conformance: field.LocalParticipantState.isDialIn field.LocalParticipantState.isAudioRecorder [mqtt]
// conformance: field.LocalParticipantState.roleName field.RoomConnectionState.localParticipant [mqtt]
// conformance: field.RoomConnectionState.isCameraEnabled field.RoomConnectionState.isMicrophoneEnabled [mqtt]
// conformance: field.RoomConnectionState.localScreenshareStatus field.LocalScreenshareStatus.starting [mqtt]
// conformance: field.LocalScreenshareStatus.active field.RoomJoinedSuccess.selfId [mqtt]
#[tokio::test]
async fn oneself_is_published_with_every_field_and_with_the_devices() {
    let (_broker, mut ear, wall) = full_room().await;
    let config = json!({
        "groups": { "g": "Group G" }, "assignments": { "d": "g" }, "startedAt": "2026-11-23T10:00:00.000Z"
    });
    wall.says("breakout_session_updated", config);
    wall.says(
        "breakout_group_joined",
        json!({ "clientId": "b", "group": "g" }),
    );
    for (name, arguments) in [
        ("set_display_name", json!({ "displayName": "Wall 2" })),
        ("toggle_camera", json!({ "enabled": true })),
        ("toggle_microphone", json!({ "enabled": true })),
        ("toggle_raise_hand", json!({ "enabled": true })),
        ("start_screenshare", json!({})),
    ] {
        let id = ear.command(name, arguments).await;
        ear.success(&id).await;
    }
    let mut local = ear
        .state("local_participant", |local| {
            local["isScreenSharing"] == true
        })
        .await;
    let hand = local["stickyReaction"].take();
    assert_eq!(hand["reaction"], "✋");
    assert!(hand["timestamp"].as_str().unwrap().ends_with('Z'), "{hand}");
    assert_eq!(local["changedBy"]["source"], "mqtt");
    local.as_object_mut().unwrap().shift_remove("changedBy");
    assert_eq!(
        local,
        json!({
            "id": "b", "displayName": "Wall 2", "roleName": "host", "isAudioEnabled": true, "isVideoEnabled": true,
            "isLocalParticipant": true, "isScreenSharing": true, "breakoutGroup": "g", "breakoutGroupAssigned": "g",
            "stickyReaction": null, "isDialIn": false, "isAudioRecorder": false
        })
    );
    // What leaves of oneself is what one's own tile has.
    let views = ear
        .state("client_views", |part| {
            first(part, "clientViews", "b")["stream"] == json!({ "video": true, "audio": true })
        })
        .await;
    assert_eq!(first(&views, "clientViews", "b")["isLocalClient"], true);
    assert_eq!(ear.told("camera_state_changed", "enabled"), [true]);
    assert_eq!(ear.told("microphone_state_changed", "enabled"), [true]);
    let shares = ear.told("local_screenshare_status_changed", "status");
    assert_eq!(shares, ["starting", "active"]);
    let media = ear
        .state("local_media", |media| {
            media["camera"]["state"] == "on" && media["microphone"]["state"] == "on"
        })
        .await;
    assert_eq!(media["camera"]["device"], "Front camera");
    assert_eq!(media["microphone"]["device"], "Table microphone");
}

// conformance: field.ClientView.id field.ClientView.clientId field.ClientView.displayName field.ClientView.stream [mqtt]
// conformance: field.ClientView.isLocalClient field.ClientView.isAudioEnabled field.ClientView.isVideoEnabled [mqtt]
// conformance: field.ClientView.isPresentation field.ClientView.hasActivePresentation [mqtt]
// conformance: field.ClientView.breakoutGroup field.ClientView.breakoutGroupAssigned [mqtt]
// conformance: field.ScreenshareState.participantId field.ScreenshareState.id [mqtt]
// conformance: field.ScreenshareState.hasAudioTrack field.ScreenshareState.stream [mqtt]
// conformance: field.ScreenshareState.isLocal field.ScreenshareState.breakoutGroup [mqtt]
// conformance: field.RoomConnectionState.screenshares field.RoomConnectionState.spotlightedParticipants [mqtt]
// conformance: field.GridState.allClientViews field.GridState.spotlightedParticipants [mqtt]
#[tokio::test]
async fn tiles_screens_and_who_is_in_front_are_published_with_every_field() {
    let (_broker, mut ear, wall) = full_room().await;
    media_arrives(&wall);
    let share = ear.command("start_screenshare", json!({})).await;
    ear.success(&share).await;
    let views = ear
        .state("client_views", |part| {
            part["clientViews"].as_array().unwrap().len() == 4
        })
        .await;
    let anna = json!({
        "id": "a", "clientId": "a", "displayName": "Anna", "stream": { "video": true, "audio": true },
        "isAudioEnabled": true, "isVideoEnabled": true, "hasActivePresentation": true, "breakoutGroup": null,
        "breakoutGroupAssigned": ""
    });
    let own_screen = json!({
        "id": "local-screenshare", "clientId": "b", "displayName": "Your screenshare",
        "stream": { "video": true, "audio": true }, "isLocalClient": true, "isAudioEnabled": true, "isVideoEnabled": true,
        "isPresentation": true, "breakoutGroup": ""
    });
    assert_eq!(
        views["clientViews"],
        json!([
            {
                "id": "b", "clientId": "b", "displayName": "Room", "stream": null, "isLocalClient": true,
                "isAudioEnabled": false, "isVideoEnabled": false, "breakoutGroup": null
            },
            own_screen,
            anna,
            {
                "id": "pres-a", "clientId": "a", "displayName": "Screenshare (Anna)",
                "stream": { "video": true, "audio": false }, "isAudioEnabled": true, "isVideoEnabled": true,
                "isPresentation": true, "breakoutGroup": null
            }
        ])
    );
    let shares = ear
        .state("screenshares", |part| {
            part["screenshares"].as_array().unwrap().len() == 2
        })
        .await;
    assert_eq!(
        shares["screenshares"],
        json!([
            {
                "participantId": "local", "id": "own-screen", "hasAudioTrack": true, "isLocal": true,
                "stream": { "video": true, "audio": true }, "breakoutGroup": null
            },
            {
                "participantId": "a", "id": "screen", "hasAudioTrack": false, "isLocal": false,
                "stream": { "video": true, "audio": false }, "breakoutGroup": null
            }
        ])
    );
    let front = ear
        .state("spotlights", |part| {
            part["spotlights"].as_array().unwrap().len() == 2
        })
        .await;
    assert_eq!(
        front["spotlights"],
        json!([anna, own_screen]),
        "in the order in which they came there"
    );
}

// conformance: field.ChatMessage.senderId field.ChatMessage.text field.ChatMessage.timestamp field.ChatMessage.id [mqtt]
// conformance: field.ChatMessage.parentId field.ChatMessage.sig field.ChatMessage.removed field.ChatMessage.file [mqtt]
// conformance: field.RoomConnectionState.chatMessages [mqtt]
#[tokio::test]
async fn the_chat_is_published_with_every_field_of_a_message() {
    let (_broker, mut ear, wall) = full_room().await;
    let file = json!({
        "downloadUrl": "https://files.example/1", "name": "plan.pdf", "size": 1200.0, "type": "application/pdf", "key": "k"
    });
    let mut message = json!({
        "id": "m2", "messageType": "text", "senderId": "a", "text": "see the plan", "timestamp": HAND, "parentId": "m1",
        "sig": "s", "file": file
    });
    wall.says("chat_message", message.clone());
    wall.says(
        "chat_message_removed",
        json!({ "id": "m2", "requestedByClientId": "a" }),
    );
    let chat = ear
        .state("chat", |part| part["chat"][0]["removed"] == true)
        .await;
    let fields = message.as_object_mut().unwrap();
    fields.shift_remove("messageType");
    fields.insert("removed".to_owned(), json!(true));
    assert_eq!(chat, json!({ "chat": [message] }));
}

// conformance: field.BreakoutState.isActive field.BreakoutState.currentGroup field.BreakoutState.groupedParticipants [mqtt]
// conformance: field.BreakoutState.participantsInCurrentGroup field.BreakoutState.isAvailable [mqtt]
// conformance: field.BreakoutState.error field.BreakoutState.groups field.BreakoutState.enforceAssignment [mqtt]
// conformance: field.BreakoutState.autoMoveToGroup field.BreakoutState.moveToGroupGracePeriod [mqtt]
// conformance: field.BreakoutState.autoMoveToMain field.BreakoutState.moveToMainGracePeriod [mqtt]
// conformance: field.BreakoutState.breakoutTimerSetting field.BreakoutState.breakoutTimerDuration [mqtt]
// conformance: field.BreakoutState.startedAt field.BreakoutState.endTime field.BreakoutState.moveToGroupAt [mqtt]
// conformance: field.BreakoutState.moveToMainAt field.BreakoutState.broadcastingParticipants [mqtt]
// conformance: field.RoomConnectionState.breakout field.RoomJoinedSuccess.breakout [mqtt]
#[tokio::test]
async fn breakout_groups_are_published_with_every_field() {
    let (_broker, mut ear, wall) = full_room().await;
    let mut joined = room_joined("host");
    joined["room"]["clients"]
        .as_array_mut()
        .unwrap()
        .push(client("c", "visitor"));
    joined["room"]["clients"][0]["isAudioEnabled"] = json!(true);
    joined["room"]["clients"][1]["breakoutGroup"] = json!("g");
    joined["room"]["clients"][2]["breakoutGroup"] = json!("h");
    joined["room"]["spotlights"] = json!([{ "clientId": "a", "streamId": "0" }]);
    joined["breakout"] = json!({
        "groups": { "g": "Group G", "h": "Group H" }, "assignments": { "device-c": "h" },
        "startedAt": "2026-11-23T10:00:00.000Z", "breakoutStartedAt": "2026-11-23T10:00:00.000Z",
        "breakoutEndedAt": "2026-11-23T11:00:00.000Z", "enforceAssignment": true, "autoMoveToGroup": true,
        "moveToGroupGracePeriod": 15, "autoMoveToMain": true, "moveToMainGracePeriod": 20, "breakoutTimerSetting": true,
        "breakoutTimerDuration": 600
    });
    ear.forget();
    wall.says("room_joined", joined);
    let mut breakout = ear
        .state("breakout", |breakout| breakout["currentGroup"]["id"] == "g")
        .await;
    let ids = |views: &Value| -> Vec<Value> {
        views
            .as_array()
            .unwrap()
            .iter()
            .map(|view| view["id"].clone())
            .collect()
    };
    assert_eq!(ids(&breakout["participantsInCurrentGroup"]), ["b"]);
    assert_eq!(ids(&breakout["broadcastingParticipants"]), ["a"]);
    let groups: Vec<(Value, Vec<Value>)> = breakout["groupedParticipants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (group["group"].clone(), ids(&group["clients"])))
        .collect();
    assert_eq!(
        groups,
        [
            (json!({ "id": "", "name": "" }), vec![json!("a")]),
            (json!({ "id": "g", "name": "Group G" }), vec![json!("b")]),
            (json!({ "id": "h", "name": "Group H" }), vec![json!("c")]),
        ]
    );
    for views in [
        "participantsInCurrentGroup",
        "broadcastingParticipants",
        "groupedParticipants",
    ] {
        breakout.as_object_mut().unwrap().shift_remove(views);
    }
    let start = 1_795_428_000_000_i64; // 2026-11-23T10:00:00Z
    assert_eq!(
        breakout,
        json!({
            "isActive": true, "currentGroup": { "id": "g", "name": "Group G" }, "isAvailable": true, "error": null,
            "groups": { "g": "Group G", "h": "Group H" }, "enforceAssignment": true, "autoMoveToGroup": true,
            "moveToGroupGracePeriod": 15.0, "autoMoveToMain": true, "moveToMainGracePeriod": 20.0,
            "breakoutTimerSetting": true, "breakoutTimerDuration": 600.0, "startedAt": "2026-11-23T10:00:00.000Z",
            "endTime": start + 615_000, "moveToGroupAt": start + 15_000, "moveToMainAt": start + 3_600_000 + 20_000
        })
    );

    // In a room that cannot have groups the state says so, and an event tells it at once.
    let mut joined = room_joined("host");
    joined["room"]["mode"] = json!("normal");
    wall.says("room_joined", joined);
    ear.state("breakout", |breakout| breakout["isAvailable"] == false)
        .await;
    let start = ear
        .command(
            "start_breakout_session",
            json!({ "groups": { "g": "Group G" } }),
        )
        .await;
    assert_eq!(ear.failure(&start).await["code"], "wrong_state");
    let error = "Breakout groups are not available in peer-to-peer rooms";
    ear.state("breakout", |breakout| breakout["error"] == error)
        .await;
    ear.event_where("breakout_config_changed", |event| event["error"] == error)
        .await;
}

// conformance: field.MediaDeviceInfo.deviceId field.MediaDeviceInfo.kind field.MediaDeviceInfo.label [mqtt]
// conformance: field.MediaDeviceInfo.groupId [mqtt]
#[tokio::test]
async fn the_devices_of_the_box_are_published_in_their_groups() {
    let (_broker, mut ear, wall) = full_room().await;
    let device = |kind, name: &str, id: &str, group: &str| Device {
        kind,
        name: name.to_owned(),
        path: id.to_owned(),
        id: id.to_owned(),
        group: group.to_owned(),
        caps: None,
    };
    wall.finds(vec![
        device(
            DeviceKind::Camera,
            "Bar",
            "/dev/v4l/by-id/usb-bar",
            "usb1/1-2",
        ),
        device(DeviceKind::Microphone, "Bar", "hw:1,0", "usb1/1-2"),
        device(DeviceKind::Speaker, "HDMI", "hw:0,3", ""),
    ]);
    let devices = ear
        .state("devices", |part| {
            part["devices"].as_array().unwrap().len() == 3
        })
        .await;
    assert_eq!(
        devices["devices"],
        json!([
            { "deviceId": "/dev/v4l/by-id/usb-bar", "kind": "videoinput", "label": "Bar", "groupId": "usb1/1-2" },
            { "deviceId": "hw:1,0", "kind": "audioinput", "label": "Bar", "groupId": "usb1/1-2" },
            { "deviceId": "hw:0,3", "kind": "audiooutput", "label": "HDMI", "groupId": "" },
        ])
    );
    wall.finds(Vec::new());
    ear.forget();
    ear.state("devices", |part| part["devices"] == json!([]))
        .await;
}
