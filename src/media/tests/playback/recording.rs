//! What a sound server's speaker was given: 16-bit stereo at 48 kHz.

use std::{
    f64::consts::TAU,
    io::Read,
    process::{Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use crate::child::Ended;

const RATE: f64 = 48_000.0;
/// A tenth of a second: whole periods of every frequency that is a multiple of 10 Hz.
const WINDOW: usize = 4_800;
const FRAME_BYTES: usize = 4;
/// Everything that the speaker plays, from now on.
pub(crate) struct Recording {
    sounds: mpsc::Receiver<Sound>,
    _recorder: Ended,
}

/// A tenth of a second of the left channel, full scale 1.
pub(crate) struct Sound(Vec<f64>);

impl Recording {
    /// Starts to listen to the server at `address`.
    pub(crate) fn of(address: &str) -> Self {
        let mut recorder = Command::new("parec")
            .arg(format!("--server={address}"))
            .args(["--device=speaker.monitor", "--raw", "--format=s16le"])
            .args(["--rate=48000", "--channels=2", "--latency-msec=50"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("parec is installed (package pulseaudio-utils)");
        let mut output = recorder.stdout.take().unwrap();
        let (tell, sounds) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = vec![0; WINDOW * FRAME_BYTES];
            // Until the recorder ends, or the test.
            while output.read_exact(&mut bytes).is_ok() && tell.send(Sound::of(&bytes)).is_ok() {}
        });
        Self {
            sounds,
            _recorder: Ended(recorder),
        }
    }

    /// The first sound for which `holds` is true; fails after 20 s.
    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn(&Sound) -> bool) -> Sound {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut heard = String::from("nothing");
        while let Ok(sound) = self
            .sounds
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
