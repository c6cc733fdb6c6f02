//! One reply for each command, when its outcome is known.

use std::time::Duration;

use roomd_room::{Action, Input, SocketEvent};
use serde_json::json;

use super::support::{Wall, room_joined, settings};
use crate::appliance::{ApplianceSettings, Command, JoinRoom};

fn code(wall: &Wall, id: crate::appliance::RequestId) -> String {
    format!(
        "{:?}",
        wall.reply(id).expect("a reply").expect_err("an error").code
    )
}

#[test]
fn a_join_is_answered_when_the_room_answers() {
    let mut wall = Wall::started(
        ApplianceSettings {
            auto_join: false,
            ..settings()
        },
        None,
    );
    let join = wall.join();
    wall.reach_the_room();
    assert!(wall.reply(join).is_none());
    wall.signal("room_joined", room_joined());
    assert_eq!(wall.reply(join).unwrap().unwrap()["participantId"], "b");
}

#[test]
fn a_join_that_reaches_nobody_times_out_with_the_reason_and_goes_on_trying() {
    let mut wall = Wall::started(
        ApplianceSettings {
            auto_join: false,
            ..settings()
        },
        None,
    );
    let join = wall.join();
    wall.input(crate::appliance::ApplianceInput::Retrying {
        attempt: 1,
        delay: Duration::from_secs(1),
        error: "connection refused".into(),
    });
    wall.advance(Duration::from_secs(31));
    let error = wall.reply(join).unwrap().unwrap_err();
    assert_eq!(format!("{:?}", error.code), "Timeout");
    assert!(
        error.message.contains("connection refused"),
        "{}",
        error.message
    );
    wall.reach_the_room();
    wall.signal("room_joined", room_joined());
    assert_eq!(wall.status(), roomd_room::ConnectionStatus::Connected);
}

#[test]
fn a_wrong_room_url_names_the_field_and_changes_nothing() {
    let mut wall = Wall::in_room(settings());
    for url in ["", "nonsense", "ftp://x/y", "https://acme.whereby.com"] {
        let join = wall.command(Command::JoinRoom(JoinRoom {
            room_url: Some(url.into()),
            ..JoinRoom::default()
        }));
        let error = wall.reply(join).unwrap().unwrap_err();
        assert_eq!(error.field.as_deref(), Some("roomUrl"), "{url}");
    }
    assert_eq!(wall.status(), roomd_room::ConnectionStatus::Connected);
}

#[test]
fn a_second_join_takes_the_place_of_the_first() {
    let mut wall = Wall::started(
        ApplianceSettings {
            auto_join: false,
            ..settings()
        },
        None,
    );
    let first = wall.join();
    let second = wall.join();
    assert_eq!(code(&wall, first), "WrongState");
    wall.reach_the_room();
    wall.signal("room_joined", room_joined());
    assert!(wall.reply(second).unwrap().is_ok());
}

#[test]
fn what_needs_a_room_or_a_role_is_refused_with_a_remedy() {
    let mut outside = Wall::started(
        ApplianceSettings {
            auto_join: false,
            ..settings()
        },
        None,
    );
    let chat = || {
        Command::Room(Action::SendChatMessage {
            text: "x".into(),
            parent_id: None,
            is_broadcast: false,
        })
    };
    let id = outside.command(chat());
    assert_eq!(code(&outside, id), "NotInRoom");
    let mut inside = Wall::in_room(settings());
    let id = inside.command(Command::Room(Action::LockRoom(true)));
    assert_eq!(code(&inside, id), "NotPermitted");
    let id = inside.command(Command::Room(Action::StopBreakoutSession));
    assert_eq!(code(&inside, id), "NotPermitted");
    let id = inside.command(Command::SetVolume(101));
    assert_eq!(
        inside.reply(id).unwrap().unwrap_err().field.as_deref(),
        Some("level")
    );
}

#[test]
fn a_chat_message_is_answered_with_its_id_when_it_comes_back() {
    let mut wall = Wall::in_room(settings());
    let chat = wall.command(Command::Room(Action::SendChatMessage {
        text: "hello".into(),
        parent_id: None,
        is_broadcast: false,
    }));
    assert!(wall.reply(chat).is_none());
    wall.signal(
        "chat_message",
        json!({ "id": "m1", "messageType": "text", "senderId": "b", "text": "hello" }),
    );
    assert_eq!(wall.reply(chat).unwrap().unwrap()["messageId"], "m1");
}

#[test]
fn a_command_under_way_ends_when_the_room_is_lost() {
    let mut wall = Wall::in_room(settings());
    let share = wall.command(Command::Room(Action::StartScreenshare { source: None }));
    wall.room(Input::Socket(SocketEvent::Disconnected {
        will_retry: true,
    }));
    assert_eq!(code(&wall, share), "NotInRoom");
}

#[test]
fn a_command_that_never_comes_true_times_out() {
    let mut wall = Wall::in_room(settings());
    let share = wall.command(Command::Room(Action::StartScreenshare { source: None }));
    wall.advance(Duration::from_secs(11));
    assert_eq!(code(&wall, share), "Timeout");
}

#[test]
fn a_join_behind_a_knock_tells_its_progress_and_ends_with_the_decision_however_long_it_takes() {
    let mut wall = Wall::started(
        ApplianceSettings {
            auto_join: false,
            ..settings()
        },
        None,
    );
    let join = wall.join();
    wall.reach_the_room();
    wall.signal(
        "room_joined",
        json!({ "error": "room_locked", "isLocked": true, "selfId": "b" }),
    );
    assert_eq!(wall.event("progress").unwrap()["id"], "c1");
    for _ in 0..20 {
        wall.advance(Duration::from_secs(29));
    }
    assert!(wall.reply(join).is_none());
    wall.signal(
        "knock_handled",
        json!({ "clientId": "b", "resolution": "accepted", "metadata": { "roomKey": "k", "roomName": "/standup" } }),
    );
    wall.signal("room_joined", room_joined());
    assert!(wall.reply(join).unwrap().is_ok());
}
