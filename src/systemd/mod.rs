//! What roomd says to systemd: readiness and status, signs of life, priorities of log lines.
//!
//! Outside systemd all of it does nothing.

pub mod journal;
pub mod notify;
pub mod watchdog;

pub use notify::Notifier;
pub use watchdog::{Part, Watchdog};

#[cfg(test)]
mod tests;
