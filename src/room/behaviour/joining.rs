//! Joining, knocking, losing the connection, leaving.

use std::time::Duration;

use roomd_protocol::ClientMessage;
use serde_json::{Value, json};

use super::support::{Desk, client, room_joined};
use crate::{
    Action, Effect, Input, MediaCommand, Refusal, RoomEvent, SocketEvent,
    state::ConnectionStatus as Status,
};

// conformance: action.joinRoom status.connecting status.connected transition.T2 transition.T3 [client]
// conformance: field.RemoteParticipantState.displayName [client]
#[test]
fn a_join_identifies_joins_announces_itself_and_solicits_who_is_there() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    assert_eq!(desk.sent(), ["identify_device", "join_room"]);
    assert_eq!(desk.status(), Status::Connecting);
    desk.signal("room_joined", room_joined("b", &["a", "b"], "visitor"));
    assert_eq!(desk.status(), Status::Connected);
    assert_eq!(
        desk.sent(),
        ["ready_to_receive_offer", "send_client_metadata"]
    );
    assert_eq!(desk.room.state().remote_participants[0].display_name, "A");
}

// conformance: status.disconnected status.reconnecting transition.T15 transition.T16 [client]
// conformance: field.LocalParticipantState.clientClaim field.RoomJoinedSuccess.clientClaim [client]
#[test]
fn a_lost_connection_comes_back_with_the_claim_and_announces_name_and_hand_again() {
    let mut desk = Desk::in_room();
    desk.act(Action::ToggleRaiseHand(Some(true))).unwrap();
    desk.effects.clear();
    desk.input(Input::Socket(SocketEvent::Disconnected {
        will_retry: true,
    }));
    assert_eq!(desk.status(), Status::Disconnected);
    assert_eq!(
        desk.room.state().remote_participants.len(),
        1,
        "participants stay"
    );
    desk.input(Input::Socket(SocketEvent::Connected { again: true }));
    assert_eq!(desk.status(), Status::Reconnecting);
    desk.signal("device_identified", Value::Null);
    let sent = desk.take_sent();
    let Some(ClientMessage::JoinRoom(join)) = sent.last() else {
        panic!("a join, not {sent:?}")
    };
    assert_eq!(join.client_claim, Some("claim-b".into()));
    desk.signal("room_joined", room_joined("b", &["a", "b"], "visitor"));
    let sent = desk.take_sent();
    let Some(ClientMessage::SendClientMetadata(metadata)) = sent.last() else {
        panic!("metadata, not {sent:?}")
    };
    assert_eq!(
        metadata
            .payload
            .sticky_reaction
            .as_ref()
            .unwrap()
            .as_ref()
            .unwrap()
            .reaction,
        "✋"
    );
}

// conformance: action.knock status.room_locked status.knocking status.knock_on_hold transition.T4 [client]
// conformance: transition.T6 transition.T8 transition.T9 joinError.room_locked [client]
#[test]
fn a_locked_room_can_be_knocked_at_held_and_entered_with_the_granted_key() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    desk.signal(
        "room_joined",
        json!({ "error": "room_locked", "isLocked": true, "selfId": "k" }),
    );
    assert_eq!(desk.status(), Status::RoomLocked);
    desk.effects.clear();
    desk.act(Action::Knock).unwrap();
    assert_eq!(desk.sent(), ["knock_room"]);
    desk.signal(
        "knock_handled",
        json!({ "clientId": "other", "resolution": "rejected" }),
    );
    assert_eq!(desk.status(), Status::Knocking, "somebody else's knock");
    desk.signal(
        "knock_handled",
        json!({ "clientId": "k", "resolution": "on_hold", "knockResponse": { "message": "soon" } }),
    );
    assert_eq!(desk.status(), Status::KnockOnHold);
    desk.signal(
        "knock_handled",
        json!({ "clientId": "k", "resolution": "accepted", "metadata": { "roomKey": "granted", "roomName": "/standup" } }),
    );
    let sent = desk.take_sent();
    let [ClientMessage::JoinRoom(join)] = sent.as_slice() else {
        panic!("a join, not {sent:?}")
    };
    assert_eq!(join.room_key, Some("granted".into()));
    assert_eq!(desk.status(), Status::Connecting);
}

