//! Which commands go on to the room loop when more arrive than it can take.

use std::{
    collections::VecDeque,
    mem::{Discriminant, discriminant},
    time::{Duration, Instant},
};

use roomd_room::Action;

use crate::appliance::Command;

/// Commands per second that the box takes for any length of time.
pub const RATE: f64 = 200.0;

/// How long more than that may arrive before commands are refused.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// From how many waiting commands on switches coalesce.
const FLOOD: usize = 16;

/// How many commands wait at most, those that are never dropped apart.
const WAITING: usize = 1024;

/// A count that fills with time: so many at once, so many per second.
#[derive(Debug)]
pub struct Allowance {
    left: f64,
    most: f64,
    per_second: f64,
    counted: Instant,
}

impl Allowance {
    /// `most` at once, `per_second` on the long run.
    #[must_use]
    pub fn new(now: Instant, most: f64, per_second: f64) -> Self {
        Self {
            left: most,
            most,
            per_second,
            counted: now,
        }
    }

    /// Takes one, if there is one left.
    pub fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.counted).as_secs_f64();
        self.left = (self.left + passed * self.per_second).min(self.most);
        self.counted = now;
        let some = self.left >= 1.0;
        if some {
            self.left -= 1.0;
        }
        some
    }
}

/// The commands that wait for the room loop, in order; `T` is what belongs to each.
#[derive(Debug)]
pub struct Admission<T> {
    waiting: VecDeque<(Command, T)>,
    /// [`FLOOD`] commands waited, and since then there was always one waiting.
    flooded: bool,
    allowance: Allowance,
}

impl<T> Admission<T> {
    /// Nothing waits.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            waiting: VecDeque::new(),
            flooded: false,
            allowance: Allowance::new(now, RATE * PATIENCE.as_secs_f64(), RATE),
        }
    }

    /// A command has arrived. Returns those that are dropped for it or instead of it, to be
    /// answered with `rate_limited`.
    #[must_use]
    pub fn arrived(&mut self, now: Instant, command: Command, belongings: T) -> Vec<T> {
        let never_dropped = never_dropped(&command);
        let allowed = self.allowance.take(now);
        if !never_dropped && (!allowed || self.waiting.len() >= WAITING) {
            return vec![belongings];
        }
        let mut dropped = Vec::new();
        self.flooded |= self.waiting.len() >= FLOOD;
        if self.flooded {
            if command == Command::Room(Action::LeaveRoom) {
                dropped = self.drop_where(|waiting| !super::admission::never_dropped(waiting));
            } else if let Some(switch) = switch(&command) {
                dropped = self.drop_where(|waiting| {
                    self::switch(waiting) == Some(switch) && !self::never_dropped(waiting)
                });
            }
        }
        self.waiting.push_back((command, belongings));
        if self.flooded && never_dropped {
            self.advance_last();
        }
        dropped
    }

    /// The next command for the room loop.
    pub fn take_next(&mut self) -> Option<(Command, T)> {
        let next = self.waiting.pop_front();
        self.flooded &= !self.waiting.is_empty();
        next
    }

    /// Nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next command is one that is never dropped nor kept waiting.
    #[must_use]
    pub fn next_is_urgent(&self) -> bool {
        self.waiting
            .front()
            .is_some_and(|(command, _)| never_dropped(command))
    }

    fn drop_where(&mut self, unwanted: impl Fn(&Command) -> bool) -> Vec<T> {
        let (dropped, kept): (Vec<_>, Vec<_>) = self
            .waiting
            .drain(..)
            .partition(|(command, _)| unwanted(command));
        self.waiting = kept.into();
        dropped
            .into_iter()
            .map(|(_, belongings)| belongings)
            .collect()
    }

    /// Brings a mute or leave before those that wait, except before a join (which may unmute)
    /// and others of its kind.
    fn advance_last(&mut self) {
        let Some(last) = self.waiting.pop_back() else {
            return;
        };
        let place = self
            .waiting
            .iter()
            .rposition(|(command, _)| {
                never_dropped(command) || matches!(command, Command::JoinRoom(_))
            })
            .map_or(0, |before| before + 1);
        self.waiting.insert(place, last);
    }
}

/// Mute and leave.
fn never_dropped(command: &Command) -> bool {
    matches!(
        command,
        Command::Room(
            Action::LeaveRoom
                | Action::ToggleMicrophone(Some(false))
                | Action::ToggleCamera(Some(false))
        ) | Command::MuteSpeaker(true)
    )
}

