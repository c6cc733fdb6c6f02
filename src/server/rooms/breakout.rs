//! Breakout groups: one configuration for the room, changed by patches, told as a whole.
//!
//! The timers tell clients to move or that the time is up. They never end a session: that is for
//! a host to do.

use std::time::{Duration, Instant};

use indexmap::IndexMap;
use roomd_protocol::{
    ClientId, ServerMessage,
    client::BreakoutPatch,
    records::{BreakoutConfig, BreakoutInitiator, RoomMode},
    server::BreakoutGroupJoined,
};

use super::{Outgoing, room::Room, truncated};
use crate::clock::Now;

/// Bounds of a configuration.
const GROUP_LIMIT: usize = 20;
const ASSIGNMENT_LIMIT: usize = 1000;
const ID_LIMIT: usize = 128;
const NAME_LIMIT: usize = 256;
const NOTIFICATION_LIMIT: usize = 1000;

/// Longest duration that can be set, in seconds.
const DAY: f64 = 86_400.0;

/// What the SDK assumes for a grace period of 0 or none, in seconds.
const GRACE_TO_GROUP: f64 = 10.0;
const GRACE_TO_MAIN: f64 = 30.0;
const DURATION: f64 = 1800.0;

/// How long before the end of the timer "ending" is told, in seconds; at most half its length.
const ENDING: f64 = 60.0;

/// The breakout session of a room.
#[derive(Default)]
pub(super) struct Breakout {
    config: BreakoutConfig,
    /// Whether there ever was a session: then it is part of `room_joined`.
    is_used: bool,
    started: Option<Instant>,
    ended: Option<Instant>,
    done: Vec<Timer>,
}

/// What a breakout session does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When the grace period into the groups is over.
    MoveToGroup,
    /// When the timer will end soon.
    Ending,
    /// When the timer ends.
    Ended,
    /// When the grace period back to the main room is over.
    MoveToMain,
}

impl Breakout {
    pub(super) fn is_active(&self) -> bool {
        self.config.started_at.is_some()
    }

    pub(super) fn config_if_used(&self) -> Option<BreakoutConfig> {
        self.is_used.then(|| self.config.clone())
    }

    pub(super) fn has_group(&self, group: &str) -> bool {
        let groups = self.config.groups.as_ref();
        groups.is_some_and(|groups| groups.contains_key(group))
    }

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
        let at = |base: Option<Instant>, seconds: f64, timer| {
            base.map(|base| (base + Duration::from_secs_f64(seconds), timer))
        };
        [
            at(moved, to_group, Timer::MoveToGroup),
            at(timed, ending, Timer::Ending),
            at(timed, end, Timer::Ended),
            at(back, to_main, Timer::MoveToMain),
        ]
        .into_iter()
        .flatten()
        .filter(|(_, timer)| !self.done.contains(timer))
    }

    /// Merges what the patch has; what it leaves out stays.
    fn merge(&mut self, patch: BreakoutPatch) {
        let config = &mut self.config;
        let name = |text| truncated(text, NAME_LIMIT);
        if let Some(groups) = patch.groups {
            let groups = groups.into_iter().filter(|(id, _)| is_id(id));
            let groups = groups.take(GROUP_LIMIT).map(|(id, text)| (id, name(text)));
            config.groups = Some(groups.collect());
        }
        if let Some(assignments) = patch.assignments {
            let short = |id: &str| id.len() <= ID_LIMIT;
            let all = assignments.into_iter();
            let all = all.filter(|(device, group)| short(device.as_str()) && short(group));
            let kept: IndexMap<_, _> = all.take(ASSIGNMENT_LIMIT).collect();
            config.assignments = Some(kept);
        }
        replace(&mut config.enforce_assignment, patch.enforce_assignment);
        replace(&mut config.auto_move_to_group, patch.auto_move_to_group);
        replace(&mut config.auto_move_to_main, patch.auto_move_to_main);
        replace(
            &mut config.breakout_timer_setting,
            patch.breakout_timer_setting,
        );
        for (known, new) in [
            (
                &mut config.move_to_group_grace_period,
                patch.move_to_group_grace_period,
            ),
            (
                &mut config.move_to_main_grace_period,
                patch.move_to_main_grace_period,
            ),
            (
                &mut config.breakout_timer_duration,
                patch.breakout_timer_duration,
            ),
        ] {
            if let Some(seconds) = new {
                *known = Some(seconds.clamp(0.0, DAY));
            }
        }
        if let Some(text) = patch.breakout_notification {
            config.breakout_notification = Some(truncated(text, NOTIFICATION_LIMIT));
        }
    }

    fn start(&mut self, now: Now) {
        self.started = Some(now.monotonic);
        self.ended = None;
        self.done.clear();
        self.config.started_at = Some(now.iso());
        self.config.breakout_started_at = Some(now.iso());
        self.config.breakout_ended_at = None;
    }

    fn stop(&mut self, now: Now) {
        self.ended = Some(now.monotonic);
        self.config.started_at = None;
        self.config.breakout_ended_at = Some(now.iso());
    }
}

