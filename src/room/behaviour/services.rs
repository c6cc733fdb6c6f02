//! Recording, transcription, captions: what the state says and when it forgets.

use std::time::Duration;

use roomd_protocol::ServerMessage;
use serde_json::{Value, json};

use super::support::{Desk, client, room_joined};
use crate::{
    Action, Refusal,
    state::{CloudRecordingStatus, LiveCaptionsStatus, LiveTranscriptionStatus},
};

/// 2026-11-23T10:00:00Z, the desk's clock.
const NOW: i64 = 1_795_428_000_000;

fn recorder(id: &str, started: Value) -> Value {
    let mut recorder = client(id, "recorder");
    recorder["startedCloudRecordingAt"] = started;
    json!({ "client": recorder })
}

// conformance: action.startCloudRecording field.CloudRecordingState.status field.CloudRecordingState.startedAt [client]
// conformance: action.stopCloudRecording field.RoomConnectionState.cloudRecording [client]
#[test]
fn a_recording_runs_when_its_recorder_comes_and_not_before() {
    let mut desk = Desk::as_host();
    desk.act(Action::StartCloudRecording).unwrap();
    desk.act(Action::StartCloudRecording).unwrap();
    assert_eq!(desk.sent(), ["start_recording"], "once");
    desk.signal(
        "cloud_recording_started",
        json!({ "startedAt": "2026-11-23T09:00:00Z" }),
    );
    let recording = |desk: &Desk| desk.room.state().cloud_recording.clone();
    assert_eq!(
        recording(&desk).unwrap().status,
        CloudRecordingStatus::Requested
    );
    desk.signal("new_client", recorder("rec", json!("2026-11-23T09:59:00Z")));
    let running = recording(&desk).unwrap();
    assert_eq!(running.status, CloudRecordingStatus::Recording);
    assert_eq!(running.started_at, Some(NOW - 60_000));
    desk.signal("client_left", json!({ "clientId": "rec" }));
    assert!(recording(&desk).is_some(), "only the event ends it");
    desk.effects.clear();
    desk.act(Action::StopCloudRecording).unwrap();
    assert_eq!(desk.sent(), ["stop_recording"]);
    assert!(recording(&desk).is_some());
    desk.signal("cloud_recording_stopped", Value::Null);
    assert_eq!(recording(&desk), None);
}

// conformance: field.CloudRecordingState.error [client]
#[test]
fn a_failed_recording_may_be_asked_for_again_and_the_old_values_show_until_the_next_join() {
    let mut desk = Desk::as_host();
    desk.act(Action::StartCloudRecording).unwrap();
    desk.signal("new_client", recorder("rec", Value::Null));
    desk.signal("cloud_recording_started", json!({ "error": "no_plan" }));
    let recording = desk.room.state().cloud_recording.clone().unwrap();
    assert_eq!(recording.status, CloudRecordingStatus::Error);
    assert_eq!(recording.error.as_deref(), Some("no_plan"));
    desk.signal("cloud_recording_stopped", Value::Null);
    desk.effects.clear();
    desk.act(Action::StartCloudRecording).unwrap();
    assert_eq!(desk.sent(), ["start_recording"]);
    let again = desk.room.state().cloud_recording.clone().unwrap();
    assert_eq!(again.status, CloudRecordingStatus::Requested);
    assert_eq!(
        (again.started_at, again.error.as_deref()),
        (Some(NOW), Some("no_plan"))
    );
    desk.begin_join(None);
    desk.signal("room_joined", room_joined("b", &["a", "b"], "host"));
    desk.act(Action::StartCloudRecording).unwrap();
    let fresh = desk.room.state().cloud_recording.clone().unwrap();
    assert_eq!((fresh.started_at, fresh.error), (None, None));
}

