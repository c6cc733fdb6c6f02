//! One LED of the kernel's LED class: `Documentation/leds/leds-class.rst`. Written, and read back.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use thiserror::Error;

use crate::{
    input::fits,
    pattern::{Colour, Look, Pattern},
};

/// Why a LED does not show what it should.
#[derive(Debug, Error)]
pub enum LedError {
    /// There is none of that name.
    #[error("there is no LED {wanted} in {folder}, but {there}")]
    NotFound {
        /// The name, as configured.
        wanted: String,
        /// The class.
        folder: PathBuf,
        /// What is there.
        there: String,
    },
    /// Several fit the name.
    #[error("{wanted} fits several LEDs: {there}; name one")]
    Ambiguous {
        /// The name, as configured.
        wanted: String,
        /// What fits.
        there: String,
    },
    /// A file of it cannot be read or written.
    #[error(
        "cannot use {file}: {source}; the service's user needs to write brightness and trigger"
    )]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It took what was written and says something else.
    #[error("{file} was set to {written} and reads {read}")]
    ReadBack {
        /// The file.
        file: PathBuf,
        /// What was written.
        written: String,
        /// What stands there.
        read: String,
    },
}

/// A LED.
#[derive(Debug)]
pub struct Led {
    folder: PathBuf,
    /// Brightness that is the brightest.
    max: u32,
    /// Colours of a LED of several, in the order of its intensities.
    channels: Option<Vec<String>>,
    triggers: Vec<String>,
}

impl Led {
    /// The one LED of `class` whose name fits.
    ///
    /// # Errors
    /// When none fits, several do, or it cannot be read.
    pub fn find(class: &Path, wanted: &str) -> Result<Self, LedError> {
        let names = names(class)?;
        let fitting: Vec<&String> = names.iter().filter(|name| fits(wanted, name)).collect();
        match fitting.as_slice() {
            [name] => Self::open(class.join(name)),
            [] => Err(LedError::NotFound {
                wanted: wanted.to_owned(),
                folder: class.to_owned(),
                there: match names.as_slice() {
                    [] => "no other either".to_owned(),
                    names => names.join(", "),
                },
            }),
            several => Err(LedError::Ambiguous {
                wanted: wanted.to_owned(),
                there: several
                    .iter()
                    .map(|name| name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }

    fn open(folder: PathBuf) -> Result<Self, LedError> {
        let max = read(&folder.join("max_brightness"))?;
        let words = |text: String| text.split_whitespace().map(str::to_owned).collect();
        let channels = read(&folder.join("multi_index")).ok().map(words);
        let triggers = read(&folder.join("trigger"))?.replace(['[', ']'], "");
        Ok(Self {
            max: max.parse().unwrap_or(255).max(1),
            channels,
            triggers: words(triggers),
            folder,
        })
    }

    /// Where it is: its files have to be writable, and what the class lists are links.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        fs::canonicalize(&self.folder).unwrap_or_else(|_| self.folder.clone())
    }

    /// Whether the kernel can play a pattern by itself.
    #[must_use]
    pub fn plays_patterns(&self) -> bool {
        self.triggers.iter().any(|trigger| trigger == "pattern")
    }

    /// Whether it can show several colours.
    #[must_use]
    pub fn is_multicolour(&self) -> bool {
        self.channels.is_some()
    }

    /// Lit or dark from now on.
    ///
    /// # Errors
    /// When it cannot be written, or reads otherwise afterwards.
    pub fn set(&self, lit: bool, colour: Colour, percent: u8) -> Result<(), LedError> {
        self.trigger("none")?;
        self.colour(colour)?;
        let level = if lit { self.level(percent) } else { 0 };
        let file = self.folder.join("brightness");
        write(&file, &level.to_string())?;
        self.is(lit)?
            .then_some(())
            .ok_or_else(|| LedError::ReadBack {
                written: level.to_string(),
                read: read(&file).unwrap_or_default(),
                file,
            })
    }

    /// Whether it is lit, or dark, as given. Levels between are the driver's affair.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn is(&self, lit: bool) -> Result<bool, LedError> {
        let level = read(&self.folder.join("brightness"))?;
        Ok((level != "0") == lit)
    }

    /// Plays the look for that long, and then a fault unless this is called again before.
    ///
    /// # Errors
    /// When it cannot be written, or another trigger is in use afterwards.
    pub fn play(&self, look: Look, percent: u8, good_for: Duration) -> Result<(), LedError> {
        self.play_text(
            look.colour,
            &look
                .pattern
                .with_dead_mans_handle(self.level(percent), good_for),
        )
    }

    /// Whether the kernel still plays for us.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn is_playing(&self) -> Result<bool, LedError> {
        Ok(self.chosen_trigger()? == "pattern")
    }

    /// Leaves it showing a fault, as well as it can without anybody who drives it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn leave_with_a_fault(&self, percent: u8) -> Result<(), LedError> {
        if self.plays_patterns() {
            let level = self.level(percent);
            let text = Pattern::Fault.with_dead_mans_handle(level, Duration::ZERO);
            return self.play_text(Look::FAULT.colour, &text);
        }
        if self.triggers.iter().any(|trigger| trigger == "timer") {
            self.colour(Look::FAULT.colour)?;
            write(
                &self.folder.join("brightness"),
                &self.level(percent).to_string(),
            )?;
            self.trigger("timer")?;
            write(&self.folder.join("delay_on"), "100")?;
            return write(&self.folder.join("delay_off"), "150");
        }
        // Dark is not a fault, but it is not "muted" either.
        self.set(false, Colour::White, percent)
    }

