//! How devices and lines are found, opened and found again.

use std::{collections::BTreeSet, io, path::PathBuf, time::Duration};

use evdev::{KeyCode, SwitchCode};
use tokio::task::AbortHandle;

use super::{LINE, Open, Panel};
use crate::{
    gesture::{Button, Gesture, Timing},
    gpio::{self, Line},
    input::{ButtonSource, DeviceSelector, SwitchSource},
    news::{Use, read_device, shown, watch_nodes},
    scan::{self, InputDevice},
    switch::SwitchState,
};

impl Panel {
    /// Has somebody say when nodes come and go.
    pub(super) fn watch(&self) -> AbortHandle {
        let mut folders: BTreeSet<PathBuf> = [&self.places.dev, &self.places.input_nodes]
            .into_iter()
            .cloned()
            .collect();
        let mut names: BTreeSet<String> = BTreeSet::new();
        for selector in self.selectors() {
            let DeviceSelector::Path(path) = selector else {
                continue;
            };
            folders.extend(path.parent().map(PathBuf::from));
            // The folder of a link may come later than we do.
            names.extend(
                path.iter()
                    .filter_map(|part| part.to_str().map(str::to_owned)),
            );
        }
        let folders = folders.into_iter().collect();
        tokio::spawn(watch_nodes(folders, names, self.tell.clone())).abort_handle()
    }

    fn selectors(&self) -> impl Iterator<Item = &DeviceSelector> {
        let buttons = self
            .table
            .buttons
            .iter()
            .filter_map(|button| match &button.source {
                ButtonSource::Key(device, _) => Some(device),
                ButtonSource::Gpio(_) => None,
            });
        let switches = self
            .table
            .switches
            .iter()
            .filter_map(|switch| match &switch.source {
                SwitchSource::Switch(device, _) => Some(device),
                SwitchSource::Gpio(_) => None,
            });
        buttons.chain(switches)
    }

    /// Opens what is there and not open, and lets go what is gone.
    pub(super) fn look_for_devices(&mut self) -> Vec<(usize, Gesture)> {
        let mut gestures = Vec::new();
        match scan::input_devices(&self.places) {
            Ok(found) => {
                self.faults.remove(CLASS);
                gestures.extend(self.let_go_of_the_missing(&found));
                for device in &found {
                    self.try_device(device);
                }
            }
            Err(error) => {
                // Whoever cannot look does not know: everything stays as it was read last, but for those
                // that say themselves that they are gone.
                let text = format!("cannot list {}: {error}", self.places.input_class.display());
                self.faults.insert(CLASS.to_owned(), text);
            }
        }
        self.try_lines();
        gestures
    }

    fn let_go_of_the_missing(&mut self, found: &[InputDevice]) -> Vec<(usize, Gesture)> {
        let is_there = |node: &PathBuf, open: &Open| {
            found
                .iter()
                .any(|device| device.node == *node && device.identity() == open.identity)
        };
        let missing = self
            .devices
            .iter()
            .filter(|(node, open)| !is_there(node, open));
        let missing: Vec<PathBuf> = missing.map(|(node, _)| node.clone()).collect();
        self.faults.retain(|place, _| {
            !place.starts_with('/') || found.iter().any(|device| shown(&device.node) == *place)
        });
        missing
            .iter()
            .flat_map(|node| self.device_gone(node))
            .collect()
    }

    fn try_device(&mut self, device: &InputDevice) {
        if self.devices.contains_key(&device.node) {
            return;
        }
        let ids = (device.vendor, device.product);
        let is_meant =
            |selector: &DeviceSelector| selector.matches(&device.name, ids, &device.node);
        let keys: Vec<(KeyCode, usize)> = (self.table.buttons.iter().enumerate())
            .filter_map(|(row, button)| match &button.source {
                ButtonSource::Key(selector, key)
                    if device.keys.contains(&key.code()) && is_meant(selector) =>
                {
                    Some((*key, row))
                }
                _ => None,
            })
            .collect();
        let switches: Vec<(SwitchCode, usize)> = (self.table.switches.iter().enumerate())
            .filter_map(|(row, switch)| match &switch.source {
                SwitchSource::Switch(selector, code)
                    if device.switches.contains(&code.0) && is_meant(selector) =>
                {
                    Some((*code, row))
                }
                _ => None,
            })
            .collect();
        if keys.is_empty() && switches.is_empty() {
            return;
        }
        if !switches.is_empty() {
            self.take_over(device);
        }
        let place = shown(&device.node);
        match self.open_device(device, &keys, &switches) {
            Ok(open) => {
                tracing::info!(
                    device = device.name,
                    node = place,
                    "buttons and switches of a device are in use"
                );
                self.faults.remove(&place);
                self.devices.insert(device.node.clone(), open);
            }
            Err(error) => {
                // A switch that cannot be asked mutes.
                for (_, row) in &switches {
                    self.switches
                        .set(*row, &device.identity(), SwitchState::Unreadable);
                }
                let text = format!("{} ({place}): {error}", device.name);
                if self.faults.insert(place, text.clone()).as_ref() != Some(&text) {
                    tracing::warn!(
                        device = text,
                        "buttons and switches of a device cannot be used"
                    );
                }
            }
        }
    }

