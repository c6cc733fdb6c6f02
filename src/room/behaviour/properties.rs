//! What holds for every sequence of actions, server events and losses.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{Desk, client, room_joined};
use crate::{Action, Effect, Input, MediaEvent, SocketEvent, state::ConnectionStatus as Status};

#[derive(Clone, Debug)]
enum Step {
    Join,
    Act(Action),
    Signal(&'static str, Value),
    Loss,
    Return,
    Wait(u64),
    Share(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let id = prop::sample::select(vec!["a", "b", "c", "x"]);
    prop_oneof![
        2 => Just(Step::Join),
        2 => any::<Option<bool>>().prop_map(|on| Step::Act(Action::ToggleMicrophone(on))),
        1 => any::<Option<bool>>().prop_map(|on| Step::Act(Action::ToggleCamera(on))),
        2 => any::<Option<bool>>().prop_map(|on| Step::Act(Action::ToggleRaiseHand(on))),
        1 => "[a-z]{0,3}".prop_map(|name| Step::Act(Action::SetDisplayName(name))),
        1 => Just(Step::Act(Action::LeaveRoom)),
        1 => Just(Step::Act(Action::Knock)),
        1 => Just(Step::Act(Action::CancelKnock)),
        1 => Just(Step::Act(Action::StartScreenshare { source: None })),
        1 => Just(Step::Act(Action::StopScreenshare)),
        1 => any::<bool>().prop_map(|locked| Step::Act(Action::LockRoom(locked))),
        1 => id.clone().prop_map(|id| Step::Act(Action::KickParticipant(id.into()))),
        4 => prop::sample::select(vec!["host", "visitor"])
            .prop_map(|role| Step::Signal("room_joined", room_joined("b", &["a", "b", "c"], role))),
        1 => Just(Step::Signal("room_joined", json!({ "error": "room_locked", "isLocked": true, "selfId": "b" }))),
        1 => Just(Step::Signal("room_joined", json!({ "error": "room_full" }))),
        3 => Just(Step::Signal("device_identified", Value::Null)),
        1 => prop::sample::select(vec!["accepted", "on_hold", "rejected"]).prop_map(|resolution| Step::Signal(
            "knock_handled",
            json!({ "clientId": "b", "resolution": resolution, "metadata": { "roomKey": "k", "roomName": "/standup" } }),
        )),
        2 => id.clone().prop_map(|id| Step::Signal("new_client", json!({ "client": client(id, "visitor") }))),
        1 => id.clone().prop_map(|id| Step::Signal("client_left", json!({ "clientId": id }))),
        1 => id.clone().prop_map(|id| Step::Signal("room_knocked", json!({ "clientId": id, "displayName": "K" }))),
        1 => id.clone().prop_map(|id| Step::Signal("ready_to_receive_offer", json!({ "clientId": id }))),
        1 => id.clone().prop_map(|id| Step::Signal(
            "sdp_offer", json!({ "clientId": id, "message": { "type": "offer", "sdp": "s" } }))),
        1 => id.clone().prop_map(|id| Step::Signal(
            "sdp_answer", json!({ "clientId": id, "message": { "type": "answer", "sdp": "s" } }))),
        1 => id.prop_map(|id| Step::Signal("audio_enable_requested", json!({ "requestedByClientId": id, "enable": false }))),
        1 => Just(Step::Signal("client_kicked", json!({ "clientId": "b" }))),
        1 => Just(Step::Signal("room_left", Value::Null)),
        2 => Just(Step::Loss),
        3 => Just(Step::Return),
        2 => (1_u64..40).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Share),
    ]
}

fn apply(desk: &mut Desk, step: &Step) {
    match step {
        Step::Join => {
            desk.begin_join(None);
        }
        // A refusal is an answer like any other.
        Step::Act(action) => drop(desk.act(action.clone())),
        Step::Signal(name, payload) => desk.signal(name, payload.clone()),
        Step::Loss => desk.input(Input::Socket(SocketEvent::Disconnected {
            will_retry: true,
        })),
        Step::Return => desk.input(Input::Socket(SocketEvent::Connected { again: true })),
        Step::Wait(seconds) => desk.advance(Duration::from_secs(*seconds)),
        Step::Share(true) => desk.media(MediaEvent::ScreenshareStarted {
            stream: "s".into(),
            has_audio: false,
        }),
        Step::Share(false) => desk.media(MediaEvent::ScreenshareEnded { error: None }),
    }
}

const ONLY_CONNECTED: &[&str] = &[
    "enable_audio",
    "enable_video",
    "send_client_metadata",
    "chat_message",
    "handle_knock",
    "set_lock",
    "kick_client",
    "request_audio_enable",
    "request_video_enable",
];
const ONLY_HOST: &[&str] = &[
    "set_lock",
    "kick_client",
    "request_audio_enable",
    "request_video_enable",
    "add_spotlight",
    "remove_spotlight",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_invariants_of_a_room_connection_hold(steps in prop::collection::vec(step(), 1..40)) {
        let mut desk = Desk::new();
        for step in &steps {
            let before = desk.status();
            let role = desk.room.state().local_participant.role_name;
            let error = desk.room.state().connection_error.is_some();
            desk.effects.clear();
            apply(&mut desk, step);
            let after = desk.status();
            let sent: Vec<&str> = desk.effects.iter().filter_map(|effect| match effect {
                Effect::Send(message) => Some(message.name()),
                _ => None,
            }).collect();
            let state = desk.room.state();
            let joining = matches!(step, Step::Join);

            if !joining {
                let joins = sent.iter().filter(|name| **name == "join_room").count();
                prop_assert!(joins <= 1);
                prop_assert_eq!(joins == 1, after == Status::Connecting && joins == 1, "join_room ends in connecting");
                prop_assert!(!(error && joins == 1), "a stored error blocks joining");
                if matches!(before, Status::Kicked | Status::Left) {
                    prop_assert!(sent.is_empty() || sent == ["leave_room"], "{:?} sent {:?}", before, sent);
                }
                for name in &sent {
                    if ONLY_CONNECTED.contains(name) {
                        prop_assert!(before == Status::Connected || after == Status::Connected, "{} in {:?}", name, before);
                    }
                    if ONLY_HOST.contains(name) {
                        prop_assert_eq!(role.as_str(), "host");
                    }
                }
                if sent.contains(&"knock_room") {
                    prop_assert_eq!(before, Status::RoomLocked);
                }
                if sent.contains(&"cancel_room_knock") {
                    prop_assert!(matches!(before, Status::Knocking | Status::KnockOnHold));
                }
            }
            let mut ids: Vec<_> = state.remote_participants.iter().map(|one| one.id.clone()).collect();
            prop_assert!(!ids.contains(&state.local_participant.id), "never oneself among the others");
            ids.sort();
            let count = ids.len();
            ids.dedup();
            prop_assert_eq!(ids.len(), count, "ids are unique");
            prop_assert_eq!(
                state.local_participant.is_screen_sharing,
                state.screenshares.iter().any(|share| share.is_local)
            );
            if sent.contains(&"enable_audio") {
                prop_assert_eq!(state.local_participant.is_audio_enabled, state.is_microphone_enabled);
            }
        }
    }
}
