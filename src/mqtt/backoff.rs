//! When to try which broker next, and when somebody else uses our name there.

use std::time::{Duration, Instant};

/// A connection that held this long starts the back-off anew.
pub(super) const STABLE: Duration = Duration::from_secs(60);

const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);

/// From where on the waits are slow: for faults that trying does not cure.
const SLOW: Duration = Duration::from_secs(30);

/// Counts failed tries over a list of brokers.
#[derive(Debug)]
pub(super) struct Backoff {
    brokers: usize,
    failures: u32,
}

impl Backoff {
    /// For this many brokers, at least one.
    #[must_use]
    pub(super) fn new(brokers: usize) -> Self {
        Self {
            brokers: brokers.max(1),
            failures: 0,
        }
    }

    /// Which broker to try now.
    #[must_use]
    pub(super) fn broker(&self) -> usize {
        self.failures as usize % self.brokers
    }

    /// A try or a connection has failed: how long to wait. `jitter` is a random number from 0 to
    /// 1, `slow` means that trying will hardly help.
    pub(super) fn failed(&mut self, jitter: f64, slow: bool) -> Duration {
        let round = self.failures / u32::try_from(self.brokers).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let doubled = SHORTEST.saturating_mul(2u32.saturating_pow(round.min(16).saturating_add(1)));
        let most = doubled
            .min(LONGEST)
            .max(if slow { LONGEST } else { SHORTEST });
        let least = if slow { SLOW } else { (most / 2).max(SHORTEST) };
        least + (most - least).mul_f64(jitter.clamp(0.0, 1.0))
    }

    /// A connection has held for [`STABLE`]: the same broker is the first again.
    pub(super) fn held(&mut self) {
        self.failures = u32::try_from(self.broker()).unwrap_or(0);
    }
}

/// Guesses on MQTT 3.1.1, whose brokers give no reason, that another client has taken the client
/// id: connections that were accepted and soon cut by the broker, again and again.
#[derive(Debug, Default)]
pub(super) struct Takeovers {
    cuts: Vec<Instant>,
}

impl Takeovers {
    const CUTS: usize = 3;
    const WITHIN: Duration = Duration::from_secs(120);
    const SOON: Duration = Duration::from_secs(30);

    /// The broker has cut an accepted connection that `lasted` so long. True when this looks like
    /// a takeover.
    pub(super) fn cut(&mut self, now: Instant, lasted: Duration) -> bool {
        self.cuts
            .retain(|cut| now.saturating_duration_since(*cut) < Self::WITHIN);
        if lasted < Self::SOON {
            self.cuts.push(now);
        }
        self.cuts.len() >= Self::CUTS
    }

    /// A connection has held.
    pub(super) fn held(&mut self) {
        self.cuts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_half_a_second_to_a_minute_with_jitter() {
        let mut backoff = Backoff::new(1);
        let least: Vec<f64> = (0..9)
            .map(|_| backoff.failed(0.0, false).as_secs_f64())
            .collect();
        assert_eq!(least, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
        assert_eq!(backoff.failed(1.0, false), Duration::from_secs(60));
        backoff.held();
        assert_eq!(backoff.failed(1.0, false), Duration::from_secs(1));
        assert!(backoff.failed(0.0, true) >= Duration::from_secs(30));
    }

    #[test]
    fn brokers_are_tried_in_turn_and_one_that_held_stays_the_first() {
        let mut backoff = Backoff::new(2);
        let tried: Vec<usize> = (0..4)
            .map(|_| {
                let broker = backoff.broker();
                backoff.failed(0.0, false);
                broker
            })
            .collect();
        assert_eq!(tried, [0, 1, 0, 1]);
        backoff.failed(0.0, false);
        assert_eq!(backoff.broker(), 1);
        backoff.held();
        assert_eq!(backoff.broker(), 1);
    }

    #[test]
    fn three_short_connections_look_like_a_takeover_but_not_long_ones() {
        let start = Instant::now();
        let mut takeovers = Takeovers::default();
        let second = Duration::from_secs(1);
        assert!(!takeovers.cut(start, second));
        assert!(!takeovers.cut(start + second, Duration::from_secs(3600)));
        assert!(!takeovers.cut(start + 2 * second, second));
        assert!(takeovers.cut(start + 4 * second, second));
        takeovers.held();
        assert!(!takeovers.cut(start + 5 * second, second));
    }
}
