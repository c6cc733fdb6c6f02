//! A device opens only after the lights have stopped saying that it is closed. Pure.
//!
//! Commands for the media engine go through here in their order. One that opens microphone or camera waits, and with it
//! all behind it, until the lights say that samples may leave; for a quarter of a second at most, because a light that
//! hangs must not take the room's voice. Closing what is open never waits for a light: it is behind an
//! opening only if nothing was open.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use roomd_controls::light::Indications;
use roomd_room::MediaCommand;

/// Longest time that an opening waits for the lights.
const PATIENCE: Duration = Duration::from_millis(250);

/// What waits for the lights.
#[derive(Debug, Default)]
pub struct LightsFirst {
    waiting: VecDeque<MediaCommand>,
    until: Option<Instant>,
}

impl LightsFirst {
    /// A command for the engine; those that may go to it now. `lights` is what they show, `None` where there are none.
    pub fn pass(
        &mut self,
        now: Instant,
        command: MediaCommand,
        lights: Option<&Indications>,
    ) -> Vec<MediaCommand> {
        self.waiting.push_back(command);
        self.released(now, lights)
    }

    /// The lights show something else, or time has passed; what may go now.
    pub fn released(&mut self, now: Instant, lights: Option<&Indications>) -> Vec<MediaCommand> {
        let mut out = Vec::new();
        while let Some(command) = self.waiting.front() {
            if lights.is_some_and(|lights| says_closed(command, lights)) {
                let until = *self.until.get_or_insert(now + PATIENCE);
                if now < until {
                    break;
                }
                tracing::warn!(
                    ?command,
                    "the lights are late, the device opens all the same"
                );
            }
            self.until = None;
            out.extend(self.waiting.pop_front());
        }
        out
    }

    /// When to call [`Self::released`] if the lights do not change before.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.until
    }
}

/// The command opens what the lights still say is closed.
fn says_closed(command: &MediaCommand, lights: &Indications) -> bool {
    match command {
        MediaCommand::Microphone { enabled: true } => !lights.microphone.may_leave(),
        MediaCommand::Camera { enabled: true } => !lights.camera.may_leave(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use roomd_controls::light::Capture;

    use super::*;

    const OPEN: MediaCommand = MediaCommand::Microphone { enabled: true };
    const CLOSE: MediaCommand = MediaCommand::Microphone { enabled: false };
    const CAMERA: MediaCommand = MediaCommand::Camera { enabled: false };

    fn lights(microphone: Capture) -> Indications {
        Indications {
            microphone,
            ..Indications::default()
        }
    }

    #[test]
    fn an_opening_waits_for_the_lights_and_what_is_behind_it_keeps_its_place() {
        let (now, mut first) = (Instant::now(), LightsFirst::default());
        let dark = lights(Capture::Closed);
        assert!(first.pass(now, OPEN, Some(&dark)).is_empty());
        assert!(first.pass(now, CLOSE, Some(&dark)).is_empty());
        let shown = lights(Capture::Opening);
        assert_eq!(first.released(now, Some(&shown)), [OPEN, CLOSE]);
        assert_eq!(first.deadline(), None);
    }

    #[test]
    fn a_light_that_hangs_holds_nothing_for_longer_than_a_quarter_of_a_second() {
        let (now, mut first) = (Instant::now(), LightsFirst::default());
        let dark = lights(Capture::Closed);
        assert!(first.pass(now, OPEN, Some(&dark)).is_empty());
        assert!(first.released(now + PATIENCE / 2, Some(&dark)).is_empty());
        assert_eq!(first.deadline(), Some(now + PATIENCE));
        assert_eq!(first.released(now + PATIENCE, Some(&dark)), [OPEN]);
    }

    #[test]
    fn closing_waits_for_no_light_and_without_lights_nothing_waits() {
        let (now, mut first) = (Instant::now(), LightsFirst::default());
        let live = lights(Capture::Live);
        assert_eq!(first.pass(now, CLOSE, Some(&live)), [CLOSE]);
        assert_eq!(first.pass(now, CAMERA, Some(&live)), [CAMERA]);
        assert_eq!(first.pass(now, OPEN, None), [OPEN]);
    }
}
