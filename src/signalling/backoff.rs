//! How long to wait between attempts.

use std::time::Duration;

use rand::RngExt;

/// An exponential series with jitter: `first` × 2ⁿ, each varied by up to half, at most `longest`.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// The SDK's series for the signalling connection: 250 ms up to 5 s.
    #[must_use]
    pub fn for_signalling() -> Self {
        Self::new(Duration::from_millis(250), Duration::from_secs(5))
    }

    /// The series for HTTP calls: 1 s up to 30 s.
    #[must_use]
    pub fn for_rest() -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(30))
    }

    fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            failures: 0,
        }
    }

    /// How often it failed in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// The wait after one more failure.
    pub fn next_delay(&mut self) -> Duration {
        let base = self
            .first
            .saturating_mul(1 << self.failures.min(16))
            .min(self.longest);
        self.failures = self.failures.saturating_add(1);
        base.mul_f64(rand::rng().random_range(0.5..=1.5))
            .min(self.longest)
    }

    /// It worked: the series begins again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_grows_to_its_limit_and_begins_again_after_success() {
        let mut backoff = Backoff::for_signalling();
        let first = backoff.next_delay();
        assert!((125..=375).contains(&first.as_millis()), "{first:?}");
        for _ in 0..100 {
            assert!(backoff.next_delay() <= Duration::from_secs(5));
        }
        assert!(backoff.next_delay() >= Duration::from_millis(2500));
        backoff.reset();
        assert!(backoff.next_delay().as_millis() <= 375);
    }
}
