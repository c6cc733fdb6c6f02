//! Tiles, spotlights, who counts as a person, modes of the camera.

use serde_json::json;

use super::support::{Desk, client, room_joined};
use crate::{Action, CaptureProfile, JoinOptions, MediaCommand, MediaEvent, Refusal, RemoteTracks};

fn ids(views: &[crate::state::ClientView]) -> Vec<&str> {
    views.iter().map(|view| view.id.as_str()).collect()
}

fn shares(desk: &mut Desk) {
    desk.act(Action::StartScreenshare { source: None }).unwrap();
    desk.media(MediaEvent::ScreenshareStarted {
        stream: "own-screen".into(),
        has_audio: true,
    });
}

/// `a` sends a camera and a screen.
fn presents(desk: &mut Desk) {
    let share = json!({ "clientId": "a", "streamId": "scr", "hasAudioTrack": false });
    desk.signal("screenshare_started", share);
    for stream in ["cam", "scr"] {
        desk.media(MediaEvent::RemoteStream {
            peer: "a".into(),
            session: 1,
            stream: stream.into(),
            tracks: RemoteTracks {
                video: true,
                audio: stream == "cam",
                ..RemoteTracks::default()
            },
        });
    }
}

#[test]
fn the_own_tile_is_there_before_the_first_join() {
    let desk = Desk::new();
    let views = &desk.room.state().client_views;
    assert_eq!(ids(views), [""]);
    assert!(views[0].is_local_client && views[0].stream.is_none());
}

// conformance: field.ClientView.id field.ClientView.isPresentation field.ClientView.isLocalClient [client]
// conformance: field.GridState.allClientViews [client]
// conformance: field.ClientView.clientId field.ClientView.stream field.ClientView.isAudioEnabled [client]
// conformance: field.ClientView.isVideoEnabled field.ClientView.hasActivePresentation [client]
// conformance: field.ClientView.breakoutGroup field.ClientView.breakoutGroupAssigned [client]
#[test]
fn tiles_are_oneself_the_own_screen_then_each_camera_with_its_screen() {
    let mut desk = Desk::in_room();
    desk.signal("new_client", json!({ "client": client("c", "visitor") }));
    desk.signal("new_client", json!({ "client": client("rec", "recorder") }));
    presents(&mut desk);
    shares(&mut desk);
    let state = desk.room.state();
    let views = &state.client_views;
    assert_eq!(ids(views), ["b", "local-screenshare", "a", "pres-a", "c"]);
    let own = json!(views[1]);
    assert_eq!(
        own,
        json!({
            "id": "local-screenshare", "clientId": "b", "displayName": "Your screenshare",
            "stream": { "video": true, "audio": true }, "isLocalClient": true,
            "isAudioEnabled": true, "isVideoEnabled": true, "isPresentation": true, "breakoutGroup": ""
        })
    );
    assert_eq!(
        json!(views[2]),
        json!({
            "id": "a", "clientId": "a", "displayName": "A", "stream": { "video": true, "audio": true },
            "isAudioEnabled": false, "isVideoEnabled": false, "hasActivePresentation": true,
            "breakoutGroup": null, "breakoutGroupAssigned": ""
        })
    );
    assert_eq!(views[3].display_name, "Screenshare (A)");
    assert!(views[3].is_presentation && views[3].is_video_enabled);
    assert_eq!(
        state.remote_client_count, 3,
        "the recorder counts as a client"
    );
    let shares: Vec<_> = state
        .screenshares
        .iter()
        .map(|share| json!(share))
        .collect();
    assert_eq!(
        shares,
        [
            json!({
                "participantId": "local", "id": "own-screen", "hasAudioTrack": true, "isLocal": true,
                "stream": { "video": true, "audio": true }, "breakoutGroup": null
            }),
            json!({
                "participantId": "a", "id": "scr", "hasAudioTrack": false, "isLocal": false,
                "stream": { "video": true, "audio": false }, "breakoutGroup": null
            })
        ]
    );
}

// conformance: field.ClientView.displayName [client]
#[test]
fn a_nameless_participant_is_a_guest_on_its_tile_alone() {
    let mut desk = Desk::in_room();
    let mut nameless = client("n", "visitor");
    nameless["displayName"] = json!("");
    desk.signal("new_client", json!({ "client": nameless }));
    let state = desk.room.state();
    assert_eq!(state.client_views[2].display_name, "Guest");
    assert_eq!(state.remote_participants[1].display_name, "");
}

#[test]
fn the_own_screen_is_in_front_here_alone_and_only_while_it_is_shared() {
    let mut desk = Desk::in_room();
    desk.signal(
        "spotlight_added",
        json!({ "clientId": "a", "streamId": "0" }),
    );
    desk.effects.clear();
    shares(&mut desk);
    assert_eq!(desk.sent(), ["start_screenshare"], "nobody else is told");
    let front = |desk: &Desk| desk.room.state().spotlighted_participants.clone();
    assert_eq!(ids(&front(&desk)), ["a", "local-screenshare"]);
    desk.act(Action::StopScreenshare).unwrap();
    assert_eq!(ids(&front(&desk)), ["a"]);
}

