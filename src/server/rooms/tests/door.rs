//! Lock, knock, kick and end.

use super::*;

/// A knocker at the locked room: its socket and the id it will have.
fn knock(test: &mut TestRooms, device: &str) -> (SocketId, ClientId) {
    let (socket, refused) = test.refused(device, json!({}));
    assert_eq!(refused.error.as_deref(), Some("room_locked"));
    assert_eq!(refused.is_locked, Some(true));
    test.send(
        socket,
        "knock_room",
        json!({ "roomName": "/r", "displayName": "K" }),
    );
    (socket, refused.self_id.unwrap())
}

fn handle(test: &mut TestRooms, host: &Person, action: &str, id: &ClientId) {
    let response = json!({ "message": "hello" });
    let request = json!({ "action": action, "clientId": id, "knockResponse": response });
    test.send(host.socket, "handle_knock", request);
}

// conformance: action.knock action.holdWaitingParticipant action.acceptWaitingParticipant transition.T4 [server]
// conformance: transition.T6 transition.T8 transition.T9 joinError.room_locked [server]
#[test]
fn a_knocker_is_held_let_in_and_comes_back_although_the_room_is_locked() {
    let mut test = TestRooms::locked();
    let host = test.host("d-h");
    let (socket, id) = knock(&mut test, "d-k");
    let events = test.events(host.socket);
    assert_eq!(events[0].0, "room_knocked");
    assert_eq!(events[0].1["clientId"], json!(id));
    assert!(
        test.heard(socket).is_empty(),
        "the knocker would list itself"
    );

    handle(&mut test, &host, "hold", &id);
    let events = test.events(socket);
    assert_eq!(events[0].1["resolution"], "on_hold");
    assert_eq!(events[0].1["knockResponse"]["message"], "hello");
    assert!(
        test.heard(host.socket).is_empty(),
        "held knockers stay in the list"
    );

    handle(&mut test, &host, "accept", &id);
    let events = test.events(socket);
    assert_eq!(events[0].1["resolution"], "accepted");
    assert_eq!(test.heard(host.socket), ["knocker_left"]);
    let key = events[0].1["metadata"]["roomKey"].clone();
    let RoomJoined::Success(joined) = test.join_with(socket, json!({ "roomKey": key })) else {
        panic!("the granted key does not open")
    };
    assert_eq!(joined.self_id, id, "the id of the knock stays");
    let own = joined.room.clients.iter().find(|c| c.id == id).unwrap();
    assert_eq!(own.role.role_name, RoleName::GrantedVisitor);
    assert!(joined.room.knockers.is_empty());

    let person = Person {
        socket,
        id: id.clone(),
        claim: joined.client_claim.unwrap(),
        device: "d-k".into(),
    };
    test.lose(&person);
    test.advance(60);
    assert_eq!(test.back(&person).0.id, id);
    // The key is bound to the device it was given to.
    let (_, refused) = test.refused("d-x", json!({ "roomKey": key }));
    assert_eq!(refused.error.as_deref(), Some("room_locked"));
}

// conformance: action.rejectWaitingParticipant transition.T10 [server]
#[test]
fn a_rejected_knocker_is_told_and_leaves_the_list() {
    let mut test = TestRooms::locked();
    let host = test.host("d-h");
    let (socket, id) = knock(&mut test, "d-k");
    test.forget_sent();
    handle(&mut test, &host, "reject", &id);
    assert_eq!(test.events(socket)[0].1["resolution"], "rejected");
    assert_eq!(test.heard(host.socket), ["knocker_left"]);
    handle(&mut test, &host, "accept", &id);
    assert!(test.heard(socket).is_empty(), "the first decision wins");
}

