//! Measurements with Chromium: scripts of the browser tests in the repository make them, and print their
//! result as one line.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use tokio::process::Command;

use crate::cli::BenchArgs;

/// Where the scripts are, from the root of the repository.
const FOLDER: &str = "tests/browser";
/// What stands before the result.
const MARK: &str = "result: ";

/// Starts `bench/<name>.mjs`, with that many rounds, and reads its result.
pub(super) async fn run<T: DeserializeOwned>(
    name: &str,
    arguments: &BenchArgs,
    rounds: u16,
) -> anyhow::Result<T> {
    let script = format!("bench/{name}.mjs");
    let folder = repository(&script)?.join(FOLDER);
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let output = Command::new(folder.join("run"))
        .arg(&script)
        .env("ROOMD_BIN", program)
        .env("BENCH_ROUNDS", rounds.to_string())
        .env("BENCH_SECONDS", arguments.seconds.to_string())
        .env("BENCH_FOREIGN", arguments.foreign.to_string())
        .stderr(std::process::Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot start tests/browser/run")?;
    let text = String::from_utf8_lossy(&output.stdout);
    match result(&text)? {
        Some(result) => Ok(result),
        None => bail!("{script} gave no result ({}):\n{text}", output.status),
    }
}

/// The line with the result.
fn result<T: DeserializeOwned>(output: &str) -> anyhow::Result<Option<T>> {
    output
        .lines()
        .find_map(|line| line.strip_prefix(MARK))
        .map(|json| serde_json::from_str(json).with_context(|| format!("not understood: {json}")))
        .transpose()
}

fn repository(script: &str) -> anyhow::Result<PathBuf> {
    let folder = match std::env::var_os("ROOMD_REPOSITORY") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::current_dir()?,
    };
    let script = Path::new(FOLDER).join(script);
    if !folder.join(&script).is_file() {
        bail!(
            "{} has no {}: start it in the repository, or set ROOMD_REPOSITORY",
            folder.display(),
            script.display()
        );
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Joins {
        roomd: Vec<f64>,
    }

    #[test]
    fn the_result_is_found_among_other_lines() {
        let text = "== bench/join.mjs\nresult: {\"roomd\":[500.5]}\n";
        let joins: Joins = result(text).unwrap().unwrap();
        assert_eq!(joins.roomd, [500.5]);
        assert_eq!(result::<Joins>("nothing").unwrap(), None);
        assert!(result::<Joins>("result: {}").is_err());
    }
}
