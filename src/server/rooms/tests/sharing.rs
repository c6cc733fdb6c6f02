//! What people share: mute state, name and hand, screens, chat, spotlights, negotiation.

use super::*;

fn three() -> (TestRooms, Person, Person, Person) {
    let mut test = TestRooms::open();
    let (host, a, b) = (test.host("d-h"), test.visitor("d-a"), test.visitor("d-b"));
    test.forget_sent();
    (test, host, a, b)
}

fn relay(to: &Person) -> Value {
    json!({ "receiverId": to.id })
}

// conformance: action.toggleMicrophone action.toggleCamera field.RemoteParticipantState.isAudioEnabled [server]
// conformance: field.RemoteParticipantState.isVideoEnabled [server]
#[test]
fn microphone_and_camera_are_told_to_others_and_to_who_comes_later() {
    let (mut test, host, a, b) = three();
    test.send(a.socket, "enable_audio", json!({ "enabled": false }));
    test.send(a.socket, "enable_video", json!({ "enabled": false }));
    for other in [&host, &b] {
        assert_eq!(test.heard(other.socket), ["audio_enabled", "video_enabled"]);
    }
    assert!(test.heard(a.socket).is_empty(), "no echo");
    let (_, joined) = test.enter("d-c", json!({}));
    let record = joined.room.clients.iter().find(|c| c.id == a.id).unwrap();
    assert!(!record.is_audio_enabled && !record.is_video_enabled);
}

// conformance: action.setDisplayName action.toggleRaiseHand field.RemoteParticipantState.displayName [server]
// conformance: field.RemoteParticipantState.stickyReaction [server]
#[test]
fn name_and_hand_replace_both_and_are_seen_by_who_comes_later() {
    let (mut test, host, a, _) = three();
    let hand = json!({ "reaction": "✋", "timestamp": "2026-11-23T12:00:00.000Z" });
    let payload = json!({ "displayName": "A", "stickyReaction": hand });
    test.send(
        a.socket,
        "send_client_metadata",
        json!({ "type": "UserData", "payload": payload }),
    );
    let events = test.events(host.socket);
    assert_eq!(events[0].1["payload"]["clientId"], json!(a.id));
    assert_eq!(events[0].1["payload"]["stickyReaction"], hand);
    let (_, joined) = test.enter("d-c", json!({}));
    let record = joined.room.clients.iter().find(|c| c.id == a.id).unwrap();
    assert!(record.sticky_reaction.is_some());
    let lowered = json!({ "type": "UserData", "payload": { "displayName": "A" } });
    test.send(a.socket, "send_client_metadata", lowered);
    assert!(test.record(&a.id).sticky_reaction.is_none());
}

// conformance: action.startScreenshare action.stopScreenshare [server]
#[test]
fn a_screenshare_is_in_the_record_until_it_stops_with_its_spotlight() {
    let (mut test, host, a, b) = three();
    test.send(
        a.socket,
        "start_screenshare",
        json!({ "streamId": "s", "hasAudioTrack": false }),
    );
    assert_eq!(test.heard(b.socket), ["screenshare_started"]);
    assert_eq!(test.record(&a.id).streams.len(), 2);
    let share = json!({ "clientId": a.id, "streamId": "s" });
    test.send(host.socket, "add_spotlight", share);
    test.send(a.socket, "stop_screenshare", json!({ "streamId": "s" }));
    assert_eq!(
        test.heard(b.socket),
        [
            "spotlight_added",
            "spotlight_removed",
            "screenshare_stopped"
        ]
    );
    assert_eq!(test.record(&a.id).streams.len(), 1);
    assert!(test.rooms.rooms["/r"].spotlights.is_empty());
    test.send(a.socket, "stop_screenshare", json!({ "streamId": "s" }));
    test.send(a.socket, "stop_screenshare", json!({ "streamId": "0" }));
    assert!(test.heard(b.socket).is_empty());
}

#[test]
fn a_share_that_is_not_announced_again_after_a_reconnect_has_ended() {
    let (mut test, host, a, b) = three();
    test.send(a.socket, "start_screenshare", json!({ "streamId": "s" }));
    test.send(b.socket, "start_screenshare", json!({ "streamId": "t" }));
    test.lose(&a);
    test.lose(&b);
    let (a, _) = test.back(&a);
    test.back(&b);
    test.forget_sent();
    let again = json!({ "streamId": "s", "receiverId": host.id });
    test.send(a.socket, "start_screenshare", again);
    assert_eq!(test.heard(host.socket), ["screenshare_started"]);
    test.advance(9);
    assert!(test.heard(host.socket).is_empty());
    test.advance(1);
    let events = test.events(host.socket);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].1, json!({ "clientId": b.id, "streamId": "t" }));
    assert_eq!(test.record(&a.id).streams.len(), 2);
}

