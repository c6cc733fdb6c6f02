//! Hardware mute switches: what they forbid. A switch that cannot be asked forbids.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a switch mutes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Mutes {
    /// The microphone.
    Microphone,
    /// The camera: a lens cover.
    Camera,
}

/// What is known of a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SwitchState {
    /// It forbids nothing.
    Released,
    /// It says "muted".
    Muted,
    /// Its device is gone, or was never found although the configuration names it.
    Missing,
    /// Its device is there and cannot be read.
    Unreadable,
}

impl SwitchState {
    /// What a switch that can be read says.
    pub(crate) fn read(mutes: bool) -> Self {
        if mutes { Self::Muted } else { Self::Released }
    }
}

/// A switch that forbids something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ban {
    /// The switch, as the configuration calls it.
    pub switch: String,
    /// Why it forbids.
    pub state: SwitchState,
}

impl Ban {
    /// Why, in words for people: "the switch … says muted".
    #[must_use]
    pub fn in_words(&self) -> String {
        let name = &self.switch;
        match self.state {
            SwitchState::Released => format!("the switch {name} is released"),
            SwitchState::Muted => format!("the hardware switch {name} says muted"),
            SwitchState::Missing => {
                format!("the hardware switch {name} is not connected, so it counts as muted")
            }
            SwitchState::Unreadable => {
                format!("the hardware switch {name} cannot be read, so it counts as muted")
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self.state {
            SwitchState::Released | SwitchState::Muted => "release the switch, then try again",
            SwitchState::Missing => {
                "connect its device again; or take the switch out of controls.switches and restart"
            }
            SwitchState::Unreadable => {
                "let the service's user read its device (group input or gpio); or take the switch out of controls.switches and restart"
            }
        }
    }
}

/// What the switches forbid, together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Bans {
    /// The first switch that forbids the microphone.
    pub microphone: Option<Ban>,
    /// The first switch that forbids the camera.
    pub camera: Option<Ban>,
}

/// All switches. One row of the configuration may stand for the switches of several devices: any of
/// them mutes.
#[derive(Debug)]
pub struct Switches {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    mutes: Mutes,
    /// The configuration names the device, so it has to be there.
    is_expected: bool,
    /// By the stable identity of the device.
    seen: BTreeMap<String, SwitchState>,
}

impl Switches {
    /// Switches of which nothing is known yet: name, what it mutes, whether its device has to be there.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = (String, Mutes, bool)>) -> Self {
        let rows = rows.into_iter().map(|(name, mutes, is_expected)| Row {
            name,
            mutes,
            is_expected,
            seen: BTreeMap::new(),
        });
        Self {
            rows: rows.collect(),
        }
    }

    /// The switch of this row on this device is now so. A row that does not exist is ignored.
    pub fn set(&mut self, row: usize, device: &str, state: SwitchState) {
        if let Some(row) = self.rows.get_mut(row) {
            row.seen.insert(device.to_owned(), state);
        }
    }

    /// The device is gone; what it said last counts no more.
    pub fn vanished(&mut self, device: &str) {
        for row in &mut self.rows {
            if let Some(state) = row.seen.get_mut(device) {
                *state = SwitchState::Missing;
            }
        }
    }

    /// The device was found again as another: what was known of it counts no more.
    pub fn forget(&mut self, device: &str) {
        for row in &mut self.rows {
            row.seen.remove(device);
        }
    }

    /// Whether this device was ever seen with the switch of this row.
    #[must_use]
    pub fn knows(&self, row: usize, device: &str) -> bool {
        self.rows
            .get(row)
            .is_some_and(|row| row.seen.contains_key(device))
    }

    /// What is known of a row: the device that forbids, if one does.
    #[must_use]
    pub fn state(&self, row: usize) -> Option<SwitchState> {
        self.rows.get(row).and_then(Row::state)
    }

