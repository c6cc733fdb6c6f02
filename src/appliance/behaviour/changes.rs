//! Who changed what: a command's doing stays the command's when the room tells it, and what the room refuses is told at once.

use roomd_room::{Action, ConnectionStatus as Status};
use serde_json::{Value, json};

use super::support::{Wall, room_joined, settings};
use crate::appliance::{
    ApplianceSettings, ChangeSource, ChangedBy, Command, InitialMuteStates, JoinRoom, RequestId,
};

fn as_host() -> Wall {
    let mut wall = Wall::in_room(settings());
    let mut joined = room_joined();
    joined["room"]["clients"][1]["role"]["roleName"] = json!("host");
    joined["room"]["mode"] = json!("group");
    wall.signal("room_joined", joined);
    wall.outputs.clear();
    wall
}

fn act(wall: &mut Wall, action: Action) -> RequestId {
    wall.command(Command::Room(action))
}

fn room_changed_by(wall: &Wall) -> ChangedBy {
    wall.appliance.state().room.changed_by.clone().unwrap()
}

#[test]
fn a_lock_of_ones_own_is_changed_by_its_command_and_one_of_another_host_by_the_room() {
    // A server may say who it was, or not.
    for by in [json!({}), json!({ "clientId": "b" })] {
        let mut wall = as_host();
        let command = act(&mut wall, Action::LockRoom(true));
        let mut locked = by;
        locked["isLocked"] = json!(true);
        wall.signal("room_locked", locked);
        assert!(wall.reply(command).unwrap().is_ok());
        let by = room_changed_by(&wall);
        assert_eq!(by.source, ChangeSource::Mqtt);
        assert_eq!(by.id, Some(format!("c{}", command.0)));

        wall.signal("room_locked", json!({ "isLocked": false, "clientId": "a" }));
        let by = room_changed_by(&wall);
        assert_eq!(
            (by.source, by.participant_id),
            (ChangeSource::Room, Some("a".into()))
        );
    }
    // Somebody else was faster: theirs is theirs.
    let mut wall = as_host();
    act(&mut wall, Action::LockRoom(true));
    wall.signal("room_locked", json!({ "isLocked": true, "clientId": "a" }));
    assert_eq!(room_changed_by(&wall).source, ChangeSource::Room);
}

#[test]
fn joining_and_leaving_by_command_are_changed_by_it_to_their_end() {
    let mut wall = Wall::started(
        ApplianceSettings {
            auto_join: false,
            ..settings()
        },
        None,
    );
    let join = wall.join();
    let by_command = |wall: &Wall, id: RequestId| {
        let by = room_changed_by(wall);
        by.source == ChangeSource::Mqtt && by.id == Some(format!("c{}", id.0))
    };
    wall.reach_the_room();
    assert_eq!(wall.status(), Status::Connecting);
    assert!(by_command(&wall, join));
    wall.signal("room_joined", room_joined());
    assert_eq!(wall.status(), Status::Connected);
    assert!(by_command(&wall, join));
    let leave = act(&mut wall, Action::LeaveRoom);
    wall.signal("room_left", Value::Null);
    assert_eq!(wall.status(), Status::Left);
    assert!(by_command(&wall, leave));
}

#[test]
fn a_move_to_a_group_is_changed_by_its_command_and_one_by_the_server_by_the_room() {
    let mut wall = as_host();
    wall.signal(
        "breakout_session_updated",
        json!({ "groups": { "a": "Group A" }, "startedAt": "2026-11-23T10:00:00.000Z" }),
    );
    act(&mut wall, Action::JoinBreakoutGroup("a".into()));
    wall.signal(
        "breakout_group_joined",
        json!({ "clientId": "b", "group": "a" }),
    );
    let by = |wall: &Wall| wall.appliance.state().local_participant.changed_by.clone();
    assert_eq!(by(&wall).unwrap().source, ChangeSource::Mqtt);
    wall.signal(
        "breakout_group_joined",
        json!({ "clientId": "b", "group": "" }),
    );
    assert_eq!(by(&wall).unwrap().source, ChangeSource::Room);
}

