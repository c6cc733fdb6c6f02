//! The task of the panel: owns buttons and switches, hears the tasks of their devices, tells the room loop.
//!
//! A device is opened when it appears and again when it returns, by what it is and not by its node. It is
//! looked at anew whenever a node comes, goes or changes its rights.

mod devices;
mod report;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Instant,
};

use evdev::{KeyCode, SwitchCode};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::AbortHandle,
};

pub use report::{ControlPart, ControlState, Report, SwitchPart};

use crate::{
    binding::Table,
    gesture::{Button, Edge, Gesture},
    news::{News, Use},
    scan::Places,
    switch::{Bans, SwitchState, Switches},
};

/// What the panel tells.
#[derive(Clone, Debug, PartialEq)]
pub enum PanelEvent {
    /// Somebody did something with a button.
    Gesture {
        /// Row of the table's buttons.
        button: usize,
        /// What was done.
        gesture: Gesture,
    },
    /// What the switches forbid has changed.
    Bans(Bans),
    /// A button or a switch came, went or cannot be used.
    Report(Report),
}

/// The panel.
#[derive(Debug)]
pub struct Panel {
    table: Table,
    places: Places,
    tell: UnboundedSender<News>,
    news: UnboundedReceiver<News>,
    /// By node.
    devices: BTreeMap<PathBuf, Open>,
    lines: BTreeMap<Use, AbortHandle>,
    /// By the identity of the device and the row of the table. A GPIO line has no device beside its row.
    buttons: BTreeMap<(String, usize), Button>,
    switches: Switches,
    /// Identities of devices that have or had a switch, with their models.
    known: BTreeMap<String, String>,
    /// What cannot be used, and why: by node or line.
    faults: BTreeMap<String, String>,
    told: (Bans, Report),
}

