//! What the box does by itself, and what it never does.

use std::time::Duration;

use roomd_room::{
    Action, ConnectionStatus as Status, Input, MediaCommand, SocketEvent, join_error::JOIN_ERRORS,
};
use serde_json::json;

use super::support::{Wall, room_joined, settings};
use crate::appliance::{
    ApplianceInput, ApplianceOutput, ApplianceSettings, Command, InitialMuteStates, JoinRoom,
    Memory, settings::InitialState,
};

#[test]
fn the_first_join_ever_is_muted_with_the_camera_off() {
    let mut wall = Wall::started(settings(), None);
    assert!(wall.media(&MediaCommand::Microphone { enabled: false }));
    assert!(wall.media(&MediaCommand::Camera { enabled: false }));
    wall.reach_the_room();
    assert_eq!(wall.sent(), ["identify_device", "join_room"]);
}

#[test]
fn a_restart_returns_to_the_room_with_everything_as_it_was_left() {
    let mut wall = Wall::in_room(settings());
    wall.command(Command::Room(Action::ToggleCamera(Some(true))));
    wall.command(Command::Room(Action::ToggleRaiseHand(Some(true))));
    let memory = wall.memory().unwrap();
    assert!(memory.in_room && memory.camera && memory.hand_raised && !memory.microphone);

    let mut again = Wall::started(
        ApplianceSettings {
            auto_join: false,
            ..settings()
        },
        Some(memory),
    );
    assert!(again.media(&MediaCommand::Camera { enabled: true }));
    assert!(again.media(&MediaCommand::Microphone { enabled: false }));
    again.reach_the_room();
    let claim = again.outputs.iter().find_map(|output| match output {
        ApplianceOutput::Signalling(roomd_signalling::Command::Send(
            roomd_protocol::ClientMessage::JoinRoom(join),
        )) => join.client_claim.clone(),
        _ => None,
    });
    assert_eq!(claim, Some("claim-b".into()), "the same id is asked for");
    again.signal("room_joined", room_joined());
    assert!(
        again
            .appliance
            .room()
            .local_participant
            .sticky_reaction
            .is_some(),
        "the hand is up again"
    );
}

#[test]
fn configured_devices_overrule_what_was_chosen_last() {
    let memory = Memory {
        microphone: true,
        camera: true,
        ..Memory::default()
    };
    let off = ApplianceSettings {
        initial_microphone: InitialState::Off,
        initial_camera: InitialState::Last,
        ..settings()
    };
    let wall = Wall::started(off, Some(memory));
    assert!(wall.media(&MediaCommand::Microphone { enabled: false }));
    assert!(wall.media(&MediaCommand::Camera { enabled: true }));
}

#[test]
fn without_auto_join_the_box_waits_and_a_command_joins_the_configured_room() {
    let mut wall = Wall::started(
        ApplianceSettings {
            auto_join: false,
            ..settings()
        },
        None,
    );
    assert!(!wall.opened_socket());
    wall.join();
    assert!(wall.opened_socket());
}

#[test]
fn a_locked_room_is_knocked_at_only_by_policy() {
    let locked = json!({ "error": "room_locked", "isLocked": true, "selfId": "k" });
    let mut wall = Wall::started(settings(), None);
    wall.reach_the_room();
    wall.outputs.clear();
    wall.signal("room_joined", locked.clone());
    assert_eq!(
        (wall.status(), wall.sent()),
        (Status::Knocking, vec!["knock_room"])
    );

    let mut wall = Wall::started(
        ApplianceSettings {
            auto_knock: false,
            ..settings()
        },
        None,
    );
    wall.reach_the_room();
    let join = wall.join();
    wall.reach_the_room();
    wall.signal("room_joined", locked);
    assert_eq!(wall.status(), Status::RoomLocked);
    let error = wall.reply(join).unwrap().unwrap_err();
    assert_eq!(
        (format!("{:?}", error.code).as_str(), error.message.as_str()),
        ("RejectedByRoom", "room_locked")
    );
}

