//! What each role may do. Who may not is told so, and nothing is sent.

use indexmap::IndexMap;
use serde_json::json;

use super::{
    breakout::{in_group_room, session},
    support::{Desk, room_joined},
};
use crate::{Action, BreakoutSessionSettings, Effect, JoinOptions, MediaCommand, Refusal, Right};

const HOSTS: &[&str] = &["host"];
const PUBLISHERS: &[&str] = &["none", "visitor", "granted_visitor", "host", "assistant"];
const PARTICIPANTS: &[&str] = &[
    "none",
    "visitor",
    "granted_visitor",
    "viewer",
    "granted_viewer",
    "host",
    "assistant",
];
const ALL: &[&str] = &[
    "none",
    "visitor",
    "granted_visitor",
    "viewer",
    "granted_viewer",
    "host",
    "recorder",
    "streamer",
    "captioner",
    "assistant",
];

/// Every action but those that move the connection, and the roles that may do it.
fn rights() -> Vec<(&'static [&'static str], Action)> {
    use Action as A;
    let somebody = || "a".into();
    let groups = || IndexMap::from([("a".to_owned(), "Group A".to_owned())]);
    let settings = BreakoutSessionSettings::default;
    let hosts = [
        A::LockRoom(true),
        A::KickParticipant(somebody()),
        A::EndMeeting { stay_behind: true },
        A::AskToSpeak(somebody()),
        A::AskToTurnOnCamera(somebody()),
        A::MuteParticipants(vec![somebody()]),
        A::TurnOffParticipantCameras(vec![somebody()]),
        A::SpotlightParticipant(somebody()),
        A::RemoveSpotlight(somebody()),
        A::AcceptWaitingParticipant(somebody()),
        A::HoldWaitingParticipant(somebody(), None),
        A::RejectWaitingParticipant(somebody(), None),
        A::StartCloudRecording,
        A::StopCloudRecording,
        A::StartLiveTranscription,
        A::StopLiveTranscription,
        A::StartBreakoutSession {
            groups: groups(),
            assignments: None,
            settings: settings(),
        },
        A::UpdateBreakoutSession {
            groups: Some(groups()),
            assignments: None,
            settings: settings(),
        },
        A::StopBreakoutSession,
        A::AssignBreakoutParticipants(IndexMap::new()),
        A::AssignAllBreakoutParticipants,
        A::UnassignAllBreakoutParticipants,
        A::ShuffleBreakoutParticipants,
        A::ExtendBreakoutTimer(None),
        A::StopBreakoutTimer,
        A::BroadcastToGroups(somebody()),
        A::StopBroadcastToGroups(somebody()),
    ];
    let publishers = [
        A::ToggleMicrophone(Some(true)),
        A::ToggleCamera(Some(true)),
        A::StartScreenshare { source: None },
    ];
    let participants = [
        A::ToggleRaiseHand(Some(true)),
        A::SendChatMessage {
            text: "x".into(),
            parent_id: None,
            is_broadcast: false,
        },
        A::RemoveChatMessage {
            message_id: "own".into(),
        },
        A::StartLiveCaptions,
        A::StopLiveCaptions,
        A::JoinBreakoutGroup("a".into()),
        A::JoinBreakoutMainRoom,
    ];
    let all = [
        A::ToggleMicrophone(Some(false)),
        A::ToggleCamera(Some(false)),
        A::StopScreenshare,
        A::SetDisplayName("x".into()),
        A::ToggleHdMode(None),
        A::ToggleLowDataMode(None),
        A::ToggleWidescreenMode(None),
    ];
    let lists = [
        (HOSTS, hosts.to_vec()),
        (PUBLISHERS, publishers.to_vec()),
        (PARTICIPANTS, participants.to_vec()),
        (ALL, all.to_vec()),
    ];
    let pairs = lists.into_iter();
    pairs
        .flat_map(|(roles, actions)| actions.into_iter().map(move |action| (roles, action)))
        .collect()
}

/// In a room with groups, with a message of one's own and one of somebody else, and somebody at the door.
fn in_room_as(role: &str) -> Desk {
    let mut desk = in_group_room(role);
    desk.signal("breakout_session_updated", session(json!({})));
    for (id, sender) in [("own", "b"), ("other", "a")] {
        desk.signal(
            "chat_message",
            json!({ "id": id, "messageType": "text", "senderId": sender, "text": "hello" }),
        );
    }
    desk.effects.clear();
    desk
}

