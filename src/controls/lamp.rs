//! One light while it is in use: what it should show, what it shows, and when to look again.
//!
//! Where the kernel plays patterns it is told a pattern that ends in a fault, and told again every second: a
//! program that is stuck shows a fault without doing anything. Elsewhere every change is written.

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    binding::BoundLight,
    gpio::Line,
    input::LightSource,
    led::{Led, LedError},
    light::Indications,
    panel::ControlState,
    pattern::Look,
    scan::Places,
};

/// How long a pattern that the kernel plays is good for.
const GOOD_FOR: Duration = Duration::from_secs(3);
/// How often it is told again, and every light read back. All periods divide it, or are divided by it.
const REFRESH: Duration = Duration::from_secs(1);
/// How long a light that failed is left alone.
const RETRY: Duration = Duration::from_secs(2);

/// A light, as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LightPart {
    /// What the configuration calls it.
    pub name: String,
    /// Whether it works.
    pub state: ControlState,
    /// What it shows.
    pub look: Look,
    /// Why it does not show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Debug)]
enum Output {
    Led(Led),
    Line(Line),
}

/// A light in use.
#[derive(Debug)]
pub(crate) struct Lamp {
    bound: BoundLight,
    places: Places,
    output: Option<Output>,
    look: Look,
    since: Instant,
    /// What was written last.
    lit: Option<bool>,
    refresh_at: Instant,
    fault: Option<(ControlState, String)>,
}

impl Lamp {
    pub(crate) fn new(bound: BoundLight, places: Places, now: Instant) -> Self {
        Self {
            bound,
            places,
            output: None,
            look: Look::DARK,
            since: now,
            lit: None,
            refresh_at: now,
            fault: None,
        }
    }

    /// How it should look. `None`: nobody tells any more, so nothing is known.
    pub(crate) fn wanted(&self, now: Option<&Indications>) -> Look {
        now.map_or(Look::FAULT, |now| self.bound.shows.look(now))
    }

    /// Shows it. Returns when to call again if nothing changes before.
    pub(crate) fn show(&mut self, now: Instant, look: Look) -> Instant {
        let is_new = look != self.look;
        if is_new {
            self.look = look;
            self.since = now;
        }
        let elapsed = now.saturating_duration_since(self.since);
        let (lit, next) = look.pattern.at(elapsed);
        let is_due = now >= self.refresh_at;
        if self.output.is_some() && !is_new && !is_due && self.lit == Some(lit) {
            return self.next(next);
        }
        if self.output.is_none() && !is_due && !is_new {
            return self.refresh_at;
        }
        self.refresh_at = now + REFRESH;
        match self.write(is_new, is_due, lit) {
            Ok(()) => {
                self.fault = None;
                self.lit = Some(lit);
            }
            Err(fault) => {
                if self.fault.as_ref() != Some(&fault) {
                    tracing::warn!(
                        light = self.bound.name,
                        error = fault.1,
                        "a light cannot be used"
                    );
                }
                self.fault = Some(fault);
                self.output = None;
                self.lit = None;
                self.refresh_at = now + RETRY;
            }
        }
        self.next(next)
    }

    /// The moment of the next change, or of the next look at it.
    fn next(&self, change: Option<Duration>) -> Instant {
        let change = change
            .filter(|_| !self.is_played())
            .map(|at| self.since + at);
        change.map_or(self.refresh_at, |at| at.min(self.refresh_at))
    }

    fn is_played(&self) -> bool {
        matches!(&self.output, Some(Output::Led(led)) if led.plays_patterns())
    }

    fn write(
        &mut self,
        is_new: bool,
        is_due: bool,
        lit: bool,
    ) -> Result<(), (ControlState, String)> {
        let (percent, look) = (self.bound.percent, self.look);
        match self.output()? {
            Output::Led(led) if led.plays_patterns() => {
                if is_due || is_new || !led.is_playing().map_err(failed)? {
                    led.play(look, percent, GOOD_FOR).map_err(failed)?;
                }
                Ok(())
            }
            Output::Led(led) => led.set(lit, look.colour, percent).map_err(failed),
            Output::Line(line) => match line.set(lit) {
                Ok(true) => Ok(()),
                Ok(false) => Err((
                    ControlState::Failed,
                    "the line reads otherwise than it was set".to_owned(),
                )),
                Err(error) => Err((ControlState::Failed, error.to_string())),
            },
        }
    }

    /// The output, found if it was not.
    fn output(&mut self) -> Result<&mut Output, (ControlState, String)> {
        if self.output.is_none() {
            let found = match &self.bound.source {
                LightSource::Led(wanted) => {
                    Output::Led(Led::find(&self.places.leds, wanted).map_err(missing)?)
                }
                LightSource::Gpio(line) => Output::Line(
                    Line::output(line)
                        .map_err(|error| (ControlState::Missing, error.to_string()))?,
                ),
            };
            if let Output::Led(led) = &found
                && self.bound.multicolour
                && !led.is_multicolour()
            {
                let text = "the LED has one colour; remove multicolour = true".to_owned();
                return Err((ControlState::Failed, text));
            }
            self.output = Some(found);
        }
        self.output
            .as_mut()
            .ok_or_else(|| (ControlState::Missing, String::new()))
    }

    pub(crate) fn part(&self) -> LightPart {
        let (state, reason) = match &self.fault {
            None => (ControlState::Ready, None),
            Some((state, reason)) => (*state, Some(reason.clone())),
        };
        LightPart {
            name: self.bound.name.clone(),
            state,
            look: self.look,
            reason,
        }
    }
}

fn failed(error: LedError) -> (ControlState, String) {
    (ControlState::Failed, error.to_string())
}

fn missing(error: LedError) -> (ControlState, String) {
    (ControlState::Missing, error.to_string())
}

#[cfg(test)]
#[path = "lamp_tests.rs"]
mod tests;
