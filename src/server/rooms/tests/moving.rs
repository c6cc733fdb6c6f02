//! Who is in which breakout group: moves, returns, and what passes between groups.

use super::*;

fn started(settings: Value) -> (TestRooms, Person, Person, Person) {
    let mut test = TestRooms::group();
    let (host, a, b) = (test.host("d-h"), test.visitor("d-a"), test.visitor("d-b"));
    let mut patch = json!({ "groups": { "a": "Group A", "b": "Group B" },
        "assignments": { "d-a": "a", "d-late": "b" }, "active": true });
    for (name, value) in settings.as_object().unwrap() {
        patch[name] = value.clone();
    }
    test.send(host.socket, "update_breakout_session", patch);
    test.forget_sent();
    (test, host, a, b)
}

fn go(test: &mut TestRooms, person: &Person, group: &str) {
    test.send(
        person.socket,
        "join_breakout_group",
        json!({ "group": group }),
    );
}

fn update(test: &mut TestRooms, host: &Person, patch: Value) {
    test.send(host.socket, "update_breakout_session", patch);
}

fn group_of(test: &TestRooms, person: &Person) -> Option<String> {
    test.record(&person.id).breakout_group.clone()
}

#[test]
fn negotiation_passes_within_a_group_and_not_between_groups() {
    let (mut test, host, a, b) = started(json!({}));
    let passes = |test: &mut TestRooms, from: &Person, to: &Person| {
        test.forget_sent();
        for (name, message) in [
            ("ready_to_receive_offer", json!(null)),
            ("sdp_offer", json!({})),
            ("sdp_answer", json!({})),
            ("ice_candidate", json!({})),
            ("ice_endofcandidates", json!(null)),
        ] {
            let payload = json!({ "receiverId": to.id, "message": message });
            test.send(from.socket, name, payload);
        }
        test.heard(to.socket).len()
    };
    // Past the time in which a crossing solicitation would be dropped.
    test.advance(3);
    assert_eq!(passes(&mut test, &a, &b), 5, "both in the main room");
    go(&mut test, &a, "a");
    assert_eq!(passes(&mut test, &a, &b), 0);
    assert_eq!(passes(&mut test, &b, &a), 0);
    go(&mut test, &b, "a");
    assert_eq!(passes(&mut test, &a, &b), 5, "both in the group");
    go(&mut test, &b, "b");
    assert_eq!(passes(&mut test, &a, &b), 0);
    // A host speaks to all groups from the main room by a spotlight, and from a group to none.
    let spotlight = json!({ "clientId": host.id, "streamId": "0" });
    test.send(host.socket, "add_spotlight", spotlight);
    assert_eq!(passes(&mut test, &a, &host), 5);
    assert_eq!(passes(&mut test, &host, &b), 5);
    go(&mut test, &host, "b");
    assert_eq!(passes(&mut test, &a, &host), 0);
}

#[test]
fn a_recorder_hears_all_groups() {
    let mut test = TestRooms::serviced();
    let (host, a) = (test.host("d-h"), test.visitor("d-a"));
    let key = test.key(RoleName::Recorder);
    let (recorder, _) = test.enter("d-r", json!({ "roomKey": key }));
    let start = json!({ "groups": { "a": "A" }, "active": true });
    update(&mut test, &host, start);
    go(&mut test, &a, "a");
    test.forget_sent();
    let ready = json!({ "receiverId": a.id });
    test.send(recorder.socket, "ready_to_receive_offer", ready);
    assert_eq!(test.heard(a.socket), ["ready_to_receive_offer"]);
}

#[test]
fn the_group_that_a_message_names_is_not_believed() {
    let (mut test, host, a, b) = started(json!({}));
    go(&mut test, &a, "a");
    test.forget_sent();
    let forged = json!({ "text": "x", "breakoutGroup": "a" });
    test.send(b.socket, "chat_message", forged);
    assert!(test.heard(a.socket).is_empty());
    let (_, message) = test.events(host.socket).remove(0);
    assert!(message["breakoutGroup"].is_null(), "{message}");
    test.send(a.socket, "chat_message", json!({ "text": "x" }));
    let (_, message) = test.events(a.socket).remove(0);
    assert_eq!(message["breakoutGroup"], "a");
}

#[test]
fn who_comes_after_the_groups_were_called_is_called_too() {
    let settings = json!({ "autoMoveToGroup": true, "moveToGroupGracePeriod": 5 });
    let (mut test, _, a, _) = started(settings);
    test.lose(&a);
    test.advance(5);
    let late = test.visitor("d-late");
    let heard = test.heard(late.socket);
    assert_eq!(heard.last(), Some(&"breakout_move_to_group"), "{heard:?}");
    let unassigned = test.visitor("d-nobody");
    let heard = test.heard(unassigned.socket);
    assert!(!heard.contains(&"breakout_move_to_group"), "{heard:?}");
    let (a, _) = test.back(&a);
    assert_eq!(test.heard(a.socket), ["breakout_move_to_group"]);
    // Who has been told goes where it likes from then on.
    test.lose(&a);
    let (a, _) = test.back(&a);
    assert!(test.heard(a.socket).is_empty());
}

#[test]
fn who_comes_before_the_call_is_called_with_the_others() {
    let settings = json!({ "autoMoveToGroup": true, "moveToGroupGracePeriod": 5 });
    let (mut test, _, _, _) = started(settings);
    let late = test.visitor("d-late");
    let heard = test.heard(late.socket);
    assert!(!heard.contains(&"breakout_move_to_group"), "{heard:?}");
    test.advance(5);
    assert_eq!(test.heard(late.socket), ["breakout_move_to_group"]);
}

