//! The state field by field, as its JSON: what a record and what media say of somebody.

use serde_json::{Value, json};

use super::{
    breakout::{in_group_room, session},
    support::{Desk, payload, room_joined},
};
use crate::{
    Action, BreakoutSessionSettings, Effect, MediaCommand, MediaEvent, RemoteTracks, RoomEvent,
};

// conformance: field.RemoteParticipantState.displayName field.RemoteParticipantState.id [client]
// conformance: field.RemoteParticipantState.roleName field.RemoteParticipantState.stream [client]
// conformance: field.RemoteParticipantState.isAudioEnabled field.RemoteParticipantState.isVideoEnabled [client]
// conformance: field.RemoteParticipantState.isLocalParticipant field.RemoteParticipantState.presentationStream [client]
// conformance: field.RemoteParticipantState.externalId field.RemoteParticipantState.stickyReaction [client]
// conformance: field.RemoteParticipantState.isDialIn field.RemoteParticipantState.deviceId [client]
// conformance: field.RemoteParticipantState.breakoutGroup field.RemoteParticipantState.breakoutGroupAssigned [client]
// conformance: field.RemoteParticipantState.isAudioRecorder field.MediaStream.id field.MediaStream.active [client]
// conformance: field.ScreenshareState.participantId field.ScreenshareState.id field.ScreenshareState.stream [client]
// conformance: field.ScreenshareState.hasAudioTrack field.ScreenshareState.breakoutGroup [client]
#[test]
fn a_participant_is_shown_with_everything_that_its_record_and_its_media_say() {
    let hand = json!({ "reaction": "✋", "timestamp": "2026-11-23T09:00:00.000Z" });
    let mut desk = Desk::new();
    desk.begin_join(None);
    let mut joined = room_joined("b", &["a", "b"], "visitor");
    joined["room"]["clients"][0] = json!({
        "id": "a", "deviceId": "device-a", "displayName": "Anna", "streams": ["0", "screen"], "isAudioEnabled": true,
        "isVideoEnabled": true, "role": { "roleName": "granted_visitor" }, "breakoutGroup": "", "externalId": "ext",
        "isDialIn": true, "isAudioRecorder": true, "stickyReaction": hand
    });
    joined["breakout"] = session(json!({ "assignments": { "device-a": "b" } }));
    desk.signal("room_joined", joined);
    let mut expected = json!({
        "id": "a", "deviceId": "device-a", "displayName": "Anna", "roleName": "granted_visitor", "isAudioEnabled": true,
        "isVideoEnabled": true, "isLocalParticipant": false, "stream": null, "presentationStream": null,
        "externalId": "ext", "stickyReaction": hand, "isDialIn": true, "isAudioRecorder": true, "breakoutGroup": null,
        "breakoutGroupAssigned": "b"
    });
    let remote = |desk: &Desk| json!(desk.room.state().remote_participants[0]);
    assert_eq!(remote(&desk), expected);

    // Which of two streams is the camera is said by their ids.
    let arrives = |desk: &mut Desk, stream: &str, tracks: RemoteTracks| {
        desk.media(MediaEvent::RemoteStream {
            peer: "a".into(),
            session: 1,
            stream: stream.into(),
            tracks,
        });
    };
    let screen = RemoteTracks {
        video: true,
        audio: true,
        ..RemoteTracks::default()
    };
    let camera = RemoteTracks {
        video: true,
        audio: false,
        width: 640,
        height: 360,
        fps: 24,
        receiving: true,
    };
    arrives(&mut desk, "screen", screen);
    arrives(&mut desk, "cam", camera);
    expected["stream"] = json!({
        "video": true, "audio": false, "width": 640, "height": 360, "fps": 24, "receiving": true
    });
    expected["presentationStream"] = json!({
        "video": true, "audio": true, "width": 0, "height": 0, "fps": 0, "receiving": false
    });
    assert_eq!(remote(&desk), expected);
    let views = &desk.room.state().client_views;
    assert_eq!(views[1].has_active_presentation, Some(true));

    desk.signal(
        "breakout_group_joined",
        json!({ "clientId": "a", "group": "a" }),
    );
    // Of another group now: its media goes, the share is known of for as long as it is announced.
    expected["breakoutGroup"] = json!("a");
    expected["stream"] = Value::Null;
    expected["presentationStream"] = Value::Null;
    assert_eq!(remote(&desk), expected);
    assert!(desk.room.state().screenshares.is_empty());
    assert_eq!(
        desk.room.state().client_views[1].has_active_presentation,
        Some(false)
    );

    // Together again, in the group: asked for anew, in a session of its own.
    desk.effects.clear();
    desk.signal(
        "breakout_group_joined",
        json!({ "clientId": "b", "group": "a" }),
    );
    assert!(desk.sent().contains(&"ready_to_receive_offer"));
    let offer = json!({ "clientId": "a", "message": { "type": "offer", "sdp": "x", "isInitialOffer": true } });
    desk.signal("sdp_offer", offer);
    let opened = desk
        .media_commands()
        .into_iter()
        .find_map(|command| match command {
            MediaCommand::OpenPeer { session, .. } => Some(session),
            _ => None,
        });
    desk.media(MediaEvent::RemoteStream {
        peer: "a".into(),
        session: opened.unwrap_or(2),
        stream: "screen".into(),
        tracks: RemoteTracks {
            video: true,
            audio: true,
            ..RemoteTracks::default()
        },
    });
    assert_eq!(
        json!(desk.room.state().screenshares),
        json!([{
            "participantId": "a", "id": "screen", "hasAudioTrack": true, "isLocal": false,
            "stream": { "video": true, "audio": true }, "breakoutGroup": "a"
        }])
    );
}

