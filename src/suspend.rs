//! Whether the machine slept: of the kernel's two clocks one stands still meanwhile.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Readings of the two clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// `CLOCK_MONOTONIC`: stands still while the machine sleeps.
    pub monotonic: Duration,
    /// `CLOCK_BOOTTIME`: goes on.
    pub boot: Duration,
}

impl Clocks {
    /// Reads both.
    #[must_use]
    pub fn now() -> Self {
        Self {
            monotonic: since_boot(clock_gettime(ClockId::Monotonic)),
            boot: since_boot(clock_gettime(ClockId::Boottime)),
        }
    }
}

fn since_boot(time: Timespec) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanoseconds)
}

/// Notices sleep by how far one clock has run ahead of the other. A clock that somebody sets does not
/// matter: both are the kernel's own.
#[derive(Debug)]
pub struct SuspendWatch {
    ahead: Duration,
}

/// The clocks are read one after the other; less than this may lie between.
const READING: Duration = Duration::from_secs(1);

impl SuspendWatch {
    /// Begins to watch.
    #[must_use]
    pub fn new(clocks: Clocks) -> Self {
        Self {
            ahead: ahead(clocks),
        }
    }

    /// How long the machine slept since the last call, if it did.
    pub fn asleep(&mut self, clocks: Clocks) -> Option<Duration> {
        let now = ahead(clocks);
        let slept = now.saturating_sub(self.ahead);
        if slept < READING {
            return None;
        }
        self.ahead = now;
        Some(slept)
    }
}

fn ahead(clocks: Clocks) -> Duration {
    clocks.boot.saturating_sub(clocks.monotonic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks(monotonic_ms: u64, boot_ms: u64) -> Clocks {
        Clocks {
            monotonic: Duration::from_millis(monotonic_ms),
            boot: Duration::from_millis(boot_ms),
        }
    }

    #[test]
    fn sleep_is_told_once_with_its_length() {
        let mut watch = SuspendWatch::new(clocks(5_000, 95_000));
        assert_eq!(watch.asleep(clocks(6_000, 96_000)), None);
        assert_eq!(
            watch.asleep(clocks(7_000, 3_697_000)),
            Some(Duration::from_secs(3600))
        );
        assert_eq!(watch.asleep(clocks(8_000, 3_698_000)), None);
    }

    #[test]
    fn a_slow_reading_is_no_sleep_and_a_busy_machine_has_not_slept() {
        let mut watch = SuspendWatch::new(clocks(5_000, 5_000));
        assert_eq!(watch.asleep(clocks(6_000, 6_900)), None);
        assert_eq!(watch.asleep(clocks(600_000, 600_000)), None);
    }

    #[test]
    fn the_clocks_of_this_machine_can_be_read() {
        let first = Clocks::now();
        let second = Clocks::now();
        assert!(second.monotonic >= first.monotonic && second.boot >= first.boot);
        assert!(first.boot >= first.monotonic);
        assert_eq!(SuspendWatch::new(first).asleep(second), None);
    }
}
