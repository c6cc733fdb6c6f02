//! Two engines in a network namespace of their own, joined by a relay of their events.

pub mod namespace;
pub mod outputs;
pub mod plug;
pub mod relay;