// conformance: field.GridState.spotlightedParticipants field.RoomConnectionState.spotlightedParticipants [client]
#[test]
fn spotlights_show_once_in_their_order_and_go_with_their_owner() {
    let mut desk = Desk::as_host();
    presents(&mut desk);
    for stream in ["scr", "0", "scr", "elsewhere"] {
        let added = json!({ "clientId": "a", "streamId": stream });
        desk.signal("spotlight_added", added);
    }
    let state = desk.room.state();
    assert_eq!(state.spotlights.len(), 3, "no pair twice");
    assert_eq!(ids(&state.spotlighted_participants), ["pres-a", "a"]);
    desk.signal("client_left", json!({ "clientId": "a" }));
    assert!(desk.room.state().spotlights.is_empty());

    let mut desk = Desk::as_host();
    desk.signal(
        "spotlight_added",
        json!({ "clientId": "b", "streamId": "0" }),
    );
    desk.signal("client_kicked", json!({ "clientId": "b" }));
    assert!(desk.room.state().spotlights.is_empty());
}

#[test]
fn a_spotlight_is_of_the_camera_and_only_of_who_has_a_tile() {
    let mut desk = Desk::as_host();
    desk.signal("new_client", json!({ "client": client("rec", "recorder") }));
    desk.effects.clear();
    for who in ["rec", "nobody"] {
        let refused = desk.act(Action::SpotlightParticipant(who.into()));
        assert!(matches!(refused, Err(Refusal::NotFound { .. })), "{who}");
    }
    desk.act(Action::SpotlightParticipant("b".into())).unwrap();
    let sent = desk.take_sent();
    let payload: serde_json::Value =
        serde_json::from_str(sent[0].payload().unwrap().get()).unwrap();
    assert_eq!(payload, json!({ "clientId": "b", "streamId": "0" }));
    assert!(desk.room.state().spotlights.is_empty(), "the echo decides");
}

// conformance: role.assistant field.WherebyClientOptions.assistantKey field.WherebyClientOptions.isAssistant [client]
#[test]
fn an_assistant_has_no_tile_and_tells_nobody_its_name() {
    for (key, is_assistant) in [(Some("k"), true), (Some(""), false), (None, false)] {
        let mut desk = Desk::new();
        desk.begin_join(None);
        desk.effects.clear();
        desk.act(Action::JoinRoom(Box::new(JoinOptions {
            assistant_key: key.map(Into::into),
            ..desk.room.join.clone().unwrap()
        })))
        .unwrap();
        desk.reach_the_room();
        let joined = desk
            .take_sent()
            .into_iter()
            .find_map(|message| match message {
                roomd_protocol::ClientMessage::JoinRoom(join) => Some(json!(join)),
                _ => None,
            });
        assert_eq!(joined.unwrap()["assistantKey"], json!(key));
        let role = if is_assistant { "assistant" } else { "visitor" };
        desk.signal("room_joined", room_joined("b", &["a", "b"], role));
        let told = desk.sent().contains(&"send_client_metadata");
        assert_eq!(told, !is_assistant, "{key:?}");
        let own = desk
            .room
            .state()
            .client_views
            .iter()
            .any(|view| view.is_local_client);
        assert_eq!(own, !is_assistant);
    }
}

// conformance: field.WherebyClientOptions.isDialIn field.WherebyClientOptions.isAudioRecorder [client]
// conformance: field.LocalParticipantState.isDialIn field.LocalParticipantState.isAudioRecorder [client]
#[test]
fn joining_by_telephone_or_as_a_recorder_of_sound_is_told_at_the_join_and_never_in_the_own_state() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    desk.effects.clear();
    desk.act(Action::JoinRoom(Box::new(JoinOptions {
        is_dial_in: true,
        is_audio_recorder: true,
        external_id: Some("x".into()),
        ..desk.room.join.clone().unwrap()
    })))
    .unwrap();
    desk.reach_the_room();
    let joined = desk
        .take_sent()
        .into_iter()
        .find_map(|message| match message {
            roomd_protocol::ClientMessage::JoinRoom(join) => Some(join),
            _ => None,
        });
    let joined = joined.unwrap();
    assert!(joined.is_dial_in && joined.is_audio_recorder);
    assert_eq!(joined.external_id.as_deref(), Some("x"));
    desk.signal("room_joined", room_joined("b", &["a", "b"], "visitor"));
    let local = &desk.room.state().local_participant;
    assert!(!local.is_dial_in && !local.is_audio_recorder);
    let mut caller = client("t", "visitor");
    caller["isDialIn"] = json!(true);
    desk.signal("new_client", json!({ "client": caller }));
    assert!(desk.room.state().remote_participants[1].is_dial_in);
}

// conformance: action.toggleHdMode action.toggleLowDataMode action.toggleWidescreenMode [client]
#[test]
fn modes_change_the_profile_at_any_time_and_survive_a_join() {
    let mut desk = Desk::new();
    assert_eq!(desk.room.state().capture_profile, CaptureProfile::default());
    desk.act(Action::ToggleHdMode(None)).unwrap();
    desk.act(Action::ToggleHdMode(Some(false))).unwrap();
    desk.act(Action::ToggleLowDataMode(Some(true))).unwrap();
    desk.act(Action::ToggleWidescreenMode(None)).unwrap();
    let profile = |hd, low_data, widescreen| {
        MediaCommand::CaptureProfile(CaptureProfile {
            hd,
            low_data,
            widescreen,
        })
    };
    assert_eq!(
        desk.media_commands(),
        [
            profile(false, false, true),
            profile(false, true, true),
            profile(false, true, false)
        ],
        "what changes nothing asks nothing"
    );
    desk.begin_join(None);
    let kept = desk.room.state().capture_profile;
    assert!(!kept.hd && kept.low_data && !kept.widescreen);
    assert_eq!(kept.height(), Some(270));
}