    fn play_text(&self, colour: Colour, pattern: &str) -> Result<(), LedError> {
        self.trigger("pattern")?;
        self.colour(colour)?;
        write(&self.folder.join("repeat"), "-1")?;
        write(&self.folder.join("pattern"), pattern)
    }

    fn trigger(&self, wanted: &str) -> Result<(), LedError> {
        if self.chosen_trigger()? == wanted {
            return Ok(());
        }
        let file = self.folder.join("trigger");
        write(&file, wanted)?;
        let read = self.chosen_trigger()?;
        if read == wanted {
            return Ok(());
        }
        Err(LedError::ReadBack {
            file,
            written: wanted.to_owned(),
            read,
        })
    }

    /// The kernel lists all triggers and puts the chosen one into brackets.
    fn chosen_trigger(&self) -> Result<String, LedError> {
        let text = read(&self.folder.join("trigger"))?;
        let chosen = text
            .split_once('[')
            .and_then(|(_, rest)| rest.split_once(']'))
            .map(|(chosen, _)| chosen.to_owned());
        Ok(chosen.unwrap_or(text))
    }

    fn colour(&self, colour: Colour) -> Result<(), LedError> {
        let Some(channels) = &self.channels else {
            return Ok(());
        };
        let [red, green, blue] = colour.rgb();
        let shares: Vec<String> = channels
            .iter()
            .map(|channel| match channel.as_str() {
                "red" => red,
                "green" => green,
                "blue" => blue,
                // White and amber emitters only help with white.
                _ => u32::from(colour == Colour::White),
            })
            .map(|share| (share * self.max).to_string())
            .collect();
        write(&self.folder.join("multi_intensity"), &shares.join(" "))
    }

    fn level(&self, percent: u8) -> u32 {
        (self.max * u32::from(percent)).div_ceil(100).max(1)
    }
}

/// The names of all LEDs, in order. None where there is no such class.
///
/// # Errors
/// When the class exists and cannot be listed.
pub fn names(class: &Path) -> Result<Vec<String>, LedError> {
    let failed = |source| LedError::File {
        file: class.to_owned(),
        source,
    };
    let entries = match fs::read_dir(class) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

fn read(file: &Path) -> Result<String, LedError> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(source) => Err(LedError::File {
            file: file.to_owned(),
            source,
        }),
    }
}

