//! What somebody does with a button: edges with their times in, gestures out. No clock is asked.
//!
//! A first edge counts at once and locks the button for the debounce time; the level at the end of it
//! decides what follows. So bouncing contacts make one press of many edges, and a press that is shorter
//! than the debounce time is still one.

use std::time::{Duration, Instant};

/// The level of a button changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// It was pushed.
    Down,
    /// It was let go.
    Up,
}

/// What was done with a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Gesture {
    /// Pushed; when other gestures are bound to the button: pushed and let go soon.
    Press,
    /// Held for at least [`Timing::long_press`]; told while it is still held.
    LongPress,
    /// Pushed twice, told at the second push.
    DoublePress,
    /// A hold-to-talk button is held: talk may begin.
    TalkStart,
    /// It is not held any more, or its device is gone: talk ends.
    TalkEnd,
}

impl Gesture {
    /// The word of configuration and events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Press => "press",
            Self::LongPress => "long_press",
            Self::DoublePress => "double_press",
            Self::TalkStart => "talk_start",
            Self::TalkEnd => "talk_end",
        }
    }
}

/// The times that tell one gesture from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long contacts may bounce. Zero: every edge counts.
    pub debounce: Duration,
    /// From here on a press is a long one.
    pub long_press: Duration,
    /// A second push within this time after the first was let go makes a double press.
    pub double_press: Duration,
}

/// What a button is used for: a gesture that nobody waits for delays no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Something is bound to a long press.
    pub long_press: bool,
    /// Something is bound to a double press.
    pub double_press: bool,
    /// Hold to talk; the button then makes no other gesture.
    pub talk: bool,
}

/// One button.
#[derive(Debug)]
pub struct Button {
    timing: Timing,
    used_for: Use,
    /// What the last edge said.
    level: bool,
    /// What counts, after debouncing.
    held: bool,
    /// Edges until then only change the level.
    locked_until: Option<Instant>,
    stage: Stage,
    last: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing is under way.
    Idle,
    /// Held; what it will be is open until then.
    Held { long_at: Option<Instant> },
    /// Held, and what it is has been told.
    Told,
    /// Let go; a push before then makes it a double press.
    Released { until: Instant },
    /// Talk is on.
    Talking,
}

impl Button {
    /// A button that is held already, or not. What is held at the beginning is no gesture until it
    /// was let go: nobody is put on air by a key that was stuck when the box started.
    #[must_use]
    pub fn new(timing: Timing, used_for: Use, held: bool) -> Self {
        Self {
            timing,
            used_for,
            level: held,
            held,
            locked_until: None,
            stage: if held { Stage::Told } else { Stage::Idle },
            last: None,
        }
    }

    /// An edge. Gestures that were due before it come first.
    pub fn edge(&mut self, now: Instant, edge: Edge) -> Vec<Gesture> {
        let now = self.not_before_last(now);
        let mut gestures = self.timeout(now);
        self.level = edge == Edge::Down;
        if self.locked_until.is_none() {
            self.settle(now, &mut gestures);
        }
        gestures
    }

    /// Time passes.
    pub fn timeout(&mut self, now: Instant) -> Vec<Gesture> {
        let now = self.not_before_last(now);
        let mut gestures = Vec::new();
        while let Some(at) = self.next_deadline().filter(|at| *at <= now) {
            if self.locked_until == Some(at) {
                self.locked_until = None;
                self.settle(at, &mut gestures);
            } else {
                self.due(&mut gestures);
            }
        }
        gestures
    }

    /// When to call [`Self::timeout`] if no edge comes before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let stage = match self.stage {
            Stage::Held { long_at } => long_at,
            Stage::Released { until } => Some(until),
            Stage::Idle | Stage::Told | Stage::Talking => None,
        };
        self.locked_until.into_iter().chain(stage).min()
    }

    /// The device is gone: talk ends, a press that was complete is told, one that was not is none.
    pub fn vanished(&mut self) -> Vec<Gesture> {
        let gestures = match self.stage {
            Stage::Talking => vec![Gesture::TalkEnd],
            Stage::Released { .. } => vec![Gesture::Press],
            Stage::Idle | Stage::Held { .. } | Stage::Told => Vec::new(),
        };
        *self = Self {
            last: self.last,
            ..Self::new(self.timing, self.used_for, false)
        };
        gestures
    }

    /// The clock of a device may lag behind ours: no time lies before one that was seen.
    fn not_before_last(&mut self, now: Instant) -> Instant {
        let now = self.last.map_or(now, |last| last.max(now));
        self.last = Some(now);
        now
    }

    /// Takes the level over, if it differs from what counts.
    fn settle(&mut self, now: Instant, gestures: &mut Vec<Gesture>) {
        if self.level == self.held {
            return;
        }
        self.held = self.level;
        if !self.timing.debounce.is_zero() {
            self.locked_until = Some(now + self.timing.debounce);
        }
        if self.held {
            self.pushed(now, gestures);
        } else {
            self.let_go(now, gestures);
        }
    }

    fn pushed(&mut self, now: Instant, gestures: &mut Vec<Gesture>) {
        self.stage = if self.used_for.talk {
            gestures.push(Gesture::TalkStart);
            Stage::Talking
        } else if matches!(self.stage, Stage::Released { .. }) {
            gestures.push(Gesture::DoublePress);
            Stage::Told
        } else if self.used_for.long_press || self.used_for.double_press {
            let long_at = (self.used_for.long_press).then(|| now + self.timing.long_press);
            Stage::Held { long_at }
        } else {
            gestures.push(Gesture::Press);
            Stage::Told
        };
    }

    fn let_go(&mut self, now: Instant, gestures: &mut Vec<Gesture>) {
        self.stage = match self.stage {
            Stage::Talking => {
                gestures.push(Gesture::TalkEnd);
                Stage::Idle
            }
            Stage::Held { .. } if self.used_for.double_press => Stage::Released {
                until: now + self.timing.double_press,
            },
            Stage::Held { .. } => {
                gestures.push(Gesture::Press);
                Stage::Idle
            }
            Stage::Told | Stage::Idle | Stage::Released { .. } => Stage::Idle,
        };
    }

    /// The deadline of the stage has come.
    fn due(&mut self, gestures: &mut Vec<Gesture>) {
        self.stage = match self.stage {
            Stage::Held { .. } => {
                gestures.push(Gesture::LongPress);
                Stage::Told
            }
            Stage::Released { .. } => {
                gestures.push(Gesture::Press);
                Stage::Idle
            }
            stage => stage,
        };
    }
}

#[cfg(test)]
#[path = "gesture_tests.rs"]
mod tests;
