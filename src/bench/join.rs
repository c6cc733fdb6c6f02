//! From the command to join to the first decoded picture in Chromium, against two pages with the SDK:
//! a script of the browser tests in the repository does it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::process::Command;

use super::{
    Measured,
    report::{Count, Figure},
    statistics::median,
};
use crate::cli::BenchArgs;

/// The script, from the root of the repository.
const SCRIPT: &str = "tests/browser/bench/join.mjs";
/// Rounds at least: joins vary much.
const ROUNDS: u16 = 10;
/// What stands before the result.
const MARK: &str = "result: ";

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
    let repository = repository()?;
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let output = Command::new(repository.join("tests/browser/run"))
        .arg("bench/join.mjs")
        .env("ROOMD_BIN", program)
        .env("BENCH_ROUNDS", arguments.rounds.max(ROUNDS).to_string())
        .env("BENCH_FOREIGN", arguments.foreign.to_string())
        .stderr(std::process::Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot start tests/browser/run")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(joins) = result(&text)? else {
        bail!("{SCRIPT} gave no result ({}):\n{text}", output.status);
    };
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

/// The line with the result.
fn result(output: &str) -> anyhow::Result<Option<Joins>> {
    output
        .lines()
        .find_map(|line| line.strip_prefix(MARK))
        .map(|json| serde_json::from_str(json).with_context(|| format!("not understood: {json}")))
        .transpose()
}

fn repository() -> anyhow::Result<PathBuf> {
    let folder = match std::env::var_os("ROOMD_REPOSITORY") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::current_dir()?,
    };
    if !folder.join(SCRIPT).is_file() {
        bail!(
            "{} has no {}: start it in the repository, or set ROOMD_REPOSITORY",
            folder.display(),
            Path::new(SCRIPT).display()
        );
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_found_among_other_lines() {
        let text = "== bench/join.mjs\nresult: {\"roomd\":[500.5],\"sdk\":[400],\"voided\":1,\"browser\":\"C\"}\n";
        let joins = result(text).unwrap().unwrap();
        assert_eq!((joins.roomd, joins.voided), (vec![500.5], 1));
        assert!(result("nothing").unwrap().is_none());
        assert!(result("result: {}").is_err());
    }
}
