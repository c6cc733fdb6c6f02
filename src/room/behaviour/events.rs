//! Which events a step tells, and in which order.

use serde_json::{Value, json};

use super::support::{Desk, client, room_joined};
use crate::{Action, Effect, Input, MediaEvent, RemoteTracks, SocketEvent};

/// Names of the events since the last call.
fn told(desk: &mut Desk) -> Vec<String> {
    let effects = std::mem::take(&mut desk.effects).into_iter();
    let names = effects.filter_map(|effect| match effect {
        Effect::Event(event) => {
            let text = format!("{event:?}");
            let end = text.find(|letter: char| !letter.is_alphanumeric());
            Some(text[..end.unwrap_or(text.len())].to_owned())
        }
        _ => None,
    });
    names.collect()
}

// conformance: event.connection:status-changed event.local-participant:changed [client]
// conformance: event.remote-participants:changed event.waiting-participant:joined [client]
// conformance: event.spotlight:participant-added event.room:joined field.RoomJoinedEvent.isLocked [client]
// conformance: field.RoomJoinedEvent.selfId [client]
#[test]
fn a_join_tells_the_state_first_and_then_itself() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    desk.effects.clear();
    let mut joined = room_joined("b", &["a", "b"], "host");
    joined["room"]["knockers"] = json!([{ "clientId": "k", "displayName": "K" }]);
    joined["room"]["spotlights"] = json!([{ "clientId": "a", "streamId": "0" }]);
    desk.signal("room_joined", joined.clone());
    assert_eq!(
        told(&mut desk),
        [
            "BreakoutConfigChanged",
            "ConnectionStatusChanged",
            "LocalParticipantChanged",
            "RemoteParticipantsChanged",
            "WaitingParticipantJoined",
            "SpotlightParticipantAdded",
            "RoomJoined"
        ]
    );
    // The same once more: nothing changed, and it is told all the same that it was joined.
    desk.signal("room_joined", joined);
    assert_eq!(told(&mut desk), ["RoomJoined"]);
    assert_eq!(
        json!(crate::RoomJoinedEvent {
            is_locked: true,
            self_id: "b".into()
        }),
        json!({ "isLocked": true, "selfId": "b" })
    );
}

// conformance: event.waiting-participant:left event.local-screenshare:status-changed event.screenshare:started [client]
// conformance: event.screenshare:stopped event.spotlight:participant-removed action.startScreenshare [client]
// conformance: action.stopScreenshare [client]
#[test]
fn what_comes_and_goes_is_told_by_its_id() {
    let mut desk = Desk::as_host();
    let knock = json!({ "clientId": "k", "displayName": "K" });
    desk.signal("room_knocked", knock.clone());
    assert_eq!(told(&mut desk), ["WaitingParticipantJoined"]);
    desk.signal("room_knocked", knock);
    assert!(told(&mut desk).is_empty());
    desk.signal("knocker_left", json!({ "clientId": "k" }));
    assert_eq!(told(&mut desk), ["WaitingParticipantLeft"]);

    desk.act(Action::StartScreenshare { source: None }).unwrap();
    assert_eq!(told(&mut desk), ["LocalScreenshareStatusChanged"]);
    desk.media(MediaEvent::ScreenshareStarted {
        stream: "s".into(),
        has_audio: false,
    });
    let shared = told(&mut desk);
    for name in [
        "ScreenshareStarted",
        "SpotlightParticipantAdded",
        "LocalScreenshareStatusChanged",
    ] {
        assert!(
            shared.iter().any(|told| told == name),
            "{name} in {shared:?}"
        );
    }
    desk.act(Action::StopScreenshare).unwrap();
    let ended = told(&mut desk);
    for name in ["ScreenshareStopped", "SpotlightParticipantRemoved"] {
        assert!(ended.iter().any(|told| told == name), "{name} in {ended:?}");
    }
}

