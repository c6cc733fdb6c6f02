//! Breakout groups, services and modes by command: replies when they came true, state, events.

use std::time::Duration;

use roomd_protocol::ClientMessage;
use roomd_room::{
    Action, BreakoutSessionSettings, CaptureProfile, CaptureReport, Input, MediaCommand, MediaEvent,
};
use roomd_signalling::Command as Signalling;
use serde_json::{Value, json};

use super::support::{Wall, room_joined, settings};
use crate::appliance::{
    ApplianceOutput, ApplianceSettings, ChangeSource, Command, JoinRoom, RequestId,
    events::ROOM_EVENTS, state::CaptureMode,
};

/// Host of a room of mode group, with `a` in it.
fn host() -> Wall {
    let mut wall = Wall::in_room(settings());
    let mut joined = room_joined();
    joined["room"]["mode"] = json!("group");
    joined["room"]["clients"][0]["deviceId"] = json!("device-a");
    joined["room"]["clients"][1]["role"]["roleName"] = json!("host");
    wall.signal("room_joined", joined);
    wall.outputs.clear();
    wall
}

fn act(wall: &mut Wall, action: Action) -> RequestId {
    wall.command(Command::Room(action))
}

fn ok(wall: &Wall, id: RequestId) -> Value {
    wall.reply(id).expect("a reply").expect("a success")
}

fn code(wall: &Wall, id: RequestId) -> String {
    let error = wall.reply(id).expect("a reply").expect_err("an error");
    assert!(!error.remedy.is_empty());
    format!("{:?}", error.code)
}

fn groups() -> indexmap::IndexMap<String, String> {
    [("a", "Group A"), ("b", "Group B")]
        .map(|(id, name)| (id.to_owned(), name.to_owned()))
        .into()
}

fn start() -> Action {
    Action::StartBreakoutSession {
        groups: groups(),
        assignments: Some([("a".into(), "a".to_owned())].into()),
        settings: BreakoutSessionSettings::default(),
    }
}

fn session(more: Value) -> Value {
    let mut config = json!({
        "groups": { "a": "Group A", "b": "Group B" }, "assignments": { "device-a": "a" },
        "startedAt": "2026-11-23T10:00:00.000Z", "breakoutStartedAt": "2026-11-23T10:00:00.000Z",
        "initiatedBy": { "clientId": "b", "active": true }
    });
    let more = more.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(more);
    config
}

#[test]
fn a_session_is_started_when_the_room_says_so_with_these_groups_and_assignments() {
    let mut wall = host();
    let started = act(&mut wall, start());
    assert!(wall.reply(started).is_none());
    wall.signal(
        "breakout_session_updated",
        session(json!({ "assignments": {} })),
    );
    assert!(wall.reply(started).is_none(), "not as it was asked for");
    wall.signal("breakout_session_updated", session(json!({})));
    ok(&wall, started);
    let shown = &wall.appliance.state().breakout;
    assert!(shown.is_active);
    assert_eq!(shown.grouped_participants.len(), 3);
    let remotes = &wall.appliance.state().remote_participants;
    assert_eq!(remotes[0].breakout_group_assigned, "a");
    assert!(
        wall.event("breakout_config_changed").unwrap()["isActive"]
            .as_bool()
            .unwrap()
    );
}

#[test]
fn groups_that_a_room_cannot_have_are_refused_and_the_state_says_why() {
    let mut wall = Wall::in_room(settings());
    let visitor = act(&mut wall, start());
    assert_eq!(code(&wall, visitor), "NotPermitted");
    let mut joined = room_joined();
    joined["room"]["clients"][1]["role"]["roleName"] = json!("host");
    wall.signal("room_joined", joined);
    let started = act(&mut wall, start());
    assert_eq!(code(&wall, started), "WrongState");
    let error = wall.appliance.state().breakout.error.clone();
    assert!(error.unwrap().contains("peer-to-peer"));
    let dealt = act(&mut wall, Action::AssignAllBreakoutParticipants);
    assert_eq!(code(&wall, dealt), "WrongState");
}

