//! Breakout groups: what a host sends, what the state says, where everybody goes.

use roomd_protocol::ClientMessage;
use serde_json::{Value, json};

use super::support::{Desk, client, room_joined};
use crate::{Action, BreakoutSessionSettings, Effect, Refusal, RoomEvent, state::BreakoutState};

const NO_SETTINGS: fn() -> BreakoutSessionSettings = BreakoutSessionSettings::default;

/// Host `b` in a room of mode group, with `a` and `c`.
fn host() -> Desk {
    in_group_room("host")
}

pub(super) fn in_group_room(role: &str) -> Desk {
    let mut desk = Desk::new();
    desk.begin_join(None);
    let mut joined = room_joined("b", &["a", "b", "c"], role);
    joined["room"]["mode"] = json!("group");
    desk.signal("room_joined", joined);
    desk.effects.clear();
    desk
}

fn groups(ids: &[&str]) -> indexmap::IndexMap<String, String> {
    let named = |id: &&str| ((*id).to_owned(), format!("Group {}", id.to_uppercase()));
    ids.iter().map(named).collect()
}

/// A session with groups a and b.
pub(super) fn session(more: Value) -> Value {
    let mut config = json!({
        "groups": { "a": "Group A", "b": "Group B" }, "assignments": {},
        "startedAt": "2026-11-23T10:00:00.000Z", "breakoutStartedAt": "2026-11-23T10:00:00.000Z",
        "breakoutEndedAt": null, "initiatedBy": { "clientId": "a", "active": true }
    });
    let more = more.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(more);
    config
}

pub(super) fn moves(desk: &mut Desk, id: &str, group: &str) {
    let joined = json!({ "clientId": id, "group": group });
    desk.signal("breakout_group_joined", joined);
}

fn breakout(desk: &Desk) -> &BreakoutState {
    &desk.room.state().breakout
}

/// The one change of the groups that was sent since the last call, as JSON.
fn sent_patch(desk: &mut Desk) -> Value {
    let sent = desk.take_sent();
    let [ClientMessage::UpdateBreakoutSession(patch)] = sent.as_slice() else {
        panic!("one update_breakout_session, not {sent:?}")
    };
    json!(patch)
}

fn ids(views: &[crate::state::ClientView]) -> Vec<&str> {
    views.iter().map(|view| view.id.as_str()).collect()
}

// conformance: action.startBreakoutSession field.StartBreakoutSessionOptions.groups [client]
// conformance: field.StartBreakoutSessionOptions.assignments field.BreakoutSessionSettings.autoMoveToGroup [client]
// conformance: field.BreakoutSessionSettings.autoMoveToMain [client]
// conformance: field.BreakoutSessionSettings.moveToGroupGracePeriod [client]
// conformance: field.BreakoutSessionSettings.moveToMainGracePeriod [client]
// conformance: field.BreakoutSessionSettings.breakoutTimerSetting [client]
// conformance: field.BreakoutSessionSettings.breakoutTimerDuration [client]
#[test]
fn a_start_names_devices_fills_in_grace_periods_and_changes_nothing_before_the_answer() {
    let mut desk = host();
    desk.act(Action::StartBreakoutSession {
        groups: groups(&["a", "b"]),
        assignments: Some(
            [("a", "a"), ("b", "b"), ("gone", "a")]
                .map(|(id, group)| (id.into(), group.into()))
                .into(),
        ),
        settings: BreakoutSessionSettings {
            auto_move_to_group: Some(true),
            auto_move_to_main: Some(true),
            breakout_timer_setting: Some(true),
            breakout_timer_duration: Some(0.0),
            ..NO_SETTINGS()
        },
    })
    .unwrap();
    assert!(!breakout(&desk).is_active);
    assert_eq!(
        sent_patch(&mut desk),
        json!({
            "active": true, "groups": { "a": "Group A", "b": "Group B" },
            "assignments": { "device-a": "a", "d": "b" },
            "autoMoveToGroup": true, "moveToGroupGracePeriod": 10.0,
            "autoMoveToMain": true, "moveToMainGracePeriod": 30.0,
            "breakoutTimerSetting": true, "breakoutTimerDuration": 1800.0
        })
    );
}

