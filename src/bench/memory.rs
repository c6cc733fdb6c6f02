//! Memory, idle and in a call.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    Measured, proc,
    proc::Memory,
    report::Figure,
    rounds::rounds,
    stage::{BoxSpec, Stage},
    statistics::median,
};
use crate::cli::BenchArgs;

/// How long a box without a room runs before it is looked at.
const IDLE: Duration = Duration::from_secs(5);
/// How long a call lasts before.
const CALL: Duration = Duration::from_secs(30);
/// Rounds: memory varies little.
const ROUNDS: u16 = 3;

const MEGABYTE: f64 = 1e6;

/// A box without a room, and one in a call in which both send.
pub(super) async fn measure(arguments: &BenchArgs) -> Measured {
    let mut stage = Stage::open().await?;
    let (kept, count) = rounds(arguments, arguments.rounds.min(ROUNDS).into(), async |_| {
        let idle = idle(&mut stage).await?;
        Ok(call(&mut stage).await?.map(|call| (idle, call)))
    })
    .await?;
    let of = |name: &str, goal: Option<f64>, value: fn(&(Memory, Memory)) -> f64| {
        let samples: Vec<f64> = kept.iter().map(|round| value(round) / MEGABYTE).collect();
        Figure::of(name, "MB", &samples, median, goal, count)
    };
    let figures = vec![
        of("idle, PSS", Some(40.0), |(idle, _)| idle.pss),
        of("in a call, PSS", Some(150.0), |(_, call)| call.pss),
        of("idle, RSS", None, |(idle, _)| idle.rss),
        of("in a call, RSS", None, |(_, call)| call.rss),
    ];
    let note = "the room server, the bench and the peer share program and libraries with the box, which makes its PSS \
        smaller than it is alone on a machine; RSS counts them in full";
    Ok((figures, vec![note.to_owned()]))
}

async fn idle(stage: &mut Stage) -> anyhow::Result<Memory> {
    let spec = BoxSpec {
        room: None,
        ..BoxSpec::sender("idle", "")
    };
    let mut program = stage.start(&spec).await?;
    sleep(IDLE).await;
    let memory = proc::memory(program.pid())?;
    program.check()?;
    program.stop().await?;
    Ok(memory)
}

async fn call(stage: &mut Stage) -> anyhow::Result<Option<Memory>> {
    let room = stage.room();
    let peer = stage.start(&BoxSpec::sender("peer", &room)).await?;
    let mut sender = stage.start(&BoxSpec::sender("sender", &room)).await?;
    stage.until_picture("peer").await?;
    stage.until_picture("sender").await?;
    sleep(CALL).await;
    let memory = proc::memory(sender.pid())?;
    let arrived = stage.pictures_arrived(&["peer".to_owned(), "sender".to_owned()]);
    sender.check()?;
    sender.stop().await?;
    peer.stop().await?;
    Ok(arrived.then_some(memory))
}