/// Writes into a file that is there: a LED that is gone is not to come back as a plain file.
fn write(file: &Path, text: &str) -> Result<(), LedError> {
    let written = fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(file)
        .and_then(|mut open| open.write_all(text.as_bytes()));
    written.map_err(|source| LedError::File {
        file: file.to_owned(),
        source,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A folder of plain files that takes what a LED takes. Unlike sysfs it does not refuse.
    pub(crate) fn plain_led(class: &Path, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = class.join(name);
        fs::create_dir_all(&folder).unwrap();
        for (file, text) in [("brightness", "0"), ("max_brightness", "255")]
            .iter()
            .chain(files)
        {
            fs::write(folder.join(file), format!("{text}\n")).unwrap();
        }
        folder
    }

    pub(crate) fn text(folder: &Path, file: &str) -> String {
        read(&folder.join(file)).unwrap()
    }

    #[test]
    fn a_led_is_lit_in_its_brightness_and_loses_its_trigger() {
        let class = tempfile::tempdir().unwrap();
        let folder = plain_led(
            class.path(),
            "room:red:mute",
            &[("trigger", "none [timer]")],
        );
        let led = Led::find(class.path(), "room:red:mute").unwrap();
        led.set(true, Colour::Red, 50).unwrap();
        assert_eq!(text(&folder, "brightness"), "128");
        assert_eq!(text(&folder, "trigger"), "none");
        assert!(led.is(true).unwrap() && !led.is(false).unwrap());
        led.set(false, Colour::Red, 50).unwrap();
        assert_eq!(text(&folder, "brightness"), "0");
    }

    #[test]
    fn the_faintest_light_is_still_lit() {
        let class = tempfile::tempdir().unwrap();
        let folder = plain_led(
            class.path(),
            "a",
            &[("trigger", "none"), ("max_brightness", "1")],
        );
        let led = Led::find(class.path(), "a").unwrap();
        led.set(true, Colour::Red, 1).unwrap();
        assert_eq!(text(&folder, "brightness"), "1");
    }

    #[test]
    fn a_led_of_several_colours_shows_the_colour_in_its_own_order() {
        let class = tempfile::tempdir().unwrap();
        let files = [
            ("trigger", "[none]"),
            ("multi_index", "blue green red"),
            ("multi_intensity", "0 0 0"),
        ];
        let folder = plain_led(class.path(), "rgb:status", &files);
        let led = Led::find(class.path(), "rgb:*").unwrap();
        assert!(led.is_multicolour());
        led.set(true, Colour::Yellow, 100).unwrap();
        assert_eq!(text(&folder, "multi_intensity"), "0 255 255");
    }

    #[test]
    fn the_kernel_plays_a_pattern_that_ends_in_a_fault() {
        let class = tempfile::tempdir().unwrap();
        let files = [
            ("trigger", "[none] timer pattern"),
            ("pattern", ""),
            ("repeat", "1"),
        ];
        let folder = plain_led(class.path(), "a", &files);
        let led = Led::find(class.path(), "a").unwrap();
        let blink = Look {
            colour: Colour::Red,
            pattern: Pattern::Blink,
        };
        led.play(blink, 100, Duration::from_secs(3)).unwrap();
        assert!(led.is_playing().unwrap());
        assert_eq!(text(&folder, "repeat"), "-1");
        assert!(text(&folder, "pattern").starts_with("255 500 255 0 0 500 0 0 255 500"));
        led.leave_with_a_fault(100).unwrap();
        assert!(text(&folder, "pattern").starts_with("255 100 255 0 0 150 0 0 255 100"));
    }

    #[test]
    fn a_led_without_patterns_is_left_blinking_or_dark() {
        let class = tempfile::tempdir().unwrap();
        let files = [
            ("trigger", "[none] timer"),
            ("delay_on", "0"),
            ("delay_off", "0"),
        ];
        let timer = plain_led(class.path(), "timer", &files);
        let led = Led::find(class.path(), "timer").unwrap();
        led.leave_with_a_fault(100).unwrap();
        assert_eq!(text(&timer, "trigger"), "timer");
        assert_eq!(text(&timer, "delay_on"), "100");

        let plain = plain_led(
            class.path(),
            "plain",
            &[("trigger", "[none]"), ("brightness", "255")],
        );
        let led = Led::find(class.path(), "plain").unwrap();
        led.leave_with_a_fault(100).unwrap();
        assert_eq!(text(&plain, "brightness"), "0");
    }

    #[test]
    fn what_is_not_there_or_not_clear_is_said_with_what_is() {
        let class = tempfile::tempdir().unwrap();
        for name in ["input3::mute", "input4::mute"] {
            plain_led(class.path(), name, &[("trigger", "[none]")]);
        }
        let error = Led::find(class.path(), "room:red:mute").unwrap_err();
        assert!(error.to_string().contains("input3::mute, input4::mute"));
        let error = Led::find(class.path(), "input*::mute").unwrap_err();
        assert!(error.to_string().contains("several"), "{error}");
        fs::remove_dir_all(class.path().join("input4::mute")).unwrap();
        let led = Led::find(class.path(), "input*::mute").unwrap();
        fs::remove_dir_all(class.path().join("input3::mute")).unwrap();
        let error = led.set(true, Colour::Red, 100).unwrap_err();
        assert!(error.to_string().contains("trigger"), "{error}");
        assert!(names(Path::new("/nonexistent")).unwrap().is_empty());
    }
}
