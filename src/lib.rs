//! A conferencing room appliance: a small Linux computer as a participant of a Whereby room.

pub mod appliance;
pub mod ctl;
pub mod mqtt;