#[test]
fn only_hosts_hear_knocks_and_decide() {
    let mut test = TestRooms::locked();
    let host = test.host("d-h");
    let granted = test.key(RoleName::GrantedVisitor);
    let (guest, _) = test.enter("d-g", json!({ "roomKey": granted }));
    let (socket, id) = knock(&mut test, "d-k");
    assert!(test.heard(guest.socket).is_empty());
    assert_eq!(test.heard(host.socket), ["new_client", "room_knocked"]);
    handle(&mut test, &guest, "accept", &id);
    assert!(test.heard(socket).is_empty());
}

#[test]
fn a_host_who_comes_later_finds_the_knockers_and_others_do_not() {
    let mut test = TestRooms::locked();
    let (_, id) = knock(&mut test, "d-k");
    let key = test.key(RoleName::Host);
    let (_, joined) = test.enter("d-h", json!({ "roomKey": key }));
    assert_eq!(joined.room.knockers[0].client_id, id);
    let granted = test.key(RoleName::GrantedVisitor);
    let (_, joined) = test.enter("d-g", json!({ "roomKey": granted }));
    assert!(joined.room.knockers.is_empty());
}

// conformance: action.cancelKnock transition.T7 [server]
#[test]
fn a_knock_ends_with_cancel_with_the_socket_and_with_a_new_join() {
    let mut test = TestRooms::locked();
    let host = test.host("d-h");
    for end in ["cancel", "socket", "join"] {
        let (socket, _) = knock(&mut test, "d-k");
        test.send(
            socket,
            "knock_room",
            json!({ "roomName": "/r", "displayName": "K2" }),
        );
        assert_eq!(test.heard(host.socket), ["room_knocked"], "once per knock");
        match end {
            "cancel" => test.send(socket, "cancel_room_knock", json!(null)),
            "join" => {
                test.join_with(socket, json!({}));
            }
            _ => {
                let outgoing = test.rooms.ended(test.now, socket, Ended::Lost);
                test.take_in(outgoing);
            }
        }
        assert_eq!(test.heard(host.socket), ["knocker_left"], "{end}");
    }
}

#[test]
fn a_host_that_was_away_learns_which_knockers_went() {
    let mut test = TestRooms::locked();
    let host = test.host("d-h");
    let (socket, id) = knock(&mut test, "d-k");
    test.lose(&host);
    test.send(socket, "cancel_room_knock", json!(null));
    let (back, joined) = test.back(&host);
    assert!(joined.room.knockers.is_empty());
    let events = test.events(back.socket);
    assert_eq!(events, [("knocker_left".into(), json!({ "clientId": id }))]);
}

#[test]
fn unlocking_lets_the_waiting_in_and_is_stored() {
    let mut test = TestRooms::locked();
    let host = test.host("d-h");
    let (socket, _) = knock(&mut test, "d-k");
    test.forget_sent();
    test.send(host.socket, "set_lock", json!({ "locked": false }));
    assert_eq!(test.heard(host.socket), ["room_locked", "knocker_left"]);
    assert_eq!(test.events(socket)[0].1["resolution"], "accepted");
    assert!(matches!(&test.stored[..], [Outgoing::MeetingChanged(m)] if !m.is_locked));
    test.visitor("d-x");
}

#[test]
fn a_knock_at_an_open_door_is_accepted_at_once() {
    let mut test = TestRooms::open();
    let socket = test.socket("d-k");
    test.send(socket, "knock_room", json!({ "roomName": "/r" }));
    assert_eq!(test.events(socket)[0].1["resolution"], "accepted");
}

// conformance: action.lockRoom [server]
#[test]
fn locking_is_for_hosts_and_told_to_all() {
    let mut test = TestRooms::open();
    let (host, guest) = (test.host("d-h"), test.visitor("d-g"));
    test.forget_sent();
    test.send(guest.socket, "set_lock", json!({ "locked": true }));
    assert!(test.heard(host.socket).is_empty());
    test.send(host.socket, "set_lock", json!({ "locked": true }));
    assert_eq!(test.heard(guest.socket), ["room_locked"]);
    assert_eq!(test.heard(host.socket), ["room_locked"]);
    let (_, refused) = test.refused("d-x", json!({}));
    assert_eq!(refused.error.as_deref(), Some("room_locked"));
}

