//! Coming back after a restart, a sleep, or from a room that changed meanwhile.

use std::time::Duration;

use proptest::prelude::*;
use roomd_protocol::{ClientMessage, client::JoinRoom as JoinMessage};
use roomd_room::{
    Action, CaptureProfile, ConnectionStatus as Status, Input, MediaCommand, SocketEvent,
};
use serde_json::{Value, json};

use super::support::{Wall, room_joined, settings};
use crate::appliance::{
    ApplianceInput, ApplianceOutput, ApplianceSettings, Command, JoinRoom, Memory, ProblemCode,
    ProblemReport,
    state::{CaptureMode, MediaState},
};

/// In the room with microphone, camera and hand up, called "Wall 2"; then the power fails.
fn lost_power() -> Memory {
    let mut wall = Wall::in_room(settings());
    for action in [
        Action::ToggleMicrophone(Some(true)),
        Action::ToggleCamera(Some(true)),
        Action::ToggleRaiseHand(Some(true)),
        Action::SetDisplayName("Wall 2".into()),
    ] {
        wall.command(Command::Room(action));
    }
    wall.memory().unwrap()
}

fn by_hand() -> ApplianceSettings {
    ApplianceSettings {
        auto_join: false,
        ..settings()
    }
}

/// What the last `join_room` said.
fn joined_with(wall: &Wall) -> JoinMessage {
    let mut joins = wall.outputs.iter().filter_map(|output| match output {
        ApplianceOutput::Signalling(roomd_signalling::Command::Send(ClientMessage::JoinRoom(
            join,
        ))) => Some((**join).clone()),
        _ => None,
    });
    joins.next_back().expect("a join_room")
}

fn restarted(wall: &Wall) -> bool {
    wall.outputs.iter().any(|output| {
        matches!(
            output,
            ApplianceOutput::Signalling(roomd_signalling::Command::Restart)
        )
    })
}

fn hand_is_up(wall: &Wall) -> bool {
    wall.appliance
        .room()
        .local_participant
        .sticky_reaction
        .is_some()
}

fn dismiss(wall: &mut Wall) {
    wall.room(Input::Socket(SocketEvent::Disconnected {
        will_retry: false,
    }));
}

#[test]
fn a_power_cut_changes_nothing_of_what_the_room_chose() {
    let mut wall = Wall::started(by_hand(), Some(lost_power()));
    wall.reach_the_room();
    let join = joined_with(&wall);
    assert!(join.config.is_audio_enabled && join.config.is_video_enabled);
    assert_eq!(join.display_name, "Wall 2");
    assert_eq!(join.client_claim, Some("claim-b".into()));
    wall.signal("room_joined", room_joined());
    assert!(hand_is_up(&wall));
    assert!(wall.problems().is_empty());
}

#[test]
fn a_hand_that_was_put_down_or_lowered_by_speaking_stays_down() {
    for action in [
        Action::ToggleRaiseHand(Some(false)),
        Action::ToggleMicrophone(Some(true)),
    ] {
        let mut wall = Wall::in_room(settings());
        wall.command(Command::Room(Action::ToggleRaiseHand(Some(true))));
        wall.command(Command::Room(action));
        let mut again = Wall::started(by_hand(), wall.memory());
        again.reach_the_room();
        again.signal("room_joined", room_joined());
        assert!(!hand_is_up(&again));
    }
}

#[test]
fn what_a_host_muted_is_still_muted_after_a_power_cut() {
    let mut wall = Wall::in_room(settings());
    wall.command(Command::Room(Action::ToggleMicrophone(Some(true))));
    wall.signal(
        "audio_enable_requested",
        json!({ "requestedByClientId": "a", "enable": false }),
    );
    let mut again = Wall::started(by_hand(), wall.memory());
    again.reach_the_room();
    assert!(!joined_with(&again).config.is_audio_enabled);
}

#[test]
fn a_full_room_is_tried_again_as_the_same_participant_and_the_hand_goes_up_at_last() {
    let mut wall = Wall::started(by_hand(), Some(lost_power()));
    for wait in [5, 10] {
        wall.reach_the_room();
        wall.signal("room_joined", json!({ "error": "room_full" }));
        let state = wall.appliance.state().clone();
        assert_eq!(state.room.connection_status, Status::Disconnected);
        assert_eq!(state.room.connection_error.as_deref(), Some("room_full"));
        let problem = &state.problems[0];
        assert_eq!(problem.code, "join_refused");
        assert!(
            problem.message.contains(&format!("again in {wait} s")),
            "{problem:?}"
        );
        assert!(problem.remedy.contains("somebody leaves"), "{problem:?}");
        wall.outputs.clear();
        wall.advance(Duration::from_secs(wait) - Duration::from_millis(1));
        assert!(!wall.opened_socket());
        wall.advance(Duration::from_millis(1));
        assert!(wall.opened_socket());
    }
    wall.reach_the_room();
    assert_eq!(joined_with(&wall).client_claim, Some("claim-b".into()));
    wall.signal("room_joined", room_joined());
    assert!(hand_is_up(&wall) && wall.problems().is_empty());
}