/// What a command switches, so that a later one makes an earlier one pointless.
fn switch(command: &Command) -> Option<(Discriminant<Command>, Option<Discriminant<Action>>)> {
    match command {
        Command::Room(
            action @ (Action::ToggleMicrophone(Some(_))
            | Action::ToggleCamera(Some(_))
            | Action::ToggleRaiseHand(Some(_))
            | Action::ToggleLowDataMode(Some(_))
            | Action::ToggleHdMode(Some(_))
            | Action::ToggleWidescreenMode(Some(_))
            | Action::LockRoom(_)),
        ) => Some((discriminant(command), Some(discriminant(action)))),
        Command::SetVolume(_) | Command::MuteSpeaker(_) => Some((discriminant(command), None)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn microphone(enabled: bool) -> Command {
        Command::Room(Action::ToggleMicrophone(Some(enabled)))
    }

    fn flooded(now: Instant) -> Admission<usize> {
        let mut admission = Admission::new(now);
        for number in 0..FLOOD {
            assert!(
                admission
                    .arrived(now, Command::Room(Action::Knock), number)
                    .is_empty()
            );
        }
        admission
    }

    #[test]
    fn commands_go_on_in_order() {
        let now = Instant::now();
        let mut admission = Admission::new(now);
        for (number, command) in [microphone(true), microphone(false), microphone(true)]
            .into_iter()
            .enumerate()
        {
            assert!(admission.arrived(now, command, number).is_empty());
        }
        let order: Vec<_> = std::iter::from_fn(|| admission.take_next())
            .map(|(_, n)| n)
            .collect();
        assert_eq!(order, [0, 1, 2]);
    }

    #[test]
    fn under_a_flood_the_last_state_of_a_switch_wins() {
        let now = Instant::now();
        let mut admission = flooded(now);
        assert!(
            admission
                .arrived(now, Command::SetVolume(1), 100)
                .is_empty()
        );
        assert!(
            admission
                .arrived(now, Command::Room(Action::LockRoom(true)), 101)
                .is_empty()
        );
        assert_eq!(admission.arrived(now, Command::SetVolume(2), 102), [100]);
        let rest: Vec<_> = std::iter::from_fn(|| admission.take_next())
            .map(|(_, n)| n)
            .skip(FLOOD)
            .collect();
        assert_eq!(rest, [101, 102]);
    }

    #[test]
    fn more_than_200_a_second_for_5_seconds_are_refused_but_never_mute_and_leave() {
        let start = Instant::now();
        let mut admission = Admission::new(start);
        let mut refused = 0;
        for number in 0..3000 {
            let now = start + Duration::from_millis(number * 2); // 500 a second
            refused += admission
                .arrived(now, Command::Room(Action::Knock), number)
                .len();
            admission.take_next();
        }
        // 6 s at 200/s and 1000 at once.
        assert!((790..=810).contains(&refused), "{refused}");
        let end = start + Duration::from_secs(6);
        assert!(admission.arrived(end, microphone(false), 1).is_empty());
        assert!(
            admission
                .arrived(end, Command::Room(Action::LeaveRoom), 2)
                .is_empty()
        );
        assert_eq!(admission.arrived(end, Command::Room(Action::Knock), 3), [3]);
    }

    #[test]
    fn a_mute_overtakes_a_flood_and_drops_what_would_unmute_before_it() {
        let now = Instant::now();
        let mut admission = flooded(now);
        assert!(admission.arrived(now, microphone(true), 100).is_empty());
        assert_eq!(admission.arrived(now, microphone(false), 101), [100]);
        assert!(admission.next_is_urgent());
        assert_eq!(admission.take_next(), Some((microphone(false), 101)));
    }

    #[test]
    fn a_mute_does_not_overtake_a_join_that_could_unmute() {
        let now = Instant::now();
        let mut admission = flooded(now);
        let join = Command::JoinRoom(crate::appliance::JoinRoom::default());
        assert!(admission.arrived(now, join, 100).is_empty());
        assert!(admission.arrived(now, microphone(false), 101).is_empty());
        let order: Vec<_> = std::iter::from_fn(|| admission.take_next())
            .map(|(_, n)| n)
            .collect();
        assert_eq!(order[FLOOD..], [100, 101]);
    }

    #[test]
    fn a_leave_clears_the_flood_before_it() {
        let now = Instant::now();
        let mut admission = flooded(now);
        let dropped = admission.arrived(now, Command::Room(Action::LeaveRoom), 100);
        assert_eq!(dropped.len(), FLOOD);
        assert_eq!(
            admission.take_next(),
            Some((Command::Room(Action::LeaveRoom), 100))
        );
        assert!(admission.is_empty());
    }
}
