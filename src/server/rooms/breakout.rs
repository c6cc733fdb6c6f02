//! Breakout groups: one configuration for the room, changed by patches, told as a whole; who is in
//! which group, and who may go where.

use std::time::Instant;

use indexmap::IndexMap;
use roomd_protocol::{
    ClientId, DeviceId, ServerMessage,
    client::BreakoutPatch,
    records::{BreakoutConfig, BreakoutInitiator, RoomMode},
    server::BreakoutGroupJoined,
};

use super::{Outgoing, breakout_timers::Timer, room::Room, truncated};
use crate::clock::Now;

/// Bounds of a configuration.
const GROUP_LIMIT: usize = 20;
const ASSIGNMENT_LIMIT: usize = 1000;
const ID_LIMIT: usize = 128;
const NAME_LIMIT: usize = 256;
const NOTIFICATION_LIMIT: usize = 1000;

/// Longest duration that can be set, in seconds.
const DAY: f64 = 86_400.0;

/// Of how many clients that went the group is remembered.
const REMEMBERED_LIMIT: usize = 1000;

/// The breakout session of a room.
#[derive(Default)]
pub(super) struct Breakout {
    pub(super) config: BreakoutConfig,
    /// Whether there ever was a session: then it is part of `room_joined`.
    is_used: bool,
    pub(super) started: Option<Instant>,
    pub(super) ended: Option<Instant>,
    /// What has happened by itself already.
    pub(super) done: Vec<Timer>,
    /// Groups of clients that went during the session, for their return.
    left: IndexMap<ClientId, String>,
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

    /// The group that a device is assigned to, if there is such a group.
    pub(super) fn assigned(&self, device: &DeviceId) -> Option<&str> {
        let group = self.config.assignments.as_ref()?.get(device)?;
        self.has_group(group).then_some(group.as_str())
    }

    /// Somebody went: should it return during this session, it is in the same group again.
    pub(super) fn remember(&mut self, id: &ClientId, group: &str) {
        if self.is_active() && !group.is_empty() {
            if self.left.len() == REMEMBERED_LIMIT {
                self.left.shift_remove_index(0);
            }
            self.left.insert(id.clone(), group.to_owned());
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
        self.left.clear();
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
        if self.mode != RoomMode::Group {
            return;
        }
        let wanted = patch.active;
        let was_active = self.breakout.is_active();
        let old_duration = self.breakout.config.breakout_timer_duration;
        let was_timed = self.breakout.config.breakout_timer_setting;
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
        self.leave_groups_that_are_gone(out);
        let duration = self.breakout.config.breakout_timer_duration;
        let is_timed =
            was_active && self.breakout.is_active() && self.breakout.config.breakout_timer_setting;
        if is_timed && (duration > old_duration || !was_timed) {
            self.breakout
                .done
                .retain(|timer| !timer.is_about_the_time());
        }
        if is_timed && duration > old_duration {
            self.tell_all(&ServerMessage::BreakoutTimerExtended, out);
        }
    }

    pub(super) fn join_group(&mut self, id: &ClientId, group: String, out: &mut Vec<Outgoing>) {
        if self.may_enter(id, &group) {
            self.move_to(id, group, out);
        }
    }

    /// Everybody may go to the main room at any time. A group has to exist, and where assignments
    /// bind it has to be one's own, unless one is a host.
    fn may_enter(&self, id: &ClientId, group: &str) -> bool {
        let Some(client) = self.clients.get(id) else {
            return false;
        };
        if group.is_empty() {
            return true;
        }
        let is_bound = self.breakout.config.enforce_assignment && !client.is_host();
        self.breakout.is_active()
            && self.breakout.has_group(group)
            && (!is_bound || self.breakout.assigned(&client.record.device_id) == Some(group))
    }

    /// Moves a client, `""` is the main room, and tells everybody.
    pub(super) fn move_to(&mut self, id: &ClientId, group: String, out: &mut Vec<Outgoing>) {
        let Some(client) = self.clients.get_mut(id) else {
            return;
        };
        client.record.breakout_group = Some(group.clone()).filter(|group| !group.is_empty());
        let joined = BreakoutGroupJoined {
            client_id: id.clone(),
            group,
        };
        self.tell_all(&ServerMessage::BreakoutGroupJoined(joined), out);
    }

    /// Who is in a group that a host took away is in the main room.
    fn leave_groups_that_are_gone(&mut self, out: &mut Vec<Outgoing>) {
        let lost: Vec<ClientId> = self
            .clients
            .iter()
            .filter(|(_, client)| {
                !client.group().is_empty() && !self.breakout.has_group(client.group())
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in lost {
            self.move_to(&id, String::new(), out);
        }
    }

    /// A client is new in the room. One that was here before under this id, during this session,
    /// is in its group again; the record that the others are told says so.
    pub(super) fn restore_group(&mut self, id: &ClientId) {
        if let Some(group) = self.breakout.left.shift_remove(id)
            && self.may_enter(id, &group)
            && let Some(client) = self.clients.get_mut(id)
        {
            client.record.breakout_group = Some(group);
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
