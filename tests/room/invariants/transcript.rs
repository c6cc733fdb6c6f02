//! What happened lately, for whoever has to understand a failure.

use std::{collections::VecDeque, fmt, time::Duration};

use roomd_room::{ConnectionStatus, Effect, Input};

use super::Cause;

/// How many turns are kept.
const KEPT: usize = 80;

/// The last turns of everybody.
#[derive(Debug, Default)]
pub(crate) struct Transcript(VecDeque<Line>);

#[derive(Debug)]
struct Line {
    at: Duration,
    who: &'static str,
    cause: Cause,
    status: ConnectionStatus,
    sent: Vec<&'static str>,
}

impl Transcript {
    pub(crate) fn note(
        &mut self,
        at: Duration,
        who: &'static str,
        cause: &Cause,
        status: ConnectionStatus,
        effects: &[Effect],
    ) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        let sent = effects.iter().filter_map(|effect| match effect {
            Effect::Send(message) => Some(message.name()),
            _ => None,
        });
        self.0.push_back(Line {
            at,
            who,
            cause: cause.clone(),
            status,
            sent: sent.collect(),
        });
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.0 {
            let cause = match &line.cause {
                Cause::Act(action) => format!("{action:?}"),
                Cause::Refused(action) => format!("{action:?}, refused"),
                Cause::Input(Input::Signal(message)) => {
                    let payload = message.payload();
                    let payload = payload.as_deref().map_or("", |payload| payload.get());
                    format!("<- {} {payload}", message.name())
                }
                Cause::Input(input) => format!("{input:?}"),
            };
            let cause: String = cause.chars().take(200).collect();
            let sent = match line.sent.as_slice() {
                [] => String::new(),
                sent => format!("  -> {}", sent.join(", ")),
            };
            let (at, status) = (line.at.as_secs_f64(), line.status.as_str());
            writeln!(f, "{at:9.3}  {:6} {status:12}  {cause}{sent}", line.who)?;
        }
        Ok(())
    }
}
