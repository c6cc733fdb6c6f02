//! What an ALSA device of type `file` was given: 16-bit stereo at 48 kHz, taken at the pace of a real device.

use std::{
    f64::consts::TAU,
    fs::File,
    io::Read,
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

use gst::prelude::*;
use gstreamer as gst;

use crate::timeline::Timeline;

const RATE: f64 = 48_000.0;
/// A tenth of a second: whole periods of every frequency that is a multiple of 10 Hz.
const WINDOW: usize = 4_800;
const FRAME_BYTES: usize = 4;
/// Ten milliseconds.
const PERIOD_BYTES: usize = 480 * FRAME_BYTES;

/// The device's far end: a thread that takes ten milliseconds every ten milliseconds, as a sound card's period.
pub(crate) struct Recording(mpsc::Receiver<Sound>);

/// A tenth of a second of the left channel, full scale 1.
pub(crate) struct Sound(Vec<f64>);

impl Recording {
    /// Starts to take from the FIFO, which lives as long as the process of this test.
    pub(crate) fn of(timeline: &Timeline, fifo: &Path) -> Self {
        // Both directions: opening waits for no writer, and the FIFO never ends.
        let mut device = File::options().read(true).write(true).open(fifo).unwrap();
        let pace = timeline
            .clock
            .new_periodic_id(timeline.clock.time(), gst::ClockTime::from_mseconds(10));
        let (sounds, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = vec![0; WINDOW * FRAME_BYTES];
            loop {
                for period in bytes.chunks_exact_mut(PERIOD_BYTES) {
                    let _ = pace.wait(); // Late or in time: the next period is due.
                    device.read_exact(period).unwrap();
                }
                if sounds.send(Sound::of(&bytes)).is_err() {
                    return; // The test is over.
                }
            }
        });
        Self(receiver)
    }

    /// The first sound for which `holds` is true; fails after 20 s.
    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn(&Sound) -> bool) -> Sound {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut heard = String::from("nothing");
        while let Ok(sound) = self
            .0
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            if holds(&sound) {
                return sound;
            }
            heard = format!(
                "peak {}, 440 Hz {:.1} dBFS, 1320 Hz {:.1} dBFS",
                sound.peak(),
                sound.level(440.0),
                sound.level(1320.0)
            );
        }
        panic!("{what}: not heard within 20 s; at last {heard}");
    }
}

impl Sound {
    fn of(bytes: &[u8]) -> Self {
        let left = bytes
            .chunks_exact(FRAME_BYTES)
            .map(|frame| i16::from_le_bytes([frame[0], frame[1]]));
        Self(left.map(|sample| f64::from(sample) / 32_768.0).collect())
    }

    pub(crate) fn peak(&self) -> f64 {
        self.0
            .iter()
            .fold(0.0, |peak, sample| peak.max(sample.abs()))
    }

    /// Level of one frequency in dBFS of its peak (Goertzel's algorithm).
    pub(crate) fn level(&self, frequency: f64) -> f64 {
        let coefficient = 2.0 * (TAU * frequency / RATE).cos();
        let (last, before) = self.0.iter().fold((0.0, 0.0), |(last, before), sample| {
            (sample + coefficient * last - before, last)
        });
        let power = last * last + before * before - coefficient * last * before;
        20.0 * (2.0 * power.max(0.0).sqrt() / self.0.len() as f64)
            .max(1e-9)
            .log10()
    }
}
