//! What a join says and brings, and every error that it can end with.

use serde_json::{Value, json};

use super::{
    breakout::session,
    support::{Desk, client, payload, room_joined},
};
use crate::{
    Action, CaptureProfile, Effect, JoinOptions, MediaCommand, MediaEvent, RoomEvent, SocketEvent,
    join_error::JOIN_ERRORS, state::ConnectionStatus as Status,
};

fn joins_with(desk: &mut Desk, options: JoinOptions) {
    let url = "https://acme.whereby.com/standup?roomKey=of-the-link";
    desk.act(Action::JoinRoom(Box::new(JoinOptions {
        room_url: Some(roomd_protocol::RoomUrl::parse(url).unwrap()),
        ..options
    })))
    .unwrap();
    desk.reach_the_room();
}

// conformance: field.WherebyClientOptions.displayName field.WherebyClientOptions.roomUrl [client]
// conformance: field.WherebyClientOptions.assistantKey field.WherebyClientOptions.roomKey [client]
// conformance: field.WherebyClientOptions.externalId field.WherebyClientOptions.isDialIn [client]
// conformance: field.WherebyClientOptions.isAudioRecorder field.WherebyClientOptions.userAgent [client]
#[test]
fn a_join_says_what_its_options_say() {
    let mut desk = Desk::new();
    joins_with(
        &mut desk,
        JoinOptions {
            display_name: "Desk".into(),
            external_id: Some("e1".into()),
            assistant_key: Some("assistant".into()),
            room_key: Some("given".into()),
            is_dial_in: true,
            is_audio_recorder: true,
            ..JoinOptions::default()
        },
    );
    assert_eq!(
        payload(&mut desk, "join_room"),
        json!({
            "avatarUrl": null, "config": { "isAudioEnabled": false, "isVideoEnabled": false },
            "deviceCapabilities": { "canScreenshare": true }, "displayName": "Desk",
            "isCoLocated": false, "isDialIn": true, "isAudioRecorder": true, "isDevicePermissionDenied": false,
            "kickFromOtherRooms": false, "organizationId": "1", "roomKey": "given", "assistantKey": "assistant",
            "roomName": "/standup", "userAgent": "test:1", "externalId": "e1"
        })
    );
    let mut desk = Desk::new();
    joins_with(&mut desk, JoinOptions::default());
    let join = payload(&mut desk, "join_room");
    assert_eq!(join["displayName"], "Guest");
    assert_eq!(join["roomKey"], "of-the-link");
    for name in ["externalId", "assistantKey"] {
        assert_eq!(join.get(name), Some(&Value::Null), "{name}");
    }
}

// conformance: field.LocalMediaOptions.audio field.LocalMediaOptions.video [client]
// conformance: field.WherebyClientOptions.localMediaOptions field.MediaStreamConstraints.audio [client]
#[test]
fn a_join_opens_the_devices_that_are_wanted_and_no_other() {
    for (audio, video) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut desk = Desk::new();
        desk.act(Action::ToggleMicrophone(Some(audio))).unwrap();
        desk.act(Action::ToggleCamera(Some(video))).unwrap();
        assert!(
            desk.effects
                .iter()
                .all(|effect| matches!(effect, Effect::Event(_)))
        );
        joins_with(&mut desk, JoinOptions::default());
        for command in [
            MediaCommand::Microphone { enabled: audio },
            MediaCommand::Camera { enabled: video },
        ] {
            let wanted = Effect::Media(command);
            assert!(desk.effects.contains(&wanted), "{wanted:?}");
        }
        let config = &payload(&mut desk, "join_room")["config"];
        assert_eq!(
            *config,
            json!({ "isAudioEnabled": audio, "isVideoEnabled": video })
        );
    }
}

// conformance: field.MediaStreamConstraints.video [client]
#[test]
fn the_modes_ask_the_camera_for_a_height() {
    for (hd, low_data, height) in [
        (true, false, None),
        (false, false, Some(360)),
        (true, true, Some(360)),
        (false, true, Some(270)),
    ] {
        let mut desk = Desk::in_room();
        desk.act(Action::ToggleHdMode(Some(hd))).unwrap();
        desk.act(Action::ToggleLowDataMode(Some(low_data))).unwrap();
        desk.act(Action::ToggleWidescreenMode(Some(false))).unwrap();
        let asked = CaptureProfile {
            hd,
            low_data,
            widescreen: false,
        };
        assert_eq!(
            desk.media_commands().last(),
            Some(&MediaCommand::CaptureProfile(asked))
        );
        assert_eq!(asked.height(), height);
    }
}

