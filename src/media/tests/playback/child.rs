//! A test runs in a process of its own, because the display and ALSA are found by the environment.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::timeline::SCREEN;

const MARK: &str = "ROOMD_TEST_CHILD";
const SERVER: &str = "ROOMD_TEST_SOUND_SERVER";

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

/// Runs `body` in a process whose default ALSA device is a sound server without a card; `body` gets its address. The
/// server takes sound at the pace of a clock, as a card does. A PCM of type `file` would block inside the write, while
/// alsasink holds the lock that it needs to ask for the delay.
pub(crate) fn under_alsa(test: &str, body: impl AsyncFnOnce(String)) {
    if env::var_os(MARK).is_some() {
        return block_on(body(env::var(SERVER).unwrap()));
    }
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let address = format!("unix:{}", socket.display());
    let _server = sound_server(&socket);
    let configuration = folder.path().join("asound.conf");
    let default =
        format!("pcm.!default {{ type pulse server \"{address}\" device \"speaker\" }}\n");
    std::fs::write(&configuration, default).unwrap();
    let path = format!("/usr/share/alsa/alsa.conf:{}", configuration.display());
    run_again(test, &[("ALSA_CONFIG_PATH", &path), (SERVER, &address)]);
}

/// A sound server with one speaker, at a socket; it runs when this returns.
pub(crate) fn sound_server(socket: &Path) -> Ended {
    let folder = socket.parent().unwrap();
    let server = Command::new("pulseaudio")
        .args([
            "-n",
            "--daemonize=no",
            "--use-pid-file=no",
            "--exit-idle-time=-1",
            "--disable-shm=yes",
            "--log-level=info",
            "--load=module-null-sink sink_name=speaker rate=48000 channels=2 format=s16le",
        ])
        .arg(format!(
            "--load=module-native-protocol-unix auth-anonymous=1 socket={}",
            socket.display()
        ))
        .env("HOME", folder)
        .env("XDG_RUNTIME_DIR", folder)
        .stderr(Stdio::piped())
        .spawn()
        .expect("PulseAudio is installed (package pulseaudio)");
    let mut server = Ended(server);
    let mut log = BufReader::new(server.0.stderr.take().unwrap()).lines();
    assert!(
        log.any(|line| line.unwrap().contains("startup complete")),
        "PulseAudio has ended"
    );
    // Its log is read on, so that it never waits for us.
    std::thread::spawn(move || log.for_each(drop));
    server
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
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill(); // It may have ended by itself.
        let _ = self.0.wait();
    }
}
