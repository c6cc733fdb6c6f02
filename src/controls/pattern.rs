//! How a light looks, and what that means for a lamp that is on or off at a moment.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// A colour. A lamp of one colour shows them all alike.
    pub enum Colour {
        /// All of red, green and blue.
        White = "white",
        /// Red.
        Red = "red",
        /// Green.
        Green = "green",
        /// Blue.
        Blue = "blue",
        /// Red and green.
        Yellow = "yellow",
        /// Red and blue.
        Magenta = "magenta",
        /// Green and blue.
        Cyan = "cyan",
    }
}

impl Colour {
    /// Shares of red, green and blue, 0 or 1.
    #[must_use]
    pub fn rgb(self) -> [u32; 3] {
        match self {
            Self::White => [1, 1, 1],
            Self::Red => [1, 0, 0],
            Self::Green => [0, 1, 0],
            Self::Blue => [0, 0, 1],
            Self::Yellow => [1, 1, 0],
            Self::Magenta => [1, 0, 1],
            Self::Cyan => [0, 1, 1],
        }
    }
}

words! {
    /// On and off in time.
    pub enum Pattern {
        /// Dark.
        Off = "off",
        /// Steady.
        On = "on",
        /// Half a second on, half a second off.
        Blink = "blink",
        /// Two short flashes a second.
        Double = "double",
        /// An eighth of a second on, as much off: the box is asked to show itself. Not to be chosen.
        Identify = "identify",
        /// Three short flashes and a pause, two seconds together: roomd is dead or stuck, the light tells
        /// nothing of the room. Not to be chosen.
        Fault = "fault",
    }
}

impl Pattern {
    /// What may be chosen in the configuration.
    pub const CHOICES: &'static [Self] = &[Self::On, Self::Blink, Self::Double];

