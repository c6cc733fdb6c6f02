//! The rows of the configuration as a table that cannot contradict itself: every key and line is known and
//! has one use, every light can be read.

mod lights;
mod sources;

use std::collections::BTreeMap;

use crate::{
    gesture::{Gesture, Timing, Use},
    input::{ButtonSource, GpioLine, LightSource, SwitchSource},
    light::ShowList,
    rows::{BoundCommand, ButtonRow, LightRow, SwitchRow},
    switch::Mutes,
};

/// A row that cannot stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// `buttons`, `switches` or `lights`.
    pub key: &'static str,
    /// Which row and field, and what stands there.
    pub found: String,
    /// What may stand there.
    pub allowed: String,
    /// What to do.
    pub remedy: String,
}

/// A button and what it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundButton {
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub source: ButtonSource,
    /// Hold to talk.
    pub talk: bool,
    /// What else its gestures do.
    pub commands: BTreeMap<Gesture, BoundCommand>,
}

impl BoundButton {
    /// The gestures that have to be told apart.
    #[must_use]
    pub fn used_for(&self) -> Use {
        Use {
            long_press: self.commands.contains_key(&Gesture::LongPress),
            double_press: self.commands.contains_key(&Gesture::DoublePress),
            talk: self.talk,
        }
    }
}

/// A hardware mute switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundSwitch {
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub source: SwitchSource,
    /// What it mutes.
    pub mutes: Mutes,
}

impl BoundSwitch {
    /// The configuration names its device, so it has to be there.
    #[must_use]
    pub fn is_expected(&self) -> bool {
        !matches!(
            self.source,
            SwitchSource::Switch(crate::input::DeviceSelector::Any, _)
        )
    }
}

/// A light and what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundLight {
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub source: LightSource,
    /// It has several colours.
    pub multicolour: bool,
    /// 1 to 100.
    pub percent: u8,
    /// What it shows.
    pub shows: ShowList,
}

/// All buttons, switches and lights.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The buttons.
    pub buttons: Vec<BoundButton>,
    /// The switches.
    pub switches: Vec<BoundSwitch>,
    /// The lights.
    pub lights: Vec<BoundLight>,
    /// What tells one gesture from another.
    pub timing: Timing,
}

impl Table {
    /// Judges the rows.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn new(
        buttons: &[ButtonRow],
        switches: &[SwitchRow],
        lights: &[LightRow],
        timing: Timing,
    ) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut table = Self {
            buttons: Vec::new(),
            switches: Vec::new(),
            lights: Vec::new(),
            timing,
        };
        for (at, row) in buttons.iter().enumerate() {
            keep(&mut table.buttons, sources::button(at, row), &mut mistakes);
        }
        for (at, row) in switches.iter().enumerate() {
            keep(&mut table.switches, sources::switch(at, row), &mut mistakes);
        }
        for (at, row) in lights.iter().enumerate() {
            keep(&mut table.lights, lights::light(at, row), &mut mistakes);
        }
        if mistakes.is_empty() {
            table.find_conflicts(&mut mistakes);
        }
        if mistakes.is_empty() {
            Ok(table)
        } else {
            Err(mistakes)
        }
    }

    fn find_conflicts(&self, mistakes: &mut Vec<Mistake>) {
        each_pair(&self.buttons, |first, second| {
            if let (ButtonSource::Key(a, key), ButtonSource::Key(b, other)) =
                (&first.source, &second.source)
                && key == other
                && a.may_overlap(b)
            {
                mistakes.push(Mistake {
                    key: "buttons",
                    found: format!("{key:?} in two rows ({} and {})", first.name, second.name),
                    allowed: "each key of a device in one row".to_owned(),
                    remedy: "put the gestures into one row, or name a different device in each"
                        .to_owned(),
                });
            }
        });
        each_pair(&self.switches, |first, second| {
            if let (SwitchSource::Switch(a, switch), SwitchSource::Switch(b, other)) =
                (&first.source, &second.source)
                && switch == other
                && a.may_overlap(b)
                && first.mutes == second.mutes
            {
                mistakes.push(Mistake {
                    key: "switches",
                    found: format!(
                        "{switch:?} in two rows ({} and {})",
                        first.name, second.name
                    ),
                    allowed: "each switch of a device in one row".to_owned(),
                    remedy: "remove one of the rows".to_owned(),
                });
            }
        });
        each_pair(&self.lights, |first, second| {
            if let (LightSource::Led(a), LightSource::Led(b)) = (&first.source, &second.source)
                && (crate::input::fits(a, b) || crate::input::fits(b, a))
            {
                mistakes.push(Mistake {
                    key: "lights",
                    found: format!(
                        "the LED {a} in two rows ({} and {})",
                        first.name, second.name
                    ),
                    allowed: "each LED in one row".to_owned(),
                    remedy: "put what it shows into the list shows of one row".to_owned(),
                });
            }
        });
        each_pair(&self.lines(), |first, second| {
            if first.2.may_overlap(second.2) {
                mistakes.push(Mistake {
                    key: second.0,
                    found: format!(
                        "the GPIO line {} in two rows ({} and {})",
                        second.2, first.1, second.1
                    ),
                    allowed: "each line in one row of buttons, switches or lights".to_owned(),
                    remedy: "give the line one use, or name the chip in both rows".to_owned(),
                });
            }
        });
        let names = (self.buttons.iter().map(|button| ("buttons", &button.name)))
            .chain(
                self.switches
                    .iter()
                    .map(|switch| ("switches", &switch.name)),
            )
            .chain(self.lights.iter().map(|light| ("lights", &light.name)));
        let names: Vec<_> = names.collect();
        each_pair(&names, |first, second| {
            if first == second && mistakes.is_empty() {
                mistakes.push(Mistake {
                    key: second.0,
                    found: format!("the name {} in two rows", second.1),
                    allowed: "each name once".to_owned(),
                    remedy: "give each row a name of its own: name = \"…\"".to_owned(),
                });
            }
        });
    }

    /// Every GPIO line with the key and the name of its row.
    fn lines(&self) -> Vec<(&'static str, &str, &GpioLine)> {
        let mut lines = Vec::new();
        for button in &self.buttons {
            if let ButtonSource::Gpio(line) = &button.source {
                lines.push(("buttons", button.name.as_str(), line));
            }
        }
        for switch in &self.switches {
            if let SwitchSource::Gpio(line) = &switch.source {
                lines.push(("switches", switch.name.as_str(), line));
            }
        }
        for light in &self.lights {
            if let LightSource::Gpio(line) = &light.source {
                lines.push(("lights", light.name.as_str(), line));
            }
        }
        lines
    }
}

fn keep<T>(into: &mut Vec<T>, row: Result<T, Vec<Mistake>>, mistakes: &mut Vec<Mistake>) {
    match row {
        Ok(row) => into.push(row),
        Err(found) => mistakes.extend(found),
    }
}

fn each_pair<T>(rows: &[T], mut judge: impl FnMut(&T, &T)) {
    for (at, second) in rows.iter().enumerate() {
        for first in &rows[..at] {
            judge(first, second);
        }
    }
}

#[cfg(test)]
#[path = "binding/tests.rs"]
mod tests;
