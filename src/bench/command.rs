//! From a command at the broker to the state that shows its outcome, and a bare round trip through the
//! broker beside each.

use std::time::Duration;

use rand::RngExt;
use tokio::time::sleep;

use super::{
    Measured,
    report::Figure,
    rounds::rounds,
    stage::{BoxSpec, Stage},
    statistics::{median, percentile},
};
use crate::cli::BenchArgs;

/// Commands of a round: half of them mute, half of them unmute.
const COMMANDS: usize = 50;
/// Between two commands, in milliseconds: a part is published at most every 100, which is not what is
/// to be measured, and not in step with pictures and sound.
const PAUSE: std::ops::Range<u64> = 250..350;

/// Milliseconds of one round.
#[derive(Debug, Default)]
struct Delays {
    mute: Vec<f64>,
    unmute: Vec<f64>,
    echo: Vec<f64>,
}

/// Mutes and unmutes a box in a call.
pub(super) async fn measure(arguments: &BenchArgs) -> Measured {
    let mut stage = Stage::open().await?;
    let room = stage.room();
    let receiver = stage.start(&BoxSpec::receiver("receiver", &room)).await?;
    let sender = stage.start(&BoxSpec::sender("sender", &room)).await?;
    stage.until_picture("receiver").await?;
    let (kept, count) = rounds(arguments, arguments.rounds.into(), async |_| {
        round(&mut stage).await.map(Some)
    })
    .await?;
    sender.stop().await?;
    receiver.stop().await?;
    let all = |of: fn(&Delays) -> &Vec<f64>| -> Vec<f64> {
        kept.iter().flat_map(|delays| of(delays).clone()).collect()
    };
    let (mute, unmute, echo) = (
        all(|delays| &delays.mute),
        all(|delays| &delays.unmute),
        all(|delays| &delays.echo),
    );
    let both: Vec<f64> = mute.iter().chain(&unmute).copied().collect();
    let of = |name: &str, samples: &[f64], percent: f64, goal| {
        let statistic = |samples: &[f64]| percentile(samples, percent);
        Figure::of(
            format!("{name} p{percent}"),
            "ms",
            samples,
            statistic,
            goal,
            count,
        )
    };
    let ratios: Vec<f64> = kept
        .iter()
        .filter_map(|delays| {
            let both: Vec<f64> = delays.mute.iter().chain(&delays.unmute).copied().collect();
            Some(median(&both)? / median(&delays.echo)?)
        })
        .collect();
    let figures = vec![
        of("to the state", &both, 50.0, None),
        of("to the state", &both, 95.0, None),
        of("to the state", &both, 99.0, Some(50.0)),
        of("mute to the state", &mute, 99.0, None),
        of("unmute to the state", &unmute, 99.0, None),
        of("bare round trip", &echo, 50.0, None),
        of("bare round trip", &echo, 99.0, None),
        Figure::of(
            "to the state ÷ bare round trip",
            "×",
            &ratios,
            median,
            None,
            count,
        ),
    ];
    Ok((figures, Vec::new()))
}

async fn round(stage: &mut Stage) -> anyhow::Result<Delays> {
    let mut delays = Delays::default();
    for number in 0..COMMANDS {
        pause().await;
        let echo = stage.controller.echo(number).await?;
        delays.echo.push(echo.as_secs_f64() * 1000.0);
        let mutes = number % 2 == 0;
        let (payload, state) = if mutes {
            ("OFF", "muted")
        } else {
            ("ON", "on")
        };
        stage.controller.catch_up();
        let sent = stage
            .controller
            .command("sender", "toggle_microphone", payload)
            .await?;
        let shown = stage
            .controller
            .next_state("sender", "local_media", |part| {
                part["microphone"]["state"] == state
            })
            .await?;
        let delay = (shown.at - sent.at).as_secs_f64() * 1000.0;
        if mutes {
            delays.mute.push(delay);
        } else {
            delays.unmute.push(delay);
        }
    }
    Ok(delays)
}

/// A time that is in step with nothing.
pub(super) async fn pause() {
    let pause = rand::rng().random_range(PAUSE);
    sleep(Duration::from_millis(pause)).await;
}
