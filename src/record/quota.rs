//! How much may be written and what is deleted for it: a pure decision.
//!
//! Finished recordings go when they are older than the retention, and the oldest of them when there is
//! no room for the one that runs. What runs is never deleted: it ends when nothing else can give way.

use std::time::Duration;

use jiff::Timestamp;

/// What recordings may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all recordings together.
    pub quota: u64,
    /// Bytes of the file system that stay free for others.
    pub keep_free: u64,
    /// How long a finished recording is kept; `None` until its place is needed.
    pub retention: Option<Duration>,
}

/// A recording that is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finished {
    pub(super) folder: String,
    pub(super) bytes: u64,
    pub(super) ended: Timestamp,
}

/// What there is.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage {
    pub(super) finished: Vec<Finished>,
    /// Bytes of the recordings that run, all together.
    pub(super) running: u64,
    /// Bytes that the file system has for this user.
    pub(super) free: u64,
}

/// What follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Folders to delete, in this order.
    pub(super) delete: Vec<String>,
    /// Bytes that may be written after that.
    pub(super) room: u64,
}

/// Decides what to delete so that `wanted` bytes may be written, if that is possible.
pub(super) fn plan(usage: &Usage, limits: &Limits, now: Timestamp, wanted: u64) -> Plan {
    let mut finished: Vec<&Finished> = usage.finished.iter().collect();
    finished.sort_by_key(|one| (one.ended, &one.folder));
    let used = usage.running + finished.iter().map(|one| one.bytes).sum::<u64>();
    let mut freed = 0;
    let mut plan = Plan::default();
    let room = |freed: u64| {
        let of_quota = limits.quota.saturating_sub(used.saturating_sub(freed));
        let of_disk = (usage.free.saturating_add(freed)).saturating_sub(limits.keep_free);
        of_quota.min(of_disk)
    };
    for one in finished {
        if is_expired(one, limits, now) || room(freed) < wanted {
            freed += one.bytes;
            plan.delete.push(one.folder.clone());
        }
    }
    plan.room = room(freed);
    plan
}

fn is_expired(one: &Finished, limits: &Limits, now: Timestamp) -> bool {
    let age = now.as_second().saturating_sub(one.ended.as_second());
    limits
        .retention
        .is_some_and(|retention| u64::try_from(age).is_ok_and(|age| age > retention.as_secs()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 86_400;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + day * DAY).unwrap()
    }

    fn finished(folder: &str, bytes: u64, day: i64) -> Finished {
        Finished {
            folder: folder.to_owned(),
            bytes,
            ended: at(day),
        }
    }

    fn limits() -> Limits {
        Limits {
            quota: 1000,
            keep_free: 100,
            retention: Some(Duration::from_secs(30 * DAY as u64)),
        }
    }

    fn usage() -> Usage {
        Usage {
            finished: vec![finished("b", 300, 2), finished("a", 300, 1)],
            running: 100,
            free: 10_000,
        }
    }

    #[test]
    fn nothing_is_deleted_while_there_is_room_and_nothing_is_old() {
        let plan = plan(&usage(), &limits(), at(3), 300);
        assert_eq!((plan.delete, plan.room), (vec![], 300));
    }

    #[test]
    fn the_oldest_finished_recording_gives_way_first() {
        let plan = plan(&usage(), &limits(), at(3), 301);
        assert_eq!((plan.delete, plan.room), (vec!["a".to_owned()], 600));
    }

    #[test]
    fn what_is_older_than_the_retention_goes_although_there_is_room() {
        let none = plan(&usage(), &limits(), at(31), 0);
        assert_eq!(none.delete, Vec::<String>::new());
        let one = plan(&usage(), &limits(), at(32), 0);
        assert_eq!(one.delete, ["a"]);
        let for_ever = Limits {
            retention: None,
            ..limits()
        };
        assert!(plan(&usage(), &for_ever, at(9999), 0).delete.is_empty());
    }

    #[test]
    fn a_disk_that_others_fill_counts_as_well() {
        let full = Usage {
            free: 150,
            ..usage()
        };
        let plan = plan(&full, &limits(), at(3), 200);
        assert_eq!((plan.delete, plan.room), (vec!["a".to_owned()], 350));
    }

    #[test]
    fn a_recording_that_alone_breaks_the_quota_has_no_room() {
        let large = Usage {
            running: 1200,
            ..usage()
        };
        let plan = plan(&large, &limits(), at(3), 100);
        assert_eq!(plan.room, 0);
    }

    #[test]
    fn a_clock_that_ran_ahead_deletes_nothing() {
        assert!(plan(&usage(), &limits(), at(-100), 0).delete.is_empty());
    }

    proptest! {
        #[test]
        fn quota_and_free_space_hold_whatever_there_is(
            sizes in proptest::collection::vec((0_u64..2000, 0_i64..60), 0..8),
            running in 0_u64..2000, free in 0_u64..5000, wanted in 0_u64..1500,
        ) {
            let finished: Vec<Finished> = sizes.iter().enumerate()
                .map(|(n, (bytes, day))| finished(&n.to_string(), *bytes, *day)).collect();
            let usage = Usage { finished: finished.clone(), running, free };
            let plan = plan(&usage, &limits(), at(40), wanted);
            let is_kept = |one: &&Finished| !plan.delete.contains(&one.folder);
            let kept: u64 = finished.iter().filter(is_kept).map(|one| one.bytes).sum();
            let deleted: u64 = finished.iter().map(|one| one.bytes).sum::<u64>() - kept;
            prop_assert!(plan.room == 0 || kept + running + plan.room <= 1000);
            prop_assert!(plan.room == 0 || free + deleted >= plan.room + 100);
            // Nothing expired stays, and what gives way for room is older than what stays.
            let oldest = finished.iter().filter(is_kept).map(|one| one.ended).min();
            for one in finished.iter().filter(|one| !is_kept(one)) {
                prop_assert!(oldest.is_none_or(|oldest| one.ended <= oldest));
            }
        }
    }
}
