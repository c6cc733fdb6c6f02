//! Buttons, switches and lights of the box.
//!
//! | module | what it holds |
//! |---|---|
//! | [`gesture`] | pure: edges of a key with their times → press, long press, double press, talk |
//! | [`switch`] | pure: hardware mute switches, and what they forbid |
//! | [`rows`] | pure: buttons, switches and lights as the configuration writes them |
//! | [`input`] | pure: which key of which device, which GPIO line |
//! | [`binding`] | pure: rows of the configuration → a table that cannot contradict itself |
//! | [`light`] | pure: what is true of the box → how each light looks |
//! | [`pattern`] | pure: a look × time → brightness, and the kernel's words for it |
//! | [`scan`] | which input devices there are |
//! | [`panel`] | the task that owns buttons and switches; `news`: what their devices tell it |
//! | [`lights`] | the thread of the lights; `lamp`: one of them |
//! | [`led`], [`gpio`] | one LED of the kernel's class, one line of a GPIO chip |
//!
//! **Invariant:** a light never says "muted" while sound may leave, and never a new state before it is true.
//!
//! **Invariant:** a switch that says "muted", or that cannot be asked any more, mutes.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")
)]

pub mod binding;
pub mod gesture;
pub mod gpio;
pub mod input;
pub mod lamp;
pub mod led;
pub mod light;
pub mod lights;
mod news;
pub mod panel;
pub mod pattern;
pub mod rows;
pub mod scan;
pub mod switch;
mod words;
