//! What the room knows of people and things, field by field as everybody is told.

use super::*;

fn own<'a>(joined: &'a RoomJoinedSuccess, id: &ClientId) -> &'a SignalClient {
    joined.room.clients.iter().find(|c| c.id == *id).unwrap()
}

// conformance: field.WherebyClientOptions.displayName field.WherebyClientOptions.externalId [server]
// conformance: field.WherebyClientOptions.roomKey field.WherebyClientOptions.isDialIn [server]
// conformance: field.WherebyClientOptions.isAudioRecorder field.WherebyClientOptions.initialMuteStates [server]
// conformance: field.InitialMuteStates.microphone field.InitialMuteStates.camera [server]
// conformance: field.RemoteParticipantState.id field.RemoteParticipantState.roleName [server]
// conformance: field.RemoteParticipantState.externalId field.RemoteParticipantState.isDialIn [server]
// conformance: field.RemoteParticipantState.deviceId field.RemoteParticipantState.isAudioRecorder [server]
// conformance: field.LocalParticipantState.id field.LocalParticipantState.roleName [server]
// conformance: field.LocalParticipantState.isAudioEnabled field.LocalParticipantState.isVideoEnabled [server]
// conformance: field.LocalParticipantState.displayName field.LocalParticipantState.isDialIn [server]
// conformance: field.LocalParticipantState.isAudioRecorder [server]
#[test]
fn what_a_client_says_when_it_joins_is_what_it_and_all_others_are_told() {
    for (microphone, camera) in [(false, true), (true, false)] {
        let mut test = TestRooms::open();
        let witness = test.visitor("d-w");
        test.forget_sent();
        let says = json!({ "displayName": "Ana", "externalId": "x-1", "roomKey": test.key(RoleName::Host),
            "isDialIn": true, "isAudioRecorder": true,
            "config": { "isAudioEnabled": microphone, "isVideoEnabled": camera } });
        let (person, joined) = test.enter("d-p", says);
        let (_, later) = test.enter("d-l", json!({}));
        let told = test.events(witness.socket).remove(0).1["client"].clone();
        let records = [
            told,
            json!(own(&joined, &person.id)),
            json!(own(&later, &person.id)),
        ];
        assert_ne!(person.id, witness.id);
        for record in records {
            for (member, value) in [
                ("id", json!(person.id)),
                ("deviceId", json!("d-p")),
                ("displayName", json!("Ana")),
                ("externalId", json!("x-1")),
                ("role", json!({ "roleName": "host" })),
                ("isDialIn", json!(true)),
                ("isAudioRecorder", json!(true)),
                ("isAudioEnabled", json!(microphone)),
                ("isVideoEnabled", json!(camera)),
            ] {
                assert_eq!(record[member], value, "{member}");
            }
        }
    }
}

// conformance: field.RoomJoinedEvent.isLocked field.RoomJoinedEvent.selfId [server]
// conformance: field.RoomJoinedSuccess.eventClaim [server]
#[test]
fn a_join_is_told_its_id_its_lock_and_a_claim_of_its_own_for_events() {
    for is_locked in [false, true] {
        let mut test = if is_locked {
            TestRooms::locked()
        } else {
            TestRooms::open()
        };
        let key = test.key(RoleName::Host);
        let (host, joined) = test.enter("d-h", json!({ "roomKey": key }));
        assert_eq!(joined.room.is_locked, is_locked);
        assert!(test.rooms.rooms["/r"].clients.contains_key(&joined.self_id));
        let event = joined.event_claim.unwrap();
        assert_ne!(event, host.claim);
        assert_eq!(test.keys.read_client_claim(&event), None);
        let (_, other) = test.enter("d-o", json!({ "roomKey": key }));
        assert_ne!(other.event_claim.unwrap(), event);
    }
}

// conformance: field.ChatMessage.id field.ChatMessage.senderId field.ChatMessage.text [server]
// conformance: field.ChatMessage.timestamp field.ChatMessage.parentId [server]
#[test]
fn a_chat_message_carries_writer_time_and_what_it_answers() {
    let mut test = TestRooms::open();
    let (a, b) = (test.visitor("d-a"), test.visitor("d-b"));
    test.forget_sent();
    test.send(a.socket, "chat_message", json!({ "text": "one" }));
    let first = test.events(b.socket).remove(0).1;
    test.advance(90);
    let answer = json!({ "text": "two", "parentId": first["id"] });
    test.send(b.socket, "chat_message", answer);
    let second = test.events(a.socket).pop().unwrap().1;
    assert_eq!(
        (&first["senderId"], &first["text"], &first["timestamp"]),
        (
            &json!(a.id),
            &json!("one"),
            &json!("2026-11-23T12:00:00.000Z")
        )
    );
    assert!(first["parentId"].is_null());
    assert_eq!(
        (&second["senderId"], &second["text"], &second["timestamp"]),
        (
            &json!(b.id),
            &json!("two"),
            &json!("2026-11-23T12:01:30.000Z")
        )
    );
    assert_eq!(second["parentId"], first["id"]);
    assert!(first["id"].is_string() && first["id"] != second["id"]);
}

