//! What arrives at a real notification socket, and what systemd itself says about the units.

use std::{
    env, fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use super::{Notifier, Part, Watchdog};

const UNITS: [&str; 2] = ["roomd.service", "roomd-room-server.service"];

/// The service's side of the test below. It needs the variables that systemd sets, which a process
/// cannot give itself, so the other test starts this one in a process of its own.
#[test]
#[ignore = "started by the_service_manager_hears_what_the_service_says"]
fn service_in_its_own_process() {
    let mut notifier = Notifier::new();
    let mut watchdog = Watchdog::from_environment(&[Part::RoomLoop, Part::Media]).unwrap();
    assert_eq!(watchdog.interval(), Duration::from_millis(2500));

    notifier.ready("joining");
    notifier.status("in the room\nMAINPID=1");
    notifier.status("in the room\nMAINPID=1");
    let start = Instant::now();
    for second in 0..60 {
        watchdog.progressed(Part::RoomLoop, start + Duration::from_secs(second));
    }
    notifier.status("the room loop turned for a minute");
    watchdog.progressed(Part::Media, start + Duration::from_secs(60));
    notifier.stopping("leaving");
}

#[test]
fn the_service_manager_hears_what_the_service_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();

    let service = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "systemd::tests::service_in_its_own_process",
            "--ignored",
        ])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "10000000")
        .env_remove("WATCHDOG_PID")
        .output()
        .unwrap();
    assert!(service.status.success(), "{service:?}");

    let expected = [
        "READY=1\nSTATUS=joining\n",
        "STATUS=in the room MAINPID=1\n",
        "STATUS=the room loop turned for a minute\n",
        "WATCHDOG=1\n",
        "STOPPING=1\nSTATUS=leaving\n",
    ];
    let mut buffer = [0; 4096];
    for message in expected {
        let length = socket.recv(&mut buffer).unwrap();
        assert_eq!(std::str::from_utf8(&buffer[..length]).unwrap(), message);
    }
    socket.set_nonblocking(true).unwrap();
    assert!(
        socket.recv(&mut buffer).is_err(),
        "more was said than expected"
    );
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let directory = tempfile::tempdir().unwrap();
    for unit in UNITS {
        // The program is not installed where the tests run; everything else stays as it is.
        let text = fs::read_to_string(in_repository(unit)).unwrap();
        assert!(text.contains("ExecStart=/usr/bin/roomd "), "{unit}");
        let copy = directory.path().join(unit);
        fs::write(
            &copy,
            text.replace("ExecStart=/usr/bin/roomd ", "ExecStart=/bin/true "),
        )
        .unwrap();
        let verdict = analyze(&["verify", "--man=no"], &copy);
        assert!(verdict.status.success(), "{unit}: {verdict:?}");
        assert!(
            verdict.stderr.is_empty() && verdict.stdout.is_empty(),
            "{unit}: {verdict:?}"
        );
    }
}

#[test]
fn the_units_are_hardened() {
    for unit in UNITS {
        // The threshold is the exposure times ten.
        let verdict = analyze(
            &["security", "--offline=true", "--threshold=20", "--no-pager"],
            &in_repository(unit),
        );
        assert!(
            verdict.status.success(),
            "{unit}: {}",
            String::from_utf8_lossy(&verdict.stdout)
        );
    }
}

#[test]
fn a_wrong_configuration_does_not_restart_for_ever() {
    for unit in UNITS {
        let text = fs::read_to_string(in_repository(unit)).unwrap();
        let line = format!("RestartPreventExitStatus={}\n", crate::config::EX_CONFIG);
        assert!(text.contains(&line), "{unit}");
    }
}

fn analyze(arguments: &[&str], unit: &Path) -> std::process::Output {
    Command::new("systemd-analyze")
        .args(arguments)
        .arg(unit)
        .output()
        .expect("systemd-analyze is installed with systemd")
}

fn in_repository(unit: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("systemd")
        .join(unit)
}
