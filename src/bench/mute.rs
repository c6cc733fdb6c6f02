//! From the command to mute to the last packet of sound, seen on the wire.

use std::{collections::HashMap, time::SystemTime};

use anyhow::{Context, bail};
use tokio::{process::Command, time::timeout};

use super::{
    Measured,
    command::pause,
    controller::PATIENCE,
    packets::{RtpPacket, Witness},
    program::Program,
    report::Figure,
    rounds::rounds,
    stage::{BoxSpec, Stage},
    statistics::percentile,
};
use crate::cli::BenchArgs;

/// Mutes of a round.
const MUTES: usize = 40;

/// Mutes a box in a call again and again, at random times, on a machine with time and on one without.
pub(super) async fn measure(arguments: &BenchArgs) -> Measured {
    let mut stage = Stage::open().await?;
    let mut witness = Witness::start(stage.folder()).await?;
    let room = stage.room();
    let receiver = stage.start(&BoxSpec::receiver("receiver", &room)).await?;
    let sender = stage.start(&BoxSpec::sender("sender", &room)).await?;
    stage.until_picture("receiver").await?;
    let (mut figures, mut notes) = (Vec::new(), Vec::new());
    for is_busy in [false, true] {
        let busy = if is_busy {
            all_processors_busy(&stage)?
        } else {
            Vec::new()
        };
        let (kept, count) = rounds(arguments, arguments.rounds.into(), async |_| {
            round(&mut stage, &mut witness).await.map(Some)
        })
        .await?;
        for program in busy {
            program.stop().await?;
        }
        let delays: Vec<f64> = kept.into_iter().flatten().collect();
        let when = if is_busy { ", all processors busy" } else { "" };
        for (percent, goal) in [(50.0, None), (95.0, Some(40.0)), (100.0, None)] {
            let statistic = |samples: &[f64]| percentile(samples, percent);
            let name = format!("to the last packet of sound p{percent}{when}");
            figures.push(Figure::of(name, "ms", &delays, statistic, goal, count));
        }
        let after = delays.iter().filter(|delay| **delay > 0.0).count();
        notes.push(format!(
            "after {after} of {} commands a packet of sound left at all{when}; a negative delay is the age of the last one",
            delays.len()
        ));
    }
    sender.stop().await?;
    receiver.stop().await?;
    witness.stop().await?;
    Ok((figures, notes))
}

/// As many programs as processors that do nothing but use them.
fn all_processors_busy(stage: &Stage) -> anyhow::Result<Vec<Program>> {
    let processors = std::thread::available_parallelism()?.get();
    (0..processors)
        .map(|number| {
            let mut command = Command::new("sh");
            command.args(["-c", "while :; do :; done"]);
            Program::start(&format!("busy-{number}"), stage.folder(), &mut command)
        })
        .collect()
}

/// Milliseconds from each command to the last packet before the microphone was on again.
async fn round(stage: &mut Stage, witness: &mut Witness) -> anyhow::Result<Vec<f64>> {
    let mut muted = Vec::new();
    let began = SystemTime::now();
    for _ in 0..MUTES {
        pause().await;
        let off = toggle(stage, "OFF", "muted").await?;
        pause().await;
        let on = toggle(stage, "ON", "on").await?;
        muted.push((off, on));
    }
    pause().await;
    let ended = SystemTime::now();
    let mut packets = Vec::new();
    loop {
        let packet = timeout(PATIENCE, witness.next())
            .await
            .context("no more packets are seen although the microphone is on")??;
        if packet.at > ended {
            break;
        }
        if packet.at >= began {
            packets.push(packet);
        }
    }
    let sound = sound_of(&packets)?;
    muted
        .into_iter()
        .map(|(off, on)| {
            last_before(&sound, on)
                .map(|last| milliseconds(off, last))
                .context("no packet of sound before a mute")
        })
        .collect()
}

async fn toggle(stage: &mut Stage, payload: &str, state: &str) -> anyhow::Result<SystemTime> {
    stage.controller.catch_up();
    let sent = stage
        .controller
        .command("sender", "toggle_microphone", payload)
        .await?;
    stage
        .controller
        .next_state("sender", "local_media", |part| {
            part["microphone"]["state"] == state
        })
        .await?;
    Ok(sent.wall)
}

/// The times of the one stream of Opus.
fn sound_of(packets: &[RtpPacket]) -> anyhow::Result<Vec<SystemTime>> {
    let mut streams: HashMap<u32, Vec<SystemTime>> = HashMap::new();
    for packet in packets.iter().filter(|packet| packet.payload_type == OPUS) {
        streams.entry(packet.ssrc).or_default().push(packet.at);
    }
    let found = streams.len();
    match streams.into_values().next() {
        Some(times) if found == 1 => Ok(times),
        _ => bail!(
            "{found} streams of sound are on the loopback interface, expected one: does something else use it?"
        ),
    }
}

/// The payload type of Opus, in roomd's offers as in Chromium's.
const OPUS: u8 = 111;

fn last_before(times: &[SystemTime], end: SystemTime) -> Option<SystemTime> {
    times.iter().rev().find(|time| **time < end).copied()
}

/// From one time to another, negative when the other is earlier.
fn milliseconds(from: SystemTime, to: SystemTime) -> f64 {
    match to.duration_since(from) {
        Ok(later) => later.as_secs_f64() * 1000.0,
        Err(earlier) => -earlier.duration().as_secs_f64() * 1000.0,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    fn packet(time: u64, payload_type: u8, ssrc: u32) -> RtpPacket {
        RtpPacket {
            at: at(time),
            payload_type,
            ssrc,
        }
    }

    #[test]
    fn the_last_packet_of_sound_counts_whatever_else_is_sent() {
        let packets = [
            packet(100, OPUS, 1),
            packet(120, OPUS, 1),
            packet(130, 96, 2),
            packet(300, OPUS, 1),
        ];
        let sound = sound_of(&packets).unwrap();
        let last = last_before(&sound, at(300)).unwrap();
        assert!((milliseconds(at(110), last) - 10.0).abs() < 1e-9);
        assert!((milliseconds(at(125), last) + 5.0).abs() < 1e-9);
        assert_eq!(last_before(&sound, at(100)), None);
    }

    #[test]
    fn the_sound_of_somebody_else_is_noticed() {
        assert!(sound_of(&[packet(1, OPUS, 1), packet(2, OPUS, 9)]).is_err());
        assert!(sound_of(&[packet(1, 96, 1)]).is_err());
    }
}
