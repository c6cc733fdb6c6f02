//! Rows of buttons and switches, one by one.

use std::{collections::BTreeMap, str::FromStr};

use evdev::{KeyCode, SwitchCode};

use super::{BoundButton, BoundSwitch, Mistake};
use crate::{
    gesture::Gesture,
    input::{Bias, ButtonSource, DeviceSelector, GpioLine, SwitchSource},
    rows::{BoundCommand, ButtonRow, SwitchRow},
};

/// What is wrong with a row, collected.
pub(super) struct Row<'a> {
    key: &'static str,
    at: usize,
    name: Option<&'a str>,
    mistakes: Vec<Mistake>,
}

impl<'a> Row<'a> {
    pub(super) fn new(key: &'static str, at: usize, name: Option<&'a str>) -> Self {
        Self {
            key,
            at,
            name,
            mistakes: Vec::new(),
        }
    }

    /// Notes a mistake: what stands there, what may stand there, what to do.
    pub(super) fn refuse(&mut self, found: &str, allowed: &str, remedy: impl Into<String>) {
        let name = self
            .name
            .map(|name| format!(" ({name})"))
            .unwrap_or_default();
        self.mistakes.push(Mistake {
            key: self.key,
            found: format!("row {}{name}: {found}", self.at + 1),
            allowed: allowed.to_owned(),
            remedy: remedy.into(),
        });
    }

    pub(super) fn end<T>(self, made: Option<T>) -> Result<T, Vec<Mistake>> {
        match made.filter(|_| self.mistakes.is_empty()) {
            Some(made) => Ok(made),
            None => Err(self.mistakes),
        }
    }

    /// The row's name, or the one that it has when it does not say.
    pub(super) fn named(&mut self, default: String) -> String {
        let Some(name) = self.name else {
            return default;
        };
        if name.trim().is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control)
        {
            self.refuse(
                &format!("name = {name:?}"),
                "1 to 64 characters on one line",
                "give it a short name, or leave name out",
            );
        }
        name.to_owned()
    }

    fn device(&mut self, device: Option<&str>) -> DeviceSelector {
        match device.map(DeviceSelector::parse) {
            None => DeviceSelector::Any,
            Some(Some(device)) => device,
            Some(None) => {
                self.refuse(
                    "device is empty",
                    "\"any\", a name, vendor:product as \"046d:c31c\" or a path",
                    "see roomd probe for the names, or leave device out",
                );
                DeviceSelector::Any
            }
        }
    }

    /// Fields that mean nothing for this kind of source.
    pub(super) fn only_with(&mut self, what: &str, needs: &str, is_set: bool) {
        if is_set {
            self.refuse(
                &format!("{what} without {needs}"),
                &format!("{what} together with {needs}"),
                format!("remove {what}, or name {needs}"),
            );
        }
    }
}

/// The GPIO line of a row; `None` is a mistake that was noted.
pub(super) fn line(
    row: &mut Row<'_>,
    gpio: &str,
    chip: Option<&str>,
    active_low: Option<bool>,
    bias: Option<Bias>,
) -> Option<GpioLine> {
    if gpio.trim().is_empty() {
        row.refuse(
            "gpio is empty",
            "a line's name or number",
            "see roomd probe for the lines",
        );
        return None;
    }
    if chip.is_none() && gpio.bytes().all(|byte| byte.is_ascii_digit()) {
        row.refuse(
            &format!("gpio = {gpio:?} without chip"),
            "a number together with the chip, or a line's name",
            "name the chip: chip = \"gpiochip0\" (see roomd probe)",
        );
        return None;
    }
    Some(GpioLine {
        chip: chip.map(str::to_owned),
        line: gpio.to_owned(),
        active_low: active_low.unwrap_or_default(),
        bias: bias.unwrap_or(Bias::AsIs),
    })
}

