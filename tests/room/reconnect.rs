//! Lost connections, restarted servers and processes: the same participants, as they were.

use std::time::Duration;

use roomd_room::{Action, ConnectionStatus as Status};

use crate::support::TestRoom;

const NOW: Duration = Duration::ZERO;

fn hand(room: &TestRoom, viewer: &'static str, of: &'static str) -> Option<String> {
    let reaction = &room.seen_by(viewer).participant(of).sticky_reaction;
    reaction.as_ref().map(|reaction| reaction.reaction.clone())
}

#[test]
fn a_raised_hand_survives_a_reconnect() {
    for server_notices in [0, 50, 5000] {
        let mut room = TestRoom::with_participants(["desk", "wall"]);
        room.act("wall", Action::ToggleRaiseHand(Some(true)));
        room.cut_connection_of("wall", Duration::from_millis(server_notices));
        room.advance(Duration::from_secs(20));
        assert_eq!(hand(&room, "desk", "wall").as_deref(), Some("✋"));
        assert!(room.seen_by("desk").receives("wall"));
        assert!(room.seen_by("wall").receives("desk"));
    }
}

#[test]
fn a_lost_connection_goes_through_the_statuses_of_the_sdk() {
    let mut room = TestRoom::with_participants(["desk", "wall"]);
    let before = room.participants["wall"].statuses.len();
    room.cut_connection_of("wall", NOW);
    room.advance(Duration::from_secs(5));
    assert_eq!(
        room.participants["wall"].statuses[before..],
        [
            Status::Disconnected,
            Status::Reconnecting,
            Status::Connecting,
            Status::Connected
        ]
    );
}

#[test]
fn what_was_switched_without_a_connection_is_announced_with_the_next() {
    let mut room = TestRoom::with_participants(["desk", "wall"]);
    room.act("wall", Action::ToggleMicrophone(Some(true)));
    room.act("wall", Action::ToggleCamera(Some(true)));
    room.advance(Duration::from_secs(1));
    assert!(room.seen_by("desk").participant("wall").is_audio_enabled);
    room.cut_off("wall");
    room.act("wall", Action::ToggleMicrophone(Some(false)));
    room.act("wall", Action::SetDisplayName("Wall 2".into()));
    room.advance(Duration::from_secs(3));
    assert!(room.seen_by("desk").participant("wall").is_audio_enabled);
    room.restore("wall");
    room.advance(Duration::from_secs(5));
    let desk = room.seen_by("desk");
    let wall = desk.participant("wall");
    assert!(!wall.is_audio_enabled);
    assert!(wall.is_video_enabled);
    assert_eq!(wall.display_name, "Wall 2");
}

#[test]
fn whoever_stays_away_too_long_is_gone_and_comes_back_under_the_same_id() {
    let mut room = TestRoom::with_participants(["desk", "wall"]);
    let id = room.participants["wall"].id().clone();
    room.cut_off("wall");
    room.advance(Duration::from_secs(9));
    assert_eq!(room.seen_by("desk").others(), 1);
    room.advance(Duration::from_secs(3));
    assert_eq!(room.seen_by("desk").others(), 0);
    room.restore("wall");
    room.advance(Duration::from_secs(5));
    assert_eq!(*room.participants["wall"].id(), id);
    assert!(room.seen_by("desk").receives("wall"));
}

#[test]
fn a_restarted_process_with_its_claim_is_the_same_participant() {
    for (after, server_restarts) in [(1, false), (30, false), (1, true), (30, true)] {
        let mut room = TestRoom::with_participants(["desk", "wall", "page"]);
        let id = room.participants["wall"].id().clone();
        room.act("wall", Action::ToggleCamera(Some(true)));
        room.advance(Duration::from_secs(1));
        if server_restarts {
            room.restart_server();
        }
        room.restart("wall", Duration::from_secs(after));
        room.advance(Duration::from_secs(40));
        assert_eq!(*room.participants["wall"].id(), id);
        for other in ["desk", "page"] {
            assert_eq!(room.seen_by(other).others(), 2, "{other}");
            assert!(room.seen_by(other).participant("wall").is_video_enabled);
            assert!(room.seen_by(other).receives("wall"), "{other}");
            assert!(room.seen_by("wall").receives(other), "{other}");
        }
    }
}

#[test]
fn after_a_restart_of_the_server_everybody_is_there_as_before() {
    let mut room = TestRoom::with_participants(["desk", "wall", "page", "hall", "attic"]);
    room.act("wall", Action::ToggleRaiseHand(Some(true)));
    room.act("page", Action::StartScreenshare { source: None });
    room.act("desk", Action::LockRoom(true));
    room.advance(Duration::from_secs(1));
    let ids: Vec<_> = room
        .participants
        .values()
        .map(|one| one.id().clone())
        .collect();
    room.restart_server();
    room.advance(Duration::from_secs(20));
    let now: Vec<_> = room
        .participants
        .values()
        .map(|one| one.id().clone())
        .collect();
    assert_eq!(now, ids);
    for other in ["desk", "page", "hall", "attic"] {
        assert_eq!(hand(&room, other, "wall").as_deref(), Some("✋"));
        assert!(room.seen_by(other).is_locked());
    }
    for other in ["desk", "wall", "hall", "attic"] {
        let seen = room.seen_by(other).participant("page");
        assert!(seen.presentation_stream.is_some(), "{other}");
    }
}