// conformance: field.BreakoutState.error field.BreakoutState.isAvailable [client]
#[test]
fn in_a_peer_to_peer_room_a_start_is_refused_and_the_state_says_why_until_the_next_join() {
    let mut desk = Desk::as_host();
    let start = || Action::StartBreakoutSession {
        groups: groups(&["a"]),
        assignments: None,
        settings: NO_SETTINGS(),
    };
    assert!(matches!(desk.act(start()), Err(Refusal::NotAvailable(_))));
    let error = "Breakout groups are not available in peer-to-peer rooms";
    assert_eq!(breakout(&desk).error.as_deref(), Some(error));
    assert!(!breakout(&desk).is_available);
    let state = Box::new(breakout(&desk).clone());
    let told = Effect::Event(RoomEvent::BreakoutConfigChanged(state));
    assert_eq!(desk.effects, [told], "told at once, and nothing is sent");
    assert!(desk.sent().is_empty());
    let mut joined = room_joined("b", &["a", "b"], "host");
    joined["room"]["mode"] = json!("group");
    desk.signal("room_joined", joined);
    assert_eq!(breakout(&desk).error, None);
    assert!(breakout(&desk).is_available);
    desk.effects.clear();
    desk.act(start()).unwrap();
    assert_eq!(desk.sent(), ["update_breakout_session"]);
}

// conformance: action.stopBreakoutSession action.assignBreakoutParticipants [client]
// conformance: action.unassignAllBreakoutParticipants action.extendBreakoutTimer action.stopBreakoutTimer [client]
// conformance: action.updateBreakoutSession field.BreakoutSessionSettings.enforceAssignment [client]
#[test]
fn each_change_of_a_host_is_one_patch() {
    let mut desk = host();
    let assigned = json!({ "device-a": "a", "device-c": "", "device-x": "b" });
    desk.signal(
        "breakout_session_updated",
        session(json!({ "assignments": assigned })),
    );
    desk.effects.clear();
    let of = |pairs: &[(&str, &str)]| {
        let pairs = pairs
            .iter()
            .map(|(id, group)| ((*id).into(), (*group).into()));
        pairs.collect::<indexmap::IndexMap<_, _>>()
    };
    for (action, patch) in [
        (Action::StopBreakoutSession, json!({ "active": false })),
        (
            Action::AssignBreakoutParticipants(of(&[("c", "b"), ("a", "")])),
            json!({ "assignments": { "device-a": "", "device-c": "b", "device-x": "b" } }),
        ),
        (
            Action::UnassignAllBreakoutParticipants,
            json!({ "assignments": { "device-a": "", "device-c": "", "device-x": "" } }),
        ),
        (
            Action::ExtendBreakoutTimer(None),
            json!({ "breakoutTimerDuration": 1860.0 }),
        ),
        (
            Action::ExtendBreakoutTimer(Some(0.0)),
            json!({ "breakoutTimerDuration": 1800.0 }),
        ),
        (
            Action::StopBreakoutTimer,
            json!({ "breakoutTimerSetting": false }),
        ),
        (
            Action::UpdateBreakoutSession {
                groups: None,
                assignments: None,
                settings: BreakoutSessionSettings {
                    enforce_assignment: Some(true),
                    auto_move_to_main: Some(false),
                    ..NO_SETTINGS()
                },
            },
            json!({ "enforceAssignment": true, "autoMoveToMain": false }),
        ),
    ] {
        desk.act(action.clone()).unwrap();
        assert_eq!(sent_patch(&mut desk), patch, "{action:?}");
    }
    let strangers = Action::AssignBreakoutParticipants(of(&[("x", "a")]));
    assert!(matches!(desk.act(strangers), Err(Refusal::NotFound { .. })));
}

