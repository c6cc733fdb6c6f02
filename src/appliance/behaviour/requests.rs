//! Requests of others: to unmute, to turn the camera on; and what is done without asking.

use std::time::Duration;

use proptest::prelude::*;
use roomd_room::{Action, Input, SocketEvent};
use serde_json::{Value, json};

use super::support::{Wall, room_joined, settings};
use crate::appliance::{
    ApplianceSettings, ChangeSource, Command, PendingRequest, RequestId, RequestKind,
    settings::RequestPolicy,
};

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// `a` asks the box to unmute, or orders it muted.
fn audio(wall: &mut Wall, enable: bool) {
    let payload = json!({ "requestedByClientId": "a", "enable": enable });
    wall.signal("audio_enable_requested", payload);
}

fn video(wall: &mut Wall, enable: bool) {
    let payload = json!({ "requestedByClientId": "a", "enable": enable });
    wall.signal("video_enable_requested", payload);
}

fn pending(wall: &Wall) -> &[PendingRequest] {
    &wall.appliance.state().requests
}

/// In the room, asked to unmute.
fn asked() -> (Wall, String) {
    let mut wall = Wall::in_room(settings());
    audio(&mut wall, true);
    let [request] = pending(&wall) else {
        panic!("{:?}", pending(&wall));
    };
    let id = request.request_id.clone();
    (wall, id)
}

fn answer(wall: &mut Wall, id: &str, accept: bool) -> RequestId {
    wall.command(Command::AnswerRequest {
        request_id: id.to_owned(),
        accept,
    })
}

fn reason(wall: &Wall) -> Option<Value> {
    wall.event("request_ended")
        .map(|event| event["reason"].clone())
}

fn is_unmuted(wall: &Wall) -> bool {
    wall.appliance.room().is_microphone_enabled
}

/// The answer comes too late: it names the field and the reason, and switches nothing.
fn assert_is_over(wall: &mut Wall, id: &str, why: &str) {
    let late = answer(wall, id, true);
    let error = wall.reply(late).unwrap().unwrap_err();
    assert_eq!(format!("{:?}", error.code), "NotFound");
    assert_eq!(error.field.as_deref(), Some("requestId"));
    assert!(error.message.contains(why), "{}", error.message);
}

#[test]
fn a_request_is_told_as_an_event_and_stands_in_the_state_and_switches_nothing() {
    let (wall, id) = asked();
    let event = wall.event("request_audio_enable").unwrap();
    assert_eq!(event["requestId"], json!(id));
    assert_eq!(event["client"]["id"], "a");
    assert_eq!(
        json!(pending(&wall)),
        json!([{
            "requestId": id, "kind": "unmute", "participantId": "a", "displayName": "a",
            "askedAt": "2026-11-23T10:00:00.000Z", "expiresAt": "2026-11-23T10:00:30.000Z",
        }])
    );
    assert!(!is_unmuted(&wall));
}

#[test]
fn an_accepted_request_is_answered_when_the_microphone_is_on_and_names_who_accepted() {
    let (mut wall, id) = asked();
    let yes = answer(&mut wall, &id, true);
    assert!(wall.reply(yes).is_none(), "not on yet");
    assert!(pending(&wall).is_empty());
    wall.microphone(true, true, None);
    assert_eq!(
        wall.reply(yes).unwrap().unwrap(),
        json!({ "enabled": true })
    );
    let media = &wall.appliance.state().local_media;
    let by = media.changed_by.as_ref().unwrap();
    assert_eq!(
        (by.source, by.id.as_deref()),
        (ChangeSource::Mqtt, Some("c1"))
    );
    assert_eq!(reason(&wall), Some(json!("accepted")));
    assert_is_over(&mut wall, &id, "accepted");
}

#[test]
fn an_accepted_request_whose_device_does_not_open_says_so() {
    let (mut wall, id) = asked();
    let yes = answer(&mut wall, &id, true);
    wall.microphone(false, false, Some("device busy"));
    let error = wall.reply(yes).unwrap().unwrap_err();
    assert_eq!(format!("{:?}", error.code), "DeviceUnavailable");
}

#[test]
fn a_declined_request_is_over_and_switches_nothing() {
    let (mut wall, id) = asked();
    let no = answer(&mut wall, &id, false);
    assert!(wall.reply(no).unwrap().is_ok());
    assert_eq!(reason(&wall), Some(json!("declined")));
    assert!(pending(&wall).is_empty() && !is_unmuted(&wall));
    assert_is_over(&mut wall, &id, "declined");
}