#[test]
fn who_joins_late_does_not_see_a_recording_that_began_before() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    let mut joined = room_joined("b", &["a", "b"], "visitor");
    let clients = joined["room"]["clients"].as_array_mut().unwrap();
    clients.push(recorder("rec", json!("2026-11-23T09:00:00Z"))["client"].clone());
    desk.signal("room_joined", joined);
    assert_eq!(desk.room.state().cloud_recording, None);
    assert_eq!(desk.room.state().remote_participants.len(), 1);
}

// conformance: action.startLiveTranscription field.LiveTranscriptionState.status [client]
// conformance: action.stopLiveTranscription field.LiveTranscriptionState.startedAt [client]
// conformance: field.LiveTranscriptionState.error field.RoomConnectionState.liveTranscription [client]
#[test]
fn a_transcription_runs_from_its_event_or_from_the_join_on() {
    let mut desk = Desk::as_host();
    desk.act(Action::StartLiveTranscription).unwrap();
    desk.act(Action::StartLiveTranscription).unwrap();
    assert_eq!(desk.sent(), ["start_live_transcription"]);
    let state = |desk: &Desk| desk.room.state().live_transcription.clone();
    assert_eq!(
        state(&desk).unwrap().status,
        LiveTranscriptionStatus::Requested
    );
    desk.signal(
        "live_transcription_started",
        json!({ "error": "not_enabled" }),
    );
    let failed = state(&desk).unwrap();
    assert_eq!(failed.status, LiveTranscriptionStatus::Error);
    assert_eq!(failed.error.as_deref(), Some("not_enabled"));
    desk.act(Action::StartLiveTranscription).unwrap();
    assert_eq!(
        desk.sent(),
        ["start_live_transcription"],
        "after an error again"
    );
    desk.signal(
        "live_transcription_started",
        json!({ "transcriptionId": "t" }),
    );
    let running = state(&desk).unwrap();
    assert_eq!(running.status, LiveTranscriptionStatus::Transcribing);
    assert_eq!((running.started_at, running.error), (Some(NOW), None));

    // A repeated join without an id says nothing about it.
    desk.signal("room_joined", room_joined("b", &["a", "b"], "host"));
    assert!(state(&desk).is_some());
    desk.act(Action::StopLiveTranscription).unwrap();
    desk.signal(
        "live_transcription_stopped",
        json!({ "transcriptionId": "t" }),
    );
    assert_eq!(state(&desk), None);
    let mut joined = room_joined("b", &["a", "b"], "host");
    joined["room"]["liveTranscriptionId"] = json!("t2");
    desk.signal("room_joined", joined);
    assert_eq!(
        state(&desk).unwrap().status,
        LiveTranscriptionStatus::Transcribing
    );
}

fn captioned() -> Desk {
    let mut desk = Desk::as_host();
    desk.act(Action::StartLiveCaptions).unwrap();
    desk.act(Action::StartLiveCaptions).unwrap();
    assert_eq!(desk.sent(), ["live_captions_enabled"]);
    desk.signal("live_captions_started", json!({}));
    desk
}

fn caption(desk: &mut Desk, result: &str, text: &str) {
    let caption = json!({ "resultId": result, "senderId": "a", "text": text });
    desk.signal("live_caption", caption);
}

fn log(desk: &Desk) -> Vec<(&str, &str)> {
    let captions = desk.room.state().live_captions.as_ref().unwrap();
    let log = captions.caption_log.iter();
    log.map(|one| (one.result_id.as_str(), one.text.as_str()))
        .collect()
}

