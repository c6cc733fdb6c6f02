//! Joining, leaving, losing the connection, coming back.

use super::*;

// conformance: action.joinRoom transition.T3 field.RoomJoinedSuccess.room field.RoomJoinedSuccess.selfId [server]
#[test]
fn the_second_to_join_sees_the_first_and_the_first_is_told() {
    let mut test = TestRooms::open();
    let (a, joined) = test.enter("d-a", json!({ "displayName": "A" }));
    assert_eq!((joined.room.clients.len(), joined.room.session), (1, None));
    let (b, joined) = test.enter("d-b", json!({ "displayName": "B", "externalId": "x" }));
    let names: Vec<&str> = joined
        .room
        .clients
        .iter()
        .map(|c| &*c.display_name)
        .collect();
    assert_eq!(names, ["A", "B"]);
    let session = joined.room.session.unwrap();
    let events = test.events(a.socket);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].0, "new_client");
    assert_eq!(events[0].1["client"]["id"], json!(b.id));
    assert_eq!(events[0].1["client"]["externalId"], "x");
    assert_eq!(events[0].1["room"]["session"]["id"], json!(session.id));
    assert!(test.heard(b.socket).is_empty());
}

// conformance: action.leaveRoom transition.T12 transition.T13 [server]
#[test]
fn leaving_is_answered_and_ends_the_session_of_who_stays() {
    let mut test = TestRooms::open();
    let (a, b) = (test.visitor("d-a"), test.visitor("d-b"));
    test.forget_sent();
    test.send(b.socket, "leave_room", json!(null));
    assert_eq!(test.heard(b.socket), ["room_left"]);
    assert_eq!(test.heard(a.socket), ["client_left", "room_session_ended"]);
    // Nobody is in a room, and is still answered.
    test.send(b.socket, "leave_room", json!(null));
    assert_eq!(test.heard(b.socket), ["room_left"]);
}

// conformance: transition.T15 transition.T16 [server]
#[test]
fn within_the_grace_period_the_others_notice_nothing() {
    let mut test = TestRooms::open();
    let (a, b) = (test.visitor("d-a"), test.visitor("d-b"));
    test.forget_sent();
    test.lose(&b);
    test.advance(9);
    let (back, joined) = test.back(&b);
    assert_eq!(back.id, b.id);
    assert_eq!(joined.room.clients.len(), 2);
    test.advance(60);
    assert!(test.heard(a.socket).is_empty());
}

#[test]
fn after_the_grace_period_the_client_is_gone_and_comes_back_under_its_id() {
    let mut test = TestRooms::open();
    let (a, b) = (test.visitor("d-a"), test.visitor("d-b"));
    test.forget_sent();
    test.lose(&b);
    test.advance(10);
    assert_eq!(test.heard(a.socket), ["client_left", "room_session_ended"]);
    let (back, _) = test.back(&b);
    assert_eq!(back.id, b.id);
    assert_eq!(test.heard(a.socket), ["new_client"]);
}

#[test]
fn a_page_that_is_closed_goes_at_once() {
    let mut test = TestRooms::open();
    let (a, b) = (test.visitor("d-a"), test.visitor("d-b"));
    test.forget_sent();
    test.close(&b);
    assert_eq!(test.heard(a.socket), ["client_left", "room_session_ended"]);
}

#[test]
fn a_reload_within_the_grace_period_leaves_no_ghost() {
    let mut test = TestRooms::open();
    let (a, b) = (test.visitor("d-a"), test.visitor("d-b"));
    test.forget_sent();
    test.lose(&b);
    let (new, joined) = test.enter("d-b", json!({}));
    assert_ne!(new.id, b.id);
    assert_eq!(joined.room.clients.len(), 2);
    let heard = test.heard(a.socket);
    assert_eq!(heard, ["client_left", "room_session_ended", "new_client"]);
}

#[test]
fn two_live_tabs_of_one_device_are_two_clients() {
    let mut test = TestRooms::open();
    let first = test.visitor("d-a");
    let (second, joined) = test.enter("d-a", json!({}));
    assert_ne!(first.id, second.id);
    assert_eq!(joined.room.clients.len(), 2);
}

// conformance: field.RoomJoinedSuccess.clientClaim field.LocalParticipantState.clientClaim [server]
#[test]
fn a_claim_holds_after_a_restart_with_its_role() {
    let mut test = TestRooms::locked();
    let host = test.host("d-a");
    let mut test = test.restarted();
    let (back, joined) = test.back(&host);
    assert_eq!(back.id, host.id);
    assert_eq!(joined.room.clients[0].role.role_name, RoleName::Host);
}

