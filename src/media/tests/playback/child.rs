//! A test runs in a process of its own, because the display and ALSA are found by the environment.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::timeline::SCREEN;

const MARK: &str = "ROOMD_TEST_CHILD";

/// Runs `body` in a process that has an X server of its own.
pub(crate) fn under_x(test: &str, body: impl AsyncFnOnce()) {
    if env::var_os(MARK).is_some() {
        return block_on(body());
    }
    let screen = format!("{}x{}x24", SCREEN.0, SCREEN.1);
    let server = Command::new("Xvfb")
        .args([
            "-displayfd",
            "1",
            "-nolisten",
            "tcp",
            "-screen",
            "0",
            &screen,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Xvfb is installed (package xvfb)");
    let mut server = Ended(server);
    let mut number = String::new();
    BufReader::new(server.0.stdout.take().unwrap())
        .read_line(&mut number)
        .unwrap();
    let display = format!(":{}", number.trim());
    run_again(test, &[("DISPLAY", &display)]);
}

/// Runs `body` in a process whose default ALSA device writes 16-bit stereo at 48 kHz into the given FIFO. Whoever
/// reads it paces the device: a plain file would take all it can get and run thousands of times too fast.
pub(crate) fn under_alsa(test: &str, body: impl AsyncFnOnce(PathBuf)) {
    if env::var_os(MARK).is_some() {
        return block_on(body(PathBuf::from(
            env::var_os("ROOMD_TEST_RECORDING").unwrap(),
        )));
    }
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("speaker.raw");
    let configuration = folder.path().join("asound.conf");
    let made = Command::new("mkfifo").arg(&recording).status().unwrap();
    assert!(made.success(), "mkfifo: {made}");
    std::fs::write(&configuration, alsa_configuration(&recording)).unwrap();
    let path = format!("/usr/share/alsa/alsa.conf:{}", configuration.display());
    run_again(
        test,
        &[
            ("ALSA_CONFIG_PATH", &path),
            ("ROOMD_TEST_RECORDING", recording.to_str().unwrap()),
        ],
    );
}

fn alsa_configuration(recording: &Path) -> String {
    format!(
        r#"pcm.recording {{ type file slave.pcm "null" file "{}" format "raw" }}
pcm.!default {{ type plug slave {{ pcm "recording" format S16_LE rate 48000 channels 2 }} }}
"#,
        recording.display()
    )
}

fn run_again(test: &str, environment: &[(&str, &str)]) {
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env_remove("WAYLAND_DISPLAY")
        .env(MARK, "1")
        .envs(environment.iter().copied())
        .status()
        .unwrap();
    assert!(status.success(), "{test} failed in its process: {status}");
}

fn block_on(body: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(body);
}

/// A process that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill(); // It may have ended by itself.
        let _ = self.0.wait();
    }
}