#[test]
fn who_is_told_to_leave_while_it_waits_for_a_full_room_stays_out() {
    let mut wall = Wall::started(settings(), None);
    wall.reach_the_room();
    wall.signal("room_joined", json!({ "error": "room_full" }));
    wall.command(Command::Room(Action::LeaveRoom));
    wall.outputs.clear();
    wall.advance(Duration::from_secs(600));
    assert!(!wall.opened_socket());
}

#[test]
fn a_try_that_fails_as_the_one_before_is_followed_by_the_next() {
    let mut wall = Wall::started(settings(), None);
    wall.reach_the_room();
    wall.signal("room_joined", json!({ "error": "room_full" }));
    for wait in [5, 10, 20] {
        wall.outputs.clear();
        wall.advance(Duration::from_secs(wait));
        assert!(wall.opened_socket(), "after {wait} s");
        // Nothing comes between the try and its end.
        wall.signal("room_joined", json!({ "error": "room_full" }));
    }
}

#[test]
fn a_place_that_was_taken_during_a_lost_connection_is_waited_for_with_the_hand_up() {
    let mut wall = Wall::in_room(settings());
    wall.command(Command::Room(Action::ToggleRaiseHand(Some(true))));
    wall.room(Input::Socket(SocketEvent::Disconnected {
        will_retry: true,
    }));
    wall.room(Input::Socket(SocketEvent::Connected { again: true }));
    wall.signal("device_identified", Value::Null);
    wall.signal("room_joined", json!({ "error": "room_full" }));
    assert_eq!(wall.problems(), ["join_refused"]);
    wall.advance(Duration::from_secs(5));
    wall.reach_the_room();
    wall.signal("room_joined", room_joined());
    assert!(hand_is_up(&wall));
}

#[test]
fn who_returns_to_a_locked_room_that_does_not_know_it_any_more_knocks() {
    // So it is for whoever was kicked while away: its claim is worth nothing.
    let mut wall = Wall::started(by_hand(), Some(lost_power()));
    wall.reach_the_room();
    wall.signal(
        "room_joined",
        json!({ "error": "room_locked", "isLocked": true, "selfId": "c" }),
    );
    assert_eq!(wall.status(), Status::Knocking);
    wall.signal(
        "knock_handled",
        json!({ "clientId": "c", "resolution": "rejected" }),
    );
    assert_eq!(wall.status(), Status::KnockRejected);
    let memory = wall.memory().unwrap();
    assert!(!memory.in_room && memory.client_claim.is_none());
}

#[test]
fn who_is_kicked_on_return_stays_out_and_forgets_the_room_but_not_its_devices() {
    let mut wall = Wall::started(by_hand(), Some(lost_power()));
    wall.reach_the_room();
    wall.signal("client_kicked", json!({ "clientId": "b" }));
    assert_eq!(wall.status(), Status::Kicked);
    let memory = wall.memory().unwrap();
    assert!(!memory.in_room && !memory.hand_raised && memory.client_claim.is_none());
    assert!(memory.microphone && memory.camera);
    let again = Wall::started(by_hand(), Some(memory));
    assert!(!again.opened_socket());
}

#[test]
fn a_meeting_that_ended_while_away_is_told_and_not_tried_again() {
    for (error, remedy) in [
        ("invalid_key", "current link"),
        ("room_unclaimed", "create the room"),
        ("room_meeting_time_exhausted", "owner of the room"),
    ] {
        let mut wall = Wall::started(by_hand(), Some(lost_power()));
        wall.reach_the_room();
        wall.signal("room_joined", json!({ "error": error }));
        let state = wall.appliance.state().clone();
        assert_eq!(state.room.connection_status, Status::Disconnected);
        assert_eq!(state.room.connection_error.as_deref(), Some(error));
        let problem = &state.problems[0];
        assert_eq!(problem.code, "join_refused");
        assert!(problem.message.contains(error), "{problem:?}");
        assert!(problem.remedy.contains(remedy), "{problem:?}");
        assert_eq!(state.local_media.microphone.state, MediaState::Off);
        assert!(!wall.memory().unwrap().in_room);
        wall.outputs.clear();
        for _ in 0..20 {
            wall.advance(Duration::from_secs(60));
        }
        assert!(!wall.opened_socket(), "{error}");
    }
}

