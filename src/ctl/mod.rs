//! `roomd ctl`: a command-line client of the MQTT interface.

mod arguments;
mod session;

use std::process::ExitCode;

pub use arguments::{CtlArgs, UsageError};

/// How a run of `roomd ctl` ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The command was carried out.
    Done,
    /// The box refused it.
    Refused,
    /// The command line asks for something that cannot be.
    Usage,
    /// The broker or the box does not answer.
    NoAnswer,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::Refused => 1,
            Outcome::Usage => 2,
            Outcome::NoAnswer => 3,
        })
    }
}

/// Sends the command, or watches, and prints what comes: replies and state to `stdout`, errors to
/// `stderr`.
pub async fn run(args: CtlArgs) -> Outcome {
    match args.order() {
        Ok(order) => session::carry_out(&args, order).await,
        Err(error) => {
            eprintln!("error: {error}");
            Outcome::Usage
        }
    }
}