#[test]
fn a_claim_of_another_device_or_room_or_day_gives_a_new_id() {
    let mut test = TestRooms::open();
    let a = test.visitor("d-a");
    test.send(a.socket, "leave_room", json!(null));
    let (thief, _) = test.enter("d-b", json!({ "clientClaim": a.claim }));
    assert_ne!(thief.id, a.id);
    let other = json!({ "clientClaim": a.claim, "roomName": "/other" });
    assert_ne!(test.enter("d-a", other).0.id, a.id);
    test.advance(24 * 3600 + 1);
    // The meeting is over by then: the name is an unlisted room now.
    assert_ne!(test.back(&a).0.id, a.id);
    let nonsense = json!({ "clientClaim": "x.y.z" });
    assert_ne!(test.enter("d-a", nonsense).0.id, a.id);
}

#[test]
fn a_newer_connection_takes_the_id_from_the_older_one() {
    let mut test = TestRooms::open();
    let (a, b) = (test.visitor("d-a"), test.visitor("d-b"));
    test.forget_sent();
    let (again, _) = test.back(&b);
    assert_eq!(again.id, b.id);
    assert_eq!(test.closed, [(b.socket, Closing::ForGood)]);
    assert!(test.heard(b.socket).is_empty(), "neither kicked nor left");
    // The end of the old connection does not take the new one out.
    test.close(&b);
    assert!(test.heard(a.socket).is_empty());
    assert_eq!(test.rooms.census().clients, 2);
}

// conformance: field.LocalParticipantState.stickyReaction [server]
#[test]
fn a_returning_client_keeps_its_name_and_hand_and_tells_its_new_mute_state() {
    let mut test = TestRooms::open();
    let (a, b) = (test.visitor("d-a"), test.visitor("d-b"));
    let hand = json!({ "reaction": "✋", "timestamp": "t" });
    let payload = json!({ "displayName": "Renamed", "stickyReaction": hand });
    test.send(
        b.socket,
        "send_client_metadata",
        json!({ "type": "UserData", "payload": payload }),
    );
    test.forget_sent();
    test.lose(&b);
    let config = json!({ "isAudioEnabled": false, "isVideoEnabled": true });
    let old_name = json!({ "clientClaim": b.claim, "displayName": "Guest", "config": config });
    let (_, joined) = test.enter("d-b", old_name);
    let own = joined.room.clients.iter().find(|c| c.id == b.id).unwrap();
    assert_eq!(own.display_name, "Renamed");
    assert_eq!(own.sticky_reaction.as_ref().unwrap().reaction, "✋");
    assert_eq!(test.heard(a.socket), ["audio_enabled"]);
}

// conformance: joinError.room_full [server]
#[test]
fn a_full_room_refuses_newcomers_tells_hosts_and_keeps_places_of_the_lost() {
    let mut test = TestRooms::open();
    let host = test.host("d-1");
    let lost = test.visitor("d-2");
    test.visitor("d-3");
    test.visitor("d-4");
    test.lose(&lost);
    test.forget_sent();
    let (_, refused) = test.refused("d-5", json!({ "displayName": "Late" }));
    assert_eq!(refused.error.as_deref(), Some("room_full"));
    let events = test.events(host.socket);
    assert_eq!(events[0].0, "client_unable_to_join");
    assert_eq!(
        events[0].1,
        json!({ "displayName": "Late", "error": "room_full" })
    );
    assert_eq!(test.back(&lost).0.id, lost.id);
}

// conformance: joinError.invalid_key joinError.invalid_room_name joinError.organization_assistant_not_enabled [server]
// conformance: transition.T5 [server]
#[test]
fn what_cannot_join_gets_its_error() {
    let mut test = TestRooms::open();
    for (members, error) in [
        (json!({ "roomKey": "nonsense" }), "invalid_key"),
        (json!({ "roomName": "r" }), "invalid_room_name"),
        (json!({ "roomName": "/" }), "invalid_room_name"),
        (
            json!({ "assistantKey": "k" }),
            "organization_assistant_not_enabled",
        ),
    ] {
        let (_, refused) = test.refused("d-a", members);
        assert_eq!(refused.error.as_deref(), Some(error));
    }
    let host_key = test.key(RoleName::Host);
    let elsewhere = json!({ "roomName": "/elsewhere", "roomKey": host_key });
    let (_, refused) = test.refused("d-a", elsewhere);
    assert_eq!(refused.error.as_deref(), Some("invalid_key"));
    assert_eq!(
        test.rooms.census().rooms,
        0,
        "refusals leave no room behind"
    );
}