// conformance: field.LocalParticipantState.id field.LocalParticipantState.isLocalParticipant [client]
// conformance: field.LocalParticipantState.displayName field.LocalParticipantState.roleName [client]
// conformance: field.LocalParticipantState.breakoutGroup field.LocalParticipantState.breakoutGroupAssigned [client]
// conformance: field.LocalParticipantState.isAudioEnabled field.LocalParticipantState.isVideoEnabled [client]
// conformance: field.LocalParticipantState.isScreensharing field.LocalParticipantState.isDialIn [client]
// conformance: field.LocalParticipantState.isAudioRecorder field.RoomConnectionState.localParticipant [client]
// conformance: field.RoomJoinedSuccess.selfId field.RoomJoinedSuccess.breakoutGroup field.RoomJoinedSuccess.breakout [client]
#[test]
fn oneself_is_what_the_own_record_says_and_never_what_was_asked_for() {
    let mut desk = Desk::new();
    joins_with(
        &mut desk,
        JoinOptions {
            display_name: " Desk ".into(),
            is_dial_in: true,
            is_audio_recorder: true,
            ..JoinOptions::default()
        },
    );
    let mut joined = room_joined("b", &["a", "b"], "host");
    joined["room"]["clients"][1]["breakoutGroup"] = json!("a");
    joined["room"]["clients"][1]["isVideoEnabled"] = json!(true);
    // The SDK reads the group in the record alone.
    joined["breakoutGroup"] = json!("b");
    joined["breakout"] = session(json!({ "assignments": { "d": "b" } }));
    desk.signal("room_joined", joined);
    assert_eq!(
        json!(desk.room.state().local_participant),
        json!({
            "id": "b", "displayName": "Desk", "roleName": "host", "isAudioEnabled": false, "isVideoEnabled": true,
            "isLocalParticipant": true, "isScreenSharing": false, "breakoutGroup": "a", "breakoutGroupAssigned": "b",
            "stickyReaction": null, "isDialIn": false, "isAudioRecorder": false
        })
    );
    assert!(
        desk.room.state().breakout.is_active,
        "the configuration came with the join"
    );
    desk.act(Action::StartScreenshare { source: None }).unwrap();
    desk.media(MediaEvent::ScreenshareStarted {
        stream: "s".into(),
        has_audio: false,
    });
    assert!(desk.room.state().local_participant.is_screen_sharing);
}

// conformance: field.RoomJoinedSuccess.room field.GridState.numParticipants [client]
#[test]
fn a_join_brings_the_room() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    let mut joined = room_joined("b", &["a", "b"], "host");
    let room = &mut joined["room"];
    room["isLocked"] = json!(true);
    room["mode"] = json!("group");
    room["session"] = json!({ "id": "m1", "createdAt": "2026-11-23T09:00:00.000Z" });
    room["knockers"] = json!([{ "clientId": "k", "displayName": "Kim" }]);
    room["spotlights"] = json!([{ "clientId": "a", "streamId": "0" }]);
    room["iceServers"] = json!({ "iceServers": [{ "urls": "stun:127.0.0.1:3478" }] });
    room["liveTranscriptionId"] = json!("t");
    room["clients"]
        .as_array_mut()
        .unwrap()
        .push(client("rec", "recorder"));
    desk.signal("room_joined", joined);
    let told = desk.effects.iter().any(|effect| {
        matches!(effect, Effect::Media(MediaCommand::IceServers(servers)) if servers.len() == 1)
    });
    assert!(told);
    let state = json!(desk.room.state());
    for (field, is) in [
        ("roomName", json!("/standup")),
        ("isLocked", json!(true)),
        ("roomMode", json!("group")),
        (
            "session",
            json!({ "id": "m1", "createdAt": "2026-11-23T09:00:00.000Z" }),
        ),
        (
            "waitingParticipants",
            json!([{ "id": "k", "displayName": "Kim" }]),
        ),
        ("spotlights", json!([{ "clientId": "a", "streamId": "0" }])),
        ("remoteClientCount", json!(2)),
    ] {
        assert_eq!(state[field], is, "{field}");
    }
    assert_eq!(state["remoteParticipants"].as_array().unwrap().len(), 1);
    assert_eq!(state["liveTranscription"]["status"], "transcribing");
}