// conformance: action.assignAllBreakoutParticipants action.shuffleBreakoutParticipants [client]
#[test]
fn everybody_else_is_dealt_and_a_shuffle_deals_only_who_has_a_seat() {
    let mut desk = host();
    let nowhere = Action::AssignAllBreakoutParticipants;
    assert!(
        matches!(desk.act(nowhere), Err(Refusal::NotAvailable(_))),
        "no groups yet"
    );
    desk.signal("new_client", json!({ "client": client("rec", "recorder") }));
    let assigned = json!({ "device-a": "a", "device-c": "" });
    desk.signal(
        "breakout_session_updated",
        session(json!({ "assignments": assigned })),
    );
    desk.effects.clear();
    desk.act(Action::AssignAllBreakoutParticipants).unwrap();
    let patch = sent_patch(&mut desk);
    let dealt = patch["assignments"].as_object().unwrap();
    let mut devices: Vec<_> = dealt.keys().map(String::as_str).collect();
    devices.sort_unstable();
    assert_eq!(
        devices,
        ["device-a", "device-c"],
        "persons, without oneself"
    );
    assert_ne!(dealt["device-a"], dealt["device-c"], "one in each group");
    desk.act(Action::ShuffleBreakoutParticipants).unwrap();
    assert_eq!(
        sent_patch(&mut desk),
        json!({ "assignments": { "device-a": "a" } })
    );
}

// conformance: action.joinBreakoutGroup action.joinBreakoutMainRoom rule.breakoutSession rule.breakoutMoves [client]
#[test]
fn only_hosts_manage_groups_and_everybody_moves() {
    let mut desk = in_group_room("visitor");
    desk.signal("breakout_session_updated", session(json!({})));
    desk.effects.clear();
    for action in [
        Action::StopBreakoutSession,
        Action::AssignAllBreakoutParticipants,
        Action::UnassignAllBreakoutParticipants,
        Action::ShuffleBreakoutParticipants,
        Action::ExtendBreakoutTimer(None),
        Action::StopBreakoutTimer,
        Action::BroadcastToGroups("a".into()),
        Action::StopBroadcastToGroups("a".into()),
        Action::StartBreakoutSession {
            groups: groups(&["a"]),
            assignments: None,
            settings: NO_SETTINGS(),
        },
    ] {
        let refused = desk.act(action.clone());
        assert!(
            matches!(refused, Err(Refusal::NotPermitted { .. })),
            "{action:?}"
        );
    }
    assert!(desk.effects.is_empty());
    assert_eq!(
        breakout(&desk).error,
        None,
        "a refused visitor is no failed start"
    );
    desk.act(Action::JoinBreakoutGroup("b".into())).unwrap();
    desk.act(Action::JoinBreakoutMainRoom).unwrap();
    assert_eq!(desk.sent(), ["join_breakout_group", "join_breakout_group"]);
    let nowhere = desk.act(Action::JoinBreakoutGroup("z".into()));
    assert!(matches!(nowhere, Err(Refusal::NotFound { .. })));
}