#[test]
fn every_change_of_the_groups_is_answered_by_what_comes_back() {
    let mut wall = host();
    wall.signal("breakout_session_updated", session(json!({})));
    for (action, came_back) in [
        (
            Action::AssignBreakoutParticipants([("a".into(), "b".to_owned())].into()),
            json!({ "assignments": { "device-a": "b" } }),
        ),
        (
            Action::UnassignAllBreakoutParticipants,
            json!({ "assignments": { "device-a": "" } }),
        ),
        (
            Action::ExtendBreakoutTimer(Some(30.0)),
            json!({ "breakoutTimerDuration": 1830 }),
        ),
        (
            Action::UpdateBreakoutSession {
                groups: None,
                assignments: None,
                settings: BreakoutSessionSettings {
                    enforce_assignment: Some(true),
                    breakout_timer_setting: Some(true),
                    ..BreakoutSessionSettings::default()
                },
            },
            json!({ "enforceAssignment": true, "breakoutTimerSetting": true, "breakoutTimerDuration": 1830 }),
        ),
        (
            Action::StopBreakoutSession,
            json!({ "startedAt": null, "breakoutTimerDuration": 1830 }),
        ),
    ] {
        let changed = act(&mut wall, action.clone());
        assert!(wall.reply(changed).is_none(), "{action:?}");
        wall.signal("breakout_session_updated", session(came_back));
        ok(&wall, changed);
    }
    let alone = act(&mut wall, Action::StopBreakoutTimer);
    ok(&wall, alone);
    let late = act(&mut wall, Action::ExtendBreakoutTimer(None));
    wall.advance(Duration::from_secs(6));
    assert_eq!(code(&wall, late), "Timeout");
}

#[test]
fn a_move_is_answered_when_it_is_told_to_everybody() {
    let mut wall = host();
    let nowhere = act(&mut wall, Action::JoinBreakoutGroup("a".into()));
    assert_eq!(code(&wall, nowhere), "NotFound");
    wall.signal("breakout_session_updated", session(json!({})));
    let moved = act(&mut wall, Action::JoinBreakoutGroup("a".into()));
    assert!(wall.reply(moved).is_none());
    let joined = |group: &str| json!({ "clientId": "b", "group": group });
    wall.signal("breakout_group_joined", joined("a"));
    assert_eq!(ok(&wall, moved), json!({ "group": "a" }));
    let current = wall.appliance.state().breakout.current_group.clone();
    assert_eq!(current.unwrap().name, "Group A");
    let back = act(&mut wall, Action::JoinBreakoutMainRoom);
    assert!(wall.reply(back).is_none());
    wall.signal("breakout_group_joined", joined(""));
    ok(&wall, back);
}

#[test]
fn the_end_of_the_groups_mutes_and_nothing_says_muted_before_the_gate_is_closed() {
    let mut wall = host();
    act(&mut wall, Action::ToggleMicrophone(Some(true)));
    wall.microphone(true, true, None);
    wall.signal("breakout_session_updated", session(json!({})));
    wall.outputs.clear();
    let end = json!({ "startedAt": null, "initiatedBy": { "clientId": "a", "active": false } });
    wall.signal("breakout_session_updated", session(end));
    assert!(!wall.appliance.room().is_microphone_enabled);
    let own = |wall: &Wall| {
        let state = wall.appliance.state();
        let in_views = state.client_views[0].is_audio_enabled;
        let in_group = state.breakout.participants_in_current_group[0].is_audio_enabled;
        assert_eq!(
            in_views,
            state.local_participant.participant.is_audio_enabled
        );
        assert_eq!(in_views, in_group);
        in_views
    };
    assert!(own(&wall), "samples may still leave");
    assert!(wall.event("microphone_state_changed").is_none());
    wall.microphone(false, false, None);
    assert!(!own(&wall));
    let told = wall.event("microphone_state_changed").unwrap();
    assert_eq!(told, json!({ "enabled": false }));
    let by = wall
        .appliance
        .state()
        .local_media
        .changed_by
        .clone()
        .unwrap();
    assert_eq!(
        (by.source, by.participant_id),
        (ChangeSource::Room, Some("a".into()))
    );
}

#[test]
fn services_are_answered_by_the_room_and_a_refusal_carries_its_word() {
    for (start, stop, started, stopped, part) in [
        (
            Action::StartLiveTranscription,
            Action::StopLiveTranscription,
            "live_transcription_started",
            "live_transcription_stopped",
            "live_transcription_status_changed",
        ),
        (
            Action::StartLiveCaptions,
            Action::StopLiveCaptions,
            "live_captions_started",
            "live_captions_stopped",
            "live_captions_status_changed",
        ),
    ] {
        let mut wall = host();
        let refused = act(&mut wall, start.clone());
        assert!(wall.reply(refused).is_none());
        wall.signal(started, json!({ "error": "not_enabled" }));
        assert_eq!(code(&wall, refused), "RejectedByRoom");
        let error = wall.reply(refused).unwrap().unwrap_err();
        assert_eq!(error.message, "not_enabled");
        let granted = act(&mut wall, start);
        wall.signal(started, json!({}));
        ok(&wall, granted);
        assert!(wall.event(part).is_some());
        let ended = act(&mut wall, stop);
        assert!(wall.reply(ended).is_none());
        wall.signal(stopped, json!({}));
        ok(&wall, ended);
    }
    let mut wall = host();
    act(&mut wall, Action::StartLiveCaptions);
    wall.signal("live_captions_started", json!({}));
    let caption = json!({ "resultId": "1", "senderId": "a", "text": "Hello" });
    wall.signal("live_caption", caption);
    let captions = wall
        .appliance
        .state()
        .live_captions
        .as_ref()
        .clone()
        .unwrap();
    assert_eq!(captions.caption_log[0].text, "Hello");
    wall.advance(Duration::from_secs(5));
    let captions = wall
        .appliance
        .state()
        .live_captions
        .as_ref()
        .clone()
        .unwrap();
    assert!(captions.caption_log.is_empty());
}

