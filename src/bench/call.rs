//! What a call costs against Chromium with the SDK in roomd's place: processor time for each megapixel
//! that is delivered, and memory. A script of the browser tests in the repository does it.

use serde::Deserialize;

use super::{
    Measured,
    report::{Count, Figure},
    script,
    statistics::median,
};
use crate::cli::BenchArgs;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Calls {
    calls: Vec<Call>,
    voided: usize,
    browser: String,
}

/// Rounds with one number of peers: one of each in a round.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    peers: usize,
    roomd: Vec<Party>,
    sdk: Vec<Party>,
}

/// What a party cost.
#[derive(Debug, Deserialize)]
struct Party {
    /// Processors that it and its children used.
    processor: f64,
    /// The same of the X server on which it showed the pictures.
    screen: f64,
    /// Megapixels that arrived from it in a second, over all receivers.
    sent: f64,
    /// Megapixels that it decoded in a second.
    received: f64,
    /// Bytes (PSS).
    memory: f64,
}

impl Party {
    /// Processor seconds for a megapixel.
    fn cost(&self) -> f64 {
        self.processor / (self.sent + self.received)
    }

    fn cost_with_screen(&self) -> f64 {
        (self.processor + self.screen) / (self.sent + self.received)
    }
}

/// The goal for the cost against Chromium's.
fn goal(peers: usize) -> f64 {
    if peers == 1 { 0.7 } else { 0.5 }
}

/// The largest good share of Chromium's memory.
const MEMORY: f64 = 0.25;

/// Starts the script and reads its result.
pub(super) async fn measure(arguments: &BenchArgs) -> Measured {
    let calls: Calls = script::run("call", arguments, arguments.rounds).await?;
    let figures = calls
        .calls
        .iter()
        .flat_map(|call| figures(call, calls.voided));
    let note = "each shows all pictures in a grid of 1280×720 and plays all sounds; roomd on an X server, whose processor \
        time is counted where it says so, Chromium on nothing";
    Ok((figures.collect(), vec![note.to_owned(), calls.browser]))
}

fn figures(call: &Call, voided: usize) -> Vec<Option<Figure>> {
    let count = Count {
        kept: call.roomd.len(),
        voided,
    };
    let peers = call.peers;
    let ratio = |of: fn(&Party) -> f64, to: fn(&Party) -> f64| -> Vec<f64> {
        call.roomd
            .iter()
            .zip(&call.sdk)
            .map(|(roomd, sdk)| of(roomd) / to(sdk))
            .collect()
    };
    let each =
        |parties: &[Party], of: fn(&Party) -> f64| parties.iter().map(of).collect::<Vec<_>>();
    let figure = |name: String, unit, samples: Vec<f64>, goal| {
        Figure::of(name, unit, &samples, median, goal, count)
    };
    let processor: fn(&Party) -> f64 = |party| party.processor * 100.0;
    let megabytes: fn(&Party) -> f64 = |party| party.memory / 1e6;
    vec![
        figure(
            format!("{peers} peers: processor time for a megapixel ÷ Chromium"),
            "×",
            ratio(Party::cost, Party::cost),
            Some(goal(peers)),
        ),
        figure(
            format!("{peers} peers: the same with the X server"),
            "×",
            ratio(Party::cost_with_screen, Party::cost),
            None,
        ),
        figure(
            format!("{peers} peers: roomd, of one processor"),
            "%",
            each(&call.roomd, processor),
            None,
        ),
        figure(
            format!("{peers} peers: Chromium, of one processor"),
            "%",
            each(&call.sdk, processor),
            None,
        ),
        figure(
            format!("{peers} peers: memory ÷ Chromium"),
            "×",
            ratio(|party| party.memory, |party| party.memory),
            Some(MEMORY),
        ),
        figure(
            format!("{peers} peers: roomd, PSS"),
            "MB",
            each(&call.roomd, megabytes),
            None,
        ),
        figure(
            format!("{peers} peers: Chromium, PSS"),
            "MB",
            each(&call.sdk, megabytes),
            None,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_megapixel_costs_what_was_used_for_all_that_were_delivered() {
        let text = r#"{"calls":[{"peers":1,"roomd":[{"complete":true,"processor":0.2,"screen":0.1,"sent":6,"received":4,
            "memory":100e6,"size":"640×360"}],"sdk":[{"complete":true,"processor":0.4,"screen":0,"sent":5,"received":5,
            "memory":500e6,"size":"640×360"}]}],"voided":0,"browser":"C"}"#;
        let calls: Calls = serde_json::from_str(text).unwrap();
        let figures = figures(&calls.calls[0], 0);
        let values: Vec<f64> = figures
            .iter()
            .map(|figure| figure.as_ref().unwrap().value)
            .collect();
        let near = |index: usize, value: f64| assert!((values[index] - value).abs() < 1e-9);
        near(0, 0.5);
        near(1, 0.75);
        near(4, 0.2);
    }
}