// conformance: field.ScreenshareState.participantId field.ScreenshareState.id [server]
// conformance: field.ScreenshareState.hasAudioTrack [server]
#[test]
fn a_screenshare_is_told_with_its_owner_its_stream_and_whether_it_sounds() {
    let mut test = TestRooms::open();
    let (a, b) = (test.visitor("d-a"), test.visitor("d-b"));
    test.forget_sent();
    for (stream, sounds) in [("s-1", true), ("s-2", false)] {
        let share = json!({ "streamId": stream, "hasAudioTrack": sounds });
        test.send(a.socket, "start_screenshare", share);
        let (name, started) = test.events(b.socket).remove(0);
        assert_eq!(name, "screenshare_started");
        assert_eq!(started["clientId"], json!(a.id));
        assert_eq!(started["streamId"], stream);
        assert_eq!(started["hasAudioTrack"], sounds);
    }
}

// conformance: field.WaitingParticipantState.id field.WaitingParticipantState.displayName [server]
// conformance: field.KnockResponse.message field.KnockResponse.sender [server]
#[test]
fn a_knock_carries_a_name_and_its_answer_a_text_and_who_wrote_it() {
    let mut test = TestRooms::locked();
    let host = test.host("d-h");
    let (socket, refused) = test.refused("d-k", json!({}));
    let id = refused.self_id.unwrap();
    let knock = json!({ "roomName": "/r", "displayName": "Kim" });
    test.send(socket, "knock_room", knock);
    let (name, knocked) = test.events(host.socket).remove(0);
    assert_eq!(name, "room_knocked");
    assert_eq!(knocked["clientId"], json!(id));
    assert_eq!(knocked["displayName"], "Kim");
    let response = json!({ "message": "a moment", "sender": { "displayName": "Hal" } });
    for action in ["hold", "accept"] {
        let decision = json!({ "action": action, "clientId": id, "knockResponse": response });
        test.send(host.socket, "handle_knock", decision);
        let handled = test.events(socket).remove(0).1;
        assert_eq!(handled["knockResponse"], response, "{action}");
    }
}

// conformance: joinError.missing_parameters joinError.invalid_parameters [server]
#[test]
fn a_join_that_cannot_be_read_is_answered_all_the_same() {
    let mut test = TestRooms::open();
    let socket = test.socket("d-a");
    let mut answer = |socket, payload: &str| {
        let raw = serde_json::value::RawValue::from_string(payload.to_owned()).unwrap();
        assert!(
            ClientMessage::decode("join_room", Some(&raw)).is_err(),
            "{payload} can be read"
        );
        let outgoing = test.rooms.receive_malformed_join(socket, Some(&raw));
        test.take_in(outgoing);
        let events = test.events(socket);
        events.first().map(|(name, payload)| {
            assert_eq!(name, "room_joined");
            payload["error"].clone()
        })
    };
    for payload in [
        "{}",
        "null",
        "7",
        r#"{"roomName":null}"#,
        r#"{"roomKey":"k"}"#,
    ] {
        assert_eq!(answer(socket, payload), Some(json!("missing_parameters")));
    }
    for payload in [
        r#"{"roomName":7}"#,
        r#"{"roomName":"/r","displayName":{}}"#,
        r#"{"roomName":"/r","config":"loud"}"#,
    ] {
        assert_eq!(answer(socket, payload), Some(json!("invalid_parameters")));
    }
    assert_eq!(answer(SocketId(999), "{}"), None, "nobody asked");
    assert_eq!(test.rooms.census().rooms, 0);
}

// conformance: rule.knock [server]
#[test]
fn only_who_has_identified_and_is_outside_knocks() {
    let mut test = TestRooms::locked();
    let host = test.host("d-h");
    let granted = test.key(RoleName::GrantedVisitor);
    let (inside, _) = test.enter("d-g", json!({ "roomKey": granted }));
    test.forget_sent();
    let stranger = SocketId(77);
    let outgoing = test.rooms.attach(test.now, stranger, PEER);
    test.take_in(outgoing);
    let knock = json!({ "roomName": "/r", "displayName": "K" });
    for socket in [stranger, inside.socket, host.socket] {
        test.send(socket, "knock_room", knock.clone());
        assert!(test.heard(host.socket).is_empty());
    }
    let outside = test.socket("d-k");
    test.send(outside, "knock_room", knock);
    assert_eq!(test.heard(host.socket), ["room_knocked"]);
}