// conformance: status.knock_rejected transition.T10 [client]
#[test]
fn who_is_turned_away_or_refused_keeps_no_device_open_and_does_not_join_again() {
    let refusals = [
        json!({ "error": "room_locked", "isLocked": true, "selfId": "k" }),
        json!({ "error": "room_full" }),
    ];
    for refusal in refusals {
        let mut desk = Desk::new();
        desk.begin_join(None);
        desk.effects.clear();
        desk.signal("room_joined", refusal);
        if desk.status() == Status::RoomLocked {
            desk.act(Action::Knock).unwrap();
            desk.signal(
                "knock_handled",
                json!({ "clientId": "k", "resolution": "rejected", "knockResponse": { "message": "no" } }),
            );
            assert_eq!(desk.status(), Status::KnockRejected);
        } else {
            assert_eq!(desk.status(), Status::Disconnected);
        }
        assert!(!desk.room.is_active());
        for closed in [
            Effect::Media(MediaCommand::Microphone { enabled: false }),
            Effect::Media(MediaCommand::Camera { enabled: false }),
            Effect::CloseSocket,
        ] {
            assert!(desk.effects.contains(&closed), "{closed:?}");
        }
    }
}

// conformance: rule.knock [client]
#[test]
fn knocking_needs_a_locked_room_and_cancelling_a_knock() {
    let mut desk = Desk::in_room();
    assert_eq!(
        desk.act(Action::Knock),
        Err(Refusal::WrongStatus {
            needs: Status::RoomLocked,
            status: Status::Connected
        })
    );
    assert!(desk.act(Action::CancelKnock).is_err());
    assert!(desk.effects.is_empty());
}

// conformance: action.cancelKnock transition.T7 [client]
#[test]
fn a_cancelled_knock_leads_back_to_the_locked_door() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    desk.signal(
        "room_joined",
        json!({ "error": "room_locked", "isLocked": true, "selfId": "k" }),
    );
    desk.act(Action::Knock).unwrap();
    desk.effects.clear();
    desk.act(Action::CancelKnock).unwrap();
    let told: Vec<_> = desk
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Event(RoomEvent::ConnectionStatusChanged(status)) => Some(*status),
            _ => None,
        })
        .collect();
    assert_eq!(told, [Status::Ready, Status::Connecting]);
    assert_eq!(desk.sent(), ["cancel_room_knock", "join_room"]);
}

// conformance: transition.T5 joinError.room_full field.RoomConnectionState.connectionStatus [client]
// conformance: field.RoomConnectionState.connectionError [client]
#[test]
fn a_refused_join_is_final_even_when_the_connection_returns() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    desk.signal(
        "room_joined",
        json!({ "error": "room_full", "isClaimed": true }),
    );
    assert_eq!(
        (desk.status(), desk.room.state().connection_error.as_deref()),
        (Status::Disconnected, Some("room_full"))
    );
    desk.input(Input::Socket(SocketEvent::Disconnected {
        will_retry: true,
    }));
    desk.input(Input::Socket(SocketEvent::Connected { again: true }));
    desk.effects.clear();
    desk.signal("device_identified", Value::Null);
    assert_eq!(desk.sent(), Vec::<&str>::new());
}

#[test]
fn a_room_that_needs_a_media_server_is_left_with_a_clear_error() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    let mut joined = room_joined("b", &["a", "b"], "visitor");
    joined["room"]["sfuServer"] = json!({ "url": "sfu.example" });
    desk.effects.clear();
    desk.signal("room_joined", joined);
    assert_eq!(
        desk.room.state().connection_error.as_deref(),
        Some("media_server_required")
    );
    assert!(desk.effects.contains(&Effect::CloseSocket));
}

// conformance: status.kicked transition.T11 [client]
#[test]
fn who_is_kicked_closes_everything_and_does_not_come_back() {
    let mut desk = Desk::in_room();
    desk.signal("client_kicked", json!({ "clientId": "b" }));
    assert_eq!(desk.status(), Status::Kicked);
    assert!(desk.effects.contains(&Effect::CloseSocket));
    desk.input(Input::Socket(SocketEvent::Connected { again: true }));
    desk.effects.clear();
    desk.signal("device_identified", Value::Null);
    assert_eq!(desk.sent(), Vec::<&str>::new());
}

// conformance: action.leaveRoom status.leaving status.left transition.T12 [client]
#[test]
fn leaving_waits_for_room_left_and_no_longer_than_five_seconds() {
    let mut desk = Desk::in_room();
    desk.act(Action::LeaveRoom).unwrap();
    assert_eq!(
        (desk.status(), desk.sent()),
        (Status::Leaving, vec!["leave_room"])
    );
    desk.advance(Duration::from_secs(5));
    assert_eq!(desk.status(), Status::Left);
}

// conformance: status.ready transition.T14 [client]
#[test]
fn leaving_the_door_takes_the_knock_along() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    desk.signal(
        "room_joined",
        json!({ "error": "room_locked", "isLocked": true, "selfId": "k" }),
    );
    desk.act(Action::Knock).unwrap();
    desk.effects.clear();
    desk.act(Action::LeaveRoom).unwrap();
    assert!(desk.effects.contains(&Effect::CloseSocket));
    assert_eq!(
        (desk.status(), desk.sent()),
        (Status::Ready, vec!["cancel_room_knock"])
    );
}

