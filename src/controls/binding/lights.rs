//! Rows of lights, one by one.

use super::{
    BoundLight, Mistake,
    sources::{Row, line},
};
use crate::{
    input::LightSource,
    light::{Condition, ShowList, Shown},
    pattern::{Colour, Pattern},
    rows::{LightRow, ShownRow, ShownTable},
    words::{did_you_mean, listed},
};

pub(super) fn light(at: usize, given: &LightRow) -> Result<BoundLight, Vec<Mistake>> {
    let mut row = Row::new("lights", at, given.name.as_deref());
    let (source, default) = match (&given.led, &given.gpio) {
        (Some(led), None) => {
            row.only_with(
                "chip or active_low",
                "gpio",
                given.chip.is_some() || given.active_low.is_some(),
            );
            if led.trim_matches('*').is_empty() || led.contains('/') {
                row.refuse(
                    &format!("led = {led:?}"),
                    "the name of a folder of /sys/class/leds, as \"room:red:mute\"; * stands for any characters",
                    "see roomd probe for the names",
                );
            }
            (Some(LightSource::Led(led.clone())), led.clone())
        }
        (None, Some(gpio)) => {
            if given.multicolour {
                row.refuse(
                    "multicolour with gpio",
                    "multicolour with led",
                    "remove multicolour: a line has one colour",
                );
            }
            let chip = given.chip.as_deref();
            let line = line(&mut row, gpio, chip, given.active_low, None);
            (line.map(LightSource::Gpio), gpio.clone())
        }
        (led, _) => {
            let found = if led.is_some() {
                "led and gpio"
            } else {
                "neither led nor gpio"
            };
            row.refuse(
                found,
                "one of them",
                "name the light: led = \"room:red:mute\" or gpio = \"LED_MUTE\"",
            );
            (None, String::new())
        }
    };
    let percent = given.brightness.unwrap_or(100);
    if !(1..=100).contains(&percent) {
        row.refuse(
            &format!("brightness = {percent}"),
            "1 to 100 (percent)",
            "a light that is to stay dark wants no row",
        );
    }
    let shows = shows(&mut row, given);
    let name = row.named(default);
    row.end(source.map(|source| BoundLight {
        name,
        source,
        multicolour: given.multicolour,
        percent,
        shows,
    }))
}

fn shows(row: &mut Row<'_>, given: &LightRow) -> ShowList {
    if given.shows.is_empty() {
        row.refuse(
            "shows is empty",
            "at least one condition",
            "write for example shows = [\"muted\"]",
        );
    }
    let shown: Vec<Shown> = given
        .shows
        .iter()
        .filter_map(|shown| read(row, shown))
        .collect();
    for (at, second) in shown.iter().enumerate() {
        if shown[..at].iter().any(|first| first.when == second.when) {
            row.refuse(
                &format!("shows names \"{}\" twice", second.when.as_str()),
                "each condition once",
                "remove one of them",
            );
        }
    }
    let list = ShowList::new(shown);
    refuse_ambiguous(row, &list, given.multicolour);
    list
}

/// Whoever sees "muted" or "camera off" must not have to guess.
fn refuse_ambiguous(row: &mut Row<'_>, list: &ShowList, multicolour: bool) {
    for safe in list.as_slice() {
        if !matches!(safe.when, Condition::Muted | Condition::CameraOff) {
            continue;
        }
        for other in list
            .as_slice()
            .iter()
            .filter(|other| other.when != safe.when)
        {
            let differs = other.look.pattern != safe.look.pattern
                || (multicolour && other.look.colour != safe.look.colour);
            if !differs {
                row.refuse(
                    &format!(
                        "\"{}\" and \"{}\" look alike: both are {}",
                        safe.when.as_str(),
                        other.when.as_str(),
                        safe.look.pattern.as_str(),
                    ),
                    "looks that can be told apart where one of them says muted or off",
                    format!(
                        "give one another pattern, as {{ when = \"{}\", pattern = \"double\" }}, or set multicolour = true for a light of several colours",
                        other.when.as_str()
                    ),
                );
            }
        }
    }
}

fn read(row: &mut Row<'_>, shown: &ShownRow) -> Option<Shown> {
    let table = match shown {
        ShownRow::Table(table) => table.clone(),
        ShownRow::Word(when) => ShownTable {
            when: when.clone(),
            colour: None,
            pattern: None,
        },
    };
    let conditions: Vec<&str> = Condition::ALL.iter().map(|when| when.as_str()).collect();
    let when = word(row, "shows", &table.when, &conditions, Condition::from_word)?;
    let mut look = when.look();
    if let Some(colour) = &table.colour {
        let colours: Vec<&str> = Colour::ALL.iter().map(|colour| colour.as_str()).collect();
        look.colour = word(row, "colour", colour, &colours, Colour::from_word)?;
    }
    if let Some(pattern) = &table.pattern {
        let patterns: Vec<&str> = Pattern::CHOICES
            .iter()
            .map(|pattern| pattern.as_str())
            .collect();
        let chosen = |text: &str| {
            Pattern::from_word(text).filter(|pattern| Pattern::CHOICES.contains(pattern))
        };
        look.pattern = word(row, "pattern", pattern, &patterns, chosen)?;
    }
    Some(Shown { when, look })
}

fn word<T>(
    row: &mut Row<'_>,
    field: &str,
    written: &str,
    words: &[&str],
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let value = read(written);
    if value.is_none() {
        let meant = did_you_mean(written, words.iter().copied());
        row.refuse(
            &format!("{field} has {written:?}"),
            &listed(words.iter().copied()),
            meant.unwrap_or_else(|| {
                format!(
                    "write for example \"{}\"",
                    words.first().copied().unwrap_or_default()
                )
            }),
        );
    }
    value
}