#[test]
fn who_is_replaced_by_a_box_with_the_same_identity_comes_back_as_a_new_participant() {
    let mut wall = Wall::in_room(settings());
    wall.command(Command::Room(Action::ToggleRaiseHand(Some(true))));
    wall.outputs.clear();
    dismiss(&mut wall);
    assert_eq!(wall.status(), Status::Ready);
    assert!(wall.media(&MediaCommand::Microphone { enabled: false }));
    assert!(wall.media(&MediaCommand::Camera { enabled: false }));
    assert_eq!(wall.problems(), ["identity_taken"]);
    let memory = wall.memory().unwrap();
    assert!(memory.in_room && memory.client_claim.is_none());
    wall.outputs.clear();
    wall.advance(Duration::from_secs(5));
    assert!(wall.opened_socket());
    wall.reach_the_room();
    assert_eq!(
        joined_with(&wall).client_claim,
        None,
        "the other is left alone"
    );
    wall.signal("room_joined", room_joined());
    assert!(wall.problems().is_empty() && hand_is_up(&wall));

    let mut wall = Wall::in_room(ApplianceSettings {
        rejoin: false,
        ..settings()
    });
    dismiss(&mut wall);
    wall.outputs.clear();
    wall.advance(Duration::from_secs(600));
    assert!(!wall.opened_socket(), "unless that is switched off");
    assert_eq!(wall.problems(), ["identity_taken"]);
}

#[test]
fn a_connection_that_is_closed_after_a_kick_is_no_other_identity() {
    let mut wall = Wall::in_room(settings());
    wall.signal("client_kicked", json!({ "clientId": "b" }));
    dismiss(&mut wall);
    assert!(wall.problems().is_empty());
    wall.outputs.clear();
    wall.advance(Duration::from_secs(600));
    assert!(!wall.opened_socket());
}

#[test]
fn a_configured_room_that_changed_while_the_box_was_off_is_the_one_it_returns_to() {
    let elsewhere = ApplianceSettings {
        room_url: Some("https://acme.whereby.com/other".into()),
        room_key: Some("new".into()),
        ..by_hand()
    };
    let mut wall = Wall::started(elsewhere, Some(lost_power()));
    wall.reach_the_room();
    let join = joined_with(&wall);
    assert_eq!(join.room_name, "/other");
    assert_eq!(join.room_key, Some("new".into()));
    assert_eq!(
        join.client_claim, None,
        "the claim is good for the other one"
    );
}

#[test]
fn a_room_that_a_command_named_is_returned_to_with_its_key_whatever_is_configured() {
    let mut wall = Wall::started(by_hand(), None);
    wall.command(Command::JoinRoom(JoinRoom {
        room_url: Some("https://acme.whereby.com/board?roomKey=k".into()),
        display_name: Some("Board".into()),
        ..JoinRoom::default()
    }));
    wall.reach_the_room();
    wall.signal("room_joined", room_joined());
    let memory = wall.memory().unwrap();
    assert_eq!(
        memory.room_url.as_deref(),
        Some("https://acme.whereby.com/board")
    );
    let mut again = Wall::started(settings(), Some(memory));
    again.reach_the_room();
    let join = joined_with(&again);
    assert_eq!(
        (join.room_name.as_str(), join.display_name.as_str()),
        ("/board", "Board")
    );
    assert_eq!(join.room_key, Some("k".into()));
    assert_eq!(join.client_claim, Some("claim-b".into()));

    again.signal("room_joined", room_joined());
    again.command(Command::Room(Action::LeaveRoom));
    again.signal("room_left", Value::Null);
    let memory = again.memory().unwrap();
    assert!(memory.room_key.is_none() && memory.room_url.is_none() && !memory.in_room);
}

#[test]
fn a_lost_memory_is_a_problem_until_somebody_chooses_anew() {
    let lost = || {
        let message = Some("state.json is damaged".to_owned());
        ApplianceInput::Problem(ProblemReport::Own(ProblemCode::MemoryLost, message))
    };
    let mut wall = Wall::in_room(settings());
    wall.input(lost());
    assert_eq!(wall.problems(), ["memory_lost"]);
    wall.command(Command::SetVolume(10));
    wall.signal(
        "audio_enable_requested",
        json!({ "requestedByClientId": "a", "enable": false }),
    );
    assert_eq!(wall.problems(), ["memory_lost"]);
    wall.command(Command::Room(Action::ToggleMicrophone(Some(true))));
    assert!(wall.problems().is_empty());
}

