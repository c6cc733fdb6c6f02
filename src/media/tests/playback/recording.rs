//! What an ALSA device of type `file` was given: 16-bit stereo at 48 kHz.

use std::{
    f64::consts::TAU,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const RATE: f64 = 48_000.0;
/// A tenth of a second: whole periods of every frequency that is a multiple of 10 Hz.
const WINDOW: usize = 4_800;
const FRAME_BYTES: usize = 4;

/// The file, read as it grows.
pub(crate) struct Recording(PathBuf);

/// The newest tenth of a second of the left channel, full scale 1.
pub(crate) struct Sound(Vec<f64>);

impl Recording {
    pub(crate) fn of(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The first sound for which `holds` is true; fails after 20 s.
    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn(&Sound) -> bool) -> Sound {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut seen = 0;
        loop {
            let length = std::fs::metadata(&self.0).unwrap().len();
            if length > seen
                && let Some(sound) = self.newest(length)
            {
                seen = length;
                if holds(&sound) {
                    return sound;
                }
                if Instant::now() > deadline {
                    panic!(
                        "{what}: not heard within 20 s; peak {}, 440 Hz {} dBFS, 1320 Hz {} dBFS",
                        sound.peak(),
                        sound.level(440.0),
                        sound.level(1320.0)
                    );
                }
            }
            assert!(
                Instant::now() < deadline,
                "{what}: not heard within 20 s, {length} bytes recorded"
            );
            std::thread::yield_now();
        }
    }

    fn newest(&self, length: u64) -> Option<Sound> {
        let wanted = (WINDOW * FRAME_BYTES) as u64;
        let end = length - length % FRAME_BYTES as u64;
        let start = end.checked_sub(wanted)?;
        let mut file = File::open(&self.0).unwrap();
        file.seek(SeekFrom::Start(start)).unwrap();
        let mut bytes = vec![0; WINDOW * FRAME_BYTES];
        file.read_exact(&mut bytes).unwrap();
        let left = bytes
            .chunks_exact(FRAME_BYTES)
            .map(|frame| f64::from(i16::from_le_bytes([frame[0], frame[1]])) / 32_768.0);
        Some(Sound(left.collect()))
    }
}

impl Sound {
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
