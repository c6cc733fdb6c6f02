//! The locked door: knocking, being let in, turned away and sent out.

use std::time::Duration;

use roomd_room::{Action, ConnectionStatus as Status};

use crate::support::TestRoom;

const SECOND: Duration = Duration::from_secs(1);

/// A locked room with its host, and a wall that knocks.
fn knocked() -> TestRoom {
    let mut room = TestRoom::with_participants(["desk"]);
    room.act("desk", Action::LockRoom(true));
    room.add("wall", false);
    room.join("wall");
    room.advance(SECOND);
    assert_eq!(room.seen_by("wall").status(), Status::RoomLocked);
    room.act("wall", Action::Knock);
    room.advance(SECOND);
    assert_eq!(room.seen_by("wall").status(), Status::Knocking);
    room
}

fn waiting(room: &TestRoom) -> Vec<roomd_protocol::ClientId> {
    let waiting = &room.participants["desk"].state().waiting_participants;
    waiting.iter().map(|one| one.id.clone()).collect()
}

// conformance: action.holdWaitingParticipant action.acceptWaitingParticipant rule.waitingRoom [client]
#[test]
fn a_knock_is_held_and_then_accepted() {
    let mut room = knocked();
    let [id] = waiting(&room).try_into().unwrap();
    room.act(
        "desk",
        Action::HoldWaitingParticipant(id.clone(), Some("a moment".into())),
    );
    room.advance(SECOND);
    assert_eq!(room.seen_by("wall").status(), Status::KnockOnHold);
    room.act("desk", Action::AcceptWaitingParticipant(id.clone()));
    room.advance(2 * SECOND);
    assert_eq!(room.seen_by("wall").status(), Status::Connected);
    assert_eq!(*room.participants["wall"].id(), id);
    assert!(waiting(&room).is_empty());
    assert!(room.seen_by("desk").receives("wall"));
}

// conformance: action.rejectWaitingParticipant [client]
#[test]
fn a_rejected_knock_ends_outside_and_leaves_no_trace() {
    let mut room = knocked();
    let [id] = waiting(&room).try_into().unwrap();
    room.act("desk", Action::RejectWaitingParticipant(id, None));
    room.advance(SECOND);
    assert_eq!(room.seen_by("wall").status(), Status::KnockRejected);
    assert!(waiting(&room).is_empty());
    assert_eq!(room.seen_by("desk").others(), 0);
}

#[test]
fn who_was_let_in_stays_through_a_lost_connection_while_the_room_is_locked() {
    let mut room = knocked();
    let [id] = waiting(&room).try_into().unwrap();
    room.act("desk", Action::AcceptWaitingParticipant(id));
    room.advance(2 * SECOND);
    room.cut_off("wall");
    room.advance(15 * SECOND);
    assert_eq!(room.seen_by("desk").others(), 0);
    room.restore("wall");
    room.advance(5 * SECOND);
    assert_eq!(room.seen_by("wall").status(), Status::Connected);
    assert_eq!(room.seen_by("desk").others(), 1);
}

// conformance: action.lockRoom [client]
#[test]
fn lock_and_unlock_are_seen_by_all() {
    let mut room = TestRoom::with_participants(["desk", "wall", "page"]);
    for locked in [true, false, true] {
        room.act("desk", Action::LockRoom(locked));
        room.advance(SECOND);
        for name in ["desk", "wall", "page"] {
            assert_eq!(room.seen_by(name).is_locked(), locked, "{name}");
        }
    }
}

// conformance: action.kickParticipant [client]
#[test]
fn who_is_kicked_is_out_for_all_and_does_not_come_back_by_itself() {
    let mut room = TestRoom::with_participants(["desk", "wall", "page"]);
    let id = room.participants["wall"].id().clone();
    room.act("desk", Action::KickParticipant(id));
    room.settle();
    assert_eq!(room.seen_by("wall").status(), Status::Kicked);
    for name in ["desk", "page"] {
        assert_eq!(room.seen_by(name).others(), 1, "{name}");
    }
    room.join("wall");
    room.advance(2 * SECOND);
    assert_eq!(room.seen_by("desk").others(), 2);
}
