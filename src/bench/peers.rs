//! What each added peer costs: processor time, threads, descriptors. The bitrate is the same for every
//! number of peers: the camera's is otherwise divided among them, which would make many peers look
//! cheap.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    Measured, proc,
    report::Figure,
    rounds::rounds,
    sending::SETTLING,
    stage::{BoxSpec, Stage},
    statistics::{line, median},
};
use crate::cli::BenchArgs;

/// Numbers of peers.
const STEPS: [usize; 4] = [1, 2, 4, 8];
/// What a picture to the most peers may have, so that nothing changes on the way there, in bit/s.
const BITRATE: u32 = 192_000;

/// What one number of peers cost.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    /// Processor seconds.
    processor: f64,
    held: proc::Held,
}

/// Upwards in one round, downwards in the next.
pub(super) async fn measure(arguments: &BenchArgs) -> Measured {
    let mut stage = Stage::open().await?;
    let seconds = f64::from(arguments.seconds);
    let (kept, count) = rounds(arguments, arguments.rounds.into(), async |number| {
        round(&mut stage, seconds, number % 2 == 1).await
    })
    .await?;
    let last = STEPS.len() - 1;
    let of = |name: String, unit, samples: Vec<f64>, goal| {
        Figure::of(name, unit, &samples, median, goal, count)
    };
    let each = |value: fn(&[Cost; STEPS.len()]) -> f64| kept.iter().map(value).collect::<Vec<_>>();
    let added = |first: f64, most: f64| (most - first) / (STEPS[STEPS.len() - 1] - 1) as f64;
    let mut figures = vec![
        of(
            "each added peer, of what none would cost".to_owned(),
            "%",
            kept.iter().filter_map(slope).collect(),
            Some(10.0),
        ),
        of(
            format!("sending to {} ÷ to 1", STEPS[last]),
            "×",
            each(|costs| costs[STEPS.len() - 1].processor / costs[0].processor),
            Some(1.6),
        ),
        of(
            "threads of each added peer".to_owned(),
            "",
            kept.iter()
                .map(|costs| added(costs[0].held.threads, costs[last].held.threads))
                .collect(),
            Some(10.0),
        ),
        of(
            "descriptors of each added peer".to_owned(),
            "",
            kept.iter()
                .map(|costs| added(costs[0].held.descriptors, costs[last].held.descriptors))
                .collect(),
            Some(25.0),
        ),
    ];
    for (index, peers) in STEPS.into_iter().enumerate() {
        let used = kept
            .iter()
            .map(|costs| costs[index].processor / seconds * 100.0)
            .collect();
        figures.push(of(
            format!("sending to {peers}, of one processor"),
            "%",
            used,
            None,
        ));
    }
    let note = format!(
        "H.264, with {} kbit/s of video whatever the number of peers",
        BITRATE / 1000
    );
    Ok((figures, vec![note]))
}

/// The slope of the line through the costs, in percent of where it begins.
fn slope(costs: &[Cost; STEPS.len()]) -> Option<f64> {
    let points: Vec<(f64, f64)> = STEPS
        .iter()
        .zip(costs)
        .map(|(peers, cost)| (*peers as f64, cost.processor))
        .collect();
    let (begin, slope) = line(&points)?;
    Some(slope / begin * 100.0)
}

/// The cost of each number of peers.
async fn round(
    stage: &mut Stage,
    seconds: f64,
    downwards: bool,
) -> anyhow::Result<Option<[Cost; STEPS.len()]>> {
    let room = stage.room();
    let spec = BoxSpec {
        bitrate: BITRATE,
        codec: "h264",
        ..BoxSpec::sender("sender", &room)
    };
    let mut sender = stage.start(&spec).await?;
    let mut receivers = Vec::new();
    let mut costs = [Cost::default(); STEPS.len()];
    let mut arrived = true;
    let mut order: Vec<usize> = (0..STEPS.len()).collect();
    if downwards {
        order.reverse();
    }
    for index in order {
        while receivers.len() < STEPS[index] {
            let name = format!("receiver-{}", receivers.len());
            let spec = BoxSpec {
                codec: "h264",
                ..BoxSpec::receiver(&name, &room)
            };
            let receiver = stage.start(&spec).await?;
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
        costs[index] = Cost {
            processor: proc::cpu_seconds(sender.pid())? - before,
            held: proc::held(sender.pid())?,
        };
        arrived &= stage.pictures_arrived(&names);
    }
    sender.check()?;
    sender.stop().await?;
    for (_, receiver) in receivers {
        receiver.stop().await?;
    }
    Ok(arrived.then_some(costs))
}
