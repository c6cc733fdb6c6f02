//! Time as an input: the pure part of the server never asks a clock.

use std::time::Instant;

use jiff::Timestamp;

/// One moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For intervals and deadlines.
    pub monotonic: Instant,
    /// For what is shown, stored and signed.
    pub wall: Timestamp,
}

impl Now {
    /// Asks the clocks of this machine.
    #[must_use]
    pub fn read() -> Self {
        Self {
            monotonic: Instant::now(),
            wall: Timestamp::now(),
        }
    }

    /// The wall clock as the protocol writes it: ISO 8601, UTC, milliseconds.
    #[must_use]
    pub fn iso(&self) -> String {
        iso(self.wall)
    }
}

/// A moment as the protocol writes it: ISO 8601, UTC, milliseconds.
#[must_use]
pub fn iso(moment: Timestamp) -> String {
    format!("{moment:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_three_decimals() {
        let moment: Timestamp = "2026-11-23T15:37:46.5Z".parse().unwrap();
        assert_eq!(iso(moment), "2026-11-23T15:37:46.500Z");
    }
}
