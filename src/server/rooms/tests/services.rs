//! Recording, live stream, transcription and captions.

use roomd_protocol::Secret;

use super::*;

/// What the room asks to have started: the recorder's future id and its key.
fn started(test: &mut TestRooms) -> (ClientId, Secret) {
    match test.stored.pop() {
        Some(Outgoing::StartRecorder {
            recorder,
            room,
            key,
        }) => {
            assert_eq!(room, "/r");
            (recorder, key)
        }
        other => panic!("no recorder was started: {other:?}"),
    }
}

fn recording() -> (TestRooms, Person, Person, Person) {
    let mut test = TestRooms::serviced();
    let (host, visitor) = (test.host("d-h"), test.visitor("d-v"));
    test.forget_sent();
    test.send(
        host.socket,
        "start_recording",
        json!({ "recording": "cloud" }),
    );
    let (id, key) = started(&mut test);
    let (recorder, _) = test.enter("d-r", json!({ "roomKey": key }));
    assert_eq!(recorder.id, id);
    (test, host, visitor, recorder)
}

fn ended(test: &mut TestRooms, recorder: &ClientId) {
    ended_with(test, recorder, Some("why"));
}

fn ended_with(test: &mut TestRooms, recorder: &ClientId, reason: Option<&str>) {
    let outgoing = test.rooms.recorder_ended(test.now, "/r", recorder, reason);
    test.take_in(outgoing);
}

// conformance: action.startCloudRecording field.CloudRecordingState.status field.CloudRecordingState.startedAt [server]
#[test]
fn a_recording_starts_for_everybody_when_the_recorder_joins() {
    let (mut test, host, visitor, recorder) = recording();
    for person in [&host, &visitor] {
        let events = test.events(person.socket);
        let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["cloud_recording_started", "new_client"]);
        assert!(events[0].1["error"].is_null() && events[0].1["startedAt"].is_string());
        let client = &events[1].1["client"];
        assert_eq!(client["role"]["roleName"], "recorder");
        assert_eq!(client["id"], json!(recorder.id));
        assert_eq!(client["startedCloudRecordingAt"], events[0].1["startedAt"]);
    }
}

#[test]
fn who_joins_later_or_asks_again_is_told_of_the_recorder_once_more() {
    let (mut test, host, _, recorder) = recording();
    let late = test.visitor("d-late");
    let events = test.events(late.socket);
    assert_eq!(events[0].0, "new_client");
    assert_eq!(events[0].1["client"]["id"], json!(recorder.id));
    assert!(events[0].1["room"]["session"].is_object());
    test.forget_sent();
    test.send(
        host.socket,
        "start_recording",
        json!({ "recording": "cloud" }),
    );
    assert_eq!(test.heard(host.socket), ["new_client"]);
    assert!(test.stored.is_empty(), "no second recorder");
}

// conformance: action.stopCloudRecording [server]
#[test]
fn stopping_takes_the_recorder_out_and_its_key_opens_nothing_any_more() {
    let mut test = TestRooms::serviced();
    let host = test.host("d-h");
    test.send(
        host.socket,
        "start_recording",
        json!({ "recording": "cloud" }),
    );
    let (id, key) = started(&mut test);
    let (recorder, _) = test.enter("d-r", json!({ "roomKey": key }));
    test.forget_sent();
    test.send(host.socket, "stop_recording", json!(null));
    assert_eq!(
        test.heard(host.socket),
        [
            "cloud_recording_stopped",
            "client_left",
            "room_session_ended"
        ]
    );
    let heard = test.heard(recorder.socket);
    assert_eq!(heard.first(), Some(&"client_kicked"), "{heard:?}");
    assert_eq!(test.stored, [Outgoing::StopRecorder { recorder: id }]);
    let again = json!({ "roomName": "/r", "roomKey": key, "clientClaim": recorder.claim });
    let socket = test.socket("d-r");
    test.send(socket, "join_room", again);
    assert_eq!(test.heard(socket), ["client_kicked"]);
    let (_, refused) = test.refused("d-r", json!({ "roomKey": key }));
    assert_eq!(
        refused.error.as_deref(),
        Some("room_join_permission_denied")
    );
}

#[test]
fn a_recorder_that_is_lost_ends_the_recording_for_everybody() {
    let (mut test, host, _, recorder) = recording();
    test.forget_sent();
    test.lose(&recorder);
    test.advance(9);
    assert!(test.heard(host.socket).is_empty(), "it may come back");
    test.advance(2);
    assert_eq!(
        test.heard(host.socket),
        ["cloud_recording_stopped", "client_left"]
    );
}

