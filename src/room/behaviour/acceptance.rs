//! Media goes between members of a group, and from who speaks to all groups to everybody.

use std::time::Duration;

use roomd_protocol::client::SdpType;
use serde_json::json;

use super::support::{Desk, client, room_joined};
use crate::{Effect, MediaCommand, MediaEvent};

/// `b` in a room of mode group, with `a` and `c` since before, connected with both.
fn connected() -> Desk {
    let mut desk = Desk::new();
    desk.begin_join(None);
    let mut joined = room_joined("b", &["a", "b", "c"], "visitor");
    joined["room"]["mode"] = json!("group");
    joined["breakout"] = json!({
        "groups": { "g": "Group G", "h": "Group H" }, "startedAt": "2026-11-23T10:00:00.000Z"
    });
    desk.signal("room_joined", joined);
    for session in [1, 2] {
        let peer = || if session == 1 { "a" } else { "c" };
        let offer = json!({ "clientId": peer(), "message": { "type": "offer", "sdp": "x" } });
        desk.signal("sdp_offer", offer);
        desk.media(MediaEvent::LocalDescription {
            peer: peer().into(),
            session,
            kind: SdpType::Answer,
            sdp: "y".into(),
        });
        desk.media(MediaEvent::PeerConnected {
            peer: peer().into(),
            session,
        });
    }
    desk.effects.clear();
    desk
}

fn moves(desk: &mut Desk, id: &str, group: &str) {
    let joined = json!({ "clientId": id, "group": group });
    desk.signal("breakout_group_joined", joined);
}

/// What happened to connections since the last call.
fn connections(desk: &mut Desk) -> Vec<String> {
    let effects = std::mem::take(&mut desk.effects).into_iter();
    let told = effects.filter_map(|effect| match effect {
        Effect::Media(MediaCommand::ClosePeer { peer }) => Some(format!("close {peer}")),
        Effect::Media(MediaCommand::OpenPeer { peer, offer, .. }) => {
            Some(format!("{} {peer}", if offer { "offer" } else { "ask" }))
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn a_move_drops_who_stays_and_meets_who_is_there() {
    let mut desk = connected();
    moves(&mut desk, "b", "g");
    assert_eq!(connections(&mut desk), ["close a", "close c"]);
    let remotes = &desk.room.state().remote_participants;
    assert!(remotes.iter().all(|one| one.stream.is_none()));
    moves(&mut desk, "c", "g");
    assert_eq!(connections(&mut desk), ["ask c"]);
    moves(&mut desk, "a", "h");
    assert!(connections(&mut desk).is_empty());
    moves(&mut desk, "b", "");
    assert_eq!(connections(&mut desk), ["close c"]);
    moves(&mut desk, "c", "");
    moves(&mut desk, "a", "");
    assert_eq!(connections(&mut desk), ["ask c", "ask a"]);
}

#[test]
fn whoever_is_in_another_group_gets_nothing_though_it_asks() {
    let mut desk = connected();
    moves(&mut desk, "b", "g");
    connections(&mut desk);
    desk.signal("ready_to_receive_offer", json!({ "clientId": "a" }));
    assert!(connections(&mut desk).is_empty());
    moves(&mut desk, "a", "g");
    assert_eq!(connections(&mut desk), ["ask a"]);
}

#[test]
fn who_speaks_to_all_groups_is_asked_for_and_dropped_when_that_ends() {
    let mut desk = connected();
    moves(&mut desk, "b", "g");
    connections(&mut desk);
    let spotlight = || json!({ "clientId": "c", "streamId": "0" });
    desk.signal("spotlight_added", spotlight());
    assert_eq!(connections(&mut desk), ["ask c"]);
    desk.signal("spotlight_removed", spotlight());
    assert_eq!(connections(&mut desk), ["close c"]);
    let share = json!({ "clientId": "c", "streamId": "screen" });
    desk.signal("spotlight_added", share);
    assert!(
        connections(&mut desk).is_empty(),
        "a screen in front is no voice for all"
    );
}

#[test]
fn speaking_to_all_groups_answers_who_asks_and_asks_nobody() {
    let mut desk = connected();
    moves(&mut desk, "a", "g");
    assert_eq!(connections(&mut desk), ["close a"]);
    let spotlight = || json!({ "clientId": "b", "streamId": "0" });
    desk.signal("spotlight_added", spotlight());
    assert!(connections(&mut desk).is_empty());
    desk.signal("ready_to_receive_offer", json!({ "clientId": "a" }));
    assert_eq!(connections(&mut desk), ["offer a"]);
    // It does not come back by itself when it breaks: who listens asks again.
    desk.advance(Duration::from_secs(10));
    assert_eq!(connections(&mut desk), ["close a"]);
    desk.signal("ready_to_receive_offer", json!({ "clientId": "a" }));
    connections(&mut desk);
    desk.signal("spotlight_removed", spotlight());
    assert_eq!(connections(&mut desk), ["close a"]);
}

#[test]
fn of_two_who_meet_the_later_one_asks_and_the_earlier_one_if_that_does_not_happen() {
    let mut desk = connected();
    desk.signal("new_client", json!({ "client": client("e", "visitor") }));
    desk.signal("ready_to_receive_offer", json!({ "clientId": "e" }));
    moves(&mut desk, "e", "g");
    connections(&mut desk);
    moves(&mut desk, "e", "");
    assert!(connections(&mut desk).is_empty(), "e asks");
    desk.advance(Duration::from_secs(2));
    assert_eq!(connections(&mut desk), ["ask e"], "e did not");
}

#[test]
fn who_joins_while_others_are_in_groups_asks_only_for_the_main_room() {
    let mut desk = Desk::new();
    desk.begin_join(None);
    let mut joined = room_joined("b", &["a", "b", "c"], "visitor");
    joined["room"]["clients"][0]["breakoutGroup"] = json!("g");
    desk.signal("room_joined", joined);
    assert_eq!(connections(&mut desk), ["ask c"]);
    desk.signal("room_left", serde_json::Value::Null);
}

#[test]
fn a_recorder_gets_the_media_of_every_group() {
    let mut desk = connected();
    moves(&mut desk, "b", "g");
    desk.signal("new_client", json!({ "client": client("rec", "recorder") }));
    connections(&mut desk);
    desk.signal("ready_to_receive_offer", json!({ "clientId": "rec" }));
    assert_eq!(connections(&mut desk), ["offer rec"]);
}