fn camera(wall: &mut Wall, flowing: bool) {
    wall.room(Input::Media(MediaEvent::Camera(CaptureReport {
        device: "usb".into(),
        open: flowing,
        flowing,
        error: None,
        returning: false,
    })));
}

#[test]
fn a_mode_is_answered_at_once_with_the_camera_off_and_once_it_has_opened_anew_when_it_is_on() {
    let mut wall = Wall::in_room(settings());
    let off = act(&mut wall, Action::ToggleLowDataMode(Some(true)));
    assert_eq!(ok(&wall, off), json!({ "enabled": true }));
    assert_eq!(
        wall.appliance.state().local_media.mode,
        CaptureMode::LowData
    );
    act(&mut wall, Action::ToggleCamera(Some(true)));
    camera(&mut wall, true);
    let on = act(&mut wall, Action::ToggleLowDataMode(None));
    assert!(wall.media(&MediaCommand::CaptureProfile(CaptureProfile::default())));
    assert!(wall.reply(on).is_none(), "the camera opens anew");
    camera(&mut wall, true);
    assert_eq!(ok(&wall, on), json!({ "enabled": false }));
    assert_eq!(wall.appliance.state().local_media.mode, CaptureMode::Hd);
    let wide = act(&mut wall, Action::ToggleWidescreenMode(Some(true)));
    assert_eq!(
        ok(&wall, wide),
        json!({ "enabled": true }),
        "it is so already"
    );
    let failing = act(&mut wall, Action::ToggleHdMode(Some(false)));
    wall.room(Input::Media(MediaEvent::Camera(CaptureReport {
        error: Some("busy".into()),
        ..CaptureReport::default()
    })));
    assert_eq!(code(&wall, failing), "DeviceUnavailable");
    assert!(!wall.appliance.room().is_camera_enabled);
}

#[test]
fn a_hand_and_a_broadcast_are_answered_when_they_show() {
    let mut wall = host();
    let hand = act(&mut wall, Action::ToggleRaiseHand(None));
    assert_eq!(ok(&wall, hand), json!({ "enabled": true }));
    let front = act(&mut wall, Action::BroadcastToGroups("a".into()));
    assert!(wall.reply(front).is_none());
    let spotlight = json!({ "clientId": "a", "streamId": "0" });
    wall.signal("spotlight_added", spotlight.clone());
    ok(&wall, front);
    assert_eq!(wall.appliance.state().spotlights[0].id, "a");
    assert_eq!(
        wall.event("spotlight_participant_added").unwrap()["id"],
        "a"
    );
    let back = act(&mut wall, Action::StopBroadcastToGroups("a".into()));
    wall.signal("spotlight_removed", spotlight);
    ok(&wall, back);
    let removed = wall.event("spotlight_participant_removed").unwrap();
    assert_eq!(removed, json!({ "id": "a" }));
}