#[test]
fn after_a_sleep_the_connection_is_made_anew_at_once_and_what_was_waited_for_has_passed() {
    let mut wall = Wall::in_room(settings());
    wall.signal(
        "audio_enable_requested",
        json!({ "requestedByClientId": "a", "enable": true }),
    );
    wall.input(ApplianceInput::Slept(Duration::from_secs(10)));
    assert!(restarted(&wall));
    assert_eq!(wall.appliance.state().requests.len(), 1, "20 s are left");
    wall.input(ApplianceInput::Slept(Duration::from_secs(3600)));
    assert!(wall.appliance.state().requests.is_empty());

    let mut wall = Wall::started(settings(), None);
    wall.reach_the_room();
    wall.signal("room_joined", json!({ "error": "room_full" }));
    wall.outputs.clear();
    wall.input(ApplianceInput::Slept(Duration::from_secs(3600)));
    assert!(wall.opened_socket(), "the pause is over");
}

#[test]
fn a_box_in_no_room_connects_with_nobody_after_a_sleep() {
    let mut wall = Wall::started(by_hand(), None);
    wall.input(ApplianceInput::Slept(Duration::from_secs(3600)));
    assert!(!restarted(&wall) && !wall.opened_socket());
}

proptest! {
    #[test]
    fn whenever_the_power_fails_the_memory_is_what_was_chosen_and_no_more(
        steps in prop::collection::vec((0_u8..12, any::<bool>()), 1..60)
    ) {
        let mut wall = Wall::started(settings(), None);
        wall.reach_the_room();
        wall.signal("room_joined", room_joined());
        let mut chosen = (false, false);
        for (step, flag) in steps {
            let asked = json!({ "requestedByClientId": "a", "enable": false });
            match step {
                0 => {
                    wall.command(Command::Room(Action::ToggleMicrophone(Some(flag))));
                    chosen.0 = flag;
                }
                1 => {
                    wall.command(Command::Room(Action::ToggleCamera(Some(flag))));
                    chosen.1 = flag;
                }
                2 => {
                    wall.signal("audio_enable_requested", asked);
                    chosen.0 = false;
                }
                3 => drop(wall.command(Command::Room(Action::ToggleRaiseHand(Some(flag))))),
                4 => wall.room(Input::Socket(SocketEvent::Disconnected { will_retry: flag })),
                5 => wall.room(Input::Socket(SocketEvent::Connected { again: true })),
                6 => wall.signal("room_joined", room_joined()),
                7 => wall.signal("room_joined", json!({ "error": "room_full" })),
                8 => wall.signal("client_kicked", json!({ "clientId": "b" })),
                9 => {
                    wall.join();
                    wall.reach_the_room();
                }
                10 => wall.input(ApplianceInput::Slept(Duration::from_secs(if flag { 5 } else { 5000 }))),
                _ => wall.advance(Duration::from_secs(if flag { 1 } else { 200 })),
            }
            let memory = wall.memory().unwrap();
            prop_assert_eq!((memory.microphone, memory.camera), chosen);
            match wall.status() {
                Status::Connected => {
                    prop_assert!(memory.in_room);
                    prop_assert_eq!(memory.hand_raised, hand_is_up(&wall));
                    prop_assert_eq!(memory.client_claim, Some("claim-b".into()));
                }
                Status::Kicked => {
                    prop_assert!(!memory.in_room && !memory.hand_raised);
                    prop_assert!(memory.client_claim.is_none() && memory.room_key.is_none());
                }
                _ => {}
            }
        }
    }
}

#[test]
fn the_modes_of_the_camera_are_as_they_were_after_a_restart_in_a_room_or_not() {
    for in_room in [true, false] {
        let mut wall = if in_room {
            Wall::in_room(settings())
        } else {
            Wall::started(by_hand(), None)
        };
        wall.command(Command::Room(Action::ToggleHdMode(Some(false))));
        wall.command(Command::Room(Action::ToggleLowDataMode(Some(true))));
        wall.command(Command::Room(Action::ToggleWidescreenMode(Some(false))));
        let memory = wall.memory().unwrap();
        let wall = Wall::started(by_hand(), Some(memory.clone()));
        let profile = CaptureProfile {
            hd: false,
            low_data: true,
            widescreen: false,
        };
        assert_eq!(wall.appliance.room().capture_profile, profile);
        assert!(wall.media(&MediaCommand::CaptureProfile(profile)));
        let shown = &wall.appliance.state().local_media;
        assert_eq!(
            (shown.mode, shown.widescreen),
            (CaptureMode::LowData, false)
        );
    }
}
