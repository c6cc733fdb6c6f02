//! What each light shows: a pure function of what is true of the box.
//!
//! A light has a list of conditions; the first that holds decides how it looks. A light that tells of the
//! microphone (or the camera) tells as well when that is about to change: [`Condition::Pending`] comes before
//! [`Condition::Live`] and [`Condition::Muted`] in every list, asked for or not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    pattern::{Colour, Look, Pattern},
    words::words,
};

/// A microphone or a camera, as its samples see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Capture {
    /// The gate is confirmed closed, and so it is wished. Nothing leaves.
    #[default]
    Closed,
    /// It was asked to open and has not confirmed it: samples may leave.
    Opening,
    /// Samples leave, as is wished.
    Live,
    /// It was asked to close and has not confirmed it: samples leave.
    Closing,
    /// Closed, because it does not work.
    Failed,
}

impl Capture {
    /// Whether a sample may leave.
    #[must_use]
    pub fn may_leave(self) -> bool {
        matches!(self, Self::Opening | Self::Live | Self::Closing)
    }
}

/// What is true of the box, as far as lights tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Indications {
    /// The microphone.
    pub microphone: Capture,
    /// The camera.
    pub camera: Capture,
    /// In a room, or on the way into one.
    pub active: bool,
    /// In a room.
    pub connected: bool,
    /// On the way into a room, or back into it.
    pub connecting: bool,
    /// The box waits at the door of a locked room.
    pub knocking: bool,
    /// Somebody waits to be let in.
    pub waiting: bool,
    /// Somebody asks the box to unmute or to turn its camera on.
    pub request: bool,
    /// The own hand is up.
    pub hand_raised: bool,
    /// The meeting is recorded.
    pub recording: bool,
    /// Something is wrong that keeps the box from its job.
    pub error: bool,
    /// A hardware switch forbids microphone or camera.
    pub switched_off: bool,
    /// The box is asked to show which one it is.
    pub identify: bool,
}

words! {
    /// What a light can tell.
    pub enum Condition {
        /// The microphone's gate is open.
        Live = "live",
        /// In a room, and the microphone's gate is confirmed closed.
        Muted = "muted",
        /// The microphone is about to open or to close, and has not confirmed it.
        Pending = "pending",
        /// The camera's gate is open.
        CameraOn = "camera_on",
        /// In a room, and the camera's gate is confirmed closed.
        CameraOff = "camera_off",
        /// The camera is about to open or to close.
        CameraPending = "camera_pending",
        /// A hardware switch forbids microphone or camera.
        SwitchedOff = "switched_off",
        /// The own hand is up.
        HandRaised = "hand_raised",
        /// On the way into a room, or back into it.
        Connecting = "connecting",
        /// In a room.
        Connected = "connected",
        /// The box waits at the door.
        Knocking = "knocking",
        /// Somebody waits to be let in.
        Waiting = "waiting",
        /// Somebody asks the box to unmute or to turn its camera on.
        Request = "request",
        /// The meeting is recorded.
        Recording = "recording",
        /// Something keeps the box from its job.
        Error = "error",
    }
}

impl Condition {
    /// Whether it is so.
    #[must_use]
    pub fn holds(self, now: &Indications) -> bool {
        let is_pending = |capture| matches!(capture, Capture::Opening | Capture::Closing);
        let is_closed = |capture| matches!(capture, Capture::Closed | Capture::Failed);
        match self {
            Self::Live => now.microphone == Capture::Live,
            Self::Muted => is_closed(now.microphone) && now.active,
            Self::Pending => is_pending(now.microphone),
            Self::CameraOn => now.camera == Capture::Live,
            Self::CameraOff => is_closed(now.camera) && now.active,
            Self::CameraPending => is_pending(now.camera),
            Self::SwitchedOff => now.switched_off,
            Self::HandRaised => now.hand_raised,
            Self::Connecting => now.connecting,
            Self::Connected => now.connected,
            Self::Knocking => now.knocking,
            Self::Waiting => now.waiting,
            Self::Request => now.request,
            Self::Recording => now.recording,
            Self::Error => now.error,
        }
    }

    /// How it looks when the configuration does not say.
    #[must_use]
    pub fn look(self) -> Look {
        use {Colour as C, Pattern as P};
        let (colour, pattern) = match self {
            Self::Live | Self::CameraOn => (C::Green, P::On),
            Self::Muted | Self::CameraOff | Self::SwitchedOff => (C::Red, P::On),
            Self::Pending | Self::CameraPending => (C::Yellow, P::Blink),
            Self::HandRaised => (C::Yellow, P::On),
            Self::Connecting => (C::Blue, P::Blink),
            Self::Connected => (C::Blue, P::On),
            Self::Knocking => (C::Blue, P::Double),
            Self::Waiting => (C::Cyan, P::Double),
            Self::Request => (C::Yellow, P::Double),
            Self::Recording => (C::Red, P::Double),
            Self::Error => (C::Magenta, P::Double),
        };
        Look { colour, pattern }
    }

    /// What has to come before it in every list, because it would lie in that moment.
    #[must_use]
    pub fn pending(self) -> Option<Self> {
        match self {
            Self::Live | Self::Muted => Some(Self::Pending),
            Self::CameraOn | Self::CameraOff => Some(Self::CameraPending),
            _ => None,
        }
    }
}

/// A condition with its look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shown {
    /// When.
    pub when: Condition,
    /// How.
    pub look: Look,
}

/// The list of a light: the first that holds counts. Made by [`ShowList::new`] only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShowList(Vec<Shown>);

impl ShowList {
    /// The list with what must stand before others put there.
    #[must_use]
    pub fn new(asked: impl IntoIterator<Item = Shown>) -> Self {
        let asked: Vec<Shown> = asked.into_iter().collect();
        let mut list: Vec<Shown> = Vec::with_capacity(asked.len() + 2);
        for shown in &asked {
            let known = |when| asked.iter().find(|shown| shown.when == when).copied();
            let first = shown.when.pending().map(|when| {
                known(when).unwrap_or(Shown {
                    when,
                    look: when.look(),
                })
            });
            for shown in first.into_iter().chain([*shown]) {
                if list.iter().all(|listed| listed.when != shown.when) {
                    list.push(shown);
                }
            }
        }
        Self(list)
    }

    /// The conditions in their order.
    #[must_use]
    pub fn as_slice(&self) -> &[Shown] {
        &self.0
    }

    /// What is shown now, and what it means: `None` for "nothing of this".
    #[must_use]
    pub fn shown(&self, now: &Indications) -> Option<Shown> {
        self.0.iter().find(|shown| shown.when.holds(now)).copied()
    }

    /// How the light looks now. That the box shows itself comes before everything, and looks like nothing else.
    #[must_use]
    pub fn look(&self, now: &Indications) -> Look {
        if now.identify {
            return Look::IDENTIFY;
        }
        self.shown(now).map_or(Look::DARK, |shown| shown.look)
    }
}

#[cfg(test)]
#[path = "light_tests.rs"]
mod tests;