#[test]
fn who_was_kicked_or_turned_away_never_comes_back_by_itself() {
    let mut wall = Wall::in_room(settings());
    wall.signal("client_kicked", json!({ "clientId": "b" }));
    assert!(!wall.memory().unwrap().in_room);
    wall.outputs.clear();
    for _ in 0..20 {
        wall.advance(Duration::from_secs(60));
    }
    assert!(!wall.opened_socket());
    let back = Wall::started(
        ApplianceSettings {
            auto_join: false,
            ..settings()
        },
        Some(Memory::default()),
    );
    assert!(!back.opened_socket());
}

#[test]
fn an_error_that_may_pass_is_tried_again_and_others_are_not() {
    let mut wall = Wall::started(settings(), None);
    wall.reach_the_room();
    wall.signal("room_joined", json!({ "error": "room_full" }));
    assert_eq!(wall.problems(), ["join_refused"]);
    wall.outputs.clear();
    wall.advance(Duration::from_secs(5));
    assert!(wall.opened_socket(), "after five seconds");

    let mut wall = Wall::started(settings(), None);
    wall.reach_the_room();
    wall.signal("room_joined", json!({ "error": "invalid_key" }));
    wall.outputs.clear();
    for _ in 0..20 {
        wall.advance(Duration::from_secs(60));
    }
    assert!(!wall.opened_socket(), "a wrong key stays wrong");
}

#[test]
fn shutting_down_leaves_the_room_and_remembers_to_come_back() {
    let mut wall = Wall::in_room(settings());
    wall.input(ApplianceInput::Shutdown);
    assert!(
        !wall
            .outputs
            .iter()
            .any(|output| matches!(output, ApplianceOutput::Stopped))
    );
    wall.signal("room_left", serde_json::Value::Null);
    assert!(
        wall.outputs
            .iter()
            .any(|output| matches!(output, ApplianceOutput::Stopped))
    );
    assert!(wall.memory().is_none_or(|memory| memory.in_room));
}

#[test]
fn mute_states_of_a_join_are_applied_before_it() {
    let mut wall = Wall::started(
        ApplianceSettings {
            auto_join: false,
            ..settings()
        },
        None,
    );
    wall.command(Command::JoinRoom(JoinRoom {
        initial_mute_states: Some(InitialMuteStates {
            camera: Some(false),
            microphone: Some(true),
        }),
        ..JoinRoom::default()
    }));
    assert!(
        wall.appliance.room().is_camera_enabled && !wall.appliance.room().is_microphone_enabled
    );
}

#[test]
fn an_unreachable_service_is_a_problem_until_it_answers() {
    let mut wall = Wall::started(settings(), None);
    wall.input(ApplianceInput::Retrying {
        attempt: 3,
        delay: Duration::from_secs(2),
        error: "connection refused".into(),
    });
    assert_eq!(wall.problems(), ["room_unreachable"]);
    assert_eq!(wall.appliance.state().room.reconnect_attempt, 3);
    assert_eq!(
        wall.appliance.state().room.next_retry_at.as_deref(),
        Some("2026-11-23T10:00:02.000Z")
    );
    wall.room(Input::Socket(SocketEvent::Connected { again: false }));
    assert!(wall.problems().is_empty());
    assert!(wall.event("problem_cleared").is_some());
}

#[test]
fn only_an_error_that_passes_by_itself_is_tried_again() {
    let passing = [
        "room_full",
        "room_concurrency_control_error",
        "internal_server_error",
        "host_presence_controls_error",
    ];
    for error in JOIN_ERRORS {
        for rejoin in [true, false] {
            let settings = ApplianceSettings {
                auto_knock: false,
                rejoin,
                ..settings()
            };
            let mut wall = Wall::started(settings, None);
            wall.reach_the_room();
            let is_locked = error.word == "room_locked";
            wall.signal(
                "room_joined",
                json!({ "error": error.word, "isLocked": is_locked, "selfId": "b" }),
            );
            assert_eq!(
                wall.problems().contains(&"join_refused".to_owned()),
                !is_locked,
                "{}",
                error.word
            );
            wall.outputs.clear();
            for _ in 0..13 {
                wall.advance(Duration::from_secs(10));
            }
            let tries = rejoin && passing.contains(&error.word);
            assert_eq!(wall.opened_socket(), tries, "{}", error.word);
        }
    }
}