#[test]
fn what_a_visitor_may_not_ask_of_the_service_is_refused_at_once_with_a_remedy() {
    for action in [
        Action::StartCloudRecording,
        Action::StopCloudRecording,
        Action::StartLiveTranscription,
        Action::StopLiveTranscription,
        Action::AcceptWaitingParticipant("k".into()),
    ] {
        let mut wall = Wall::in_room(settings());
        let id = act(&mut wall, action.clone());
        let error = wall.reply(id).expect("at once").unwrap_err();
        assert_eq!(format!("{:?}", error.code), "NotPermitted", "{action:?}");
        assert_eq!(
            error.message,
            "needs the role host, this participant is visitor"
        );
        assert!(error.remedy.contains("roomKey"), "{}", error.remedy);
        assert!(wall.sent().is_empty(), "{action:?}");
        assert!(wall.appliance.state().cloud_recording.is_none());
    }
}

// conformance: invariant.6 [client]
#[test]
fn a_join_is_answered_once_by_the_first_answer_of_the_room() {
    let mut wall = Wall::started(
        ApplianceSettings {
            auto_join: false,
            auto_knock: false,
            ..settings()
        },
        None,
    );
    let answers = |wall: &Wall, wanted: RequestId| {
        let replies = wall.outputs.iter().filter(|output| {
            matches!(output, crate::appliance::ApplianceOutput::Reply { id, .. } if *id == wanted)
        });
        replies.count()
    };
    let join = wall.join();
    wall.reach_the_room();
    assert_eq!(answers(&wall, join), 0);
    wall.signal(
        "room_joined",
        json!({ "error": "room_locked", "isLocked": true, "selfId": "b" }),
    );
    let error = wall.reply(join).unwrap().unwrap_err();
    assert_eq!(error.message, "room_locked");
    // Let in later: the join has had its answer.
    act(&mut wall, Action::Knock);
    wall.signal(
        "knock_handled",
        json!({ "clientId": "b", "resolution": "accepted", "metadata": { "roomKey": "k", "roomName": "/standup" } }),
    );
    wall.signal("room_joined", room_joined());
    assert_eq!(wall.status(), Status::Connected);
    assert_eq!(answers(&wall, join), 1);
    // Nor does a repeated answer of the server.
    wall.signal("room_joined", room_joined());
    assert_eq!(answers(&wall, join), 1);
}

// conformance: field.WherebyClientOptions.initialMuteStates [client]
// conformance: field.InitialMuteStates.camera field.InitialMuteStates.microphone [client]
#[test]
fn mute_states_of_a_join_are_what_it_tells_the_room_and_what_is_not_named_stays() {
    for (camera, microphone) in [
        (Some(false), Some(true)),
        (Some(true), None),
        (None, Some(false)),
    ] {
        let mut wall = Wall::started(
            ApplianceSettings {
                auto_join: false,
                ..settings()
            },
            None,
        );
        wall.command(Command::JoinRoom(JoinRoom {
            initial_mute_states: Some(InitialMuteStates { camera, microphone }),
            ..JoinRoom::default()
        }));
        wall.reach_the_room();
        let room = wall.appliance.room();
        // True means muted; a box that was never told otherwise begins muted.
        assert_eq!(room.is_camera_enabled, camera == Some(false));
        assert_eq!(room.is_microphone_enabled, microphone == Some(false));
        let joins = wall.outputs.iter().filter_map(|output| match output {
            crate::appliance::ApplianceOutput::Signalling(roomd_signalling::Command::Send(
                roomd_protocol::ClientMessage::JoinRoom(join),
            )) => Some(join.config),
            _ => None,
        });
        let told: Vec<_> = joins
            .map(|config| (config.is_audio_enabled, config.is_video_enabled))
            .collect();
        assert_eq!(told, [(microphone == Some(false), camera == Some(false))]);
    }
}