// conformance: role.none role.visitor role.granted_visitor role.viewer role.granted_viewer role.host [client]
// conformance: role.recorder role.streamer role.captioner role.assistant [client]
// conformance: rule.lockRoom rule.kickParticipant rule.endMeeting rule.requestAudioAndVideo rule.spotlights [client]
// conformance: rule.breakoutSession rule.waitingRoom rule.cloudRecording rule.liveTranscription rule.liveCaptions [client]
// conformance: rule.chat rule.screenshare rule.breakoutMoves rule.ownMediaNameAndHand [client]
#[test]
fn who_may_not_do_something_is_told_so_at_once_and_nothing_is_sent() {
    for role in ALL {
        for (roles, action) in rights() {
            let mut desk = in_room_as(role);
            let own = &desk.room.state().local_participant;
            assert_eq!(own.role_name.as_str(), *role);
            let result = desk.act(action.clone());
            let is_refused = matches!(result, Err(Refusal::NotPermitted { .. }));
            assert_eq!(
                !is_refused,
                roles.contains(role),
                "{role}: {action:?}: {result:?}"
            );
            if is_refused {
                assert!(
                    desk.effects.is_empty(),
                    "{role}: {action:?}: {:?}",
                    desk.effects
                );
            }
        }
    }
}

// conformance: rule.removeChatMessage action.removeChatMessage [client]
#[test]
fn a_message_is_taken_away_by_its_writer_or_a_host() {
    let remove = |desk: &mut Desk, id: &str| {
        let message_id = id.to_owned();
        desk.act(Action::RemoveChatMessage { message_id })
    };
    let mut visitor = in_room_as("visitor");
    assert!(matches!(
        remove(&mut visitor, "other"),
        Err(Refusal::NotPermitted {
            needs: Right::Author,
            ..
        })
    ));
    assert!(matches!(
        remove(&mut visitor, "none"),
        Err(Refusal::NotFound { .. })
    ));
    assert!(visitor.effects.is_empty());
    remove(&mut visitor, "own").unwrap();
    assert_eq!(visitor.sent(), ["remove_chat_message"]);
    visitor.signal(
        "chat_message_removed",
        json!({ "id": "own", "requestedByClientId": "b" }),
    );
    let messages = &visitor.room.state().chat_messages;
    assert!(messages[0].removed && !messages[1].removed);
    assert_eq!(messages[0].text, "hello", "the text stays");
    let mut host = in_room_as("host");
    remove(&mut host, "other").unwrap();
    assert_eq!(host.sent(), ["remove_chat_message"]);
}

// conformance: rule.breakoutMoves field.BreakoutState.enforceAssignment [client]
#[test]
fn where_assignments_bind_only_the_assigned_enter_a_group_and_everybody_leaves_it() {
    for (role, may) in [("visitor", false), ("host", true)] {
        let mut desk = in_room_as(role);
        let config = json!({ "enforceAssignment": true, "assignments": { "d": "b" } });
        desk.signal("breakout_session_updated", session(config));
        desk.effects.clear();
        let result = desk.act(Action::JoinBreakoutGroup("a".into()));
        assert_eq!(result.is_ok(), may, "{role}: {result:?}");
        assert_eq!(desk.sent().len(), usize::from(may));
        desk.act(Action::JoinBreakoutGroup("b".into())).unwrap();
        desk.act(Action::JoinBreakoutMainRoom).unwrap();
        assert_eq!(desk.sent(), ["join_breakout_group", "join_breakout_group"]);
    }
}