// conformance: field.CloudRecordingState.error [server]
#[test]
fn everybody_is_told_why_a_recording_ended_that_nobody_stopped() {
    for (reason, told) in [(Some("why"), "why"), (None, "recorder_ended")] {
        let (mut test, host, visitor, recorder) = recording();
        test.forget_sent();
        ended_with(&mut test, &recorder.id, reason);
        for person in [&host, &visitor] {
            let events = test.events(person.socket);
            let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(
                names,
                [
                    "cloud_recording_stopped",
                    "client_left",
                    "cloud_recording_started"
                ]
            );
            assert_eq!(events[2].1["error"], told);
        }
    }
}

#[test]
fn a_recorder_that_fails_after_it_left_is_an_error_for_everybody_and_one_that_finishes_is_none() {
    for (reason, heard) in [
        (Some("why"), vec!["cloud_recording_started"]),
        (None, vec![]),
    ] {
        let (mut test, host, visitor, recorder) = recording();
        test.send(host.socket, "stop_recording", json!(null));
        test.forget_sent();
        ended_with(&mut test, &recorder.id, reason);
        assert_eq!(test.heard(host.socket), heard);
        assert_eq!(test.heard(visitor.socket), heard);
    }
    // Not while the next recording is on its way.
    let (mut test, host, _, recorder) = recording();
    test.send(host.socket, "stop_recording", json!(null));
    test.send(
        host.socket,
        "start_recording",
        json!({ "recording": "cloud" }),
    );
    test.forget_sent();
    ended(&mut test, &recorder.id);
    assert!(test.heard(host.socket).is_empty());
}

// conformance: field.CloudRecordingState.error [server]
#[test]
fn a_recorder_that_does_not_come_is_an_error_for_who_asked() {
    let failure = |test: &mut TestRooms, host: &Person, visitor: &Person, error: &str| {
        let events = test.events(host.socket);
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0].0, "cloud_recording_started");
        assert_eq!(events[0].1["error"], error);
        assert!(test.heard(visitor.socket).is_empty());
    };
    let mut test = TestRooms::serviced();
    let (host, visitor) = (test.host("d-h"), test.visitor("d-v"));
    let start = |test: &mut TestRooms| {
        test.forget_sent();
        test.send(
            host.socket,
            "start_recording",
            json!({ "recording": "cloud" }),
        );
        started(test)
    };
    let (id, _) = start(&mut test);
    ended(&mut test, &id);
    failure(&mut test, &host, &visitor, "why");
    let (id, key) = start(&mut test);
    test.advance(20);
    failure(&mut test, &host, &visitor, "recorder_did_not_join");
    assert_eq!(test.stored, [Outgoing::StopRecorder { recorder: id }]);
    let (_, refused) = test.refused("d-r", json!({ "roomKey": key }));
    assert_eq!(
        refused.error.as_deref(),
        Some("room_join_permission_denied")
    );
    // A wish that is taken back in time.
    test.stored.clear();
    let (id, _) = start(&mut test);
    test.send(host.socket, "stop_recording", json!(null));
    assert_eq!(test.heard(visitor.socket), ["cloud_recording_stopped"]);
    assert_eq!(test.stored, [Outgoing::StopRecorder { recorder: id }]);
}

#[test]
fn the_end_of_the_meeting_ends_the_recording() {
    let (mut test, host, visitor, recorder) = recording();
    test.send(host.socket, "leave_room", json!(null));
    test.forget_sent();
    test.stored.clear();
    test.send(visitor.socket, "leave_room", json!(null));
    let heard = test.heard(recorder.socket);
    assert!(heard.contains(&"client_kicked"), "{heard:?}");
    let stop = Outgoing::StopRecorder {
        recorder: recorder.id,
    };
    assert!(test.stored.contains(&stop));
}

// conformance: field.LiveTranscriptionState.error field.LiveCaptionsState.error [server]
#[test]
fn without_a_backend_whoever_may_ask_is_told_so() {
    let mut test = TestRooms::open();
    let host = test.host("d-h");
    for (request, answer) in [
        ("start_recording", "cloud_recording_started"),
        ("start_live_transcription", "live_transcription_started"),
        ("live_captions_enabled", "live_captions_started"),
    ] {
        test.forget_sent();
        test.send(host.socket, request, json!({ "recording": "cloud" }));
        let events = test.events(host.socket);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].0, answer);
        assert_eq!(events[0].1["error"], "not_offered_by_this_server");
    }
}

#[test]
fn a_streamer_is_announced_and_its_end_is_told() {
    let mut test = TestRooms::serviced();
    let host = test.host("d-h");
    let key = test.key(RoleName::Streamer);
    let (streamer, _) = test.enter("d-s", json!({ "roomKey": key }));
    assert!(test.heard(host.socket).contains(&"new_client"));
    test.close(&streamer);
    let heard = test.heard(host.socket);
    assert_eq!(heard[..2], ["streaming_stopped", "client_left"]);
}

