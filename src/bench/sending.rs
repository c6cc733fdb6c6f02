//! Processor time of sending to one peer, against the bare pipeline: the same sources and encoders
//! that end in nothing.

use std::{path::Path, time::Duration};

use anyhow::{Context, bail};
use roomd_media::{BarePipelines, Encoded};
use tokio::{io::AsyncReadExt, sync::mpsc, time::sleep};

use super::{
    Measured, proc,
    program::Program,
    report::Figure,
    rounds::rounds,
    stage::{BoxSpec, FPS, Stage},
    statistics::median,
};
use crate::{
    cli::BenchArgs,
    config::{self, Sources},
};

/// After the first full second of pictures, until rates and bitrates have settled.
pub(super) const SETTLING: Duration = Duration::from_secs(3);
/// Opus frames per second.
const SOUNDS: f64 = 50.0;
/// Share of pictures and sounds that must be encoded, else a round is void.
const ENOUGH: f64 = 0.9;

/// Both in turn, first the one, then the other first.
pub(super) async fn measure(arguments: &BenchArgs) -> Measured {
    let mut stage = Stage::open().await?;
    let seconds = f64::from(arguments.seconds);
    let (pairs, count) = rounds(arguments, arguments.rounds.into(), async |number| {
        let (roomd, bare);
        if number % 2 == 0 {
            roomd = sender(&mut stage, seconds).await?;
            bare = bare_pipeline(&mut stage, seconds).await?;
        } else {
            bare = bare_pipeline(&mut stage, seconds).await?;
            roomd = sender(&mut stage, seconds).await?;
        }
        Ok(roomd.zip(bare))
    })
    .await?;
    let ratios: Vec<f64> = pairs.iter().map(|(roomd, bare)| roomd / bare).collect();
    let percent = |share: fn(&(f64, f64)) -> f64| -> Vec<f64> {
        pairs
            .iter()
            .map(|pair| share(pair) / seconds * 100.0)
            .collect()
    };
    let roomd = percent(|(roomd, _)| *roomd);
    let bare = percent(|(_, bare)| *bare);
    let figures = vec![
        Figure::of(
            "to 1 peer ÷ bare pipeline",
            "×",
            &ratios,
            median,
            Some(1.25),
            count,
        ),
        Figure::of("roomd, of one processor", "%", &roomd, median, None, count),
        Figure::of(
            "bare pipeline, of one processor",
            "%",
            &bare,
            median,
            None,
            count,
        ),
    ];
    Ok((figures, Vec::new()))
}

/// Processor seconds of a box that sends to one peer.
async fn sender(stage: &mut Stage, seconds: f64) -> anyhow::Result<Option<f64>> {
    let room = stage.room();
    let mut receiver = stage.start(&BoxSpec::receiver("receiver", &room)).await?;
    let mut sender = stage.start(&BoxSpec::sender("sender", &room)).await?;
    stage.until_picture("receiver").await?;
    sleep(SETTLING).await;
    stage.controller.catch_up();
    let before = proc::cpu_seconds(sender.pid())?;
    sleep(Duration::from_secs_f64(seconds)).await;
    let used = proc::cpu_seconds(sender.pid())? - before;
    let arrived = stage.pictures_arrived(&["receiver".to_owned()]);
    for program in [&mut sender, &mut receiver] {
        program.check()?;
    }
    sender.stop().await?;
    receiver.stop().await?;
    Ok(arrived.then_some(used))
}

/// Processor seconds of the bare pipeline in a process of its own.
async fn bare_pipeline(stage: &mut Stage, seconds: f64) -> anyhow::Result<Option<f64>> {
    let room = stage.room();
    let config = stage.config(&BoxSpec::sender("bare", &room))?;
    let arguments = [Path::new("bench"), Path::new("--bare"), &config];
    let mut program = Program::roomd("bare", stage.folder(), arguments)?;
    let pid = program.pid();
    // It tells once a second what it has encoded.
    for _ in 0..=SETTLING.as_secs() {
        encoded(&mut program).await?;
    }
    let (first, before) = (encoded(&mut program).await?, proc::cpu_seconds(pid)?);
    let mut last = first;
    for _ in 0..seconds as usize {
        last = encoded(&mut program).await?;
    }
    let used = proc::cpu_seconds(pid)? - before;
    program.stop().await?;
    let done = (last.pictures - first.pictures) as f64 >= FPS * seconds * ENOUGH
        && (last.sounds - first.sounds) as f64 >= SOUNDS * seconds * ENOUGH;
    Ok(done.then_some(used))
}

async fn encoded(program: &mut Program) -> anyhow::Result<Encoded> {
    let line = program.line().await?;
    parse(&line).with_context(|| format!("the bare pipeline says {line:?}"))
}

fn parse(line: &str) -> Option<Encoded> {
    let (pictures, sounds) = line.split_once(' ')?;
    Some(Encoded {
        pictures: pictures.parse().ok()?,
        sounds: sounds.parse().ok()?,
    })
}

/// The bare pipeline's own process: runs until its standard input ends or it is told to stop, and
/// prints once a second how many pictures and sounds it has encoded.
pub(super) async fn run_bare(config: &Path) -> anyhow::Result<()> {
    let sources = Sources {
        file: config.to_owned(),
        file_required: true,
        ..Sources::none()
    };
    let settings = config::load(&sources)?.config.media.settings;
    let (tell, mut failed) = mpsc::unbounded_channel();
    let pipelines = BarePipelines::start(&settings, move |reason| {
        // Nobody listens once it is over.
        let _ = tell.send(reason);
    })?;
    let mut input = tokio::io::stdin();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    loop {
        tokio::select! {
            _ = tick.tick() => {
                let Encoded { pictures, sounds } = pipelines.encoded();
                println!("{pictures} {sounds}");
            }
            reason = failed.recv() => bail!("the bare pipeline failed: {}", reason.unwrap_or_default()),
            _ = input.read_u8() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_bare_pipeline_tells_is_understood() {
        let told = Encoded {
            pictures: 30,
            sounds: 50,
        };
        assert_eq!(parse("30 50"), Some(told));
        assert_eq!(parse("thirty 50"), None);
    }
}
