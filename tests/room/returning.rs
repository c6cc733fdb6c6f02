//! Who comes back to a room that did not wait: full, without them, over, or with somebody else in their place.

use std::time::Duration;

use roomd_room::{Action, ConnectionStatus as Status};

use crate::support::TestRoom;

const SECOND: Duration = Duration::from_secs(1);
/// Beyond the grace that the server gives.
const AWAY: Duration = Duration::from_secs(15);

fn error(room: &TestRoom, name: &'static str) -> Option<String> {
    room.participants[name].state().connection_error.clone()
}

#[test]
fn a_room_that_filled_up_meanwhile_refuses_who_comes_back_and_lets_it_in_when_somebody_left() {
    let mut room = TestRoom::with_participants(["a", "b", "c", "d", "e", "f", "g", "wall"]);
    let id = room.participants["wall"].id().clone();
    room.cut_off("wall");
    room.advance(AWAY);
    room.add("late", false);
    room.join("late");
    room.advance(2 * SECOND);
    assert_eq!(room.seen_by("late").status(), Status::Connected);
    let claim = room.claim_of("wall");
    room.restore("wall");
    room.advance(5 * SECOND);
    assert_eq!(room.seen_by("wall").status(), Status::Disconnected);
    assert_eq!(error(&room, "wall").as_deref(), Some("room_full"));

    room.act("late", Action::LeaveRoom);
    room.advance(2 * SECOND);
    room.join_with("wall", claim);
    room.advance(2 * SECOND);
    assert_eq!(room.seen_by("wall").status(), Status::Connected);
    assert_eq!(*room.participants["wall"].id(), id);
}

#[test]
fn a_place_in_a_full_room_is_kept_for_a_restart_within_the_grace() {
    let mut room = TestRoom::with_participants(["a", "b", "c", "d", "e", "f", "g", "wall"]);
    let id = room.participants["wall"].id().clone();
    room.add("late", false);
    room.restart("wall", 2 * SECOND);
    room.join("late");
    room.advance(5 * SECOND);
    assert_eq!(*room.participants["wall"].id(), id);
    assert_eq!(room.seen_by("wall").status(), Status::Connected);
    assert_eq!(error(&room, "late").as_deref(), Some("room_full"));
}

#[test]
fn who_was_kicked_while_away_learns_it_on_return_and_stays_out() {
    for locked in [true, false] {
        let mut room = TestRoom::with_participants(["desk", "wall"]);
        let id = room.participants["wall"].id().clone();
        room.act("desk", Action::LockRoom(locked));
        room.advance(SECOND);
        room.cut_off("wall");
        room.advance(SECOND);
        room.act("desk", Action::KickParticipant(id.clone()));
        room.advance(SECOND);
        assert_eq!(room.seen_by("desk").others(), 0);
        room.restore("wall");
        room.advance(5 * SECOND);
        assert_eq!(room.seen_by("wall").status(), Status::Kicked);
        room.advance(60 * SECOND);
        assert_eq!(room.seen_by("wall").status(), Status::Kicked);
        assert_eq!(room.seen_by("desk").others(), 0);
        // Who joins again of its own will is somebody new, where the door is open.
        room.join("wall");
        room.advance(5 * SECOND);
        if locked {
            assert_eq!(room.seen_by("wall").status(), Status::RoomLocked);
        } else {
            assert_eq!(room.seen_by("wall").status(), Status::Connected);
            assert_ne!(*room.participants["wall"].id(), id);
        }
    }
}

#[test]
fn who_was_away_when_the_meeting_ended_learns_it_on_return_and_its_key_opens_nothing() {
    let mut room = TestRoom::with_participants(["desk", "wall"]);
    room.cut_off("desk");
    room.advance(AWAY);
    room.meetings.clear();
    room.restart_server();
    room.restore("desk");
    room.advance(10 * SECOND);
    assert_eq!(room.seen_by("desk").status(), Status::Kicked);
    room.join("desk");
    room.advance(10 * SECOND);
    assert_eq!(room.seen_by("desk").status(), Status::Disconnected);
    assert_eq!(error(&room, "desk").as_deref(), Some("invalid_key"));
}

#[test]
fn a_copy_of_a_box_takes_its_place_and_the_older_one_is_sent_away_for_good() {
    let mut room = TestRoom::with_participants(["desk", "wall"]);
    let id = room.participants["wall"].id().clone();
    let claim = room.claim_of("wall");
    room.add("copy", false);
    let device = room.participants["wall"].device.clone();
    room.participants.get_mut("copy").unwrap().device = device;
    room.join_with("copy", claim);
    room.advance(60 * SECOND);
    assert_eq!(*room.participants["copy"].id(), id);
    assert_eq!(room.seen_by("copy").status(), Status::Connected);
    assert_eq!(room.seen_by("wall").status(), Status::Disconnected);
    assert_eq!(error(&room, "wall"), None);
    assert_eq!(room.seen_by("desk").others(), 1);
    // Back without the claim it is somebody else, and both are in.
    room.join("wall");
    room.advance(5 * SECOND);
    assert_ne!(*room.participants["wall"].id(), id);
    assert_eq!(room.seen_by("copy").status(), Status::Connected);
}