// conformance: field.BreakoutState.isActive field.BreakoutState.groups field.BreakoutState.enforceAssignment [client]
// conformance: field.BreakoutState.autoMoveToGroup field.BreakoutState.moveToGroupGracePeriod [client]
// conformance: field.BreakoutState.autoMoveToMain field.BreakoutState.moveToMainGracePeriod [client]
// conformance: field.BreakoutState.breakoutTimerSetting field.BreakoutState.breakoutTimerDuration [client]
// conformance: field.BreakoutState.startedAt field.BreakoutState.endTime field.BreakoutState.moveToGroupAt [client]
// conformance: field.BreakoutState.moveToMainAt field.RoomConnectionState.breakout [client]
#[test]
fn the_state_has_the_defaults_and_the_moments_of_the_configuration() {
    let mut desk = host();
    let all = desk.room.state().client_views.clone();
    assert_eq!(breakout(&desk).participants_in_current_group, all);
    assert_eq!(
        *breakout(&desk),
        BreakoutState {
            is_available: true,
            participants_in_current_group: all,
            ..BreakoutState::default()
        }
    );
    desk.signal(
        "breakout_session_updated",
        session(json!({
            "autoMoveToGroup": true, "moveToGroupGracePeriod": 0, "breakoutTimerSetting": true,
            "breakoutTimerDuration": 600, "enforceAssignment": null
        })),
    );
    let start = 1_795_428_000_000_i64; // 2026-11-23T10:00:00Z
    let state = breakout(&desk);
    assert_eq!(
        state.started_at.as_deref(),
        Some("2026-11-23T10:00:00.000Z")
    );
    assert_eq!(state.move_to_group_grace_period, 10.0, "0 is the default");
    assert_eq!(state.move_to_group_at, Some(start + 10_000));
    assert_eq!(state.end_time, Some(start + 610_000));
    assert_eq!(state.move_to_main_at, None);

    let ended = json!({ "breakoutEndedAt": "2026-11-23T10:05:00.000Z", "startedAt": null, "autoMoveToMain": true });
    desk.signal("breakout_session_updated", session(ended));
    let state = breakout(&desk);
    assert!(
        !state.is_active && !state.breakout_timer_setting,
        "what is left out is the default"
    );
    assert_eq!(
        state.end_time,
        Some(start + 1_800_000),
        "computed also after the end"
    );
    assert_eq!(state.move_to_main_at, Some(start + 330_000));
}

// conformance: field.BreakoutState.currentGroup field.BreakoutState.groupedParticipants [client]
// conformance: field.BreakoutState.participantsInCurrentGroup [client]
// conformance: field.RemoteParticipantState.breakoutGroup [client]
#[test]
fn who_sits_where_shows_in_groups_and_the_assigned_count_to_the_own_group() {
    let mut desk = host();
    let assigned = json!({ "device-c": "a" });
    desk.signal(
        "breakout_session_updated",
        session(json!({ "assignments": assigned })),
    );
    moves(&mut desk, "b", "a");
    let state = breakout(&desk);
    let current = state.current_group.as_ref().unwrap();
    assert_eq!(
        (current.id.as_str(), current.name.as_str()),
        ("a", "Group A")
    );
    assert_eq!(
        ids(&state.participants_in_current_group),
        ["b", "c"],
        "c is on its way"
    );
    let seats: Vec<_> = state
        .grouped_participants
        .iter()
        .map(|group| (group.group.id.as_str(), ids(&group.clients)))
        .collect();
    assert_eq!(
        seats,
        [("", vec!["a", "c"]), ("a", vec!["b"]), ("b", vec![])]
    );
    moves(&mut desk, "a", "b");
    moves(&mut desk, "b", "");
    let state = breakout(&desk);
    assert_eq!(state.current_group, None);
    assert_eq!(
        state.participants_in_current_group.len(),
        3,
        "all, outside a group"
    );
    assert_eq!(
        desk.room.state().remote_participants[0]
            .breakout_group
            .as_deref(),
        Some("b")
    );
}

#[test]
fn who_speaks_to_all_groups_is_heard_in_the_own_one() {
    let mut desk = host();
    desk.signal("breakout_session_updated", session(json!({})));
    moves(&mut desk, "b", "a");
    let spotlight = json!({ "clientId": "c", "streamId": "0" });
    desk.signal("spotlight_added", spotlight);
    assert!(
        breakout(&desk).broadcasting_participants.is_empty(),
        "muted"
    );
    let unmuted = json!({ "clientId": "c", "isAudioEnabled": true });
    desk.signal("audio_enabled", unmuted);
    assert_eq!(ids(&breakout(&desk).broadcasting_participants), ["c"]);
    desk.effects.clear();
    desk.act(Action::BroadcastToGroups("a".into())).unwrap();
    desk.act(Action::StopBroadcastToGroups("c".into())).unwrap();
    assert_eq!(desk.sent(), ["add_spotlight", "remove_spotlight"]);
}