// conformance: field.KnockResponse.message field.KnockResponse.sender field.RoomConnectionState.knockResponse [client]
#[test]
fn what_a_host_answers_to_a_knock_is_shown_with_its_author() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    let locked = json!({ "error": "room_locked", "isLocked": true, "selfId": "k" });
    desk.signal("room_joined", locked);
    desk.act(Action::Knock).unwrap();
    let response = json!({ "message": "soon", "sender": { "displayName": "Anna", "avatarUrl": "https://x.example/a" } });
    desk.signal(
        "knock_handled",
        json!({ "clientId": "k", "resolution": "on_hold", "knockResponse": response }),
    );
    assert_eq!(json!(desk.room.state().knock_response), response);
    desk.signal(
        "knock_handled",
        json!({ "clientId": "k", "resolution": "rejected", "knockResponse": { "message": "no", "sender": {} } }),
    );
    let shown = json!(desk.room.state().knock_response);
    assert_eq!(shown["message"], "no");
    assert!(
        shown["sender"]
            .get("displayName")
            .is_none_or(Value::is_null),
        "{shown}"
    );
}

// conformance: joinError.room_empty joinError.room_full joinError.room_join_permission_denied [client]
// conformance: joinError.unique_role_already_in_room joinError.room_concurrency_control_error [client]
// conformance: joinError.room_unclaimed joinError.free_tier_exhausted joinError.room_meeting_time_exhausted [client]
// conformance: joinError.max_viewer_limit_reached joinError.host_presence_controls_error [client]
// conformance: joinError.internal_server_error joinError.invalid_assistant_key [client]
// conformance: joinError.organization_assistant_not_found joinError.organization_assistant_not_enabled [client]
// conformance: joinError.missing_parameters joinError.invalid_parameters joinError.invalid_room_name [client]
// conformance: joinError.invalid_key joinError.invalid_avatar joinError.room_locked transition.T5 [client]
// conformance: event.room:joined:error event.connection:error-changed [client]
#[test]
fn every_error_of_a_join_is_kept_and_told_and_ends_the_attempt() {
    let words = JOIN_ERRORS.iter().map(|error| error.word);
    for word in words.chain(["something_new"]) {
        let mut desk = Desk::new();
        desk.begin_join(None);
        desk.effects.clear();
        let is_locked = word == "room_locked";
        desk.signal(
            "room_joined",
            json!({ "error": word, "isLocked": is_locked, "selfId": "k" }),
        );
        let told = Effect::Event(RoomEvent::RoomJoinedError(word.to_owned()));
        assert!(desk.effects.contains(&told), "{word}");
        let error = desk.room.state().connection_error.as_deref();
        if is_locked {
            assert_eq!((desk.status(), error), (Status::RoomLocked, None));
            assert_eq!(desk.room.state().local_participant.id, "k".into());
            continue;
        }
        assert_eq!((desk.status(), error), (Status::Disconnected, Some(word)));
        let changed = Effect::Event(RoomEvent::ConnectionErrorChanged(Some(word.to_owned())));
        assert!(desk.effects.contains(&changed), "{word}");
        assert!(
            !desk.room.is_active() && desk.effects.contains(&Effect::CloseSocket),
            "{word}"
        );
        desk.effects.clear();
        desk.input(crate::Input::Socket(SocketEvent::Connected { again: true }));
        desk.signal("device_identified", Value::Null);
        assert!(
            desk.sent().is_empty(),
            "{word}: nobody joins again by itself"
        );
        // The next join is a new one.
        desk.begin_join(None);
        assert_eq!(desk.room.state().connection_error, None, "{word}");
    }
}

// conformance: joinError.room_locked [client]
#[test]
fn a_room_that_is_locked_and_says_otherwise_is_not_knocked_at() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    desk.signal(
        "room_joined",
        json!({ "error": "room_locked", "isLocked": false, "selfId": "k" }),
    );
    assert_eq!(desk.status(), Status::Disconnected);
    assert_eq!(
        desk.room.state().connection_error.as_deref(),
        Some("room_locked")
    );
}

// conformance: transition.T1 transition.T13 status.ready [client]
#[test]
fn a_join_begins_ready_wherever_one_was_and_room_left_ends_it() {
    for end in ["client_kicked", "room_left"] {
        let mut desk = Desk::in_room();
        let payload = match end {
            "client_kicked" => json!({ "clientId": "b" }),
            _ => Value::Null,
        };
        desk.signal(end, payload);
        let expected = if end == "room_left" {
            Status::Left
        } else {
            Status::Kicked
        };
        assert_eq!(desk.status(), expected);
        assert!(desk.effects.contains(&Effect::CloseSocket), "{end}");
        desk.effects.clear();
        let url = roomd_protocol::RoomUrl::parse("https://acme.whereby.com/standup").unwrap();
        desk.act(Action::JoinRoom(Box::new(JoinOptions {
            room_url: Some(url),
            ..JoinOptions::default()
        })))
        .unwrap();
        assert_eq!(desk.status(), Status::Ready);
        let told = Effect::Event(RoomEvent::ConnectionStatusChanged(Status::Ready));
        assert!(desk.effects.contains(&told));
        assert!(desk.room.state().remote_participants.is_empty());
    }
}
