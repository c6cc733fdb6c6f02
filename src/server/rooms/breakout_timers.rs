//! What a breakout session does by itself: it calls people into their groups and back, and tells
//! the time. It never ends: that is for a host to do.
//!
//! Clients move themselves when they are called. Who has not come back to the main room shortly
//! after the end is taken there, so that nobody sits in a group that is over.

use std::time::{Duration, Instant};

use roomd_protocol::{ClientId, ServerMessage};

use super::{Outgoing, breakout::Breakout, room::Room};
use crate::clock::Now;

/// What the SDK assumes for a grace period or a duration of 0 or none, in seconds.
const GRACE_TO_GROUP: f64 = 10.0;
const GRACE_TO_MAIN: f64 = 30.0;
const DURATION: f64 = 1800.0;

/// How long before the end of the timer "ending" is told, in seconds; at most half its length.
const ENDING: f64 = 60.0;

/// How long after the end, or after the call back, a client may take to move, in seconds.
const STRAGGLING: f64 = 5.0;

/// What happens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// When the grace period into the groups is over.
    MoveToGroup,
    /// When the timer will end soon.
    Ending,
    /// When the timer ends.
    Ended,
    /// When the grace period back to the main room is over.
    MoveToMain,
    /// When everybody should have come back.
    TakeBack,
}

impl Timer {
    /// True for what an extension of the timer makes happen anew.
    pub(super) fn is_about_the_time(self) -> bool {
        matches!(self, Self::Ending | Self::Ended)
    }
}

impl Breakout {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.pending().map(|(at, _)| at).min()
    }

    /// Timers that are set and have not fired.
    fn pending(&self) -> impl Iterator<Item = (Instant, Timer)> {
        let config = &self.config;
        let to_group = or_default(config.move_to_group_grace_period, GRACE_TO_GROUP);
        let to_main = or_default(config.move_to_main_grace_period, GRACE_TO_MAIN);
        let duration = or_default(config.breakout_timer_duration, DURATION);
        let head_start = if config.auto_move_to_group {
            to_group
        } else {
            0.0
        };
        let end = head_start + duration;
        let ending = end - ENDING.min(duration / 2.0);
        let active = self.started.filter(|_| self.is_active());
        let ended = self.ended.filter(|_| !self.is_active());
        let timed = active.filter(|_| config.breakout_timer_setting);
        let moved = active.filter(|_| config.auto_move_to_group);
        let back = ended.filter(|_| config.auto_move_to_main);
        let called = if config.auto_move_to_main {
            to_main
        } else {
            0.0
        };
        let at = |base: Option<Instant>, seconds: f64, timer| {
            base.map(|base| (base + Duration::from_secs_f64(seconds), timer))
        };
        [
            at(moved, to_group, Timer::MoveToGroup),
            at(timed, ending, Timer::Ending),
            at(timed, end, Timer::Ended),
            at(back, to_main, Timer::MoveToMain),
            at(ended, called + STRAGGLING, Timer::TakeBack),
        ]
        .into_iter()
        .flatten()
        .filter(|(_, timer)| !self.done.contains(timer))
    }

    /// Whether the call into the groups has been made.
    fn has_called(&self) -> bool {
        self.is_active() && self.done.contains(&Timer::MoveToGroup)
    }
}

impl Room {
    pub(super) fn breakout_timers(&mut self, now: Now, out: &mut Vec<Outgoing>) {
        let mut due: Vec<(Instant, Timer)> = self
            .breakout
            .pending()
            .filter(|(at, _)| *at <= now.monotonic)
            .collect();
        due.sort_by_key(|(at, _)| *at);
        for (_, timer) in due {
            self.breakout.done.push(timer);
            match timer {
                Timer::MoveToGroup => self.call(&ServerMessage::BreakoutMoveToGroup, out),
                Timer::MoveToMain => self.call(&ServerMessage::BreakoutMoveToMain, out),
                Timer::Ending => self.tell_all(&ServerMessage::BreakoutEnding, out),
                Timer::Ended => self.tell_all(&ServerMessage::BreakoutTimerEnded, out),
                Timer::TakeBack => self.take_back_stragglers(out),
            }
        }
    }

    /// Tells everybody to move; who is away is told on its return.
    fn call(&mut self, order: &ServerMessage, out: &mut Vec<Outgoing>) {
        self.tell_all(order, out);
        for client in self.clients.values_mut() {
            client.missed_move = client.socket.is_none().then(|| order.clone());
        }
    }

    fn take_back_stragglers(&mut self, out: &mut Vec<Outgoing>) {
        let grouped = self.clients.iter().filter(|(_, c)| !c.group().is_empty());
        let stragglers: Vec<ClientId> = grouped.map(|(id, _)| id.clone()).collect();
        for id in stragglers {
            self.move_to(&id, String::new(), out);
        }
    }

    /// Tells a client that has just joined the order to move that it missed: it was away, or it
    /// comes for the first time after the groups were called.
    pub(super) fn tell_missed_move(
        &mut self,
        id: &ClientId,
        is_new: bool,
        out: &mut Vec<Outgoing>,
    ) {
        let Some(client) = self.clients.get_mut(id) else {
            return;
        };
        let missed = client.missed_move.take();
        let is_missing = is_new || missed == Some(ServerMessage::BreakoutMoveToGroup);
        let assigned = self.breakout.assigned(&client.record.device_id).is_some();
        if is_missing && self.breakout.has_called() && assigned && client.group().is_empty() {
            self.tell(id, ServerMessage::BreakoutMoveToGroup, out);
        } else if missed == Some(ServerMessage::BreakoutMoveToMain) && !self.breakout.is_active() {
            self.tell(id, ServerMessage::BreakoutMoveToMain, out);
        }
    }
}

/// The SDK takes 0 and none for its own default.
fn or_default(seconds: Option<f64>, default: f64) -> f64 {
    seconds.filter(|seconds| *seconds > 0.0).unwrap_or(default)
}