#[test]
fn knockers_are_limited() {
    let mut test = TestRooms::locked();
    let host = test.host("d-h");
    for n in 0..51 {
        knock(&mut test, &format!("d-{n}"));
    }
    assert_eq!(test.heard(host.socket).len(), 50);
}

// conformance: action.kickParticipant transition.T11 [server]
#[test]
fn the_kicked_alone_hear_of_their_kick_and_lose_claim_and_key() {
    let mut test = TestRooms::locked();
    let (host, other) = (test.host("d-h"), test.host("d-o"));
    let (socket, id) = knock(&mut test, "d-k");
    handle(&mut test, &host, "accept", &id);
    let events = test.events(socket);
    let key = events[0].1["metadata"]["roomKey"].clone();
    let RoomJoined::Success(_) = test.join_with(socket, json!({ "roomKey": key })) else {
        panic!("refused")
    };
    test.forget_sent();
    test.send(
        host.socket,
        "kick_client",
        json!({ "clientId": id, "reasonId": "kick" }),
    );
    assert_eq!(test.heard(socket), ["client_kicked"]);
    assert_eq!(test.heard(host.socket), ["client_left"]);
    assert_eq!(test.heard(other.socket), ["client_left"]);
    let (_, refused) = test.refused("d-k", json!({ "roomKey": key }));
    assert_eq!(refused.error.as_deref(), Some("room_locked"));
    assert_ne!(refused.self_id, Some(id));
    // Knocking again does not keep the old connection, and what it sends then is not heard.
    test.send(socket, "knock_room", json!({ "roomName": "/r" }));
    assert_eq!(test.heard(host.socket), ["room_knocked"]);
    test.advance(5);
    assert_eq!(test.closed, [(socket, Closing::ForGood)]);
    assert_eq!(test.heard(host.socket), ["knocker_left"]);
    test.send(socket, "knock_room", json!({ "roomName": "/r" }));
    assert!(test.heard(host.socket).is_empty());
}

#[test]
fn who_was_kicked_while_away_hears_of_it_on_return_and_may_come_as_somebody_new() {
    for (is_listed, is_locked) in [(true, false), (true, true), (false, false)] {
        let hosts = RoomSettings {
            unlisted_role: RoleName::Host,
            ..settings()
        };
        let meetings = is_listed.then(|| meeting(is_locked, RoomMode::Normal));
        let mut test = TestRooms::with(hosts, meetings.into_iter().collect());
        let key = is_listed.then(|| test.key(RoleName::Host));
        let (host, _) = test.enter("d-h", json!({ "roomKey": key }));
        let (guest, _) = test.enter("d-g", json!({ "roomKey": key }));
        test.lose(&guest);
        test.forget_sent();
        let kick = json!({ "clientId": guest.id, "reasonId": "kick" });
        test.send(host.socket, "kick_client", kick);
        // The room may be empty before they return.
        test.send(host.socket, "leave_room", json!(null));
        test.forget_sent();

        let socket = test.socket("d-g");
        let shown = json!({ "roomName": "/r", "clientClaim": guest.claim, "roomKey": key });
        test.send(socket, "join_room", shown);
        let told = json!({ "clientId": guest.id, "reasonId": "kick" });
        assert_eq!(test.events(socket), [("client_kicked".into(), told)]);
        assert!(test.heard(host.socket).is_empty());
        assert_eq!(test.rooms.census().clients, 0);
        test.advance(5);
        assert_eq!(test.closed, [(socket, Closing::ForGood)]);

        // A person who joins again has no claim.
        let (again, _) = test.enter("d-g", json!({ "roomKey": key }));
        assert_ne!(again.id, guest.id);
    }
}