fn captioned() -> (TestRooms, Person, Person, Person) {
    let mut test = TestRooms::serviced();
    let (host, reader) = (test.host("d-h"), test.visitor("d-v"));
    let key = test.key(RoleName::Captioner);
    let (captioner, _) = test.enter("d-c", json!({ "roomKey": key }));
    test.forget_sent();
    (test, host, reader, captioner)
}

// conformance: action.startLiveCaptions action.stopLiveCaptions field.LiveCaptionsState.status [server]
// conformance: field.LiveCaption.resultId field.LiveCaption.participantId field.LiveCaption.text [server]
#[test]
fn captions_reach_those_who_asked_and_only_until_they_do_without() {
    let (mut test, host, reader, captioner) = captioned();
    let caption = json!({ "senderId": host.id, "resultId": "1", "text": "hello" });
    test.send(reader.socket, "live_captions_enabled", json!(null));
    assert_eq!(
        test.events(reader.socket),
        [("live_captions_started".to_owned(), json!({}))]
    );
    test.send(captioner.socket, "live_caption", caption.clone());
    assert_eq!(
        test.events(reader.socket),
        [("live_caption".to_owned(), caption.clone())]
    );
    assert!(test.heard(host.socket).is_empty());
    test.send(reader.socket, "live_captions_disabled", json!(null));
    assert_eq!(test.heard(reader.socket), ["live_captions_stopped"]);
    test.send(captioner.socket, "live_caption", caption);
    assert!(test.heard(reader.socket).is_empty());
}

#[test]
fn captions_stay_in_the_group_of_the_speaker() {
    let (mut test, host, reader, captioner) = captioned();
    let start = json!({ "groups": { "a": "A" }, "active": true });
    test.send(host.socket, "update_breakout_session", start);
    test.send(host.socket, "join_breakout_group", json!({ "group": "a" }));
    test.send(reader.socket, "live_captions_enabled", json!(null));
    test.forget_sent();
    let caption = json!({ "senderId": host.id, "resultId": "1", "text": "secret" });
    test.send(captioner.socket, "live_caption", caption.clone());
    assert!(test.heard(reader.socket).is_empty());
    test.send(
        reader.socket,
        "join_breakout_group",
        json!({ "group": "a" }),
    );
    test.forget_sent();
    test.send(captioner.socket, "live_caption", caption);
    assert_eq!(test.heard(reader.socket), ["live_caption"]);
}

// conformance: action.stopLiveTranscription field.LiveTranscriptionState.status [server]
// conformance: field.LiveTranscriptionState.startedAt [server]
#[test]
fn a_host_stops_a_transcription_for_everybody() {
    let (mut test, host, reader, captioner) = captioned();
    test.send(host.socket, "start_live_transcription", json!(null));
    for person in [&host, &reader] {
        let (name, started) = test.events(person.socket).remove(0);
        assert_eq!(name, "live_transcription_started");
        assert_eq!(started["startedAt"], "2026-11-23T12:00:00.000Z");
    }
    test.send(reader.socket, "stop_live_transcription", json!(null));
    assert!(
        test.heard(host.socket).is_empty(),
        "visitors do not stop it"
    );
    test.send(host.socket, "stop_live_transcription", json!(null));
    for person in [&host, &reader] {
        assert_eq!(test.heard(person.socket), ["live_transcription_stopped"]);
    }
    let record = test.record(&captioner.id);
    assert_eq!(record.started_live_transcription_at, None);
    let (_, joined) = test.enter("d-late", json!({}));
    assert_eq!(joined.room.live_transcription_id, None);
}

// conformance: action.startLiveTranscription [server]
#[test]
fn a_transcription_is_known_to_who_joins_later_and_ends_with_its_captioner() {
    let (mut test, host, reader, captioner) = captioned();
    test.send(reader.socket, "live_captions_enabled", json!(null));
    test.forget_sent();
    test.send(host.socket, "start_live_transcription", json!(null));
    let (name, started) = test.events(reader.socket).remove(0);
    assert_eq!(name, "live_transcription_started");
    let (_, joined) = test.enter("d-late", json!({}));
    assert_eq!(
        joined.room.live_transcription_id.as_deref(),
        started["transcriptionId"].as_str()
    );
    test.forget_sent();
    test.close(&captioner);
    assert_eq!(
        test.heard(reader.socket),
        [
            "live_transcription_stopped",
            "live_captions_stopped",
            "client_left"
        ]
    );
    let (_, joined) = test.enter("d-later", json!({}));
    assert_eq!(joined.room.live_transcription_id, None);
}
