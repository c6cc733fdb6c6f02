//! What is due when. Every change costs the same however many sockets and rooms there are.

use std::{
    collections::{BTreeSet, HashMap},
    time::Instant,
};

use super::SocketId;

/// What may become due.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Due {
    /// A socket that is to be closed.
    Socket(SocketId),
    /// Something in the room of that name.
    Room(String),
}

/// At most one deadline for each thing.
#[derive(Default)]
pub(super) struct Deadlines {
    at: HashMap<Due, Instant>,
    order: BTreeSet<(Instant, Due)>,
}

impl Deadlines {
    /// Replaces the deadline of `due`; `None` takes it away.
    pub(super) fn set(&mut self, due: Due, at: Option<Instant>) {
        if self.at.get(&due).copied() == at {
            return;
        }
        if let Some(old) = self.at.remove(&due) {
            self.order.remove(&(old, due.clone()));
        }
        if let Some(at) = at {
            self.order.insert((at, due.clone()));
            self.at.insert(due, at);
        }
    }

    /// The earliest.
    pub(super) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes out everything that is due, the earliest first.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Due> {
        let mut due = Vec::new();
        while self.next().is_some_and(|at| at <= now) {
            if let Some((_, one)) = self.order.pop_first() {
                self.at.remove(&one);
                due.push(one);
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_deadline_that_is_replaced_or_taken_away_is_never_due() {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let mut deadlines = Deadlines::default();
        let [a, b] = ["/a", "/b"].map(|name| Due::Room(name.to_owned()));
        deadlines.set(a.clone(), Some(later(1)));
        deadlines.set(b.clone(), Some(later(2)));
        deadlines.set(a.clone(), Some(later(3)));
        deadlines.set(Due::Socket(SocketId(1)), Some(later(1)));
        deadlines.set(Due::Socket(SocketId(1)), None);
        assert_eq!(deadlines.next(), Some(later(2)));
        assert_eq!(deadlines.take_due(later(2)), [b]);
        assert_eq!(deadlines.take_due(later(3)), [a]);
        assert_eq!(deadlines.next(), None);
    }
}