// conformance: event.live-transcription:status-changed event.live-captions:status-changed [client]
// conformance: event.cloud-recording:status-changed event.breakout:config-changed [client]
// conformance: event.microphone:state-changed event.chat:new-message notification.chatMessageReceived [client]
#[test]
fn services_and_toggles_tell_of_their_own_change_alone() {
    let mut desk = Desk::in_room();
    for (name, payload, wanted) in [
        (
            "live_transcription_started",
            json!({}),
            "LiveTranscriptionStatusChanged",
        ),
        (
            "live_captions_started",
            json!({}),
            "LiveCaptionsStatusChanged",
        ),
        (
            "live_caption",
            json!({ "resultId": "1", "text": "x" }),
            "LiveCaptionsStatusChanged",
        ),
        (
            "cloud_recording_started",
            json!({ "error": "x" }),
            "CloudRecordingStatusChanged",
        ),
        (
            "breakout_session_updated",
            json!({ "groups": { "a": "A" } }),
            "BreakoutConfigChanged",
        ),
    ] {
        desk.signal(name, payload);
        assert_eq!(told(&mut desk), [wanted], "{name}");
    }
    desk.act(Action::ToggleMicrophone(Some(true))).unwrap();
    assert_eq!(
        told(&mut desk),
        [
            "BreakoutConfigChanged",
            "MicrophoneStateChanged",
            "LocalParticipantChanged"
        ],
        "the own tile is part of the groups"
    );
    desk.act(Action::ToggleMicrophone(Some(true))).unwrap();
    assert!(told(&mut desk).is_empty());
    desk.signal(
        "chat_message",
        json!({ "id": "1", "senderId": "a", "text": "hi" }),
    );
    assert_eq!(told(&mut desk), ["ChatMessageReceived", "ChatNewMessage"]);
    desk.signal(
        "chat_message",
        json!({ "id": "2", "senderId": "b", "text": "hi" }),
    );
    assert_eq!(told(&mut desk), ["ChatNewMessage"], "the own echo");
}

// conformance: event.connection:error-changed event.room:joined:error notification.signalTrouble [client]
// conformance: notification.signalOk [client]
#[test]
fn a_loss_and_a_refusal_are_told() {
    let mut desk = Desk::in_room();
    desk.input(Input::Socket(SocketEvent::Disconnected {
        will_retry: true,
    }));
    assert_eq!(
        told(&mut desk),
        ["ConnectionStatusChanged", "SignalTrouble"]
    );
    desk.input(Input::Socket(SocketEvent::Connected { again: true }));
    assert_eq!(told(&mut desk), ["ConnectionStatusChanged", "SignalOk"]);
    desk.signal("device_identified", Value::Null);
    told(&mut desk);
    desk.signal("room_joined", json!({ "error": "room_full" }));
    assert_eq!(
        told(&mut desk),
        [
            "ConnectionStatusChanged",
            "ConnectionErrorChanged",
            "RoomJoinedError"
        ]
    );
}

#[test]
fn a_picture_that_only_grows_is_no_event() {
    let mut desk = Desk::in_room();
    let arrives = |width| MediaEvent::RemoteStream {
        peer: "a".into(),
        session: 1,
        stream: "cam".into(),
        tracks: RemoteTracks {
            video: true,
            width,
            ..RemoteTracks::default()
        },
    };
    desk.media(arrives(320));
    assert!(told(&mut desk).contains(&"RemoteParticipantsChanged".to_owned()));
    desk.media(arrives(640));
    assert!(told(&mut desk).is_empty());
    let shown = desk.room.state().remote_participants[0].stream.clone();
    assert_eq!(shown.unwrap().tracks.width, 640, "the state has it");
}

// conformance: notification.remoteHandRaised notification.remoteHandLowered [client]
// conformance: field.RemoteParticipantState.stickyReaction [client]
#[test]
fn hands_are_told_to_hosts_only_and_only_when_they_change() {
    let raise = |timestamp: Option<&str>| {
        let reaction = timestamp.map(|at| json!({ "reaction": "✋", "timestamp": at }));
        json!({ "type": "UserData", "payload": { "clientId": "a", "displayName": "A", "stickyReaction": reaction } })
    };
    let hands = |desk: &mut Desk| {
        let told = told(desk).into_iter();
        told.filter(|name| name == "RemoteHand").count()
    };
    let mut host = Desk::as_host();
    for (at, wanted) in [
        (Some("1"), 1),
        (Some("1"), 0),
        (Some("2"), 1),
        (None, 1),
        (None, 0),
    ] {
        host.signal("client_metadata_received", raise(at));
        assert_eq!(hands(&mut host), wanted, "{at:?}");
    }
    let mut visitor = Desk::in_room();
    visitor.signal("client_metadata_received", raise(Some("1")));
    assert_eq!(hands(&mut visitor), 0);
    assert!(
        visitor.room.state().remote_participants[0]
            .sticky_reaction
            .is_some()
    );
}

// conformance: notification.clientUnableToJoinFullRoom [client]
#[test]
fn what_strangers_and_programs_do_is_no_notification() {
    let mut desk = Desk::in_room();
    desk.signal("new_client", json!({ "client": client("rec", "recorder") }));
    told(&mut desk);
    for who in ["rec", "nobody"] {
        let ask = json!({ "requestedByClientId": who, "enable": true });
        desk.signal("audio_enable_requested", ask.clone());
        desk.signal("video_enable_requested", ask);
        assert!(told(&mut desk).is_empty(), "{who}");
    }
    desk.signal("client_unable_to_join", json!({ "error": "room_full" }));
    assert_eq!(told(&mut desk), ["ClientUnableToJoinFullRoom"]);
    desk.signal("client_unable_to_join", json!({ "error": "other" }));
    assert!(told(&mut desk).is_empty());
}