// conformance: field.ChatMessage.senderId field.ChatMessage.text field.ChatMessage.timestamp [client]
// conformance: field.ChatMessage.id field.ChatMessage.parentId field.ChatMessage.sig field.ChatMessage.removed [client]
// conformance: field.ChatMessage.file field.WaitingParticipantState.displayName [client]
#[test]
fn a_message_and_somebody_who_waits_are_shown_as_they_came() {
    let mut desk = Desk::in_room();
    let file = json!({ "downloadUrl": "https://files.example/1", "name": "plan.pdf", "size": 1200.0, "type": "application/pdf", "key": "k" });
    let message = json!({
        "id": "m2", "messageType": "text", "senderId": "a", "text": "see the plan", "timestamp": "2026-11-23T09:00:00.000Z",
        "parentId": "m1", "sig": "s", "file": file, "roomName": "/standup", "userId": "a"
    });
    desk.signal("chat_message", message);
    let mut shown = json!(desk.room.state().chat_messages);
    // What a file may have besides is not told of this one.
    if let Some(shown) = shown[0]["file"].as_object_mut() {
        shown.retain(|_, member| !member.is_null());
    }
    assert_eq!(
        shown,
        json!([{
            "id": "m2", "senderId": "a", "text": "see the plan", "timestamp": "2026-11-23T09:00:00.000Z",
            "parentId": "m1", "sig": "s", "removed": false, "file": file
        }])
    );
    desk.signal(
        "room_knocked",
        json!({ "clientId": "k", "displayName": "Kim" }),
    );
    desk.signal(
        "room_knocked",
        json!({ "clientId": "l", "displayName": null }),
    );
    assert_eq!(
        json!(desk.room.state().waiting_participants),
        json!([{ "id": "k", "displayName": "Kim" }, { "id": "l", "displayName": null }])
    );
}