#[test]
fn every_event_that_is_told_is_documented_and_notifications_speak_to_people() {
    let mut wall = host();
    wall.signal(
        "breakout_session_updated",
        session(json!({ "assignments": { "d": "a" } })),
    );
    for (name, payload) in [
        (
            "room_knocked",
            json!({ "clientId": "k", "displayName": "K" }),
        ),
        ("knocker_left", json!({ "clientId": "k" })),
        (
            "chat_message",
            json!({ "id": "1", "senderId": "a", "text": "hi", "breakoutGroup": "a", "broadcast": true }),
        ),
        (
            "audio_enable_requested",
            json!({ "requestedByClientId": "a", "enable": true }),
        ),
        (
            "audio_enable_requested",
            json!({ "requestedByClientId": "a", "enable": false }),
        ),
        (
            "video_enable_requested",
            json!({ "requestedByClientId": "a", "enable": true }),
        ),
        (
            "video_enable_requested",
            json!({ "requestedByClientId": "a", "enable": false }),
        ),
        (
            "client_metadata_received",
            json!({ "payload": { "clientId": "a", "displayName": "A", "stickyReaction": { "reaction": "✋", "timestamp": "1" } } }),
        ),
        (
            "client_metadata_received",
            json!({ "payload": { "clientId": "a", "displayName": "A" } }),
        ),
        ("client_unable_to_join", json!({ "error": "room_full" })),
        ("breakout_ending", Value::Null),
        ("breakout_timer_ended", Value::Null),
        ("breakout_timer_extended", Value::Null),
    ] {
        wall.signal(name, payload);
    }
    wall.signal("room_joined", room_joined());
    wall.signal("room_joined", json!({ "error": "room_full" }));
    let told = wall.outputs.iter().filter_map(|output| match output {
        ApplianceOutput::Event(event)
            if !event.name.starts_with("problem") && event.name != "request_ended" =>
        {
            Some(event)
        }
        _ => None,
    });
    for event in told {
        let known = ROOM_EVENTS.iter().any(|(name, ..)| *name == event.name);
        assert!(known, "{} is not documented", event.name);
    }
    for (name, message) in [
        ("request_audio_enable", "a has requested for you to speak"),
        ("request_audio_disable", "a has muted your microphone"),
        (
            "request_video_enable",
            "a has requested for you to start video",
        ),
        ("request_video_disable", "a has stopped your video"),
        ("chat_message_received", "a says: hi"),
        ("remote_hand_raised", "A raised their hand"),
        ("remote_hand_lowered", "A lowered their hand"),
        (
            "client_unable_to_join_full_room",
            "Someone tried to join but the room is full and at capacity.",
        ),
        (
            "breakout_timer_ending",
            "The breakout session is ending soon",
        ),
        ("breakout_timer_ended", "The breakout timer ended"),
        ("breakout_timer_extended", "The breakout timer was extended"),
        ("breakout_group_assigned", "You've been assigned to Group A"),
    ] {
        let event = wall.event(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(event["message"], message, "{name}");
    }
    let joined = wall.event("room_joined").unwrap();
    assert_eq!(joined, json!({ "isLocked": false, "selfId": "b" }));
    let chat = wall.event("chat_new_message").unwrap();
    assert_eq!(
        (&chat["removed"], &chat["broadcast"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(ROOM_EVENTS.len(), 22 + 14);
}

#[test]
fn a_host_assigns_itself_by_its_own_device() {
    let mut wall = host();
    let assigned = act(
        &mut wall,
        Action::AssignBreakoutParticipants([("b".into(), "b".to_owned())].into()),
    );
    let sent = wall.outputs.iter().find_map(|output| match output {
        ApplianceOutput::Signalling(Signalling::Send(ClientMessage::UpdateBreakoutSession(
            patch,
        ))) => Some(json!(patch)),
        _ => None,
    });
    assert_eq!(
        sent.unwrap(),
        json!({ "assignments": { "d": "b" } }),
        "oneself, by device"
    );
    wall.signal(
        "breakout_session_updated",
        session(json!({ "assignments": { "d": "b" } })),
    );
    ok(&wall, assigned);
    let local = &wall.appliance.state().local_participant.participant;
    assert_eq!(local.breakout_group_assigned, "b");
}

#[test]
fn a_box_that_joined_as_an_assistant_returns_as_one() {
    let joined_with = |wall: &Wall| {
        let sent = wall.outputs.iter().find_map(|output| match output {
            ApplianceOutput::Signalling(Signalling::Send(ClientMessage::JoinRoom(join))) => {
                Some(json!(join))
            }
            _ => None,
        });
        let join = sent.expect("a join");
        (join["assistantKey"].clone(), join["isDialIn"].clone())
    };
    let by_hand = ApplianceSettings {
        auto_join: false,
        ..settings()
    };
    let mut wall = Wall::started(by_hand.clone(), None);
    wall.command(Command::JoinRoom(JoinRoom {
        assistant_key: Some("program".into()),
        is_dial_in: Some(true),
        ..JoinRoom::default()
    }));
    wall.reach_the_room();
    assert_eq!(joined_with(&wall), (json!("program"), json!(true)));
    wall.signal("room_joined", room_joined());
    let memory = wall.memory().unwrap();
    assert!(
        !format!("{memory:?}").contains("program"),
        "a key is never logged"
    );
    let mut again = Wall::started(by_hand, Some(memory));
    again.reach_the_room();
    assert_eq!(joined_with(&again), (json!("program"), json!(true)));
}
