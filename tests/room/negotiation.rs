//! Who offers: exactly one of two, whatever crosses on the way.

use std::{collections::BTreeMap, time::Duration};

use crate::support::TestRoom;

fn offers_by_pair(room: &TestRoom) -> BTreeMap<(String, String), usize> {
    let mut pairs = BTreeMap::new();
    for (from, to) in &room.offers {
        let (a, b) = (from.to_string(), to.to_string());
        *pairs
            .entry(if a < b { (a, b) } else { (b, a) })
            .or_default() += 1;
    }
    pairs
}

#[test]
fn each_pair_of_five_needs_one_offer() {
    let room = TestRoom::with_participants(["desk", "wall", "page", "hall", "attic"]);
    let pairs = offers_by_pair(&room);
    assert_eq!(pairs.len(), 10);
    assert!(pairs.values().all(|count| *count == 1), "{pairs:?}");
}

#[test]
fn crossing_solicitations_end_in_exactly_one_offer_per_pair() {
    for spread in [0, 7, 15, 40, 90] {
        let mut room = TestRoom::with_participants(["desk", "wall", "page", "hall", "attic"]);
        room.offers.clear();
        for (index, participant) in room.participants.values_mut().enumerate() {
            participant.reconnects_after = Duration::from_millis(300 + spread * index as u64);
        }
        // All come back at about the same time: each is for each other somebody who was there before.
        room.restart_server();
        room.advance(Duration::from_secs(8));
        let pairs = offers_by_pair(&room);
        assert_eq!(pairs.len(), 10, "{spread}");
        assert!(
            pairs.values().all(|count| *count == 1),
            "{spread}: {pairs:?}"
        );
        let names: Vec<_> = room.participants.keys().copied().collect();
        for viewer in &names {
            for other in names.iter().filter(|other| *other != viewer) {
                assert!(room.seen_by(viewer).receives(other), "{viewer} {other}");
            }
        }
    }
}

#[test]
fn two_who_lose_their_connections_at_once_need_one_offer() {
    for between in [0, 5, 20, 60, 200] {
        let mut room = TestRoom::with_participants(["desk", "wall"]);
        room.offers.clear();
        room.cut_connection_of("desk", Duration::ZERO);
        room.advance(Duration::from_millis(between));
        room.cut_connection_of("wall", Duration::ZERO);
        room.advance(Duration::from_secs(8));
        assert!(room.seen_by("desk").receives("wall"), "{between}");
        assert!(room.seen_by("wall").receives("desk"), "{between}");
        assert!(room.offers.len() <= 2, "{between}: {:?}", room.offers);
    }
}
