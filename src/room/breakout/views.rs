//! The state of breakout groups as it is shown, made from the configuration and the tiles.

use roomd_protocol::records::{BreakoutConfig, RoomMode};

use super::assignments::in_key_order;
use crate::{
    room_connection::RoomConnection,
    state::{BreakoutGroup, BreakoutState, ClientView, GroupedParticipants},
};

/// What the SDK assumes for a duration of 0 or none, in seconds.
const GRACE_TO_GROUP: f64 = 10.0;
const GRACE_TO_MAIN: f64 = 30.0;
const DURATION: f64 = 1800.0;

impl RoomConnection {
    pub(crate) fn publish_breakout(&mut self) {
        let shown = self.breakout_state();
        if self.state.breakout != shown {
            self.state.breakout = shown;
        }
    }

    fn breakout_state(&self) -> BreakoutState {
        let config = &self.breakout.config;
        let (own, is_active) = (self.own_group(), self.breakout.is_active());
        let views = &self.state.client_views;
        let name = config.groups.as_ref().and_then(|groups| groups.get(own));
        let in_group = is_active && !own.is_empty();
        let grace = grace_to_group(config);
        let duration = or_default(config.breakout_timer_duration, DURATION);
        let head_start = if config.auto_move_to_group {
            grace
        } else {
            0.0
        };
        let base = config.breakout_started_at.as_deref();
        BreakoutState {
            is_active,
            current_group: name
                .filter(|name| !name.is_empty())
                .map(|name| BreakoutGroup {
                    id: own.to_owned(),
                    name: name.clone(),
                }),
            grouped_participants: if is_active {
                grouped(config, views)
            } else {
                Vec::new()
            },
            participants_in_current_group: if in_group {
                let here = views.iter().filter(|view| belongs_to(view, own));
                here.cloned().collect()
            } else {
                views.clone()
            },
            is_available: self.state.room_mode == RoomMode::Group,
            error: self.breakout.error.clone(),
            groups: config.groups.clone(),
            enforce_assignment: config.enforce_assignment,
            auto_move_to_group: config.auto_move_to_group,
            move_to_group_grace_period: grace,
            auto_move_to_main: config.auto_move_to_main,
            move_to_main_grace_period: or_default(config.move_to_main_grace_period, GRACE_TO_MAIN),
            breakout_timer_setting: config.breakout_timer_setting,
            breakout_timer_duration: duration,
            started_at: config.started_at.clone(),
            end_time: moment(base, duration + head_start),
            move_to_group_at: moment(base.filter(|_| config.auto_move_to_group), grace),
            move_to_main_at: move_to_main_at(config),
            broadcasting_participants: if in_group {
                let front = self.state.spotlighted_participants.iter();
                front.filter(|view| is_broadcast(view)).cloned().collect()
            } else {
                Vec::new()
            },
        }
    }
}

fn grouped(config: &BreakoutConfig, views: &[ClientView]) -> Vec<GroupedParticipants> {
    let Some(groups) = &config.groups else {
        return Vec::new();
    };
    let main = GroupedParticipants {
        clients: views
            .iter()
            .filter(|view| group_of(view).is_empty())
            .cloned()
            .collect(),
        group: BreakoutGroup::default(),
    };
    let others = in_key_order(groups)
        .into_iter()
        .map(|id| GroupedParticipants {
            clients: views
                .iter()
                .filter(|view| group_of(view) == id && !view.is_presentation)
                .cloned()
                .collect(),
            group: BreakoutGroup {
                id: id.clone(),
                name: groups.get(id).cloned().unwrap_or_default(),
            },
        });
    std::iter::once(main).chain(others).collect()
}

fn group_of(view: &ClientView) -> &str {
    view.breakout_group.as_deref().unwrap_or_default()
}

/// In the group, or on its way there.
fn belongs_to(view: &ClientView, group: &str) -> bool {
    view.is_local_client
        || group_of(view) == group
        || view.breakout_group_assigned.as_deref() == Some(group)
}

fn is_broadcast(view: &ClientView) -> bool {
    group_of(view).is_empty() && view.is_audio_enabled && !view.is_presentation
}

/// When the server sends everybody back, if it does.
pub(super) fn move_to_main_at(config: &BreakoutConfig) -> Option<i64> {
    let ended = config.breakout_ended_at.as_deref();
    moment(
        ended.filter(|_| config.auto_move_to_main),
        or_default(config.move_to_main_grace_period, GRACE_TO_MAIN),
    )
}

fn grace_to_group(config: &BreakoutConfig) -> f64 {
    or_default(config.move_to_group_grace_period, GRACE_TO_GROUP)
}

fn or_default(seconds: Option<f64>, default: f64) -> f64 {
    seconds.filter(|seconds| *seconds != 0.0).unwrap_or(default)
}

/// So many seconds after a time of the server, in milliseconds since the epoch.
fn moment(base: Option<&str>, seconds: f64) -> Option<i64> {
    let base: jiff::Timestamp = base?.parse().ok()?;
    let after = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
    Some(base.checked_add(after).ok()?.as_millisecond())
}
