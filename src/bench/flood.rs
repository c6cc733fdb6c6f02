//! More commands than anybody sends: whether each is answered, the last one holds, and memory stays.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::ensure;
use serde_json::json;

use super::{
    Measured,
    controller::PATIENCE,
    proc,
    report::{Count, Figure},
    stage::{BoxSpec, Stage},
    statistics::{line, median, percentile},
};
use crate::cli::BenchArgs;

/// Commands in a second.
const RATE: usize = 500;
/// How long they come.
const SECONDS: usize = 60;
/// Memory is looked at from here on, when buffers have their size.
const WARM: usize = 20;

/// Changes the volume of a box in a call all the time.
pub(super) async fn measure(_: &BenchArgs) -> Measured {
    let mut stage = Stage::open().await?;
    let room = stage.room();
    let receiver = stage.start(&BoxSpec::receiver("receiver", &room)).await?;
    let mut sender = stage.start(&BoxSpec::sender("sender", &room)).await?;
    stage.until_picture("receiver").await?;

    let topic = "roomd/sender/reply";
    let mut asked: HashMap<String, Instant> = HashMap::new();
    let mut delays = Vec::new();
    let (mut refused, mut memory) = (0_usize, Vec::new());
    let mut tick = tokio::time::interval(Duration::from_secs(1) / RATE as u32);
    let began = Instant::now();
    let mut hear = |heard: super::controller::Heard, asked: &mut HashMap<String, Instant>| {
        let id = heard.payload["id"].as_str().unwrap_or_default();
        if heard.topic == topic
            && let Some(sent) = asked.remove(id)
        {
            delays.push((heard.at - sent).as_secs_f64() * 1000.0);
            refused += usize::from(heard.payload["ok"] != true);
        }
    };
    let all = RATE * SECONDS;
    for number in 0..all {
        tick.tick().await;
        let id = format!("n{number}");
        let payload = json!({ "level": level(number), "id": id }).to_string();
        let sent = stage
            .controller
            .command("sender", "set_volume", &payload)
            .await?;
        asked.insert(id, sent.at);
        for heard in stage.controller.catch_up() {
            hear(heard, &mut asked);
        }
        if number % RATE == 0 && number / RATE >= WARM {
            memory.push((
                began.elapsed().as_secs_f64(),
                proc::memory(sender.pid())?.rss,
            ));
        }
    }
    let took = began.elapsed().as_secs_f64();
    while !asked.is_empty() {
        match stage
            .controller
            .next("a reply", |heard| heard.topic == topic)
            .await
        {
            Ok(heard) => hear(heard, &mut asked),
            // What is missing is counted.
            Err(_) => break,
        }
    }
    let last = level(all - 1);
    stage
        .controller
        .until_state("sender", "local_media", |part| part["volume"] == last)
        .await?;
    sender.check()?;
    sender.stop().await?;
    receiver.stop().await?;

    ensure!(!delays.is_empty(), "no reply within {PATIENCE:?}");
    let count = Count { kept: 1, voided: 0 };
    let one =
        |name: &str, unit, value: f64, goal| Figure::of(name, unit, &[value], median, goal, count);
    let p99 = percentile(&delays, 99.0).unwrap_or(f64::NAN);
    let growth = line(&memory).map_or(f64::NAN, |(_, slope)| slope / 1000.0);
    let figures = vec![
        one(
            "commands without a reply",
            "",
            asked.len() as f64,
            Some(0.0),
        ),
        one("commands that were refused", "", refused as f64, Some(0.0)),
        one(
            "to the reply p50",
            "ms",
            median(&delays).unwrap_or(f64::NAN),
            None,
        ),
        one("to the reply p99", "ms", p99, None),
        one("memory (RSS) grows in a second by", "kB", growth, None),
    ];
    let note = format!(
        "{all} commands in {took:.0} s; the volume was that of the last one at the end; memory from second {WARM} on"
    );
    Ok((figures, vec![note]))
}

/// No two commands in a row say the same.
fn level(number: usize) -> usize {
    number % 101
}