#[derive(Debug)]
struct Open {
    identity: String,
    name: String,
    keys: Vec<(KeyCode, usize)>,
    switches: Vec<(SwitchCode, usize)>,
    task: AbortHandle,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Panel {
    /// Opens what is there and reads every switch. Needs a tokio runtime with I/O.
    #[must_use]
    pub fn open(table: Table, places: Places) -> Self {
        let (tell, news) = mpsc::unbounded_channel();
        let rows = table.switches.iter();
        let switches =
            Switches::new(rows.map(|row| (row.name.clone(), row.mutes, row.is_expected())));
        let mut panel = Self {
            table,
            places,
            tell,
            news,
            devices: BTreeMap::new(),
            lines: BTreeMap::new(),
            buttons: BTreeMap::new(),
            switches,
            known: BTreeMap::new(),
            faults: BTreeMap::new(),
            told: (Bans::default(), Report::default()),
        };
        // Nothing can vanish before it was there.
        let _ = panel.look_for_devices();
        panel.told = (panel.switches.bans(), panel.report());
        panel
    }

    /// What the switches forbid, as they were read last.
    #[must_use]
    pub fn bans(&self) -> Bans {
        self.told.0.clone()
    }

    /// Which buttons and switches are there.
    #[must_use]
    pub fn state(&self) -> Report {
        self.told.1.clone()
    }

    /// Runs until nobody hears the events any more.
    pub async fn run(mut self, events: mpsc::Sender<PanelEvent>) {
        let watch = self.watch();
        loop {
            let deadline = self
                .buttons
                .values()
                .filter_map(Button::next_deadline)
                .min();
            let gestures = tokio::select! {
                () = events.closed() => break,
                Some(news) = self.news.recv() => self.hear(news),
                () = until(deadline) => self.time_passes(Instant::now()),
            };
            for event in self.events(gestures) {
                if events.send(event).await.is_err() {
                    break;
                }
            }
        }
        watch.abort();
        for line in self.lines.values() {
            line.abort();
        }
    }

    /// A word of a device; the gestures that follow.
    fn hear(&mut self, news: News) -> Vec<(usize, Gesture)> {
        match news {
            News::Key(node, key, edge, at) => self.key(&node, key, edge, at),
            News::Switch(node, switch, on) => {
                self.switch(&node, switch, on);
                Vec::new()
            }
            News::Gone(node, why) => {
                tracing::warn!(node = %node.display(), %why, "an input device is gone");
                let mut gestures = self.device_gone(&node);
                gestures.extend(self.look_for_devices());
                gestures
            }
            News::Line(used, active, at) => self.line(used, active, at),
            News::LineGone(used, why) => {
                let mut gestures = self.line_gone(used, why);
                gestures.extend(self.look_for_devices());
                gestures
            }
            News::NodesChanged => self.look_for_devices(),
        }
    }

    fn key(
        &mut self,
        node: &PathBuf,
        key: KeyCode,
        edge: Edge,
        at: Instant,
    ) -> Vec<(usize, Gesture)> {
        let Some(open) = self.devices.get(node) else {
            return Vec::new();
        };
        let mut gestures = Vec::new();
        for (_, row) in open.keys.iter().filter(|(code, _)| *code == key) {
            if let Some(button) = self.buttons.get_mut(&(open.identity.clone(), *row)) {
                gestures.extend(
                    button
                        .edge(at, edge)
                        .into_iter()
                        .map(|gesture| (*row, gesture)),
                );
            }
        }
        gestures
    }

    fn switch(&mut self, node: &PathBuf, switch: SwitchCode, on: bool) {
        let Some(open) = self.devices.get(node) else {
            return;
        };
        let state = SwitchState::read(on);
        for (_, row) in open.switches.iter().filter(|(code, _)| *code == switch) {
            self.switches.set(*row, &open.identity, state);
        }
    }

    fn line(&mut self, used: Use, active: bool, at: Instant) -> Vec<(usize, Gesture)> {
        match used {
            Use::Switch(row) => {
                let state = SwitchState::read(active);
                self.switches.set(row, LINE, state);
                Vec::new()
            }
            Use::Button(row) => {
                let edge = if active { Edge::Down } else { Edge::Up };
                let button = self.buttons.get_mut(&(LINE.to_owned(), row));
                let gestures = button
                    .map(|button| button.edge(at, edge))
                    .unwrap_or_default();
                gestures.into_iter().map(|gesture| (row, gesture)).collect()
            }
        }
    }

    fn line_gone(&mut self, used: Use, why: String) -> Vec<(usize, Gesture)> {
        self.lines.remove(&used);
        let name = self.name_of(used);
        tracing::warn!(line = name, %why, "a GPIO line is gone");
        self.faults.insert(name, why);
        match used {
            Use::Switch(row) => {
                self.switches.set(row, LINE, SwitchState::Missing);
                Vec::new()
            }
            Use::Button(row) => self.drop_buttons(|(device, at)| device == LINE && *at == row),
        }
    }

    fn device_gone(&mut self, node: &PathBuf) -> Vec<(usize, Gesture)> {
        let Some(open) = self.devices.remove(node) else {
            return Vec::new();
        };
        self.switches.vanished(&open.identity);
        self.drop_buttons(|(device, _)| *device == open.identity)
    }

    /// Buttons that are gone: talk ends with them.
    fn drop_buttons(
        &mut self,
        are_gone: impl Fn(&(String, usize)) -> bool,
    ) -> Vec<(usize, Gesture)> {
        let gone: BTreeSet<_> = self
            .buttons
            .keys()
            .filter(|key| are_gone(key))
            .cloned()
            .collect();
        let mut gestures = Vec::new();
        for key in gone {
            if let Some(mut button) = self.buttons.remove(&key) {
                gestures.extend(
                    button
                        .vanished()
                        .into_iter()
                        .map(|gesture| (key.1, gesture)),
                );
            }
        }
        gestures
    }

    fn time_passes(&mut self, now: Instant) -> Vec<(usize, Gesture)> {
        let due = self.buttons.iter_mut().flat_map(|((_, row), button)| {
            button
                .timeout(now)
                .into_iter()
                .map(|gesture| (*row, gesture))
        });
        due.collect()
    }

    /// Gestures and what else has changed since it was told last; what mutes comes first.
    fn events(&mut self, gestures: Vec<(usize, Gesture)>) -> Vec<PanelEvent> {
        let mut events = Vec::new();
        let bans = self.switches.bans();
        if bans != self.told.0 {
            self.told.0 = bans.clone();
            events.push(PanelEvent::Bans(bans));
        }
        events.extend(
            gestures
                .into_iter()
                .map(|(button, gesture)| PanelEvent::Gesture { button, gesture }),
        );
        let report = self.report();
        if report != self.told.1 {
            self.told.1 = report.clone();
            events.push(PanelEvent::Report(report));
        }
        events
    }
}

/// Stands for the device of a GPIO line, which has its row for itself.
const LINE: &str = "gpio";

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
#[path = "panel/tests.rs"]
mod tests;
