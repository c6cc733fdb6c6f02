//! `roomd bench`: what roomd costs and how long it takes, on this machine.
//!
//! Every figure is compared with something measured in the same run; the work is checked before it
//! counts, and rounds in which the machine did other things do not. The parts are real: this binary as
//! room server and as boxes, a broker, packets on the loopback interface, Chromium with the SDK.
//!
//! | module | what it holds |
//! |---|---|
//! | `sending`, `peers`, `command`, `flood`, `mute`, `join`, `call`, `memory`, `server` | one measurement each |
//! | `stage`, `program`, `controller`, `script` | what is around them |
//! | `rounds`, `proc`, `packets` | repeated work; what the kernel counts; packets as they pass |
//! | `statistics`, `report` | from samples to a table |

mod call;
mod command;
mod controller;
mod flood;
mod join;
mod memory;
mod mute;
mod packets;
mod peers;
mod proc;
mod program;
mod report;
mod rounds;
mod script;
mod sending;
mod server;
mod stage;
mod statistics;

use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::cli::{BenchArgs, Measurement};
use report::{Figure, Outcome};

/// What a measurement gives: figures, and what is to be known about them.
type Measured = anyhow::Result<(Vec<Option<Figure>>, Vec<String>)>;

/// Measures what was asked for and prints it.
///
/// # Errors
/// When not even the beginning could be made; what a single measurement lacks stands in its row.
pub async fn run(arguments: &BenchArgs, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    if let Some(config) = &arguments.bare {
        sending::run_bare(config).await?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.bare_echo {
        server::run_echo().await?;
        return Ok(ExitCode::SUCCESS);
    }
    if cfg!(debug_assertions) {
        eprintln!("This is a debug build: its figures say nothing about a release build.");
    }
    let wanted = if arguments.only.is_empty() {
        Measurement::value_variants()
    } else {
        &arguments.only
    };
    let mut outcomes = Vec::new();
    for measurement in wanted {
        eprintln!("measuring: {} …", name(*measurement));
        let measured = tokio::select! {
            measured = measure(*measurement, arguments) => measured,
            () = stop.cancelled() => break,
        };
        outcomes.push(outcome(*measurement, measured));
    }
    if arguments.json {
        let report = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "debugBuild": cfg!(debug_assertions),
            "machine": machine(),
            "seconds": arguments.seconds,
            "outcomes": outcomes,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{}", machine());
        print!("{}", report::table(&outcomes));
    }
    let complete = outcomes.len() == wanted.len()
        && outcomes.iter().all(|outcome| !outcome.figures.is_empty());
    Ok(if complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn measure(measurement: Measurement, arguments: &BenchArgs) -> Measured {
    match measurement {
        Measurement::Sending => sending::measure(arguments).await,
        Measurement::Peers => peers::measure(arguments).await,
        Measurement::Command => command::measure(arguments).await,
        Measurement::Flood => flood::measure(arguments).await,
        Measurement::Mute => mute::measure(arguments).await,
        Measurement::Join => join::measure(arguments).await,
        Measurement::Call => call::measure(arguments).await,
        Measurement::Memory => memory::measure(arguments).await,
        Measurement::Server => server::measure(arguments).await,
    }
}

fn outcome(measurement: Measurement, measured: Measured) -> Outcome {
    let measurement = name(measurement);
    match measured {
        Ok((figures, notes)) => Outcome {
            measurement,
            figures: figures.into_iter().flatten().collect(),
            notes,
            problem: None,
        },
        Err(error) => Outcome {
            measurement,
            figures: Vec::new(),
            notes: Vec::new(),
            problem: Some(format!("not measured: {error:#}")),
        },
    }
}

fn name(measurement: Measurement) -> &'static str {
    match measurement {
        Measurement::Sending => "sending",
        Measurement::Peers => "peers",
        Measurement::Command => "command",
        Measurement::Flood => "flood",
        Measurement::Mute => "mute",
        Measurement::Join => "join",
        Measurement::Call => "call",
        Measurement::Memory => "memory",
        Measurement::Server => "server",
    }
}

/// What the figures were measured on.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).with_context(|| path.to_owned());
    let model = read("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{processors} × {model}, Linux {}", kernel.trim())
}