#[test]
fn a_server_that_does_not_answer_is_connected_to_anew() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    desk.effects.clear();
    desk.advance(Duration::from_secs(10));
    assert_eq!(desk.effects, [Effect::RestartSocket]);
}

// conformance: rule.lockRoom rule.kickParticipant rule.endMeeting rule.requestAudioAndVideo rule.spotlights [client]
// conformance: action.muteParticipants role.visitor role.host [client]
#[test]
fn what_only_hosts_may_is_refused_before_anything_is_sent() {
    let mut desk = Desk::in_room();
    for action in [
        Action::LockRoom(true),
        Action::KickParticipant("a".into()),
        Action::MuteParticipants(vec!["a".into()]),
        Action::AskToSpeak("a".into()),
        Action::SpotlightParticipant("a".into()),
        Action::EndMeeting { stay_behind: false },
    ] {
        assert!(
            matches!(desk.act(action.clone()), Err(Refusal::NotPermitted { .. })),
            "{action:?}"
        );
    }
    assert!(desk.effects.is_empty());
    let mut host = Desk::as_host();
    host.act(Action::MuteParticipants(vec!["a".into()]))
        .unwrap();
    assert_eq!(host.sent(), ["request_audio_enable"]);
    assert!(matches!(
        host.act(Action::KickParticipant("nobody".into())),
        Err(Refusal::NotFound { .. })
    ));
}

#[test]
fn a_host_mutes_at_once_and_asks_only() {
    let mut desk = Desk::in_room();
    desk.act(Action::ToggleMicrophone(Some(true))).unwrap();
    desk.effects.clear();
    desk.signal(
        "audio_enable_requested",
        json!({ "requestedByClientId": "a", "enable": false }),
    );
    assert!(!desk.room.state().is_microphone_enabled);
    assert_eq!(desk.sent(), ["enable_audio"]);
    desk.signal(
        "audio_enable_requested",
        json!({ "requestedByClientId": "a", "enable": true }),
    );
    assert!(
        !desk.room.state().is_microphone_enabled,
        "only the box unmutes itself"
    );
}

// conformance: action.toggleMicrophone action.toggleRaiseHand field.LocalParticipantState.stickyReaction [client]
#[test]
fn speaking_lowers_the_raised_hand() {
    let mut desk = Desk::in_room();
    desk.act(Action::ToggleRaiseHand(None)).unwrap();
    desk.effects.clear();
    desk.act(Action::ToggleMicrophone(Some(true))).unwrap();
    assert_eq!(desk.sent(), ["enable_audio", "send_client_metadata"]);
    assert!(
        desk.room
            .state()
            .local_participant
            .sticky_reaction
            .is_none()
    );
}

// conformance: role.recorder field.RemoteParticipantState.roleName field.GridState.numParticipants [client]
#[test]
fn a_newcomer_with_a_known_id_changes_nothing_and_bots_are_no_participants() {
    let mut desk = Desk::in_room();
    desk.signal("new_client", json!({ "client": client("a", "host") }));
    desk.signal("new_client", json!({ "client": client("rec", "recorder") }));
    let state = desk.room.state();
    assert_eq!(state.remote_participants.len(), 1);
    assert_eq!(state.remote_participants[0].role_name.as_str(), "visitor");
    assert_eq!(state.remote_client_count, 2);
    assert!(state.cloud_recording.is_some());
}

#[test]
fn what_is_switched_between_join_room_and_its_answer_is_announced_after_it() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    desk.act(Action::ToggleMicrophone(Some(true))).unwrap();
    desk.act(Action::ToggleCamera(Some(true))).unwrap();
    desk.act(Action::ToggleCamera(Some(false))).unwrap();
    desk.effects.clear();
    desk.signal("room_joined", room_joined("b", &["a", "b"], "visitor"));
    let sent = desk.sent();
    assert!(sent.contains(&"enable_audio"), "{sent:?}");
    assert!(!sent.contains(&"enable_video"), "{sent:?}");
    assert!(desk.room.state().local_participant.is_audio_enabled);
}

#[test]
fn somebody_whom_the_server_names_twice_is_there_once() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    desk.signal(
        "room_joined",
        room_joined("b", &["a", "b", "a", "c"], "visitor"),
    );
    let others = &desk.room.state().remote_participants;
    let ids: Vec<_> = others.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);
}

#[test]
fn who_is_sent_out_while_leaving_stays_sent_out() {
    let mut desk = Desk::in_room();
    desk.act(Action::LeaveRoom).unwrap();
    desk.signal("client_kicked", json!({ "clientId": "b" }));
    desk.advance(Duration::from_secs(60));
    assert_eq!(desk.status(), Status::Kicked);
}
