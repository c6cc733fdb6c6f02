//! Who goes to which group: ids, order and chance.

use indexmap::IndexMap;
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use roomd_protocol::DeviceId;

/// Group ids in the order in which a browser lists the keys of an object: numbers first and
/// ascending, then everything else as it was written.
pub(super) fn in_key_order(groups: &IndexMap<String, String>) -> Vec<&String> {
    let index = |id: &str| {
        let number = id.parse::<u32>().ok().filter(|number| *number < u32::MAX);
        number.filter(|number| number.to_string() == id)
    };
    let mut ids: Vec<&String> = groups.keys().collect();
    // Stable: what has no number keeps its place behind those that have one.
    ids.sort_by_key(|id| index(id).map_or(u64::from(u32::MAX), u64::from));
    ids
}

/// Deals devices to groups at random: sizes differ by at most one, larger groups come first.
pub(super) fn deal(
    mut devices: Vec<DeviceId>,
    groups: &[&String],
    seed: u64,
) -> IndexMap<DeviceId, String> {
    devices.sort();
    devices.dedup();
    devices.shuffle(&mut StdRng::seed_from_u64(seed));
    let mut left = devices.into_iter();
    let mut dealt = IndexMap::new();
    for (place, group) in groups.iter().enumerate() {
        let size = left.len().div_ceil(groups.len() - place);
        dealt.extend(
            left.by_ref()
                .take(size)
                .map(|device| (device, (*group).clone())),
        );
    }
    dealt
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn groups(ids: &[&str]) -> IndexMap<String, String> {
        ids.iter()
            .map(|id| ((*id).to_owned(), format!("Group {id}")))
            .collect()
    }

    #[test]
    fn numbers_come_first_and_ascending_as_in_a_browser() {
        let groups = groups(&["b", "10", "a", "2", "01", "-1", "4294967295", "4294967294"]);
        let order: Vec<&str> = in_key_order(&groups)
            .into_iter()
            .map(String::as_str)
            .collect();
        assert_eq!(
            order,
            ["2", "10", "4294967294", "b", "a", "01", "-1", "4294967295"]
        );
    }

    proptest! {
        #[test]
        fn everybody_is_dealt_once_and_sizes_differ_by_at_most_one(
            devices in 0_usize..40, ids in prop::collection::hash_set("[a-z]{1,3}", 1..8), seed: u64
        ) {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let groups = groups(&ids);
            let devices: Vec<DeviceId> = (0..devices).map(|number| format!("d{number}").into()).collect();
            let dealt = deal(devices.clone(), &in_key_order(&groups), seed);
            prop_assert_eq!(dealt.len(), devices.len());
            let sizes: Vec<usize> = in_key_order(&groups)
                .into_iter()
                .map(|id| dealt.values().filter(|group| *group == id).count())
                .collect();
            prop_assert!(sizes.is_sorted_by(|a, b| a >= b), "larger groups first: {:?}", sizes);
            prop_assert!(sizes[0] - sizes[sizes.len() - 1] <= 1, "{:?}", sizes);
            prop_assert_eq!(&dealt, &deal(devices, &in_key_order(&groups), seed), "the seed decides");
        }
    }
}
