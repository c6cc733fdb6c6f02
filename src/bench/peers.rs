//! Processor time of each added peer. The bitrate is the same for every number of peers: the camera's
//! is otherwise divided among them, which would make many peers look cheap.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    Measured, proc,
    report::Figure,
    rounds::rounds,
    sending::SETTLING,
    stage::{BoxSpec, Stage},
    statistics::median,
};
use crate::cli::BenchArgs;

/// Numbers of peers.
const STEPS: [usize; 3] = [1, 2, 4];
/// What a picture to four peers may have, so that nothing changes on the way there, in bit/s.
const BITRATE: u32 = 192_000;

/// Upwards in one round, downwards in the next.
pub(super) async fn measure(arguments: &BenchArgs) -> Measured {
    let mut stage = Stage::open().await?;
    let seconds = f64::from(arguments.seconds);
    let (kept, count) = rounds(arguments, arguments.rounds.into(), async |number| {
        round(&mut stage, seconds, number % 2 == 1).await
    })
    .await?;
    let mut figures = Vec::new();
    for (index, peers) in STEPS.into_iter().enumerate().skip(1) {
        let added: Vec<f64> = kept
            .iter()
            .map(|used| (used[index] / used[0] - 1.0) / (peers - 1) as f64 * 100.0)
            .collect();
        figures.push(Figure::of(
            format!("each added peer up to {peers}, of the first"),
            "%",
            &added,
            median,
            Some(10.0),
            count,
        ));
    }
    for (index, peers) in STEPS.into_iter().enumerate() {
        let used: Vec<f64> = kept
            .iter()
            .map(|used| used[index] / seconds * 100.0)
            .collect();
        let name = format!("sending to {peers}, of one processor");
        figures.push(Figure::of(name, "%", &used, median, None, count));
    }
    let note = format!(
        "with {} kbit/s of video whatever the number of peers",
        BITRATE / 1000
    );
    Ok((figures, vec![note]))
}

/// Processor seconds for each number of peers.
async fn round(
    stage: &mut Stage,
    seconds: f64,
    downwards: bool,
) -> anyhow::Result<Option<[f64; STEPS.len()]>> {
    let room = stage.room();
    let spec = BoxSpec {
        bitrate: BITRATE,
        ..BoxSpec::sender("sender", &room)
    };
    let mut sender = stage.start(&spec).await?;
    let mut receivers = Vec::new();
    let mut used = [0.0; STEPS.len()];
    let mut arrived = true;
    let mut order: Vec<usize> = (0..STEPS.len()).collect();
    if downwards {
        order.reverse();
    }
    for index in order {
        while receivers.len() < STEPS[index] {
            let name = format!("receiver-{}", receivers.len());
            let receiver = stage.start(&BoxSpec::receiver(&name, &room)).await?;
            receivers.push((name, receiver));
        }
        while receivers.len() > STEPS[index] {
            if let Some((_, receiver)) = receivers.pop() {
                receiver.stop().await?;
            }
        }
        let names: Vec<String> = receivers.iter().map(|(name, _)| name.clone()).collect();
        for name in &names {
            stage.until_picture(name).await?;
        }
        sleep(SETTLING).await;
        stage.controller.catch_up();
        let before = proc::cpu_seconds(sender.pid())?;
        sleep(Duration::from_secs_f64(seconds)).await;
        used[index] = proc::cpu_seconds(sender.pid())? - before;
        arrived &= stage.pictures_arrived(&names);
    }
    sender.check()?;
    sender.stop().await?;
    for (_, receiver) in receivers {
        receiver.stop().await?;
    }
    Ok(arrived.then_some(used))
}
