//! Breakout groups: what the server says of them, where oneself is, and what follows from both.
//!
//! The server decides, moves and ends; the client goes where it is sent. Nothing here runs a timer:
//! the moments in the state are for display.

mod assignments;
mod session;
mod views;

use roomd_protocol::{
    ClientMessage, DeviceId, client::JoinBreakoutGroup, records::BreakoutConfig,
    server::BreakoutGroupJoined,
};

use crate::{
    event::RoomEvent,
    input::{Now, Refusal},
    room_connection::RoomConnection,
};

/// What is known of the breakout groups of the room.
#[derive(Debug, Default)]
pub(crate) struct Breakout {
    config: BreakoutConfig,
    /// Why the last start was refused.
    error: Option<String>,
    /// The own assignment that was looked at last.
    seen_assignment: String,
}

impl Breakout {
    fn is_active(&self) -> bool {
        self.config.started_at.is_some()
    }

    fn has_group(&self, id: &str) -> bool {
        let groups = self.config.groups.as_ref();
        groups.is_some_and(|groups| groups.contains_key(id))
    }

    /// Group that a device is assigned to, `""` for none.
    pub(crate) fn assigned(&self, device: &DeviceId) -> String {
        let assignments = self.config.assignments.as_ref();
        assignments
            .and_then(|all| all.get(device))
            .cloned()
            .unwrap_or_default()
    }
}

impl RoomConnection {
    /// The own group, `""` in the main room.
    pub(crate) fn own_group(&self) -> &str {
        let group = self.state.local_participant.breakout_group.as_deref();
        group.unwrap_or_default()
    }

    /// The whole configuration replaces what was known. "Just stopped" mutes everybody and sends
    /// everybody to the main room, unless the server will do that.
    pub(crate) fn breakout_session_updated(&mut self, config: BreakoutConfig) {
        let stopped = config.initiated_by.as_ref().is_some_and(|by| !by.active);
        let waits = config.auto_move_to_main;
        self.breakout.config = config;
        if !stopped || !self.is_connected() {
            return;
        }
        self.toggle_microphone(Some(false));
        if !waits {
            self.go_to_group(String::new());
        }
    }

    /// Configuration that comes with a join; absent keeps what was known.
    pub(crate) fn breakout_joined(&mut self, now: Now, config: Option<BreakoutConfig>, was: &str) {
        self.breakout.error = None;
        if let Some(config) = config {
            self.breakout.config = config;
        }
        let config = &self.breakout.config;
        let returns_to = if self.breakout.is_active() {
            // The server took us for somebody new: back to where we were.
            (self.own_group().is_empty() && self.breakout.has_group(was)).then(|| was.to_owned())
        } else {
            // The session ended while we were away; a countdown that runs is the server's to end.
            let counts_down = config.auto_move_to_main
                && views::move_to_main_at(config).is_none_or(|at| at > now.wall.as_millisecond());
            (!self.own_group().is_empty() && !counts_down).then(String::new)
        };
        if let Some(group) = returns_to {
            self.go_to_group(group);
        }
    }

    pub(crate) fn breakout_group_joined(&mut self, joined: BreakoutGroupJoined) {
        if joined.client_id == self.state.local_participant.id {
            self.state.local_participant.breakout_group = Some(joined.group);
            return;
        }
        self.update_client(&joined.client_id, |client| {
            client.breakout_group = Some(joined.group).filter(|group| !group.is_empty());
        });
    }

    /// The server says that it is time to go to the assigned group.
    pub(crate) fn move_to_group(&mut self) {
        let group = self.own_assignment();
        if !group.is_empty() && self.is_connected() {
            self.go_to_group(group);
        }
    }

    /// The server says that it is time to go back.
    pub(crate) fn move_to_main(&mut self) {
        if self.is_connected() {
            self.go_to_group(String::new());
        }
    }

    /// Moves by an action; whether the group may be entered is for the server to say.
    pub(crate) fn join_breakout_group(&mut self, group: String) -> Result<(), Refusal> {
        self.require_connected()?;
        if !group.is_empty() && !self.breakout.has_group(&group) {
            return Err(Refusal::NotFound {
                what: "breakout group",
                id: group,
            });
        }
        self.go_to_group(group);
        Ok(())
    }

    fn go_to_group(&mut self, group: String) {
        self.send(ClientMessage::JoinBreakoutGroup(JoinBreakoutGroup {
            group,
        }));
    }

    fn own_assignment(&self) -> String {
        let device = self.credentials.as_ref().map(|own| &own.credentials.uuid);
        device.map_or_else(String::new, |device| self.breakout.assigned(device))
    }

    /// Who is assigned where, for everybody; being assigned oneself is told while a session goes on.
    pub(crate) fn publish_assignments(&mut self) {
        let all = self.breakout.config.assignments.clone();
        self.state.breakout_assignments = all.unwrap_or_default();
        for client in &mut self.clients {
            client.breakout_group_assigned = self.breakout.assigned(&client.device_id);
        }
        let group = self.own_assignment();
        if self.breakout.seen_assignment != group {
            self.breakout.seen_assignment.clone_from(&group);
            if !group.is_empty() && self.breakout.is_active() {
                let groups = self.breakout.config.groups.as_ref();
                let group_name = groups.and_then(|groups| groups.get(&group)).cloned();
                self.event(RoomEvent::BreakoutGroupAssigned {
                    group: group.clone(),
                    group_name: group_name.filter(|name| !name.is_empty()),
                });
            }
        }
        self.state.local_participant.breakout_group_assigned = group;
    }
}