#[test]
fn without_genuine_credentials_one_is_identified_and_then_refused() {
    let mut test = TestRooms::open();
    let socket = SocketId(77);
    let outgoing = test.rooms.attach(test.now, socket, PEER);
    test.take_in(outgoing);
    let forged = json!({ "deviceCredentials": { "credentials": { "uuid": "d" }, "hmac": "00" } });
    test.send(socket, "identify_device", forged);
    assert_eq!(test.heard(socket), ["device_identified"]);
    let RoomJoined::Refused(refused) = test.join_with(socket, json!({})) else {
        panic!("let in")
    };
    assert_eq!(refused.error.as_deref(), Some("client_missing_device_id"));
    test.advance(19);
    assert!(test.closed.is_empty());
    test.advance(1);
    assert_eq!(test.closed, [(socket, Closing::ForNow)]);
}

// conformance: joinError.room_unclaimed [server]
#[test]
fn unlisted_rooms_can_be_switched_off_or_have_hosts() {
    let closed = RoomSettings {
        allow_unlisted_rooms: false,
        ..settings()
    };
    let mut test = TestRooms::with(closed, Vec::new());
    let (_, refused) = test.refused("d-a", json!({ "roomName": "/x" }));
    assert_eq!(refused.error.as_deref(), Some("room_unclaimed"));
    let hosts = RoomSettings {
        unlisted_role: RoleName::Host,
        ..settings()
    };
    let mut test = TestRooms::with(hosts, Vec::new());
    let (_, joined) = test.enter("d-a", json!({ "roomName": "/x" }));
    assert_eq!(joined.room.clients[0].role.role_name, RoleName::Host);
}

#[test]
fn joining_twice_answers_twice_and_another_room_is_left_first() {
    let mut test = TestRooms::open();
    let (a, b) = (test.visitor("d-a"), test.visitor("d-b"));
    test.forget_sent();
    let RoomJoined::Success(again) = test.join_with(b.socket, json!({})) else {
        panic!("refused")
    };
    assert_eq!(again.self_id, b.id);
    assert!(test.heard(a.socket).is_empty());
    test.join_with(b.socket, json!({ "roomName": "/other" }));
    assert_eq!(test.heard(a.socket), ["client_left", "room_session_ended"]);
    test.send(a.socket, "enable_audio", json!({ "enabled": false }));
    assert!(test.heard(b.socket).is_empty());
}

#[test]
fn a_device_has_a_limited_number_of_connections() {
    let mut test = TestRooms::open();
    for _ in 0..10 {
        test.socket("d-a");
    }
    assert!(test.closed.is_empty());
    let eleventh = test.socket("d-a");
    assert_eq!(test.closed, [(eleventh, Closing::ForGood)]);
    test.socket("d-b");
    assert_eq!(test.closed.len(), 1);
}

#[test]
fn connections_that_do_not_identify_leave_room_for_those_that_do() {
    let mut test = TestRooms::open();
    for _ in 0..1000 {
        let socket = SocketId(test.next_socket);
        test.next_socket += 1;
        let outgoing = test.rooms.attach(test.now, socket, PEER);
        test.take_in(outgoing);
        if test.next_socket == 500 {
            // From the same address, in the middle of it.
            test.visitor("d-a");
        }
    }
    assert_eq!(test.rooms.census().sockets, 200 + 1);
    assert!(test.closed.iter().all(|(_, how)| *how == Closing::ForNow));
    assert_eq!(test.closed.len(), 800);
    let (_, joined) = test.enter("d-b", json!({}));
    assert_eq!(
        joined.room.clients.len(),
        2,
        "nobody in the room was sent away"
    );
    test.advance(20);
    assert_eq!(test.rooms.census().sockets, 2);
}

#[test]
fn names_are_shortened_not_refused() {
    let mut test = TestRooms::open();
    let (a, _) = test.enter("d-a", json!({ "displayName": "é".repeat(300) }));
    assert_eq!(test.record(&a.id).display_name.chars().count(), 256);
}

#[test]
fn an_unlisted_room_is_forgotten_with_its_last_client() {
    let mut test = TestRooms::with(settings(), Vec::new());
    let (a, _) = test.enter("d-a", json!({ "roomName": "/x" }));
    test.lose(&a);
    assert_eq!(test.rooms.census().rooms, 1);
    test.advance(10);
    assert_eq!(test.rooms.census().rooms, 0);
}

#[test]
fn a_meeting_ends_an_hour_after_its_end_and_everybody_is_sent_out() {
    let mut test = TestRooms::open();
    let a = test.visitor("d-a");
    test.advance(7 * 3600 - 1);
    assert!(test.heard(a.socket).is_empty());
    test.advance(1);
    let events = test.events(a.socket);
    assert_eq!(events[0].0, "client_kicked");
    assert_eq!(events[0].1["reasonId"], "meeting-ended");
    let over = Outgoing::MeetingOver {
        meeting_id: "m".into(),
    };
    assert_eq!(test.stored, [over]);
    assert!(test.rooms.meeting("m").is_none());
    test.advance(5);
    assert_eq!(test.closed, [(a.socket, Closing::ForGood)]);
}