    /// On and off in turn, beginning with on: milliseconds each. Empty for what does not change.
    #[must_use]
    pub fn steps(self) -> &'static [u64] {
        match self {
            Self::Off | Self::On => &[],
            Self::Blink => &[500, 500],
            Self::Double => &[100, 150, 100, 650],
            Self::Identify => &[125, 125],
            Self::Fault => &[100, 150, 100, 150, 100, 1400],
        }
    }

    /// Whether the lamp is lit so long after the pattern began, and when that changes next.
    #[must_use]
    pub fn at(self, elapsed: Duration) -> (bool, Option<Duration>) {
        let period: u64 = self.steps().iter().sum();
        if period == 0 {
            return (self == Self::On, None);
        }
        // A pattern that has run for 500 million years may skip.
        let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or_default();
        let begun = elapsed - elapsed % period;
        let mut until = begun;
        for (at, step) in self.steps().iter().enumerate() {
            until += step;
            if elapsed < until {
                return (at % 2 == 0, Some(Duration::from_millis(until)));
            }
        }
        (true, Some(Duration::from_millis(begun + period)))
    }

    /// The pattern in the words of the kernel's LED trigger `pattern`: brightness and milliseconds in turn
    /// (`Documentation/ABI/testing/sysfs-class-led-trigger-pattern`), two pairs for a jump, because one
    /// pair fades. First the pattern for `good_for`, then twenty seconds of [`Pattern::Fault`]: who renews it in
    /// time shows the pattern, and a daemon that is stuck shows a fault without doing anything.
    #[must_use]
    pub fn with_dead_mans_handle(self, brightness: u32, good_for: Duration) -> String {
        let good_for = u64::try_from(good_for.as_millis()).unwrap_or_default();
        let mut text = String::new();
        let mut hold = |lit: bool, milliseconds: u64| {
            let level = if lit { brightness } else { 0 };
            text.push_str(&format!("{level} {milliseconds} {level} 0 "));
        };
        let period: u64 = self.steps().iter().sum();
        if period == 0 {
            hold(self == Self::On, good_for);
        } else {
            for _ in 0..good_for.div_ceil(period) {
                for (at, step) in self.steps().iter().enumerate() {
                    hold(at % 2 == 0, *step);
                }
            }
        }
        for _ in 0..10 {
            for (at, step) in Self::Fault.steps().iter().enumerate() {
                hold(at % 2 == 0, *step);
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// How a light looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Look {
    /// Its colour.
    pub colour: Colour,
    /// On and off.
    pub pattern: Pattern,
}

impl Look {
    /// Dark.
    pub const DARK: Self = Self {
        colour: Colour::White,
        pattern: Pattern::Off,
    };
    /// The box shows itself.
    pub const IDENTIFY: Self = Self {
        colour: Colour::White,
        pattern: Pattern::Identify,
    };
    /// Nothing is known.
    pub const FAULT: Self = Self {
        colour: Colour::Red,
        pattern: Pattern::Fault,
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_pattern_says_when_it_changes_next() {
        for (pattern, at, lit, next) in [
            (Pattern::Off, 0, false, None),
            (Pattern::On, 9_999, true, None),
            (Pattern::Blink, 0, true, Some(500)),
            (Pattern::Blink, 499, true, Some(500)),
            (Pattern::Blink, 500, false, Some(1_000)),
            (Pattern::Blink, 1_000, true, Some(1_500)),
            (Pattern::Double, 260, true, Some(350)),
            (Pattern::Double, 360, false, Some(1_000)),
            (Pattern::Fault, 700, false, Some(2_000)),
        ] {
            assert_eq!(pattern.at(ms(at)), (lit, next.map(ms)), "{pattern:?} {at}");
        }
    }

    #[test]
    fn patterns_can_be_told_apart_by_somebody_who_looks_for_two_seconds() {
        let seen = |pattern: Pattern| -> Vec<bool> {
            (0..80).map(|step| pattern.at(ms(step * 25)).0).collect()
        };
        for (at, first) in Pattern::ALL.iter().enumerate() {
            for second in &Pattern::ALL[at + 1..] {
                let differing = seen(*first)
                    .iter()
                    .zip(seen(*second))
                    .filter(|(a, b)| **a != *b)
                    .count();
                assert!(differing >= 8, "{first:?} and {second:?}: {differing}");
            }
        }
    }

    #[test]
    fn the_kernels_pattern_is_the_pattern_first_and_a_fault_afterwards() {
        assert!(
            Pattern::On
                .with_dead_mans_handle(255, ms(3_000))
                .starts_with("255 3000 255 0 255 100 255 0 0 150 0 0 255 100")
        );
        assert!(
            Pattern::Blink
                .with_dead_mans_handle(1, ms(3_000))
                .starts_with("1 500 1 0 0 500 0 0 1 500")
        );
    }

    /// Plays the kernel's words: lit or not at each moment, with jumps only.
    fn played(text: &str) -> Vec<(bool, u64)> {
        let numbers: Vec<u64> = text
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        numbers
            .chunks(4)
            .map(|step| {
                assert_eq!((step[0], step[3]), (step[2], 0), "a jump has two pairs");
                (step[0] > 0, step[1])
            })
            .collect()
    }

    proptest! {
        #[test]
        fn the_kernel_plays_what_we_would(
            pattern in prop::sample::select(Pattern::ALL),
            brightness in 1_u32..256,
            at in 0_u64..3_000,
        ) {
            let text = pattern.with_dead_mans_handle(brightness, ms(3_000));
            // The trigger takes 1024 pairs and a page of text.
            prop_assert!(text.split(' ').count() / 2 <= 1024 && text.len() < 4096);
            let mut until = 0;
            let lit = played(&text).into_iter().find_map(|(lit, step)| {
                until += step;
                (at < until).then_some(lit)
            });
            prop_assert_eq!(lit, Some(pattern.at(ms(at)).0));
        }

        #[test]
        fn the_next_change_is_a_change(pattern in prop::sample::select(Pattern::ALL), at in 0_u64..1_000_000) {
            let (lit, next) = pattern.at(ms(at));
            if let Some(next) = next {
                prop_assert!(next > ms(at));
                prop_assert_eq!(pattern.at(next).0, !lit);
                prop_assert_eq!(pattern.at(next - ms(1)).0, lit);
            }
        }
    }
}