#[test]
fn a_viewer_receives_but_does_not_send() {
    let mut test = TestRooms::open();
    let host = test.host("d-h");
    let key = test.key(RoleName::Viewer);
    let (viewer, joined) = test.enter("d-v", json!({ "roomKey": key }));
    let own = joined
        .room
        .clients
        .iter()
        .find(|c| c.id == viewer.id)
        .unwrap();
    assert!(!own.is_audio_enabled && !own.is_video_enabled);
    test.forget_sent();
    test.send(viewer.socket, "enable_audio", json!({ "enabled": true }));
    test.send(
        viewer.socket,
        "start_screenshare",
        json!({ "streamId": "s" }),
    );
    assert!(test.heard(host.socket).is_empty());
    test.send(viewer.socket, "chat_message", json!({ "text": "hi" }));
    assert_eq!(test.heard(host.socket), ["chat_message"]);
}

// conformance: action.askToSpeak action.muteParticipants action.askToTurnOnCamera [server]
// conformance: action.turnOffParticipantCameras [server]
#[test]
fn hosts_ask_others_and_an_order_to_be_off_goes_to_who_is_on() {
    let (mut test, host, a, b) = three();
    test.send(b.socket, "enable_audio", json!({ "enabled": false }));
    test.forget_sent();
    let ids = json!([a.id, b.id]);
    test.send(
        host.socket,
        "request_audio_enable",
        json!({ "clientIds": ids, "enable": false }),
    );
    let events = test.events(a.socket);
    assert_eq!(events[0].0, "audio_enable_requested");
    assert_eq!(events[0].1["requestedByClientId"], json!(host.id));
    assert!(test.heard(b.socket).is_empty());
    test.send(
        host.socket,
        "request_video_enable",
        json!({ "clientIds": ids, "enable": true }),
    );
    assert_eq!(test.heard(b.socket), ["video_enable_requested"]);
    test.forget_sent();
    test.send(
        a.socket,
        "request_audio_enable",
        json!({ "clientIds": ids, "enable": true }),
    );
    assert!(test.heard(b.socket).is_empty(), "visitors may not ask");
}

// conformance: action.spotlightParticipant action.removeSpotlight [server]
#[test]
fn spotlights_are_for_hosts_without_duplicates_and_go_with_their_client() {
    let (mut test, host, a, b) = three();
    let spotlight = json!({ "clientId": a.id, "streamId": "0" });
    test.send(b.socket, "add_spotlight", spotlight.clone());
    assert!(test.heard(host.socket).is_empty());
    test.send(host.socket, "add_spotlight", spotlight.clone());
    test.send(host.socket, "add_spotlight", spotlight.clone());
    test.send(
        host.socket,
        "add_spotlight",
        json!({ "clientId": "x", "streamId": "0" }),
    );
    assert_eq!(test.heard(host.socket), ["spotlight_added"]);
    let (_, joined) = test.enter("d-c", json!({}));
    assert_eq!(joined.room.spotlights.unwrap().len(), 1);
    test.send(host.socket, "remove_spotlight", spotlight.clone());
    assert_eq!(
        test.heard(b.socket),
        ["spotlight_added", "new_client", "spotlight_removed"]
    );
    test.send(host.socket, "add_spotlight", spotlight);
    test.close(&a);
    assert!(test.rooms.rooms["/r"].spotlights.is_empty());
}

// conformance: action.sendChatMessage field.ChatMessage.sig [server]
#[test]
fn chat_comes_back_to_its_writer_with_a_signature() {
    let (mut test, host, a, _) = three();
    test.send(
        a.socket,
        "chat_message",
        json!({ "text": "hello", "parentId": "p" }),
    );
    let own = test.events(a.socket);
    assert_eq!(own, test.events(host.socket));
    assert_eq!(own[0].1["text"], "hello");
    assert_eq!(own[0].1["senderId"], json!(a.id));
    assert_eq!(own[0].1["parentId"], "p");
    assert_eq!(own[0].1["messageType"], "text");
    test.send(
        a.socket,
        "chat_message",
        json!({ "text": "x".repeat(20_000) }),
    );
    let text = test.events(a.socket)[0].1["text"].as_str().unwrap().len();
    assert_eq!(text, 10_000);
}

// conformance: action.removeChatMessage field.ChatMessage.removed [server]
#[test]
fn a_message_is_removed_by_its_writer_or_a_host_with_its_own_signature() {
    let (mut test, host, a, b) = three();
    let write = |test: &mut TestRooms| {
        test.send(a.socket, "chat_message", json!({ "text": "hello" }));
        let message = test.events(a.socket).pop().unwrap().1;
        test.forget_sent();
        json!({ "id": message["id"], "sig": message["sig"] })
    };
    let removal = write(&mut test);
    test.send(b.socket, "remove_chat_message", removal.clone());
    assert!(test.heard(b.socket).is_empty(), "not one's own");
    let forged = json!({ "id": removal["id"], "sig": "00" });
    test.send(a.socket, "remove_chat_message", forged);
    assert!(test.heard(b.socket).is_empty(), "not its signature");
    test.send(a.socket, "remove_chat_message", removal.clone());
    assert_eq!(test.heard(b.socket), ["chat_message_removed"]);
    assert_eq!(test.heard(a.socket), ["chat_message_removed"]);
    test.forget_sent();
    let second = write(&mut test);
    test.send(host.socket, "remove_chat_message", second);
    assert_eq!(test.heard(a.socket), ["chat_message_removed"]);
}

