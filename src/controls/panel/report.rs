//! Which buttons and switches are there: what is published, and what is a problem.

use schemars::JsonSchema;
use serde::Serialize;

use super::Panel;
use crate::{
    news::{Use, shown},
    switch::{Mutes, SwitchState},
};

/// Buttons and switches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// The buttons, in the order of the configuration.
    pub buttons: Vec<ControlPart>,
    /// The switches.
    pub switches: Vec<SwitchPart>,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ControlPart {
    /// What the configuration calls it.
    pub name: String,
    /// Whether it is there.
    pub state: ControlState,
    /// The devices that have it; empty for a GPIO line.
    pub devices: Vec<String>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SwitchPart {
    /// What the configuration calls it.
    pub name: String,
    /// What it mutes.
    pub mutes: Mutes,
    /// What it says; absent while no device has such a switch and none has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<SwitchState>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether a button or a light can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ControlState {
    /// It is there and works.
    Ready,
    /// It is not there.
    #[default]
    Missing,
    /// It is there and does not work.
    Failed,
}

impl Report {
    /// Why something that is there cannot be used, in words: at most one line for each reason.
    #[must_use]
    pub fn faults(&self) -> Vec<&str> {
        let buttons = self
            .buttons
            .iter()
            .filter_map(|button| button.reason.as_deref());
        let switches = self
            .switches
            .iter()
            .filter_map(|switch| switch.reason.as_deref());
        let mut faults: Vec<&str> = buttons.chain(switches).collect();
        faults.sort_unstable();
        faults.dedup();
        faults
    }
}

impl Panel {
    pub(super) fn report(&self) -> Report {
        let buttons = self.table.buttons.iter().enumerate().map(|(row, button)| {
            let devices: Vec<String> = (self.devices.values())
                .filter(|open| open.keys.iter().any(|(_, at)| *at == row))
                .map(|open| open.name.clone())
                .collect();
            let is_ready = !devices.is_empty() || self.lines.contains_key(&Use::Button(row));
            let reason = self.reason(&button.name, is_ready, |device| match &button.source {
                crate::input::ButtonSource::Key(selector, key) => {
                    device.keys.contains(&key.code())
                        && selector.matches(
                            &device.name,
                            (device.vendor, device.product),
                            &device.node,
                        )
                }
                crate::input::ButtonSource::Gpio(_) => false,
            });
            ControlPart {
                name: button.name.clone(),
                state: match (is_ready, &reason) {
                    (true, _) => ControlState::Ready,
                    (false, Some(_)) => ControlState::Failed,
                    (false, None) => ControlState::Missing,
                },
                devices,
                reason,
            }
        });
        let switches = self.table.switches.iter().enumerate().map(|(row, switch)| {
            let state = self.switches.state(row);
            let is_ready = matches!(
                state,
                None | Some(SwitchState::Released | SwitchState::Muted)
            );
            SwitchPart {
                name: switch.name.clone(),
                mutes: switch.mutes,
                state,
                reason: self.reason(&switch.name, is_ready, |device| match &switch.source {
                    crate::input::SwitchSource::Switch(selector, code) => {
                        device.switches.contains(&code.0)
                            && selector.matches(
                                &device.name,
                                (device.vendor, device.product),
                                &device.node,
                            )
                    }
                    crate::input::SwitchSource::Gpio(_) => false,
                }),
            }
        });
        Report {
            buttons: buttons.collect(),
            switches: switches.collect(),
        }
    }

    /// Why a row cannot be used: its line's fault, or that of a device which has it.
    fn reason(
        &self,
        name: &str,
        is_ready: bool,
        has_it: impl Fn(&crate::scan::InputDevice) -> bool,
    ) -> Option<String> {
        if is_ready || self.faults.is_empty() {
            return None;
        }
        let of_line = self.faults.get(name).cloned();
        let of_device = || {
            // Looked at again: what failed is not remembered as a device.
            let devices = crate::scan::input_devices(&self.places).unwrap_or_default();
            let fault = |device: &crate::scan::InputDevice| self.faults.get(&shown(&device.node));
            devices
                .iter()
                .filter(|device| has_it(device))
                .find_map(fault)
                .cloned()
        };
        of_line.or_else(of_device)
    }
}