#[test]
fn a_request_to_turn_the_camera_on_is_a_question_of_its_own() {
    let (mut wall, _) = asked();
    video(&mut wall, true);
    let [_, camera] = pending(&wall) else {
        panic!("{:?}", pending(&wall));
    };
    assert_eq!(camera.kind, RequestKind::CameraOn);
    let id = camera.request_id.clone();
    let yes = answer(&mut wall, &id, true);
    wall.camera(true, true);
    assert!(wall.reply(yes).unwrap().is_ok());
    assert!(!is_unmuted(&wall));
    assert_eq!(pending(&wall).len(), 1, "the other still stands");
}

#[test]
fn a_request_that_nobody_answers_ends_when_its_time_is_over_and_not_before() {
    let (mut wall, id) = asked();
    wall.advance(ANSWER_WITHIN - Duration::from_millis(1));
    assert_eq!(pending(&wall).len(), 1);
    assert_eq!(
        wall.appliance.next_deadline(),
        Some(wall.now.instant + Duration::from_millis(1))
    );
    wall.advance(Duration::from_millis(1));
    assert!(pending(&wall).is_empty() && !is_unmuted(&wall));
    assert_eq!(reason(&wall), Some(json!("expired")));
    assert_is_over(&mut wall, &id, "in time");
    assert!(!is_unmuted(&wall));
}

#[test]
fn an_answer_that_overtakes_the_end_of_its_time_is_still_too_late() {
    let (mut wall, id) = asked();
    wall.now.instant += ANSWER_WITHIN;
    assert_is_over(&mut wall, &id, "in time");
    assert!(!is_unmuted(&wall));
}

#[test]
fn a_request_ends_when_whoever_asked_leaves() {
    let (mut wall, id) = asked();
    wall.signal("client_left", json!({ "clientId": "a" }));
    assert_eq!(reason(&wall), Some(json!("requester_left")));
    assert_is_over(&mut wall, &id, "has left");
}

#[test]
fn a_request_ends_with_the_meeting_however_that_ends() {
    let (mut wall, id) = asked();
    wall.command(Command::Room(Action::LeaveRoom));
    assert_eq!(reason(&wall), Some(json!("room_left")));
    assert_is_over(&mut wall, &id, "left the room");

    let (mut wall, _) = asked();
    wall.signal("client_kicked", json!({ "clientId": "b" }));
    assert_eq!(reason(&wall), Some(json!("room_left")));

    let (mut wall, _) = asked();
    wall.join();
    assert_eq!(reason(&wall), Some(json!("room_left")));
}

#[test]
fn a_request_ends_when_somebody_switches_without_answering() {
    let (mut wall, id) = asked();
    wall.command(Command::Room(Action::ToggleMicrophone(Some(true))));
    assert_eq!(reason(&wall), Some(json!("switched_on")));
    assert_is_over(&mut wall, &id, "switched on");
}

#[test]
fn a_lost_connection_ends_no_request_but_a_room_without_the_requester_does() {
    let (mut wall, id) = asked();
    let lost = || Input::Socket(SocketEvent::Disconnected { will_retry: true });
    wall.room(lost());
    wall.room(Input::Socket(SocketEvent::Connected { again: true }));
    wall.signal("device_identified", Value::Null);
    wall.signal("room_joined", room_joined());
    assert_eq!(pending(&wall)[0].request_id, id);

    wall.room(lost());
    wall.room(Input::Socket(SocketEvent::Connected { again: true }));
    wall.signal("device_identified", Value::Null);
    let mut alone = room_joined();
    alone["room"]["clients"].as_array_mut().unwrap().remove(0);
    wall.signal("room_joined", alone);
    assert_eq!(reason(&wall), Some(json!("requester_left")));
}

#[test]
fn who_asks_again_replaces_the_own_request_and_nobody_elses() {
    let (mut wall, first) = asked();
    wall.advance(Duration::from_secs(20));
    audio(&mut wall, true);
    let [second] = pending(&wall) else {
        panic!("{:?}", pending(&wall));
    };
    let second = second.clone();
    assert_ne!(second.request_id, first);
    assert_eq!(second.expires_at, "2026-11-23T10:00:50.000Z");
    assert_eq!(reason(&wall), Some(json!("replaced")));
    assert_is_over(&mut wall, &first, "asked again");
    wall.advance(Duration::from_secs(20));
    assert_eq!(pending(&wall), [second], "its time began anew");
}

#[test]
fn however_often_somebody_asks_one_question_of_each_kind_stands() {
    let mut wall = Wall::in_room(settings());
    for _ in 0..1000 {
        audio(&mut wall, true);
        video(&mut wall, true);
    }
    assert_eq!(pending(&wall).len(), 2);
    assert_is_over(&mut wall, "no such id", "no open request");
}