    /// What is forbidden now.
    #[must_use]
    pub fn bans(&self) -> Bans {
        let first = |mutes| {
            let of_kind = self.rows.iter().filter(|row| row.mutes == mutes);
            of_kind
                .filter_map(|row| {
                    let state = row
                        .state()
                        .filter(|state| *state != SwitchState::Released)?;
                    Some(Ban {
                        switch: row.name.clone(),
                        state,
                    })
                })
                // One that can be released at once is worth naming first.
                .min_by_key(|ban| ban.state != SwitchState::Muted)
        };
        Bans {
            microphone: first(Mutes::Microphone),
            camera: first(Mutes::Camera),
        }
    }
}

impl Row {
    /// `None`: no device has such a switch, and none has to.
    fn state(&self) -> Option<SwitchState> {
        let forbids = |state: &&SwitchState| **state != SwitchState::Released;
        let forbidding = self
            .seen
            .values()
            .find(|state| **state == SwitchState::Muted)
            .or_else(|| self.seen.values().find(forbids));
        match forbidding.or_else(|| self.seen.values().next()) {
            Some(state) => Some(*state),
            None => self.is_expected.then_some(SwitchState::Missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn switches() -> Switches {
        Switches::new([
            ("mute switch".to_owned(), Mutes::Microphone, false),
            ("panel".to_owned(), Mutes::Microphone, true),
            ("lens cover".to_owned(), Mutes::Camera, false),
        ])
    }

    #[test]
    fn a_named_switch_mutes_until_it_was_read_and_one_of_any_device_does_not() {
        let mut switches = switches();
        let ban = switches.bans().microphone.unwrap();
        assert_eq!(
            (ban.switch.as_str(), ban.state),
            ("panel", SwitchState::Missing)
        );
        assert_eq!(switches.bans().camera, None);
        switches.set(1, "gpio", SwitchState::Released);
        assert_eq!(switches.bans(), Bans::default());
    }

    #[test]
    fn any_switch_that_says_muted_mutes_and_is_named() {
        let mut switches = switches();
        switches.set(0, "a", SwitchState::Released);
        switches.set(0, "b", SwitchState::Muted);
        assert_eq!(switches.bans().microphone.unwrap().switch, "mute switch");
        switches.set(2, "cover", SwitchState::Muted);
        assert_eq!(switches.bans().camera.unwrap().switch, "lens cover");
    }

    #[test]
    fn a_switch_whose_device_vanishes_stays_muted_until_it_is_read_again() {
        let mut switches = switches();
        switches.set(1, "gpio", SwitchState::Released);
        switches.set(0, "usb", SwitchState::Released);
        switches.vanished("usb");
        let ban = switches.bans().microphone.unwrap();
        assert_eq!(ban.state, SwitchState::Missing);
        switches.set(0, "usb", SwitchState::Muted);
        assert_eq!(
            switches.bans().microphone.unwrap().state,
            SwitchState::Muted
        );
        switches.set(0, "usb", SwitchState::Released);
        assert_eq!(switches.bans().microphone, None);
    }

    proptest! {
        /// The rule, said once more: nothing is allowed unless everything that was ever seen is released now.
        #[test]
        fn only_switches_that_are_all_released_allow(
            steps in prop::collection::vec((0_usize..3, 0_u8..3, 0_u8..4), 0..40),
        ) {
            let mut switches = switches();
            let mut last: BTreeMap<(usize, u8), SwitchState> = BTreeMap::new();
            for (row, device, what) in steps {
                let state = match what {
                    0 => SwitchState::Released,
                    1 => SwitchState::Muted,
                    2 => SwitchState::Unreadable,
                    _ => {
                        switches.vanished(&device.to_string());
                        for (key, state) in &mut last {
                            if key.1 == device { *state = SwitchState::Missing; }
                        }
                        continue;
                    }
                };
                switches.set(row, &device.to_string(), state);
                last.insert((row, device), state);
            }
            let is_free = |rows: &[usize]| last.iter()
                .filter(|(key, _)| rows.contains(&key.0))
                .all(|(_, state)| *state == SwitchState::Released);
            let panel_was_read = last.keys().any(|(row, _)| *row == 1);
            let bans = switches.bans();
            prop_assert_eq!(bans.microphone.is_none(), is_free(&[0, 1]) && panel_was_read);
            prop_assert_eq!(bans.camera.is_none(), is_free(&[2]));
        }
    }
}
