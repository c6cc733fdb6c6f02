//! Signs of life for systemd's watchdog (`WatchdogSec=`), given only while the parts that matter
//! move on: never by a timer of its own, so that a stuck room loop or a dead media engine ends in
//! a restart.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use tracing::info;

use super::notify::send;

/// A part of the program that has to move on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The room loop took a turn, the appliance's or the room server's.
    RoomLoop,
    /// The media engine answered, or its pipeline's clock moved on.
    Media,
}

/// Feeds systemd's watchdog.
#[derive(Debug)]
pub struct Watchdog {
    progress: Progress,
}

impl Watchdog {
    /// The watchdog that the unit asks for, `None` when it asks for none. All `parts` have to move on.
    #[must_use]
    pub fn from_environment(parts: &[Part]) -> Option<Self> {
        let limit = sd_notify::watchdog_enabled()?;
        info!(?limit, "systemd's watchdog is on");
        Some(Self {
            progress: Progress::new(limit, parts),
        })
    }

    /// How often each part should report at least: a quarter of the limit.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.progress.interval
    }

    /// Notes that a part moved on at `now`; gives a sign of life when all parts have since the last.
    pub fn progressed(&mut self, part: Part, now: Instant) {
        if self.progress.note(part, now) {
            send(&[NotifyState::Watchdog]);
        }
    }
}

/// Which parts moved on since the last sign of life.
#[derive(Debug)]
struct Progress {
    interval: Duration,
    /// Each part that matters, and whether it moved on.
    moved: Vec<(Part, bool)>,
    last: Option<Instant>,
}

impl Progress {
    fn new(limit: Duration, parts: &[Part]) -> Self {
        Self {
            interval: limit / 4,
            moved: parts.iter().map(|part| (*part, false)).collect(),
            last: None,
        }
    }

    /// Says whether to give a sign of life now: all parts moved on, and the last one is not
    /// fresh, since a busy room loop turns a thousand times a second.
    fn note(&mut self, part: Part, now: Instant) -> bool {
        for (known, moved) in &mut self.moved {
            *moved |= *known == part;
        }
        let fresh = self
            .last
            .is_some_and(|last| now.saturating_duration_since(last) < self.interval);
        if fresh || !self.moved.iter().all(|(_, moved)| *moved) {
            return false;
        }
        self.moved.iter_mut().for_each(|(_, moved)| *moved = false);
        self.last = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    /// Notes progress at the given seconds and returns those at which a sign was given.
    fn signs(notes: &[(u64, Part)]) -> Vec<u64> {
        let start = Instant::now();
        let mut progress = Progress::new(LIMIT, &[Part::RoomLoop, Part::Media]);
        let given = |&(at, part): &(u64, Part)| {
            progress
                .note(part, start + Duration::from_secs(at))
                .then_some(at)
        };
        notes.iter().filter_map(given).collect()
    }

    #[test]
    fn a_stuck_media_engine_stops_the_signs_although_the_room_loop_turns() {
        let mut notes = vec![(0, Part::Media)];
        notes.extend((0..60).map(|at| (at, Part::RoomLoop)));
        assert_eq!(signs(&notes), [0]);
    }

    #[test]
    fn a_stuck_room_loop_stops_the_signs_although_media_flow() {
        let mut notes = vec![(0, Part::RoomLoop)];
        notes.extend((0..60).map(|at| (at, Part::Media)));
        assert_eq!(signs(&notes), [0]);
    }

    #[test]
    fn signs_are_given_well_within_the_limit_and_not_at_every_turn() {
        let notes: Vec<_> = (0..30)
            .flat_map(|at| [(at, Part::RoomLoop), (at, Part::Media)])
            .collect();
        let signs = signs(&notes);
        assert_eq!(signs, [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
    }

    #[test]
    fn a_part_that_recovers_brings_the_signs_back() {
        let notes = [
            (0, Part::RoomLoop),
            (0, Part::Media),
            (5, Part::RoomLoop),
            (9, Part::Media),
        ];
        assert_eq!(signs(&notes), [0, 9]);
    }
}