#[test]
fn a_box_that_is_on_already_is_not_asked() {
    let mut wall = Wall::in_room(settings());
    wall.command(Command::Room(Action::ToggleMicrophone(Some(true))));
    audio(&mut wall, true);
    assert!(wall.event("request_audio_enable").unwrap()["requestId"].is_null());
    assert!(pending(&wall).is_empty());
}

#[test]
fn a_refusing_policy_does_not_even_ask() {
    let mut wall = Wall::in_room(ApplianceSettings {
        on_request_audio: RequestPolicy::Refuse,
        ..settings()
    });
    audio(&mut wall, true);
    assert!(wall.event("request_audio_enable").unwrap()["requestId"].is_null());
    assert!(pending(&wall).is_empty() && !is_unmuted(&wall));
}

#[test]
fn an_accepting_policy_unmutes_at_once_and_is_named_with_whoever_asked() {
    let mut wall = Wall::in_room(ApplianceSettings {
        on_request_audio: RequestPolicy::Accept,
        on_request_video: RequestPolicy::Accept,
        ..settings()
    });
    audio(&mut wall, true);
    assert!(is_unmuted(&wall) && pending(&wall).is_empty());
    wall.microphone(true, true, None);
    let state = wall.appliance.state();
    let by = [
        &state.local_media.changed_by,
        &state.local_participant.changed_by,
    ];
    for by in by.map(|by| by.as_ref().unwrap()) {
        assert_eq!(by.source, ChangeSource::Policy);
        assert_eq!(by.participant_id, Some("a".into()));
    }
    video(&mut wall, true);
    assert!(wall.appliance.room().is_camera_enabled);
}

#[test]
fn a_host_that_mutes_or_turns_the_camera_off_is_obeyed_whatever_the_policy_and_named_as_the_cause()
{
    for policy in [
        RequestPolicy::Ask,
        RequestPolicy::Accept,
        RequestPolicy::Refuse,
    ] {
        let mut wall = Wall::in_room(ApplianceSettings {
            on_request_audio: policy,
            on_request_video: policy,
            ..settings()
        });
        wall.command(Command::Room(Action::ToggleMicrophone(Some(true))));
        wall.command(Command::Room(Action::ToggleCamera(Some(true))));
        wall.microphone(true, true, None);
        wall.camera(true, true);
        let cause = |wall: &Wall| {
            let by = wall.appliance.state().local_media.changed_by.clone();
            by.map(|by| (by.source, by.participant_id))
        };
        let room = Some((ChangeSource::Room, Some("a".into())));

        audio(&mut wall, false);
        wall.microphone(false, false, None);
        let state = wall.appliance.state();
        assert!(!state.local_participant.participant.is_audio_enabled);
        assert_eq!(cause(&wall), room);
        assert!(wall.event("request_audio_disable").is_some());

        video(&mut wall, false);
        wall.camera(false, false);
        let state = wall.appliance.state();
        assert!(!state.local_participant.participant.is_video_enabled);
        assert_eq!(cause(&wall), room);
        assert!(wall.event("request_video_disable").is_some());
    }
}

proptest! {
    #[test]
    fn every_question_ends_exactly_once_and_nothing_is_switched_on_without_a_yes(
        steps in prop::collection::vec((0_u8..8, any::<bool>()), 1..80)
    ) {
        let mut wall = Wall::in_room(settings());
        let mut may_be_on = false;
        for (step, flag) in steps {
            match step {
                0 => audio(&mut wall, flag),
                1 => video(&mut wall, flag),
                2 => {
                    let first = pending(&wall).first().cloned();
                    if let Some(open) = first {
                        may_be_on |= flag && open.kind == RequestKind::Unmute;
                        answer(&mut wall, &open.request_id, flag);
                    }
                }
                3 => wall.advance(Duration::from_secs(if flag { 7 } else { 31 })),
                4 => wall.signal("client_left", json!({ "clientId": "a" })),
                5 => wall.signal("room_joined", room_joined()),
                6 => drop(wall.command(Command::Room(Action::ToggleMicrophone(Some(false))))),
                _ => wall.microphone(is_unmuted(&wall), is_unmuted(&wall), None),
            }
            prop_assert!(may_be_on || !is_unmuted(&wall));
            for open in pending(&wall) {
                let until = open.expires_at.parse::<jiff::Timestamp>().unwrap();
                prop_assert!(until > wall.now.wall);
            }
        }
        let asked = ["request_audio_enable", "request_video_enable"]
            .iter()
            .flat_map(|name| wall.events(name))
            .filter(|event| event["requestId"].is_string())
            .count();
        prop_assert_eq!(asked, wall.events("request_ended").len() + pending(&wall).len());
    }
}
