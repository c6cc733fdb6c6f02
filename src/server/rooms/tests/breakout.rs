//! Breakout groups and their timers.

use super::*;

fn started(settings: Value) -> (TestRooms, Person, Person, Person) {
    let mut test = TestRooms::group();
    let (host, a, b) = (test.host("d-h"), test.visitor("d-a"), test.visitor("d-b"));
    test.forget_sent();
    let mut patch = json!({ "groups": { "a": "Group A", "b": "Group B" },
        "assignments": { "d-a": "a" }, "active": true });
    for (name, value) in settings.as_object().unwrap() {
        patch[name] = value.clone();
    }
    test.send(host.socket, "update_breakout_session", patch);
    (test, host, a, b)
}

// conformance: action.startBreakoutSession action.updateBreakoutSession [server]
// conformance: action.assignBreakoutParticipants [server]
#[test]
fn a_patch_is_merged_and_the_whole_configuration_told_to_all() {
    let (mut test, host, a, _) = started(json!({}));
    let first = test.events(a.socket).pop().unwrap().1;
    assert_eq!(first["groups"], json!({ "a": "Group A", "b": "Group B" }));
    assert_eq!(first["initiatedBy"]["active"], true);
    assert!(first["startedAt"].is_string());
    test.forget_sent();
    test.send(
        host.socket,
        "update_breakout_session",
        json!({ "assignments": { "d-a": "b" } }),
    );
    let second = test.events(host.socket).pop().unwrap().1;
    assert_eq!(second["groups"], first["groups"]);
    assert_eq!(second["assignments"], json!({ "d-a": "b" }));
    assert_eq!(second["startedAt"], first["startedAt"]);
}

// conformance: action.stopBreakoutSession field.RoomJoinedSuccess.breakout [server]
#[test]
fn just_stopped_is_said_once_and_who_joins_later_knows_the_session() {
    let (mut test, host, a, _) = started(json!({}));
    test.forget_sent();
    test.send(
        host.socket,
        "update_breakout_session",
        json!({ "active": false }),
    );
    let stopped = test.events(a.socket).pop().unwrap().1;
    assert_eq!(stopped["initiatedBy"]["active"], false);
    assert!(stopped["startedAt"].is_null() && stopped["breakoutEndedAt"].is_string());
    test.send(
        host.socket,
        "update_breakout_session",
        json!({ "active": false }),
    );
    let again = test.events(a.socket).pop().unwrap().1;
    assert!(
        again["initiatedBy"].is_null(),
        "it would mute everybody again"
    );
    let (_, joined) = test.enter("d-c", json!({}));
    assert!(joined.breakout.unwrap().groups.is_some());
}

#[test]
fn only_hosts_of_group_rooms_change_the_session() {
    let (mut test, host, a, _) = started(json!({}));
    test.forget_sent();
    test.send(
        a.socket,
        "update_breakout_session",
        json!({ "active": false }),
    );
    assert!(test.heard(host.socket).is_empty());
    let mut test = TestRooms::open();
    let host = test.host("d-h");
    test.send(
        host.socket,
        "update_breakout_session",
        json!({ "active": true }),
    );
    assert!(test.heard(host.socket).is_empty());
}

// conformance: action.joinBreakoutGroup [server]
// conformance: field.RoomJoinedSuccess.breakoutGroup [server]
#[test]
fn groups_are_joined_told_to_all_and_kept_over_a_reconnect() {
    let (mut test, _, a, b) = started(json!({}));
    test.forget_sent();
    test.send(a.socket, "join_breakout_group", json!({ "group": "a" }));
    test.send(
        b.socket,
        "join_breakout_group",
        json!({ "group": "nowhere" }),
    );
    assert_eq!(test.heard(a.socket), ["breakout_group_joined"]);
    assert_eq!(test.heard(b.socket), ["breakout_group_joined"]);
    test.lose(&a);
    let (_, joined) = test.back(&a);
    assert_eq!(joined.breakout_group.as_deref(), Some("a"));
}

#[test]
fn enforced_assignments_bind_visitors_not_hosts() {
    let (mut test, host, a, _) = started(json!({ "enforceAssignment": true }));
    test.forget_sent();
    for (person, group, may) in [(&a, "b", false), (&a, "a", true), (&host, "b", true)] {
        test.send(
            person.socket,
            "join_breakout_group",
            json!({ "group": group }),
        );
        assert_eq!(!test.heard(host.socket).is_empty(), may, "{group}");
    }
}

#[test]
fn chat_stays_in_its_group_unless_it_is_broadcast() {
    let (mut test, host, a, b) = started(json!({}));
    test.send(a.socket, "join_breakout_group", json!({ "group": "a" }));
    test.forget_sent();
    test.send(
        a.socket,
        "chat_message",
        json!({ "text": "x", "breakoutGroup": "a" }),
    );
    assert_eq!(test.heard(a.socket), ["chat_message"]);
    assert!(test.heard(b.socket).is_empty());
    test.send(b.socket, "chat_message", json!({ "text": "x" }));
    assert!(test.heard(a.socket).is_empty());
    assert_eq!(test.heard(b.socket), ["chat_message"]);
    test.forget_sent();
    test.send(
        host.socket,
        "chat_message",
        json!({ "text": "x", "broadcast": true }),
    );
    for person in [&host, &a, &b] {
        assert_eq!(test.heard(person.socket), ["chat_message"]);
    }
}

// conformance: action.extendBreakoutTimer [server]
#[test]
fn the_timers_tell_in_order_and_once() {
    let (mut test, host, a, _) = started(json!({ "autoMoveToGroup": true,
        "moveToGroupGracePeriod": 5, "autoMoveToMain": true, "moveToMainGracePeriod": 20,
        "breakoutTimerSetting": true, "breakoutTimerDuration": 300 }));
    test.forget_sent();
    test.advance(5);
    assert_eq!(test.heard(a.socket), ["breakout_move_to_group"]);
    test.advance(240);
    assert_eq!(test.heard(a.socket), ["breakout_ending"]);
    test.send(
        host.socket,
        "update_breakout_session",
        json!({ "breakoutTimerDuration": 360 }),
    );
    assert_eq!(
        test.heard(a.socket),
        ["breakout_session_updated", "breakout_timer_extended"]
    );
    test.advance(60);
    assert_eq!(test.heard(a.socket), ["breakout_ending"]);
    test.advance(60);
    assert_eq!(test.heard(a.socket), ["breakout_timer_ended"]);
    test.send(
        host.socket,
        "update_breakout_session",
        json!({ "active": false }),
    );
    test.forget_sent();
    test.advance(20);
    assert_eq!(test.heard(a.socket), ["breakout_move_to_main"]);
    test.advance(1000);
    assert!(test.heard(a.socket).is_empty());
}
