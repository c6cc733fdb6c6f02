//! What a host does with breakout groups. Every change is one `update_breakout_session`; the state
//! follows the server's answer.

use indexmap::IndexMap;
use roomd_protocol::{ClientId, ClientMessage, DeviceId, client::BreakoutPatch, records::RoomMode};

use super::assignments::{deal, in_key_order};
use crate::{
    action::{Action, BreakoutSessionSettings},
    input::{Now, Refusal},
    room_connection::RoomConnection,
};

/// What the state says after a start that was refused here.
const NOT_AVAILABLE: &str = "Breakout groups are not available in peer-to-peer rooms";
/// Seconds by which the timer is extended when nobody says by how many.
const EXTENSION: f64 = 60.0;

impl RoomConnection {
    pub(crate) fn manage_breakout(&mut self, now: Now, action: Action) -> Result<(), Refusal> {
        match action {
            Action::JoinBreakoutGroup(group) => return self.join_breakout_group(group),
            Action::JoinBreakoutMainRoom => return self.join_breakout_group(String::new()),
            _ => self.require_host_with_socket()?,
        }
        // The time of the call is chance enough for a seating plan, and can be replayed.
        let seed = u64::from_ne_bytes(now.wall.as_microsecond().to_ne_bytes());
        let patch = match action {
            Action::StartBreakoutSession {
                groups,
                assignments,
                settings,
            } => {
                if self.state.room_mode != RoomMode::Group {
                    self.breakout.error = Some(NOT_AVAILABLE.to_owned());
                    self.state.breakout.error.clone_from(&self.breakout.error);
                    return Err(Refusal::NotAvailable(NOT_AVAILABLE));
                }
                let patch = BreakoutPatch {
                    active: Some(true),
                    groups: Some(groups),
                    assignments: assignments.map(|all| self.by_device(all)).transpose()?,
                    ..self.patch(settings)
                };
                self.breakout.error = None;
                patch
            }
            Action::UpdateBreakoutSession {
                groups,
                assignments,
                settings,
            } => BreakoutPatch {
                groups,
                assignments: assignments.map(|all| self.by_device(all)).transpose()?,
                ..self.patch(settings)
            },
            Action::StopBreakoutSession => BreakoutPatch {
                active: Some(false),
                ..BreakoutPatch::default()
            },
            Action::AssignBreakoutParticipants(assignments) => {
                let given = self.by_device(assignments)?;
                let mut all = self.breakout.config.assignments.clone().unwrap_or_default();
                all.extend(given);
                assigned(all)
            }
            Action::AssignAllBreakoutParticipants => {
                let persons = self.clients.iter().filter(|one| one.role_name.is_person());
                let devices = persons.map(|one| one.device_id.clone());
                assigned(self.dealt(devices.filter(|id| !id.is_empty()).collect(), seed)?)
            }
            Action::UnassignAllBreakoutParticipants => {
                let listed = self
                    .breakout
                    .config
                    .assignments
                    .iter()
                    .flat_map(IndexMap::keys);
                assigned(listed.map(|id| (id.clone(), String::new())).collect())
            }
            Action::ShuffleBreakoutParticipants => {
                let listed = self.breakout.config.assignments.iter().flatten();
                let seated = listed.filter(|(_, group)| !group.is_empty());
                assigned(self.dealt(seated.map(|(id, _)| id.clone()).collect(), seed)?)
            }
            Action::ExtendBreakoutTimer(seconds) => {
                let now = self.state.breakout.breakout_timer_duration;
                BreakoutPatch {
                    breakout_timer_duration: Some(now + seconds.unwrap_or(EXTENSION)),
                    ..BreakoutPatch::default()
                }
            }
            Action::StopBreakoutTimer => BreakoutPatch {
                breakout_timer_setting: Some(false),
                ..BreakoutPatch::default()
            },
            _ => return Err(Refusal::NotSupported("this action")),
        };
        self.send(ClientMessage::UpdateBreakoutSession(patch));
        Ok(())
    }

    /// The settings with what belongs to a switch filled in.
    fn patch(&self, settings: BreakoutSessionSettings) -> BreakoutPatch {
        let now = &self.state.breakout;
        let with = |switch: Option<bool>, given: Option<f64>, known: f64| {
            given.or_else(|| (switch == Some(true)).then_some(known))
        };
        let timer = settings.breakout_timer_setting;
        let duration = settings.breakout_timer_duration;
        let duration = duration.filter(|seconds| *seconds != 0.0 || timer != Some(true));
        BreakoutPatch {
            enforce_assignment: settings.enforce_assignment,
            auto_move_to_group: settings.auto_move_to_group,
            move_to_group_grace_period: with(
                settings.auto_move_to_group,
                settings.move_to_group_grace_period,
                now.move_to_group_grace_period,
            ),
            auto_move_to_main: settings.auto_move_to_main,
            move_to_main_grace_period: with(
                settings.auto_move_to_main,
                settings.move_to_main_grace_period,
                now.move_to_main_grace_period,
            ),
            breakout_timer_setting: timer,
            breakout_timer_duration: with(timer, duration, now.breakout_timer_duration),
            ..BreakoutPatch::default()
        }
    }

    /// The wire names devices. Who has gone meanwhile is left out, as the SDK does; a list of
    /// nobody but strangers is a mistake.
    fn by_device(
        &self,
        assignments: IndexMap<ClientId, String>,
    ) -> Result<IndexMap<DeviceId, String>, Refusal> {
        let stranger = assignments.keys().next().map(ToString::to_string);
        let devices: IndexMap<_, _> = assignments
            .into_iter()
            .filter_map(|(id, group)| Some((self.device_of(&id)?, group)))
            .collect();
        match stranger {
            Some(id) if devices.is_empty() => Err(Refusal::NotFound {
                what: "participant",
                id,
            }),
            _ => Ok(devices),
        }
    }

    fn device_of(&self, id: &ClientId) -> Option<DeviceId> {
        if self.state.local_participant.id == *id {
            return self
                .credentials
                .as_ref()
                .map(|own| own.credentials.uuid.clone());
        }
        let mut persons = self.clients.iter().filter(|one| one.role_name.is_person());
        let person = persons.find(|one| one.id == *id)?;
        Some(person.device_id.clone()).filter(|device| !device.is_empty())
    }

    fn dealt(
        &self,
        devices: Vec<DeviceId>,
        seed: u64,
    ) -> Result<IndexMap<DeviceId, String>, Refusal> {
        let groups = self.breakout.config.groups.as_ref();
        let groups = groups
            .filter(|groups| !groups.is_empty())
            .ok_or(Refusal::NotAvailable("no breakout groups have been made"))?;
        Ok(deal(devices, &in_key_order(groups), seed))
    }
}

fn assigned(assignments: IndexMap<DeviceId, String>) -> BreakoutPatch {
    BreakoutPatch {
        assignments: Some(assignments),
        ..BreakoutPatch::default()
    }
}
