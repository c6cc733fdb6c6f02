//! Buttons, switches and lights of a whole appliance in a room: the daemon and a room server in this process. LEDs are
//! folders of plain files. With `/dev/uinput` a key and a mute switch are real devices of the kernel;
//! without, that test says `*** SKIPPED`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use evdev::{AttributeSet, EventType, InputEvent, KeyCode, SwitchCode, uinput::VirtualDevice};
use roomd::{
    appliance::{
        ApplianceState, ChangeSource, ChangedBy, Command, CommandError, ErrorCode, Request,
        state::MediaState,
    },
    config::{self, Config, Sources},
    daemon::{self, Daemon},
};
use roomd_room::{Action, ConnectionStatus};
use roomd_server::RunningServer;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{sync::oneshot, time::timeout};

const PATIENCE: Duration = Duration::from_secs(60);

/// An appliance in a room.
struct Wall {
    daemon: Daemon,
    server: RunningServer,
    folder: TempDir,
}

fn configuration(folder: &Path, server: &str, controls: &str) -> Config {
    let file = folder.join("roomd.toml");
    let state = folder.join("state");
    let text = format!(
        r#"[room]
url = "{server}"
[media]
camera = "test"
microphone = {{ test = {{ frequency = 440.0, level_dbfs = -30.0 }} }}
speaker = "none"
display = "none"
allow_loopback = true
[media.camera_encoding]
width = 320
height = 240
fps = 10
[state]
dir = {state:?}
[server]
listen = "127.0.0.1:0"
tls = {{ mode = "off" }}
[controls]
{controls}
"#
    );
    fs::write(&file, text).unwrap();
    let sources = Sources {
        file,
        file_required: true,
        ..Sources::none()
    };
    let mut config = config::load(&sources).unwrap().config;
    config.controls.places.leds = folder.join("leds");
    config
}

impl Wall {
    async fn in_a_room(folder: TempDir, controls: &str) -> Self {
        // Whoever was first installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let any = configuration(folder.path(), "http://localhost/any", controls);
        let mut settings = any.server.clone();
        settings.state_dir = None;
        let server = roomd_server::start(settings).await.unwrap();
        let url = format!("http://{}/panel", server.local_addr());
        let config = configuration(folder.path(), &url, controls);
        let daemon = daemon::start(&config, None).unwrap();
        let mut wall = Self {
            daemon,
            server,
            folder,
        };
        wall.until(|state| state.room.connection_status == ConnectionStatus::Connected)
            .await;
        wall
    }

    async fn until(&mut self, is_so: impl Fn(&ApplianceState) -> bool) -> ApplianceState {
        let wait = self.daemon.state.wait_for(|state| is_so(state));
        let found = timeout(PATIENCE, wait).await;
        let found = found.ok().map(|state| state.unwrap().clone());
        found.unwrap_or_else(|| panic!("never so, but {:?}", *self.daemon.state.borrow()))
    }

    async fn microphone(&mut self, wanted: MediaState) -> ApplianceState {
        self.until(|state| state.local_media.microphone.state == wanted)
            .await
    }

    async fn command(&self, command: Command) -> Result<Value, CommandError> {
        let (reply, answer) = oneshot::channel();
        let request = Request {
            command,
            by: ChangedBy::source(ChangeSource::Mqtt),
            reply,
        };
        self.daemon.requests.send(request).await.unwrap();
        timeout(PATIENCE, answer).await.unwrap().unwrap()
    }

    fn led(&self, name: &str) -> PathBuf {
        self.folder.path().join("leds").join(name)
    }

    async fn end(self) {
        self.daemon.stop().await;
        self.server.shutdown().await;
    }
}

fn toggle(on: bool) -> Command {
    Command::Room(Action::ToggleMicrophone(Some(on)))
}

/// A LED that takes what is written.
fn plain_led(folder: &Path, name: &str) {
    let led = folder.join("leds").join(name);
    fs::create_dir_all(&led).unwrap();
    for (file, text) in [
        ("brightness", "0\n"),
        ("max_brightness", "255\n"),
        ("trigger", "[none]\n"),
    ] {
        fs::write(led.join(file), text).unwrap();
    }
}

/// A file that is written anew is empty for a moment.
fn brightness(led: &Path) -> u32 {
    loop {
        if let Ok(level) = fs::read_to_string(led.join("brightness"))
            .unwrap()
            .trim()
            .parse()
        {
            return level;
        }
        std::thread::yield_now();
    }
}

async fn until_lit(led: &Path, lit: bool) {
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    let found = timeout(PATIENCE, async {
        while (brightness(led) > 0) != lit {
            tick.tick().await;
        }
    });
    found
        .await
        .unwrap_or_else(|_| panic!("{} never {lit}", led.display()));
}

