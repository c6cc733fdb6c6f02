//! `READY=1`, `STATUS=…` and `STOPPING=1` (`sd_notify(3)`).

use sd_notify::NotifyState;
use tracing::warn;

/// The longest status line, in characters; `systemctl status` shows one line.
const LONGEST_STATUS: usize = 200;

/// Tells systemd how the service is. Owned by the room loop, which alone knows.
#[derive(Debug, Default)]
pub struct Notifier {
    status: String,
}

impl Notifier {
    /// Nothing was said yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The service runs: units ordered after it may start.
    pub fn ready(&mut self, status: &str) {
        self.status = one_line(status);
        send(&[NotifyState::Ready, NotifyState::Status(&self.status)]);
    }

    /// What `systemctl status` shows, sent when it changed: `in https://… with 3 others, muted`.
    pub fn status(&mut self, status: &str) {
        let status = one_line(status);
        if status != self.status {
            send(&[NotifyState::Status(&status)]);
            self.status = status;
        }
    }

    /// The service begins to stop: the room is being left.
    pub fn stopping(&mut self, status: &str) {
        self.status = one_line(status);
        send(&[NotifyState::Stopping, NotifyState::Status(&self.status)]);
    }
}

/// Sends to the socket that systemd named, if there is one. A failure is logged: the service is
/// better off running unseen than not at all, and the watchdog tells systemd in the end.
pub(super) fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, ?states, "systemd could not be notified; is NotifyAccess=main set in the unit?");
    }
}

/// A line break in a status would begin another assignment, and the names of rooms and people come
/// from outside.
fn one_line(status: &str) -> String {
    status
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_STATUS)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_status_is_always_one_line(text in "(?s).*") {
            let line = one_line(&text);
            prop_assert!(!line.chars().any(char::is_control));
            prop_assert!(line.chars().count() <= LONGEST_STATUS);
        }
    }
}
