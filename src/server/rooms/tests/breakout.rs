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
// conformance: field.StartBreakoutSessionOptions.groups field.StartBreakoutSessionOptions.assignments [server]
// conformance: field.UpdateBreakoutSessionOptions.groups field.UpdateBreakoutSessionOptions.assignments [server]
#[test]
fn a_patch_is_merged_and_the_whole_configuration_told_to_all() {
    let (mut test, host, a, _) = started(json!({}));
    let first = test.events(a.socket).pop().unwrap().1;
    assert_eq!(first["groups"], json!({ "a": "Group A", "b": "Group B" }));
    assert_eq!(first["assignments"], json!({ "d-a": "a" }));
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
    test.send(
        host.socket,
        "update_breakout_session",
        json!({ "groups": { "b": "Renamed" } }),
    );
    let third = test.events(host.socket).remove(0).1;
    assert_eq!(third["groups"], json!({ "b": "Renamed" }));
    assert_eq!(third["assignments"], json!({ "d-a": "b" }));
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
// conformance: field.RoomJoinedSuccess.breakoutGroup field.LocalParticipantState.breakoutGroup [server]
// conformance: field.BreakoutState.currentGroup [server]
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
    let own = joined.room.clients.iter().find(|c| c.id == a.id).unwrap();
    assert_eq!(own.breakout_group.as_deref(), Some("a"));
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

// conformance: field.BreakoutSessionSettings.enforceAssignment field.BreakoutState.enforceAssignment [server]
// conformance: field.BreakoutSessionSettings.autoMoveToGroup field.BreakoutState.autoMoveToGroup [server]
// conformance: field.BreakoutSessionSettings.autoMoveToMain field.BreakoutState.autoMoveToMain [server]
// conformance: field.BreakoutSessionSettings.moveToGroupGracePeriod field.BreakoutState.moveToGroupGracePeriod [server]
// conformance: field.BreakoutSessionSettings.moveToMainGracePeriod field.BreakoutState.moveToMainGracePeriod [server]
// conformance: field.BreakoutSessionSettings.breakoutTimerSetting field.BreakoutState.breakoutTimerSetting [server]
// conformance: field.BreakoutSessionSettings.breakoutTimerDuration field.BreakoutState.breakoutTimerDuration [server]
// conformance: field.BreakoutState.isActive field.BreakoutState.groups field.BreakoutState.startedAt [server]
#[test]
fn every_setting_of_a_session_is_told_to_all_and_to_who_comes_later() {
    let all = json!({ "enforceAssignment": true, "autoMoveToGroup": true, "autoMoveToMain": true,
        "moveToGroupGracePeriod": 7.0, "moveToMainGracePeriod": 8.0,
        "breakoutTimerSetting": true, "breakoutTimerDuration": 900.0 });
    let (mut test, _, a, _) = started(all.clone());
    let told = test.events(a.socket).remove(0).1;
    let (_, joined) = test.enter("d-c", json!({}));
    for config in [told, json!(joined.breakout.unwrap())] {
        for (name, value) in all.as_object().unwrap() {
            assert_eq!(config[name], *value, "{name}");
        }
        assert_eq!(config["groups"], json!({ "a": "Group A", "b": "Group B" }));
        assert_eq!(config["startedAt"], "2026-11-23T12:00:00.000Z");
    }
}

// conformance: action.assignAllBreakoutParticipants action.unassignAllBreakoutParticipants [server]
// conformance: action.shuffleBreakoutParticipants [server]
#[test]
fn each_deal_of_a_host_replaces_the_one_before() {
    let (mut test, host, a, _) = started(json!({}));
    for deal in [
        json!({ "d-h": "a", "d-a": "b", "d-b": "a" }),
        json!({ "d-h": "b", "d-a": "a", "d-b": "b" }),
        json!({}),
    ] {
        test.forget_sent();
        let patch = json!({ "assignments": deal });
        test.send(host.socket, "update_breakout_session", patch);
        let told = test.events(a.socket).remove(0).1;
        assert_eq!(told["assignments"], deal);
        assert_eq!(told["groups"].as_object().unwrap().len(), 2);
    }
}

// conformance: action.stopBreakoutTimer [server]
#[test]
fn a_stopped_timer_tells_nothing_any_more() {
    let (mut test, host, a, _) =
        started(json!({ "breakoutTimerSetting": true, "breakoutTimerDuration": 300 }));
    test.advance(100);
    test.forget_sent();
    let stop = json!({ "breakoutTimerSetting": false });
    test.send(host.socket, "update_breakout_session", stop);
    let (name, told) = test.events(a.socket).remove(0);
    assert_eq!(name, "breakout_session_updated");
    assert_eq!(told["breakoutTimerSetting"], false);
    test.advance(1000);
    assert!(test.heard(a.socket).is_empty());
}

// conformance: action.joinBreakoutMainRoom field.RemoteParticipantState.breakoutGroup [server]
#[test]
fn the_way_back_to_the_main_room_is_open_even_where_assignments_bind() {
    let (mut test, host, a, _) = started(json!({ "enforceAssignment": true }));
    test.send(a.socket, "join_breakout_group", json!({ "group": "a" }));
    let (_, joined) = test.enter("d-c", json!({}));
    let record = joined.room.clients.iter().find(|c| c.id == a.id).unwrap();
    assert_eq!(record.breakout_group.as_deref(), Some("a"));
    test.forget_sent();
    test.send(a.socket, "join_breakout_group", json!({ "group": "" }));
    let told = json!({ "clientId": a.id, "group": "" });
    for person in [&host, &a] {
        let events = test.events(person.socket);
        assert_eq!(events, [("breakout_group_joined".into(), told.clone())]);
    }
    assert_eq!(test.record(&a.id).breakout_group, None);
}

// conformance: action.broadcastToGroups action.stopBroadcastToGroups [server]
#[test]
fn a_broadcast_to_the_groups_reaches_who_sits_in_one() {
    let (mut test, host, a, b) = started(json!({}));
    test.send(a.socket, "join_breakout_group", json!({ "group": "a" }));
    test.forget_sent();
    let spotlight = json!({ "clientId": host.id, "streamId": "0" });
    test.send(b.socket, "add_spotlight", spotlight.clone());
    assert!(test.heard(a.socket).is_empty(), "visitors do not broadcast");
    for (request, event) in [
        ("add_spotlight", "spotlight_added"),
        ("remove_spotlight", "spotlight_removed"),
    ] {
        test.send(host.socket, request, spotlight.clone());
        for person in [&host, &a, &b] {
            let (name, told) = test.events(person.socket).remove(0);
            assert_eq!(name, event);
            assert_eq!(told["clientId"], json!(host.id));
        }
    }
}