// conformance: action.startLiveCaptions field.LiveCaptionsState.status field.LiveCaptionsState.startedAt [client]
// conformance: field.LiveCaptionsState.captionLog field.LiveCaption.resultId field.LiveCaption.participantId [client]
// conformance: field.LiveCaption.text field.LiveCaption.timestamp [client]
#[test]
fn a_caption_replaces_only_the_last_entry_of_its_result() {
    let mut desk = captioned();
    caption(&mut desk, "1", "He");
    desk.now.wall = "2026-11-23T10:00:01Z".parse().unwrap();
    caption(&mut desk, "1", "Hello");
    assert_eq!(log(&desk), [("1", "Hello")]);
    let captions = desk.room.state().live_captions.as_ref().unwrap();
    assert_eq!(captions.status, LiveCaptionsStatus::Captioning);
    assert_eq!(captions.started_at, Some(NOW));
    assert_eq!(captions.caption_log[0].timestamp, NOW, "of the first part");
    assert_eq!(captions.caption_log[0].participant_id.as_str(), "a");
    caption(&mut desk, "2", "Yes");
    caption(&mut desk, "1", "Hello you");
    assert_eq!(
        log(&desk),
        [("1", "Hello"), ("2", "Yes"), ("1", "Hello you")]
    );
}

#[test]
fn a_result_goes_five_seconds_after_its_last_caption() {
    let mut desk = captioned();
    caption(&mut desk, "1", "He");
    desk.advance(Duration::from_secs(3));
    caption(&mut desk, "2", "Yes");
    caption(&mut desk, "1", "Hello");
    desk.advance(Duration::from_secs(4));
    assert_eq!(log(&desk).len(), 3);
    desk.advance(Duration::from_secs(1));
    assert!(
        log(&desk).is_empty(),
        "both entries of the first result too"
    );
    assert!(desk.room.state().live_captions.is_some());
}

// conformance: field.LiveCaptionsState.error field.RoomConnectionState.liveCaptions [client]
#[test]
fn captions_that_stop_fail_or_start_anew_leave_nothing_behind() {
    let mut desk = captioned();
    caption(&mut desk, "1", "He");
    desk.signal("live_captions_started", json!({ "error": "busy" }));
    let captions = desk.room.state().live_captions.as_ref().unwrap();
    assert_eq!(captions.status, LiveCaptionsStatus::Error);
    assert!(captions.caption_log.is_empty());
    desk.signal("live_captions_started", json!({}));
    assert_eq!(
        desk.room.state().live_captions.as_ref().unwrap().error,
        None
    );
    caption(&mut desk, "1", "He");
    desk.signal("live_captions_stopped", json!({}));
    assert_eq!(desk.room.state().live_captions, None);
    caption(&mut desk, "1", "late");
    assert_eq!(desk.room.state().live_captions, None);
}

#[test]
fn a_flood_of_captions_is_bounded() {
    let mut desk = captioned();
    for number in 0..1000 {
        caption(&mut desk, &number.to_string(), "x");
    }
    assert_eq!(log(&desk).len(), 100);
    assert_eq!(log(&desk)[99].0, "999");
    desk.advance(Duration::from_secs(5));
    assert!(log(&desk).is_empty());
}

// conformance: field.RoomConnectionState.liveStream [client]
#[test]
fn a_live_stream_never_shows() {
    let mut desk = Desk::as_host();
    desk.signal(
        "new_client",
        json!({ "client": client("live", "streamer") }),
    );
    desk.signal("streaming_stopped", Value::Null);
    assert_eq!(desk.room.state().live_stream, None);
    assert!(ServerMessage::NAMES.contains(&"streaming_stopped"));
}

#[test]
fn out_of_a_room_no_service_is_asked_for() {
    let mut desk = Desk::new();
    for action in [
        Action::StartCloudRecording,
        Action::StopCloudRecording,
        Action::StartLiveTranscription,
        Action::StopLiveTranscription,
        Action::StartLiveCaptions,
        Action::StopLiveCaptions,
    ] {
        assert!(
            matches!(desk.act(action.clone()), Err(Refusal::NotConnected { .. })),
            "{action:?}"
        );
    }
    assert!(desk.effects.is_empty());
}

#[test]
fn captions_fade_after_leaving_too() {
    let mut desk = captioned();
    caption(&mut desk, "1", "Goodbye");
    desk.act(Action::LeaveRoom).unwrap();
    desk.signal("room_left", json!(null));
    assert_eq!(log(&desk).len(), 1);
    desk.advance(Duration::from_secs(6));
    assert!(log(&desk).is_empty());
}
