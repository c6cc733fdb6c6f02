//! Breakout groups as somebody in them meets them: assigned, moved, sent back, away for a while.

use roomd_protocol::ClientMessage;
use serde_json::{Value, json};

use super::{
    breakout::{in_group_room, moves, session},
    support::{Desk, room_joined},
};
use crate::{Action, Effect, RoomEvent, state::ConnectionStatus};

// conformance: notification.breakoutGroupAssigned [client]
#[test]
fn an_assignment_is_told_while_a_session_goes_on_and_never_twice() {
    let told = |desk: &mut Desk| {
        let told = std::mem::take(&mut desk.effects);
        let told = told.into_iter().filter_map(|effect| match effect {
            Effect::Event(RoomEvent::BreakoutGroupAssigned { group, group_name }) => {
                Some((group, group_name))
            }
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    let mut desk = in_group_room("visitor");
    let to = |group: &str, active: bool| {
        let mut config = session(json!({ "assignments": { "d": group } }));
        if !active {
            config["startedAt"] = Value::Null;
        }
        config
    };
    desk.signal("breakout_session_updated", to("a", false));
    assert_eq!(
        desk.room.state().local_participant.breakout_group_assigned,
        "a"
    );
    desk.signal("breakout_session_updated", to("a", true));
    assert!(told(&mut desk).is_empty(), "made before the start");
    desk.signal("breakout_session_updated", to("b", true));
    assert_eq!(
        told(&mut desk),
        [("b".to_owned(), Some("Group B".to_owned()))]
    );
    desk.signal("breakout_session_updated", to("", true));
    assert!(told(&mut desk).is_empty(), "taken out");
    desk.signal("breakout_session_updated", to("z", true));
    assert_eq!(
        told(&mut desk),
        [("z".to_owned(), None)],
        "a group without a name"
    );
}

#[test]
fn the_end_mutes_everybody_and_sends_them_to_the_main_room_unless_the_server_does() {
    for waits in [false, true] {
        let mut desk = in_group_room("visitor");
        desk.act(Action::ToggleMicrophone(Some(true))).unwrap();
        desk.signal("breakout_session_updated", session(json!({})));
        moves(&mut desk, "b", "a");
        desk.effects.clear();
        let end = json!({
            "startedAt": null, "breakoutEndedAt": "2026-11-23T10:05:00Z",
            "initiatedBy": { "clientId": "a", "active": false }, "autoMoveToMain": waits
        });
        desk.signal("breakout_session_updated", session(end));
        assert!(!desk.room.state().is_microphone_enabled);
        if waits {
            assert_eq!(desk.sent(), ["enable_audio"]);
            desk.signal("breakout_move_to_main", Value::Null);
            assert_eq!(desk.sent(), ["join_breakout_group"]);
        } else {
            assert_eq!(desk.sent(), ["enable_audio", "join_breakout_group"]);
        }
    }
}

#[test]
fn the_server_moves_who_is_assigned() {
    let mut desk = in_group_room("visitor");
    desk.signal("breakout_move_to_group", Value::Null);
    assert!(desk.sent().is_empty(), "nobody assigned us");
    let assigned = json!({ "d": "b" });
    desk.signal(
        "breakout_session_updated",
        session(json!({ "assignments": assigned })),
    );
    desk.effects.clear();
    desk.signal("breakout_move_to_group", Value::Null);
    let sent = desk.take_sent();
    assert!(
        matches!(&sent[..], [ClientMessage::JoinBreakoutGroup(join)] if join.group == "b"),
        "{sent:?}"
    );
}

#[test]
fn who_returns_as_somebody_new_goes_back_to_the_group_and_out_of_one_that_has_ended() {
    let back = |group: Option<&str>, breakout: Value| {
        let mut desk = in_group_room("visitor");
        desk.signal("breakout_session_updated", session(json!({})));
        moves(&mut desk, "b", "a");
        desk.input(crate::Input::Socket(crate::SocketEvent::Disconnected {
            will_retry: true,
        }));
        desk.input(crate::Input::Socket(crate::SocketEvent::Connected {
            again: true,
        }));
        desk.signal("device_identified", Value::Null);
        desk.effects.clear();
        let mut joined = room_joined("b", &["a", "b"], "visitor");
        joined["room"]["clients"][1]["breakoutGroup"] = json!(group);
        joined["breakout"] = breakout;
        desk.signal("room_joined", joined);
        assert_eq!(desk.status(), ConnectionStatus::Connected);
        let sent = desk.take_sent().into_iter();
        let moved = sent.filter_map(|message| match message {
            ClientMessage::JoinBreakoutGroup(join) => Some(join.group),
            _ => None,
        });
        moved.collect::<Vec<_>>()
    };
    let ended = |more: Value| {
        let mut config =
            session(json!({ "startedAt": null, "breakoutEndedAt": "2026-11-23T09:59:50Z" }));
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        config
    };
    assert!(
        back(Some("a"), session(json!({}))).is_empty(),
        "the server kept the seat"
    );
    assert_eq!(back(None, session(json!({}))), ["a"]);
    assert!(
        back(None, session(json!({ "groups": { "b": "B" } }))).is_empty(),
        "no such group any more"
    );
    assert_eq!(back(Some("a"), ended(json!({}))), [""]);
    assert!(
        back(Some("a"), ended(json!({ "autoMoveToMain": true }))).is_empty(),
        "it counts down"
    );
    let over = json!({ "autoMoveToMain": true, "moveToMainGracePeriod": 5 });
    assert_eq!(back(Some("a"), ended(over)), [""]);
}

// conformance: notification.breakoutTimerEnding notification.breakoutTimerEnded [client]
// conformance: notification.breakoutTimerExtended [client]
#[test]
fn the_notifications_of_the_timer_are_told() {
    let mut desk = in_group_room("visitor");
    for (name, event) in [
        ("breakout_ending", RoomEvent::BreakoutTimerEnding),
        ("breakout_timer_ended", RoomEvent::BreakoutTimerEnded),
        ("breakout_timer_extended", RoomEvent::BreakoutTimerExtended),
    ] {
        desk.signal(name, Value::Null);
        assert_eq!(std::mem::take(&mut desk.effects), [Effect::Event(event)]);
    }
}

#[test]
fn a_message_from_a_group_names_it_and_one_for_all_says_so() {
    let mut desk = in_group_room("visitor");
    desk.signal("breakout_session_updated", session(json!({})));
    moves(&mut desk, "b", "a");
    desk.effects.clear();
    let write = |is_broadcast| Action::SendChatMessage {
        text: "hello".into(),
        parent_id: Some("m1".into()),
        is_broadcast,
    };
    desk.act(write(true)).unwrap();
    moves(&mut desk, "b", "");
    desk.act(write(false)).unwrap();
    let sent: Vec<Value> = desk
        .take_sent()
        .iter()
        .filter_map(|message| match message {
            ClientMessage::ChatMessage(message) => Some(json!(message)),
            _ => None,
        })
        .collect();
    assert_eq!(
        sent,
        [
            json!({ "text": "hello", "parentId": "m1", "breakoutGroup": "a", "broadcast": true }),
            json!({ "text": "hello", "parentId": "m1" })
        ]
    );
}