    /// The same device at another place: what it said there counts no more.
    fn take_over(&mut self, device: &InputDevice) {
        let identity = device.identity();
        let old = self.known.iter().find(|(known, model)| {
            **known != identity
                && **model == device.model()
                && self.devices.values().all(|open| open.identity != **known)
        });
        if let Some(old) = old.map(|(known, _)| known.clone()) {
            // Until the device was read it mutes, as the old one did.
            for row in 0..self.table.switches.len() {
                if self.switches.knows(row, &old) {
                    self.switches.set(row, &identity, SwitchState::Unreadable);
                }
            }
            self.switches.forget(&old);
            self.known.remove(&old);
        }
        self.known.insert(identity, device.model());
    }

    fn open_device(
        &mut self,
        device: &InputDevice,
        keys: &[(KeyCode, usize)],
        switches: &[(SwitchCode, usize)],
    ) -> io::Result<Open> {
        let opened = evdev::Device::open(&device.node)?;
        let (held, set) = (opened.get_key_state()?, opened.get_switch_state()?);
        let stream = opened.into_event_stream()?;
        let identity = device.identity();
        for (key, row) in keys {
            // The kernel's drivers debounce.
            let timing = Timing {
                debounce: Duration::ZERO,
                ..self.table.timing
            };
            let used_for = self.table.buttons.get(*row).map(|button| button.used_for());
            let button = Button::new(timing, used_for.unwrap_or_default(), held.contains(*key));
            self.buttons.insert((identity.clone(), *row), button);
        }
        for (code, row) in switches {
            let state = match set.contains(*code) {
                true => SwitchState::Muted,
                false => SwitchState::Released,
            };
            self.switches.set(*row, &identity, state);
        }
        let task = tokio::spawn(read_device(device.node.clone(), stream, self.tell.clone()));
        Ok(Open {
            identity,
            name: device.name.clone(),
            keys: keys.to_vec(),
            switches: switches.to_vec(),
            task: task.abort_handle(),
        })
    }

    /// Every line that is not in use. A switch is debounced by the kernel, which waits for a steady level; a
    /// button is debounced here, where a short press is still a press.
    fn try_lines(&mut self) {
        let buttons = self
            .table
            .buttons
            .iter()
            .enumerate()
            .filter_map(|(row, button)| {
                let ButtonSource::Gpio(line) = &button.source else {
                    return None;
                };
                Some((Use::Button(row), line.clone(), None))
            });
        let debounce = Some(self.table.timing.debounce);
        let switches = self
            .table
            .switches
            .iter()
            .enumerate()
            .filter_map(|(row, switch)| {
                let SwitchSource::Gpio(line) = &switch.source else {
                    return None;
                };
                Some((Use::Switch(row), line.clone(), debounce))
            });
        let wanted: Vec<_> = buttons.chain(switches).collect();
        for (used, line, debounce) in wanted {
            if self.lines.contains_key(&used) {
                continue;
            }
            let opened = Line::input(&line, debounce)
                .map_err(|error| error.to_string())
                .and_then(|line| {
                    let active = line.is_active().map_err(|error| error.to_string())?;
                    Ok((line, active))
                });
            let name = self.name_of(used);
            match opened {
                Ok((line, active)) => {
                    self.faults.remove(&name);
                    self.line_opened(used, active);
                    let task = tokio::spawn(gpio::read_line(line, used, self.tell.clone()));
                    self.lines.insert(used, task.abort_handle());
                }
                Err(error) => {
                    if self.faults.insert(name, error.clone()).as_ref() != Some(&error) {
                        tracing::warn!(%error, "a GPIO line cannot be used");
                    }
                }
            }
        }
    }

    fn line_opened(&mut self, used: Use, active: bool) {
        match used {
            Use::Switch(row) => {
                let state = SwitchState::read(active);
                self.switches.set(row, LINE, state);
            }
            Use::Button(row) => {
                let used_for = self.table.buttons.get(row).map(|button| button.used_for());
                let button = Button::new(self.table.timing, used_for.unwrap_or_default(), active);
                self.buttons.insert((LINE.to_owned(), row), button);
            }
        }
    }

    pub(super) fn name_of(&self, used: Use) -> String {
        let name = match used {
            Use::Button(row) => self.table.buttons.get(row).map(|button| &button.name),
            Use::Switch(row) => self.table.switches.get(row).map(|switch| &switch.name),
        };
        name.cloned().unwrap_or_default()
    }
}

/// The place of the fault that nothing can be listed.
const CLASS: &str = "input";
