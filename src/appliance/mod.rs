//! The box: the room connection with the policy of an unattended device above it.

pub mod command;
pub mod state;

pub use command::{
    ChangeSource, ChangedBy, Command, CommandError, ErrorCode, InitialMuteStates, JoinRoom, Request,
};
pub use state::{ApplianceEvent, ApplianceState};