pub(super) fn button(at: usize, given: &ButtonRow) -> Result<BoundButton, Vec<Mistake>> {
    let mut row = Row::new("buttons", at, given.name.as_deref());
    let (source, default) = match (&given.key, &given.gpio) {
        (Some(key), None) => {
            let has_line =
                given.chip.is_some() || given.active_low.is_some() || given.bias.is_some();
            row.only_with("chip, active_low or bias", "gpio", has_line);
            let device = row.device(given.device.as_deref());
            (
                code::<KeyCode>(&mut row, "key", key, "KEY_MICMUTE")
                    .map(|key| ButtonSource::Key(device, key)),
                key.clone(),
            )
        }
        (None, Some(gpio)) => {
            row.only_with("device", "key", given.device.is_some());
            let chip = given.chip.as_deref();
            (
                line(&mut row, gpio, chip, given.active_low, given.bias).map(ButtonSource::Gpio),
                gpio.clone(),
            )
        }
        (key, _) => {
            let found = if key.is_some() {
                "key and gpio"
            } else {
                "neither key nor gpio"
            };
            row.refuse(
                found,
                "one of them",
                "name the button: key = \"KEY_MICMUTE\" or gpio = \"MUTE\"",
            );
            (None, String::new())
        }
    };
    let commands: BTreeMap<Gesture, BoundCommand> = [
        (Gesture::Press, &given.press),
        (Gesture::LongPress, &given.long_press),
        (Gesture::DoublePress, &given.double_press),
    ]
    .into_iter()
    .filter_map(|(gesture, command)| Some((gesture, command.clone()?)))
    .collect();
    if given.hold_to_talk
        && let Some(gesture) = commands.keys().next()
    {
        row.refuse(
            &format!("{} and hold_to_talk on one button", gesture.as_str()),
            "hold_to_talk alone: its press and release are the gesture",
            format!("remove hold_to_talk or {}", gesture.as_str()),
        );
    }
    if !given.hold_to_talk && commands.is_empty() {
        row.refuse(
            "a button that does nothing",
            "press, long_press, double_press or hold_to_talk",
            "bind something: press = \"toggle_microphone\"",
        );
    }
    let name = row.named(default);
    row.end(source.map(|source| BoundButton {
        name,
        source,
        talk: given.hold_to_talk,
        commands,
    }))
}

pub(super) fn switch(at: usize, given: &SwitchRow) -> Result<BoundSwitch, Vec<Mistake>> {
    let mut row = Row::new("switches", at, given.name.as_deref());
    let (source, default) = match (&given.switch, &given.gpio) {
        (Some(switch), None) => {
            let has_line =
                given.chip.is_some() || given.active_low.is_some() || given.bias.is_some();
            row.only_with("chip, active_low or bias", "gpio", has_line);
            let device = row.device(given.device.as_deref());
            (
                code::<SwitchCode>(&mut row, "switch", switch, "SW_MUTE_DEVICE")
                    .map(|switch| SwitchSource::Switch(device, switch)),
                switch.clone(),
            )
        }
        (None, Some(gpio)) => {
            row.only_with("device", "switch", given.device.is_some());
            let chip = given.chip.as_deref();
            (
                line(&mut row, gpio, chip, given.active_low, given.bias).map(SwitchSource::Gpio),
                gpio.clone(),
            )
        }
        (switch, _) => {
            let found = if switch.is_some() {
                "switch and gpio"
            } else {
                "neither switch nor gpio"
            };
            row.refuse(
                found,
                "one of them",
                "name the switch: switch = \"SW_MUTE_DEVICE\" or gpio = \"PRIVACY\"",
            );
            (None, String::new())
        }
    };
    let name = row.named(default);
    row.end(source.map(|source| BoundSwitch {
        name,
        source,
        mutes: given.mutes,
    }))
}

/// A code of the kernel by its name.
fn code<T: FromStr + Named>(
    row: &mut Row<'_>,
    field: &str,
    name: &str,
    example: &str,
) -> Option<T> {
    // The library reads "unknown key: 5" as well; a name is what was asked for.
    let is_name = T::PREFIXES.iter().any(|begin| name.starts_with(begin));
    let known = is_name.then(|| name.parse().ok()).flatten();
    if known.is_none() {
        let names = T::names();
        let names = names.iter().map(String::as_str);
        let names = names.filter(|name| T::PREFIXES.iter().any(|begin| name.starts_with(begin)));
        let meant = crate::words::did_you_mean(name, names);
        row.refuse(
            &format!("{field} = {name:?}"),
            &format!("a name of linux/input-event-codes.h, as {example}"),
            meant.unwrap_or_else(|| {
                format!(
                    "write for example {field} = \"{example}\"; roomd probe lists what is there"
                )
            }),
        );
    }
    known
}

/// Codes with names.
trait Named {
    /// How names begin.
    const PREFIXES: &'static [&'static str];
    /// All names.
    fn names() -> Vec<String>;
}

impl Named for KeyCode {
    const PREFIXES: &'static [&'static str] = &["KEY_", "BTN_"];

    fn names() -> Vec<String> {
        (0..0x300)
            .map(|code| format!("{:?}", Self::new(code)))
            .collect()
    }
}

impl Named for SwitchCode {
    const PREFIXES: &'static [&'static str] = &["SW_"];

    fn names() -> Vec<String> {
        (0..0x11).map(|code| format!("{:?}", Self(code))).collect()
    }
}
