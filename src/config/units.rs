//! Numbers and names with their bounds. A value of these types is within them.

use toml::Value;

use super::setting::{Setting, read_serde};

/// Makes a whole number with bounds; reading anything else fails.
macro_rules! bounded {
    ($($(#[$doc:meta])* $name:ident($inner:ty) = $low:literal ..= $high:literal, default $default:literal, $allowed:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name($inner);

        impl $name {
            /// The least value.
            pub const MIN: Self = Self($low);
            /// The greatest value.
            pub const MAX: Self = Self($high);

            /// The value when nothing is configured.
            pub const DEFAULT: Self = Self($default);

            /// The number, when it is within the bounds.
            #[must_use]
            pub fn new(number: $inner) -> Option<Self> {
                (Self::MIN.0..=Self::MAX.0).contains(&number).then_some(Self(number))
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl Setting for $name {
            const ALLOWED: &'static str = $allowed;

            fn read(value: Value) -> Result<Self, Option<String>> {
                let number: i64 = read_serde(value)?;
                let number = <$inner>::try_from(number).map_err(|_| None)?;
                Self::new(number).ok_or(None)
            }

            fn show(&self) -> Value {
                Value::Integer(self.0.into())
            }
        }
    )*};
}

bounded! {
    /// Width or height of a picture in pixels, before [`EvenPixels`] demands that it is even.
    Pixels(u32) = 160..=3840, default 1280, "an even whole number from 160 to 3840 (pixels)";
    /// Frames per second.
    FramesPerSecond(u32) = 1..=60, default 30, "a whole number from 1 to 60 (frames per second)";
    /// Bitrate of a picture in bit/s.
    VideoBitrate(u32) = 50_000..=20_000_000, default 1_500_000, "a whole number from 50000 to 20000000 (bit/s)";
    /// Bitrate of Opus in bit/s (RFC 6716 §2.1.1).
    OpusBitrate(u32) = 6_000..=510_000, default 48_000, "a whole number from 6000 to 510000 (bit/s)";
    /// Length of the jitter buffer in milliseconds.
    JitterBuffer(u32) = 0..=1000, default 60, "a whole number from 0 to 1000 (ms)";
    /// Loudness in percent.
    Percent(u8) = 0..=100, default 70, "a whole number from 0 to 100 (percent)";
    /// How long a join may take, in milliseconds.
    JoinTimeout(u32) = 1_000..=120_000, default 30_000, "a whole number from 1000 to 120000 (ms)";
    /// What all recordings together may take, in megabytes.
    RecordingQuota(u32) = 10..=100_000_000, default 20_000, "a whole number from 10 to 100000000 (MB)";
    /// What recordings leave free on their disk, in megabytes.
    KeepFree(u32) = 0..=100_000_000, default 1_000, "a whole number from 0 to 100000000 (MB)";
    /// How long a finished recording is kept, in days; 0: until its place is needed.
    RetentionDays(u32) = 0..=3650, default 30, "a whole number from 0 to 3650 (days)";
    /// How long the contacts of a button may bounce, in milliseconds.
    Debounce(u32) = 0..=200, default 5, "a whole number from 0 to 200 (ms)";
    /// From here on a press is a long one, in milliseconds.
    LongPress(u32) = 200..=10_000, default 600, "a whole number from 200 to 10000 (ms)";
    /// Longest time between the two pushes of a double press, in milliseconds.
    DoublePress(u32) = 100..=1_000, default 300, "a whole number from 100 to 1000 (ms)";
    /// How long a question of somebody in the room stands, in milliseconds.
    AnswerWithin(u32) = 5_000..=600_000, default 30_000, "a whole number from 5000 to 600000 (ms)";
}

/// Width or height of a picture: even, because chroma has half the resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvenPixels(Pixels);

impl EvenPixels {
    /// The least value.
    pub const MIN: Self = Self(Pixels::MIN);

    /// The number, when it is even and within the bounds.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        Pixels::new(number)
            .filter(|_| number.is_multiple_of(2))
            .map(Self)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl Setting for EvenPixels {
    const ALLOWED: &'static str = Pixels::ALLOWED;

    fn read(value: Value) -> Result<Self, Option<String>> {
        let pixels = Pixels::read(value)?;
        Self::new(pixels.get()).ok_or_else(|| Some(format!("{} is odd", pixels.get())))
    }

    fn show(&self) -> Value {
        self.0.show()
    }
}

/// A name for people: 1 to 100 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// The text, when it is such a name.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for DisplayName {
    fn default() -> Self {
        Self("roomd".to_owned())
    }
}

impl Setting for DisplayName {
    const ALLOWED: &'static str = "a text of 1 to 100 characters on one line";

    fn read(value: Value) -> Result<Self, Option<String>> {
        let text: String = read_serde(value)?;
        Self::new(&text).ok_or(None)
    }

    fn show(&self) -> Value {
        Value::String(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_even_and_within_bounds() {
        for (number, fits) in [
            (158, false),
            (160, true),
            (161, false),
            (3840, true),
            (3842, false),
        ] {
            assert_eq!(EvenPixels::new(number).is_some(), fits, "{number}");
        }
    }

    #[test]
    fn a_display_name_is_one_line_of_bounded_length() {
        for (text, fits) in [
            ("Meeting room 4", true),
            ("  ", false),
            ("a\nb", false),
            (&"é".repeat(100), true),
            (&"é".repeat(101), false),
        ] {
            assert_eq!(DisplayName::new(text).is_some(), fits, "{text}");
        }
    }
}