#[test]
fn a_room_that_remembers_who_was_kicked_keeps_nothing_else_and_not_for_ever() {
    let hosts = RoomSettings {
        unlisted_role: RoleName::Host,
        ..settings()
    };
    let mut test = TestRooms::with(hosts, Vec::new());
    let (host, guest) = (test.visitor("d-h"), test.visitor("d-g"));
    test.send(host.socket, "chat_message", json!({ "text": "secret" }));
    test.send(host.socket, "set_lock", json!({ "locked": true }));
    test.send(host.socket, "kick_client", json!({ "clientId": guest.id }));
    test.send(host.socket, "leave_room", json!(null));
    assert_eq!(test.rooms.census().rooms, 1);
    assert!(test.rooms.rooms["/r"].chat.is_empty());
    // Nobody could open it.
    let new = test.visitor("d-n");
    test.send(new.socket, "leave_room", json!(null));
    test.advance(300);
    assert_eq!(test.rooms.census().rooms, 0);
}

#[test]
fn who_was_away_when_a_meeting_ended_hears_of_it_on_return() {
    let mut test = TestRooms::open();
    let guest = test.visitor("d-g");
    test.lose(&guest);
    let outgoing = test.rooms.remove_meeting(test.now, "m").unwrap();
    test.take_in(outgoing);
    let socket = test.socket("d-g");
    let shown = json!({ "roomName": "/r", "clientClaim": guest.claim });
    test.send(socket, "join_room", shown);
    let told = json!({ "clientId": guest.id, "reasonId": "meeting-ended" });
    assert_eq!(test.events(socket), [("client_kicked".into(), told)]);
    assert_eq!(test.rooms.census().rooms, 0);
}

// conformance: action.endMeeting rule.endMeeting [server]
#[test]
fn ending_the_meeting_sends_everybody_out_and_the_host_leaves() {
    let mut test = TestRooms::open();
    let (host, a, b) = (test.host("d-h"), test.visitor("d-a"), test.visitor("d-b"));
    test.forget_sent();
    let ids = json!([a.id, b.id, "nobody", host.id]);
    test.send(
        host.socket,
        "kick_client",
        json!({ "clientIds": ids, "reasonId": "end-meeting" }),
    );
    test.send(host.socket, "leave_room", json!(null));
    assert_eq!(test.events(a.socket)[0].1["reasonId"], "end-meeting");
    // Told of the first who went, then kicked; nothing after that.
    assert_eq!(test.heard(b.socket), ["client_left", "client_kicked"]);
    let heard = test.heard(host.socket);
    assert_eq!(
        heard,
        [
            "client_left",
            "client_left",
            "room_session_ended",
            "room_left"
        ]
    );
    assert_eq!(test.rooms.census().clients, 0);
}

#[test]
fn a_visitor_cannot_kick_and_a_host_not_in_another_room() {
    let mut test = TestRooms::open();
    let (host, guest) = (test.host("d-h"), test.visitor("d-g"));
    let (stranger, _) = test.enter("d-s", json!({ "roomName": "/other" }));
    test.forget_sent();
    test.send(guest.socket, "kick_client", json!({ "clientId": host.id }));
    test.send(
        host.socket,
        "kick_client",
        json!({ "clientId": stranger.id }),
    );
    for person in [host, guest, stranger] {
        assert!(test.heard(person.socket).is_empty());
    }
}

#[test]
fn a_deleted_meeting_sends_everybody_out_and_its_keys_open_nothing() {
    let mut test = TestRooms::locked();
    let host = test.host("d-h");
    let (knocker, _) = knock(&mut test, "d-k");
    test.forget_sent();
    let outgoing = test.rooms.remove_meeting(test.now, "m").unwrap();
    test.take_in(outgoing);
    assert_eq!(test.events(knocker)[0].1["resolution"], "rejected");
    assert_eq!(test.heard(host.socket), ["knocker_left", "client_kicked"]);
    let key = test.key(RoleName::Host);
    let (_, refused) = test.refused("d-h", json!({ "roomKey": key }));
    assert_eq!(refused.error.as_deref(), Some("invalid_key"));
    assert!(test.rooms.remove_meeting(test.now, "m").is_none());
}