// conformance: action.endMeeting action.askToSpeak action.muteParticipants action.askToTurnOnCamera [client]
// conformance: action.turnOffParticipantCameras action.spotlightParticipant action.removeSpotlight [client]
// conformance: action.broadcastToGroups action.stopBroadcastToGroups action.lockRoom action.kickParticipant [client]
// conformance: action.stopLiveCaptions action.holdWaitingParticipant action.rejectWaitingParticipant [client]
#[test]
fn a_host_sends_for_each_action_what_the_sdk_sends() {
    use Action as A;
    let a = || "a".into();
    let spotlight = json!({ "clientId": "a", "streamId": "0" });
    for (action, name, payload) in [
        (A::LockRoom(false), "set_lock", json!({ "locked": false })),
        (
            A::KickParticipant(a()),
            "kick_client",
            json!({ "clientId": "a", "reasonId": "kick" }),
        ),
        (
            A::EndMeeting { stay_behind: true },
            "kick_client",
            json!({ "clientIds": ["a", "c"], "reasonId": "end-meeting" }),
        ),
        (
            A::AskToSpeak(a()),
            "request_audio_enable",
            json!({ "clientIds": ["a"], "enable": true }),
        ),
        (
            A::MuteParticipants(vec![a(), "c".into()]),
            "request_audio_enable",
            json!({ "clientIds": ["a", "c"], "enable": false }),
        ),
        (
            A::AskToTurnOnCamera(a()),
            "request_video_enable",
            json!({ "clientIds": ["a"], "enable": true }),
        ),
        (
            A::TurnOffParticipantCameras(vec![a()]),
            "request_video_enable",
            json!({ "clientIds": ["a"], "enable": false }),
        ),
        (
            A::SpotlightParticipant(a()),
            "add_spotlight",
            spotlight.clone(),
        ),
        (
            A::RemoveSpotlight(a()),
            "remove_spotlight",
            spotlight.clone(),
        ),
        (
            A::BroadcastToGroups(a()),
            "add_spotlight",
            spotlight.clone(),
        ),
        (A::StopBroadcastToGroups(a()), "remove_spotlight", spotlight),
        (A::StopLiveCaptions, "live_captions_disabled", json!(null)),
        (
            A::HoldWaitingParticipant("k".into(), Some(" wait ".into())),
            "handle_knock",
            json!({
                "action": "hold", "clientId": "k",
                "knockResponse": { "message": "wait", "sender": { "displayName": "Desk" } }
            }),
        ),
        (
            A::RejectWaitingParticipant("k".into(), Some("no".into())),
            "handle_knock",
            json!({ "action": "reject", "clientId": "k", "knockResponse": { "message": "no", "sender": {} } }),
        ),
        (
            A::AcceptWaitingParticipant("k".into()),
            "handle_knock",
            json!({ "action": "accept", "clientId": "k", "knockResponse": {} }),
        ),
    ] {
        let mut desk = in_room_as("host");
        desk.signal(
            "room_knocked",
            json!({ "clientId": "k", "displayName": "K" }),
        );
        desk.effects.clear();
        desk.act(action.clone()).unwrap();
        let sent = desk.take_sent();
        let [message] = &sent[..] else {
            panic!("{action:?}: {sent:?}");
        };
        assert_eq!(message.name(), name, "{action:?}");
        let text = message
            .payload()
            .map_or("null".to_owned(), |raw| raw.get().to_owned());
        let is: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(is, payload, "{action:?}");
    }
}

#[test]
fn the_end_of_a_meeting_takes_its_host_along_unless_it_stays() {
    let mut desk = in_room_as("host");
    desk.act(Action::EndMeeting { stay_behind: false }).unwrap();
    assert_eq!(desk.sent(), ["kick_client", "leave_room"]);
}

// conformance: field.WherebyClientOptions.ignoreBreakoutGroups [client]
#[test]
fn a_client_that_ignores_breakout_groups_exchanges_media_with_all_of_them() {
    for ignores in [false, true] {
        let mut desk = Desk::new();
        desk.act(Action::JoinRoom(Box::new(JoinOptions {
            room_url: Some(
                roomd_protocol::RoomUrl::parse("https://acme.whereby.com/standup").unwrap(),
            ),
            ignore_breakout_groups: ignores,
            ..JoinOptions::default()
        })))
        .unwrap();
        desk.reach_the_room();
        let mut joined = room_joined("b", &["a", "b"], "visitor");
        joined["room"]["mode"] = json!("group");
        joined["room"]["clients"][0]["breakoutGroup"] = json!("a");
        desk.effects.clear();
        desk.signal("room_joined", joined);
        let solicits = desk.sent().contains(&"ready_to_receive_offer");
        assert_eq!(solicits, ignores);
    }
}

#[test]
fn who_joins_as_audience_closes_the_devices_and_tells_nothing() {
    for (role, closes) in [
        ("viewer", true),
        ("granted_viewer", true),
        ("visitor", false),
    ] {
        let mut desk = Desk::new();
        desk.act(Action::ToggleMicrophone(Some(true))).unwrap();
        desk.act(Action::ToggleCamera(Some(true))).unwrap();
        desk.begin_join(None);
        desk.effects.clear();
        desk.signal("room_joined", room_joined("b", &["a", "b"], role));
        let state = desk.room.state();
        assert_eq!(state.is_microphone_enabled, !closes, "{role}");
        assert_eq!(state.is_camera_enabled, !closes, "{role}");
        for command in [
            MediaCommand::Microphone { enabled: false },
            MediaCommand::Camera { enabled: false },
        ] {
            assert_eq!(
                desk.effects.contains(&Effect::Media(command)),
                closes,
                "{role}"
            );
        }
        let sent = desk.sent();
        assert!(
            !sent.contains(&"enable_audio") && !sent.contains(&"enable_video"),
            "{role}: {sent:?}"
        );
    }
}