#[test]
fn a_client_is_in_its_group_again_after_the_grace_period_too() {
    let (mut test, host, a, _) = started(json!({}));
    go(&mut test, &a, "a");
    test.lose(&a);
    test.advance(60);
    test.forget_sent();
    let (_, joined) = test.back(&a);
    assert_eq!(joined.self_id, a.id);
    assert_eq!(joined.breakout_group.as_deref(), Some("a"));
    let (name, event) = test.events(host.socket).remove(0);
    assert_eq!(name, "new_client");
    assert_eq!(event["client"]["breakoutGroup"], "a");
}

#[test]
fn a_session_that_ended_meanwhile_has_no_group_to_return_to() {
    let (mut test, host, a, _) = started(json!({}));
    go(&mut test, &a, "a");
    test.lose(&a);
    test.advance(60);
    update(&mut test, &host, json!({ "active": false }));
    update(&mut test, &host, json!({ "active": true }));
    let (_, joined) = test.back(&a);
    assert_eq!(joined.breakout_group, None);
}

#[test]
fn a_group_that_is_taken_away_leaves_its_people_in_the_main_room() {
    let (mut test, host, a, b) = started(json!({}));
    go(&mut test, &a, "a");
    go(&mut test, &b, "b");
    test.forget_sent();
    update(&mut test, &host, json!({ "groups": { "a": "Group A" } }));
    assert_eq!(
        test.heard(a.socket),
        ["breakout_session_updated", "breakout_group_joined"]
    );
    assert_eq!(group_of(&test, &b), None);
    assert_eq!(group_of(&test, &a).as_deref(), Some("a"));
}

#[test]
fn who_does_not_come_back_after_the_end_is_taken_back() {
    let settings = json!({ "autoMoveToMain": true, "moveToMainGracePeriod": 20 });
    for (settings, seconds) in [(json!({}), 5), (settings, 25)] {
        let (mut test, host, a, b) = started(settings);
        go(&mut test, &a, "a");
        go(&mut test, &b, "b");
        update(&mut test, &host, json!({ "active": false }));
        go(&mut test, &b, "");
        test.advance(seconds - 1);
        assert_eq!(group_of(&test, &a).as_deref(), Some("a"));
        test.forget_sent();
        test.advance(1);
        assert_eq!(group_of(&test, &a), None);
        let events = test.events(a.socket);
        assert_eq!(events.len(), 1, "b was back already: {events:?}");
        assert_eq!(events[0].1, json!({ "clientId": a.id, "group": "" }));
        go(&mut test, &a, "a");
        assert_eq!(group_of(&test, &a), None, "the session is over");
    }
}

#[test]
fn a_client_that_was_away_is_called_back_on_its_return() {
    let settings = json!({ "autoMoveToMain": true, "moveToMainGracePeriod": 3 });
    let (mut test, host, a, _) = started(settings);
    go(&mut test, &a, "a");
    test.lose(&a);
    update(&mut test, &host, json!({ "active": false }));
    test.advance(4);
    test.forget_sent();
    let (a, joined) = test.back(&a);
    assert_eq!(joined.breakout_group.as_deref(), Some("a"));
    assert_eq!(test.heard(a.socket), ["breakout_move_to_main"]);
}

#[test]
fn nobody_is_held_in_a_group_and_nobody_enters_another() {
    let (mut test, _, a, b) = started(json!({ "enforceAssignment": true }));
    go(&mut test, &a, "b");
    go(&mut test, &b, "a");
    assert_eq!(group_of(&test, &a), None);
    assert_eq!(
        group_of(&test, &b),
        None,
        "who is assigned nowhere enters none"
    );
    go(&mut test, &a, "a");
    assert_eq!(group_of(&test, &a).as_deref(), Some("a"));
    go(&mut test, &a, "");
    assert_eq!(group_of(&test, &a), None);
}

#[test]
fn assignments_replace_each_other_and_bind_from_then_on() {
    let (mut test, host, a, _) = started(json!({ "enforceAssignment": true }));
    update(&mut test, &host, json!({ "assignments": { "d-a": "b" } }));
    go(&mut test, &a, "a");
    assert_eq!(group_of(&test, &a), None);
    go(&mut test, &a, "b");
    assert_eq!(group_of(&test, &a).as_deref(), Some("b"));
}

#[test]
fn a_timer_that_is_switched_off_and_on_tells_again() {
    let settings = json!({ "breakoutTimerSetting": true, "breakoutTimerDuration": 100 });
    let (mut test, host, a, _) = started(settings);
    test.advance(60);
    assert_eq!(test.heard(a.socket), ["breakout_ending"]);
    update(&mut test, &host, json!({ "breakoutTimerSetting": false }));
    test.advance(100);
    assert_eq!(
        test.heard(a.socket),
        ["breakout_session_updated"],
        "no timer runs"
    );
    let on = json!({ "breakoutTimerSetting": true, "breakoutTimerDuration": 300 });
    update(&mut test, &host, on);
    assert_eq!(
        test.heard(a.socket),
        ["breakout_session_updated", "breakout_timer_extended"]
    );
    test.advance(80);
    assert_eq!(test.heard(a.socket), ["breakout_ending"]);
    test.advance(60);
    assert_eq!(test.heard(a.socket), ["breakout_timer_ended"]);
    let config = test.rooms.rooms["/r"].breakout.config_if_used().unwrap();
    assert!(config.started_at.is_some(), "ending is for a host to do");
}
