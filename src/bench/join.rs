//! From the command to join to the first decoded picture in Chromium, against two pages with the SDK:
//! a script of the browser tests in the repository does it.

use serde::Deserialize;

use super::{
    Measured,
    report::{Count, Figure},
    script,
    statistics::median,
};
use crate::cli::BenchArgs;

/// Rounds at least: joins vary much.
const ROUNDS: u16 = 10;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Joins {
    /// Milliseconds, one for each round.
    roomd: Vec<f64>,
    sdk: Vec<f64>,
    voided: usize,
    browser: String,
}

/// Starts the script and reads its result.
pub(super) async fn measure(arguments: &BenchArgs) -> Measured {
    let joins: Joins = script::run("join", arguments, arguments.rounds.max(ROUNDS)).await?;
    let count = Count {
        kept: joins.roomd.len(),
        voided: joins.voided,
    };
    let ratios: Vec<f64> = joins
        .roomd
        .iter()
        .zip(&joins.sdk)
        .map(|(roomd, sdk)| roomd / sdk)
        .collect();
    let seconds = |samples: &[f64]| -> Vec<f64> { samples.iter().map(|ms| ms / 1000.0).collect() };
    let (roomd, sdk) = (seconds(&joins.roomd), seconds(&joins.sdk));
    let figures = vec![
        Figure::of(
            "roomd to the first picture",
            "s",
            &roomd,
            median,
            Some(1.0),
            count,
        ),
        Figure::of("roomd ÷ SDK", "×", &ratios, median, Some(1.2), count),
        Figure::of("SDK to the first picture", "s", &sdk, median, None, count),
    ];
    Ok((figures, vec![joins.browser]))
}