impl Room {
    pub(super) fn update_breakout(
        &mut self,
        now: Now,
        by: &ClientId,
        patch: BreakoutPatch,
        out: &mut Vec<Outgoing>,
    ) {
        // The SDK offers breakout groups in rooms of this mode alone.
        if !self.is_host(by) || self.mode != RoomMode::Group {
            return;
        }
        let wanted = patch.active;
        let was_active = self.breakout.is_active();
        let old_duration = self.breakout.config.breakout_timer_duration;
        self.breakout.is_used = true;
        self.breakout.merge(patch);
        let is_change = wanted.is_some_and(|active| active != was_active);
        match wanted {
            Some(true) if !was_active => self.breakout.start(now),
            Some(false) if was_active => self.breakout.stop(now),
            _ => {}
        }
        if is_change {
            let device_id = self.clients.get(by).map(|c| c.record.device_id.clone());
            self.breakout.config.initiated_by = Some(BreakoutInitiator {
                client_id: Some(by.clone()),
                user_id: None,
                device_id,
                active: self.breakout.is_active(),
            });
        }
        let config = Box::new(self.breakout.config.clone());
        self.tell_all(&ServerMessage::BreakoutSessionUpdated(config), out);
        if !self.breakout.is_active() {
            // Every message that says "just stopped" mutes everybody: it is said once.
            self.breakout.config.initiated_by = None;
        }
        let duration = self.breakout.config.breakout_timer_duration;
        let is_timed =
            was_active && self.breakout.is_active() && self.breakout.config.breakout_timer_setting;
        if is_timed && duration > old_duration {
            self.breakout
                .done
                .retain(|timer| !matches!(timer, Timer::Ending | Timer::Ended));
            self.tell_all(&ServerMessage::BreakoutTimerExtended, out);
        }
    }

    pub(super) fn join_group(&mut self, id: &ClientId, group: String, out: &mut Vec<Outgoing>) {
        let is_open = self.breakout.is_active() && self.breakout.has_group(&group);
        if !group.is_empty() && !is_open {
            return;
        }
        let is_host = self.is_host(id);
        let enforced = self.breakout.is_active() && self.breakout.config.enforce_assignment;
        let assignments = self.breakout.config.assignments.as_ref();
        let Some(client) = self.clients.get_mut(id) else {
            return;
        };
        if enforced && !is_host {
            let assigned = assignments.and_then(|all| all.get(&client.record.device_id));
            if assigned.map(String::as_str).unwrap_or_default() != group {
                return;
            }
        }
        client.record.breakout_group = Some(group.clone()).filter(|group| !group.is_empty());
        let joined = BreakoutGroupJoined {
            client_id: id.clone(),
            group,
        };
        self.tell_all(&ServerMessage::BreakoutGroupJoined(joined), out);
    }

    pub(super) fn breakout_timers(&mut self, now: Now, out: &mut Vec<Outgoing>) {
        let due: Vec<Timer> = self
            .breakout
            .pending()
            .filter(|(at, _)| *at <= now.monotonic)
            .map(|(_, timer)| timer)
            .collect();
        for timer in due {
            self.breakout.done.push(timer);
            let event = match timer {
                Timer::MoveToGroup => ServerMessage::BreakoutMoveToGroup,
                Timer::Ending => ServerMessage::BreakoutEnding,
                Timer::Ended => ServerMessage::BreakoutTimerEnded,
                Timer::MoveToMain => ServerMessage::BreakoutMoveToMain,
            };
            self.tell_all(&event, out);
        }
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID_LIMIT
}

fn replace(known: &mut bool, new: Option<bool>) {
    if let Some(new) = new {
        *known = new;
    }
}

/// The SDK takes 0 and none for its own default.
fn or_default(seconds: Option<f64>, default: f64) -> f64 {
    seconds.filter(|seconds| *seconds > 0.0).unwrap_or(default)
}