const LIGHTS: &str = r#"lights = [
    { led = "room:red:mute", shows = ["muted"] },
    { led = "room:green:live", shows = ["live"] },
]"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_lights_of_a_box_follow_its_microphone_and_go_dark_with_it() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["room:red:mute", "room:green:live"] {
        plain_led(folder.path(), name);
    }
    let mut wall = Wall::in_a_room(folder, LIGHTS).await;
    let (red, green) = (wall.led("room:red:mute"), wall.led("room:green:live"));
    until_lit(&red, true).await;
    assert_eq!(brightness(&green), 0);
    for _ in 0..5 {
        wall.command(toggle(true)).await.unwrap();
        until_lit(&green, true).await;
        until_lit(&red, false).await;
        // Steady, not blinking: nothing is pending any more.
        wall.until(|state| {
            state
                .controls
                .lights
                .iter()
                .all(|light| light.look.pattern.as_str() != "blink")
        })
        .await;
        wall.command(toggle(false)).await.unwrap();
        until_lit(&red, true).await;
        until_lit(&green, false).await;
    }
    wall.microphone(MediaState::Muted).await;
    let folder = wall.folder.path().to_owned();
    let leds = folder.join("leds");
    let kept = leds.join("room:red:mute");
    wall.daemon.stop().await;
    assert_eq!(brightness(&kept), 0);
    wall.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_is_not_there_keeps_the_box_muted_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let controls = r#"switches = [{ name = "slider", switch = "SW_MUTE_DEVICE", device = "no such device", mutes = "microphone" }]"#;
    let mut wall = Wall::in_a_room(folder, controls).await;
    let error = wall.command(toggle(true)).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::WrongState);
    assert!(error.message.contains("slider"), "{error:?}");
    let state = wall.microphone(MediaState::Muted).await;
    assert!(
        state
            .problems
            .iter()
            .any(|problem| problem.code == "switch_unknown")
    );
    assert_eq!(state.controls.switches[0].name, "slider");
    wall.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_unmutes_a_switch_overrules_it_and_pulling_it_out_mutes() {
    let name = "roomd test panel";
    let keys = AttributeSet::from_iter([KeyCode::KEY_MICMUTE]);
    let switches = AttributeSet::from_iter([SwitchCode::SW_MUTE_DEVICE]);
    let made = VirtualDevice::builder().and_then(|builder| {
        let builder = builder.name(name).with_keys(&keys)?;
        builder.with_switches(&switches)?.build()
    });
    let mut device = match made {
        Ok(device) => device,
        Err(error) => {
            // Not through `println!`, which the harness keeps for itself.
            let skipped = format!(
                "\n*** SKIPPED: no input device can be made with /dev/uinput: {error} ***\n"
            );
            std::io::Write::write_all(&mut std::io::stderr(), skipped.as_bytes()).unwrap();
            return;
        }
    };
    let mut emit = |kind: EventType, code: u16, value: i32| {
        device
            .emit(&[InputEvent::new(kind.0, code, value)])
            .unwrap();
    };
    let folder = tempfile::tempdir().unwrap();
    plain_led(folder.path(), "room:red:mute");
    let controls = format!(
        r#"buttons = [{{ name = "top", key = "KEY_MICMUTE", device = "{name}", press = "toggle_microphone" }}]
switches = [{{ switch = "SW_MUTE_DEVICE", device = "{name}", mutes = "microphone" }}]
lights = [{{ led = "room:red:mute", shows = ["muted"] }}]"#
    );
    let mut wall = Wall::in_a_room(folder, &controls).await;
    let red = wall.led("room:red:mute");
    wall.until(|state| state.controls.switches[0].reason.is_none() && state.problems.is_empty())
        .await;
    until_lit(&red, true).await;

    emit(EventType::KEY, KeyCode::KEY_MICMUTE.code(), 1);
    emit(EventType::KEY, KeyCode::KEY_MICMUTE.code(), 0);
    let state = wall.microphone(MediaState::On).await;
    let cause = state.local_media.changed_by.clone().unwrap();
    assert_eq!(
        (cause.source, cause.id.as_deref()),
        (ChangeSource::Button, Some("top"))
    );
    until_lit(&red, false).await;

    emit(EventType::SWITCH, SwitchCode::SW_MUTE_DEVICE.0, 1);
    let state = wall.microphone(MediaState::Muted).await;
    let cause = state.local_media.changed_by.clone().unwrap();
    assert_eq!(cause.source, ChangeSource::Switch);
    until_lit(&red, true).await;
    let error = wall.command(toggle(true)).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::WrongState);

    emit(EventType::SWITCH, SwitchCode::SW_MUTE_DEVICE.0, 0);
    wall.until(|state| {
        state.controls.switches[0].state == Some(roomd_controls::switch::SwitchState::Released)
    })
    .await;
    wall.command(toggle(true)).await.unwrap();
    drop(device);
    wall.microphone(MediaState::Muted).await;
    wall.end().await;
}
