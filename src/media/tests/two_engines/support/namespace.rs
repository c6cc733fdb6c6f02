//! Runs a test in a network namespace with one address: libnice leaves loopback alone, and nothing of
//! the machine's network is touched.

use std::{future::Future, process::Command, time::Duration};

const INSIDE: &str = "ROOMD_MEDIA_TEST_INSIDE_NAMESPACE";
const LOOPBACK_ONLY: &str = "ip link set lo up && exec \"$0\" \"$@\"";
const SET_UP: &str = "ip link set lo up && ip link add room0 type veth peer name room1 \
    && ip addr add 10.77.0.1/24 dev room0 && ip link set room0 up && ip link set room1 up && exec \"$0\" \"$@\"";

/// Runs `body` inside a namespace by executing this test binary again for the test `name`. Where no
/// namespace can be made the test says so loudly and does nothing.
pub fn run<F: Future<Output = ()>>(name: &str, limit: Duration, body: impl FnOnce() -> F) {
    inside(name, SET_UP, limit, body);
}

/// The same with the loopback interface alone.
pub fn run_without_network<F: Future<Output = ()>>(
    name: &str,
    limit: Duration,
    body: impl FnOnce() -> F,
) {
    inside(name, LOOPBACK_ONLY, limit, body);
}

fn inside<F: Future<Output = ()>>(
    name: &str,
    set_up: &str,
    limit: Duration,
    body: impl FnOnce() -> F,
) {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            tokio::time::timeout(limit, body())
                .await
                .expect("the test took too long")
        });
        return;
    }
    let Some(flags) = ["-n", "-rn"].into_iter().find(|flags| can_unshare(flags)) else {
        eprintln!(
            "\n*** SKIPPED {name}: `unshare -n` is not allowed here, so there is no network to test in ***\n"
        );
        return;
    };
    let sound_card = sound_card();
    let status = Command::new("unshare")
        .args([flags, "sh", "-c", set_up])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .env(
            "ALSA_CONFIG_PATH",
            format!(
                "/usr/share/alsa/alsa.conf:{}",
                sound_card.path().join("asound.conf").display()
            ),
        )
        .env(MICROPHONE, sound_card.path().join("microphone"))
        .env("G_DEBUG", "fatal-criticals")
        .status()
        .unwrap();
    assert!(
        status.success(),
        "{name} failed inside its namespace: {status}"
    );
}

fn can_unshare(flags: &str) -> bool {
    Command::new("unshare")
        .args([flags, "true"])
        .status()
        .is_ok_and(|status| status.success())
}

/// Where the PCM `roomd_test_microphone` takes its samples from.
const MICROPHONE: &str = "ROOMD_MEDIA_TEST_MICROPHONE";

/// An ALSA configuration with the PCM `roomd_test_microphone`, which reads from a FIFO.
fn sound_card() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("microphone");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let configuration = format!(
        "pcm.roomd_test_microphone {{ type plug slave {{ rate 48000 channels 2 format S16_LE pcm {{ type file \
         slave.pcm {{ type null }} file \"/dev/null\" infile \"{}\" format \"raw\" }} }} }}\n",
        fifo.display()
    );
    std::fs::write(directory.path().join("asound.conf"), configuration).unwrap();
    directory
}

/// Plays a tone of 880 Hz at -20 dBFS RMS into the PCM at the pace of a sound card, until it is closed.
pub fn play_into_microphone() {
    use std::io::Write as _;

    let path = std::env::var_os(MICROPHONE).unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "the pace of a sound card is its purpose"
    )]
    std::thread::spawn(move || {
        let mut fifo = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        let peak = 0.1 * std::f64::consts::SQRT_2 * 32767.0;
        let start = std::time::Instant::now();
        for period in 0u32.. {
            let samples: Vec<u8> = (period * 480..(period + 1) * 480)
                .flat_map(|n| {
                    let sample = (peak
                        * (std::f64::consts::TAU * 880.0 * f64::from(n) / 48_000.0).sin())
                        as i16;
                    [sample.to_le_bytes(), sample.to_le_bytes()].concat()
                })
                .collect();
            if fifo.write_all(&samples).is_err() {
                return;
            }
            // The crystal of this sound card.
            std::thread::sleep(
                (start + Duration::from_millis(10) * period)
                    .saturating_duration_since(std::time::Instant::now()),
            );
        }
    });
}
