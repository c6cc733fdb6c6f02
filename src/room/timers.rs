//! Every deadline of the core, by name.

use std::{collections::BTreeMap, time::Instant};

use roomd_protocol::ClientId;

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// When `device_identified` has not come 10 s after `identify_device`: the connection is made anew.
    Identify,
    /// When `room_joined` has not come 10 s after `join_room`: likewise.
    Join,
    /// When `room_left` has not come 5 s after `leave_room`: left all the same.
    Leave,
    /// When the ICE servers have to be asked for again.
    MediaserverConfig,
    /// When a caption goes, by its result.
    Caption(String),
    /// When a peer's offer or answer, or its connection, has not come: it is solicited again.
    Peer(ClientId),
}

/// The running deadlines.
#[derive(Debug, Default)]
pub(crate) struct Timers(BTreeMap<Timer, Instant>);

impl Timers {
    /// Starts a deadline, replacing one of the same name.
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.0.insert(timer, at);
    }

    /// Forgets a deadline.
    pub(crate) fn clear(&mut self, timer: &Timer) {
        self.0.remove(timer);
    }

    /// Forgets all deadlines.
    pub(crate) fn clear_all(&mut self) {
        self.0.clear();
    }

    /// Forgets all deadlines but those of captions: what was said fades even when nobody listens any more.
    pub(crate) fn clear_all_but_captions(&mut self) {
        self.0.retain(|timer, _| matches!(timer, Timer::Caption(_)));
    }

    /// Forgets the deadlines of all peers.
    pub(crate) fn clear_peers(&mut self) {
        self.0.retain(|timer, _| !matches!(timer, Timer::Peer(_)));
    }

    /// Forgets the deadlines of all captions.
    pub(crate) fn clear_captions(&mut self) {
        self.0
            .retain(|timer, _| !matches!(timer, Timer::Caption(_)));
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.values().min().copied()
    }

    /// Takes one deadline that has passed.
    pub(crate) fn take_expired(&mut self, now: Instant) -> Option<Timer> {
        let timer = self
            .0
            .iter()
            .find(|(_, at)| **at <= now)
            .map(|(timer, _)| timer.clone())?;
        self.0.remove(&timer);
        Some(timer)
    }
}