#[test]
fn after_a_restart_the_signature_still_tells_the_writer() {
    let (mut test, _, a, b) = three();
    test.send(a.socket, "chat_message", json!({ "text": "hello" }));
    let message = test.events(a.socket).pop().unwrap().1;
    let removal = json!({ "id": message["id"], "sig": message["sig"] });
    let mut test = test.restarted();
    let ((a, _), (b, _)) = (test.back(&a), test.back(&b));
    test.forget_sent();
    test.send(b.socket, "remove_chat_message", removal.clone());
    assert!(test.heard(a.socket).is_empty());
    test.send(a.socket, "remove_chat_message", removal);
    assert_eq!(test.heard(b.socket), ["chat_message_removed"]);
}

// conformance: action.sendFiles [server]
#[test]
fn what_this_server_does_not_offer_is_answered_with_an_error() {
    let (mut test, host, _, b) = three();
    for (name, payload, answer) in [
        (
            "start_recording",
            json!({ "recording": "cloud" }),
            "cloud_recording_started",
        ),
        (
            "start_live_transcription",
            json!(null),
            "live_transcription_started",
        ),
        (
            "live_captions_enabled",
            json!(null),
            "live_captions_started",
        ),
        (
            "request_file_upload_url",
            json!({ "files": [] }),
            "chat_message",
        ),
    ] {
        test.send(host.socket, name, payload);
        let events = test.events(host.socket);
        assert_eq!(events[0].0, answer);
        assert!(events[0].1["error"].is_string(), "{name}");
    }
    let file = json!({ "downloadUrl": "u", "name": "n", "size": 1, "type": "t", "key": "k" });
    test.send(
        host.socket,
        "chat_message",
        json!({ "text": "", "file": file }),
    );
    assert_eq!(
        test.events(host.socket)[0].1["error"],
        "file_sharing_not_available"
    );
    assert!(test.heard(b.socket).is_empty());
}

#[test]
fn negotiation_passes_untouched_to_its_receiver_alone() {
    let (mut test, host, a, b) = three();
    let message = json!({ "type": "offer", "sdp": "v=0", "sdpU": "v=0", "isInitialOffer": true });
    for name in ["sdp_offer", "sdp_answer", "ice_candidate"] {
        let request = json!({ "receiverId": b.id, "message": message });
        test.send(a.socket, name, request);
        let events = test.events(b.socket);
        assert_eq!(
            events,
            [(name.into(), json!({ "clientId": a.id, "message": message }))]
        );
    }
    test.send(a.socket, "ice_endofcandidates", relay(&b));
    assert_eq!(test.events(b.socket)[0].1, json!({ "clientId": a.id }));
    assert!(test.heard(host.socket).is_empty());
    // To oneself, to strangers, to who is away: nothing.
    let (stranger, _) = test.enter("d-s", json!({ "roomName": "/other" }));
    test.lose(&b);
    for to in [&a, &stranger, &b] {
        test.send(a.socket, "ice_endofcandidates", relay(to));
    }
    assert!(test.sent.values().all(Vec::is_empty));
}

#[test]
fn of_crossing_solicitations_only_that_of_the_later_joiner_passes() {
    let (mut test, _, a, b) = three();
    test.advance(10);
    test.lose(&a);
    test.lose(&b);
    let ((a, _), (b, _)) = (test.back(&a), test.back(&b));
    test.forget_sent();
    test.send(a.socket, "ready_to_receive_offer", relay(&b));
    test.send(b.socket, "ready_to_receive_offer", relay(&a));
    assert!(test.heard(b.socket).is_empty());
    assert_eq!(test.heard(a.socket), ["ready_to_receive_offer"]);
    // A later one is a deliberate restart.
    test.advance(2);
    test.send(a.socket, "ready_to_receive_offer", relay(&b));
    assert_eq!(test.heard(b.socket), ["ready_to_receive_offer"]);
}

#[test]
fn ice_servers_are_told_with_the_room_and_on_request() {
    let with_stun = RoomSettings {
        ice_servers: serde_json::from_value(json!([{ "urls": "stun:stun.example.org" }])).unwrap(),
        ..settings()
    };
    let mut test = TestRooms::with(with_stun, Vec::new());
    let (a, joined) = test.enter("d-a", json!({ "roomName": "/x" }));
    assert_eq!(joined.room.ice_servers.ice_servers.len(), 1);
    test.send(a.socket, "fetch_mediaserver_config", json!(null));
    let events = test.events(a.socket);
    assert_eq!(
        events[0].1["iceServers"][0]["urls"],
        "stun:stun.example.org"
    );
}