// conformance: notification.requestAudioEnable notification.requestAudioDisable [client]
// conformance: notification.requestVideoEnable notification.requestVideoDisable [client]
#[test]
fn what_a_host_wants_is_told_with_who_it_was_and_only_off_is_obeyed() {
    for (event, enable) in [
        ("audio_enable_requested", true),
        ("audio_enable_requested", false),
        ("video_enable_requested", true),
        ("video_enable_requested", false),
    ] {
        let is_audio = event.starts_with("audio");
        for from in ["a", "stranger"] {
            let mut desk = Desk::in_room();
            desk.act(Action::ToggleMicrophone(Some(!enable))).unwrap();
            desk.act(Action::ToggleCamera(Some(!enable))).unwrap();
            desk.effects.clear();
            desk.signal(
                event,
                json!({ "requestedByClientId": from, "enable": enable }),
            );
            let told: Vec<_> = desk
                .effects
                .iter()
                .filter_map(|effect| match effect {
                    Effect::Event(RoomEvent::RequestAudio { client, enable }) => {
                        Some((true, client.id.to_string(), *enable))
                    }
                    Effect::Event(RoomEvent::RequestVideo { client, enable }) => {
                        Some((false, client.id.to_string(), *enable))
                    }
                    _ => None,
                })
                .collect();
            let expected: Vec<_> = (from == "a")
                .then(|| (is_audio, "a".to_owned(), enable))
                .into_iter()
                .collect();
            assert_eq!(told, expected, "{event} {enable} from {from}");
            let state = desk.room.state();
            let flag = if is_audio {
                state.is_microphone_enabled
            } else {
                state.is_camera_enabled
            };
            assert!(!flag, "{event} {enable}: off is obeyed, on is not");
        }
    }
}

// conformance: field.BreakoutState.broadcastingParticipants [client]
#[test]
fn who_speaks_to_all_groups_from_the_main_room_is_listed_in_a_group() {
    let mut desk = in_group_room("visitor");
    desk.signal("breakout_session_updated", session(json!({})));
    desk.signal(
        "spotlight_added",
        json!({ "clientId": "a", "streamId": "0" }),
    );
    desk.signal(
        "audio_enabled",
        json!({ "clientId": "a", "isAudioEnabled": true }),
    );
    let listed = |desk: &Desk| {
        let views = &desk.room.state().breakout.broadcasting_participants;
        views.iter().map(|view| view.id.clone()).collect::<Vec<_>>()
    };
    assert!(listed(&desk).is_empty(), "here everybody is heard anyway");
    desk.signal(
        "breakout_group_joined",
        json!({ "clientId": "b", "group": "a" }),
    );
    assert_eq!(listed(&desk), ["a"]);
    desk.signal(
        "audio_enabled",
        json!({ "clientId": "a", "isAudioEnabled": false }),
    );
    assert!(listed(&desk).is_empty(), "muted");
}

// conformance: field.UpdateBreakoutSessionOptions.groups field.UpdateBreakoutSessionOptions.assignments [client]
#[test]
fn an_update_of_groups_names_devices_and_leaves_out_what_was_not_given() {
    let mut desk = in_group_room("host");
    desk.act(Action::UpdateBreakoutSession {
        groups: Some(
            [("x".to_owned(), "Group X".to_owned())]
                .into_iter()
                .collect(),
        ),
        assignments: Some(
            [("a".into(), "x".to_owned()), ("b".into(), String::new())]
                .into_iter()
                .collect(),
        ),
        settings: BreakoutSessionSettings::default(),
    })
    .unwrap();
    assert_eq!(
        payload(&mut desk, "update_breakout_session"),
        json!({ "groups": { "x": "Group X" }, "assignments": { "device-a": "x", "d": "" } })
    );
}

// conformance: field.LocalScreenshareStatus.starting field.LocalScreenshareStatus.active [client]
// conformance: field.RoomConnectionState.localScreenshareStatus [client]
#[test]
fn a_share_is_starting_until_its_capture_runs() {
    let mut desk = Desk::in_room();
    let status = |desk: &Desk| json!(desk.room.state().local_screenshare_status);
    assert_eq!(status(&desk), Value::Null);
    desk.act(Action::StartScreenshare { source: None }).unwrap();
    assert_eq!(status(&desk), "starting");
    desk.media(MediaEvent::ScreenshareStarted {
        stream: "s".into(),
        has_audio: false,
    });
    assert_eq!(status(&desk), "active");
    desk.media(MediaEvent::ScreenshareEnded { error: None });
    assert_eq!(status(&desk), Value::Null);
}
