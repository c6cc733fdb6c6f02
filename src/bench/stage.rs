//! What every measurement needs around it: a room server, a broker, a controller, and boxes.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;

use super::{
    controller::{Controller, PATIENCE},
    program::Program,
};
use crate::broker;

/// Frames per second of every camera here.
pub(super) const FPS: f64 = 30.0;
/// Share of the frames that must arrive, else a round is void.
const ENOUGH: f64 = 0.9;

/// How often is looked whether a program is there.
const POLL: Duration = Duration::from_millis(20);

/// What a box has and does.
#[derive(Clone, Debug)]
pub(super) struct BoxSpec {
    /// Its id.
    pub(super) device: String,
    /// The room it joins at once.
    pub(super) room: Option<String>,
    /// Whether it sends picture and sound: a test picture and a tone.
    pub(super) sends: bool,
    /// Bitrate of its picture in bit/s.
    pub(super) bitrate: u32,
    /// The codec of its picture.
    pub(super) codec: &'static str,
}

impl BoxSpec {
    /// A box that sends what a box sends when nothing is configured: 720p with 30 frames per second.
    pub(super) fn sender(device: &str, room: &str) -> Self {
        Self {
            device: device.to_owned(),
            room: Some(room.to_owned()),
            sends: true,
            bitrate: 1_500_000,
            codec: "vp8",
        }
    }

    /// A box that only receives, and decodes nothing.
    pub(super) fn receiver(device: &str, room: &str) -> Self {
        Self {
            sends: false,
            ..Self::sender(device, room)
        }
    }
}

/// Room server, broker and controller.
pub(super) struct Stage {
    folder: TempDir,
    broker: SocketAddr,
    origin: String,
    rooms: usize,
    boxes: usize,
    /// The controller.
    pub(super) controller: Controller,
    _server: Program,
}

const SERVER: &str = r#"[server]
tls = { mode = "off" }
unlisted_mode = "group"
[server.limits]
clients_per_group_room = 12
devices_per_minute = 1000
"#;

impl Stage {
    /// Starts everything but the boxes.
    pub(super) async fn open() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        let config = folder.path().join("server.toml");
        std::fs::write(&config, SERVER)?;
        let arguments = ["room-server", "--ephemeral", "--listen", "127.0.0.1:0"];
        let server = Program::roomd(
            "room-server",
            folder.path(),
            arguments
                .map(PathBuf::from)
                .into_iter()
                .chain(["--config".into(), config]),
        )?;
        let origin = timeout(PATIENCE, page_url(&server))
            .await
            .with_context(|| format!("the room server does not start:\n{}", server.tail()))?;
        let broker = broker::start(0)?;
        timeout(PATIENCE, accepts(broker))
            .await
            .context("the broker does not start")?;
        let controller = Controller::connect(broker).await?;
        Ok(Self {
            folder,
            broker,
            origin,
            rooms: 0,
            boxes: 0,
            controller,
            _server: server,
        })
    }

    /// The address of a room that nobody was in.
    pub(super) fn room(&mut self) -> String {
        self.rooms += 1;
        format!("{}/bench-{}", self.origin, self.rooms)
    }

    /// The folder for what a measurement writes.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Writes the configuration of a box.
    pub(super) fn config(&mut self, spec: &BoxSpec) -> anyhow::Result<PathBuf> {
        self.boxes += 1;
        let text = configuration(
            spec,
            self.broker,
            &self
                .folder
                .path()
                .join(format!("state-{}", self.boxes))
                .display()
                .to_string(),
        );
        let file = self.folder.path().join(format!("{}.toml", self.boxes));
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    /// Starts a box and waits until it is in its room, or without one, until it is there.
    pub(super) async fn start(&mut self, spec: &BoxSpec) -> anyhow::Result<Program> {
        let config = self.config(spec)?;
        self.controller.forget(&spec.device);
        let name = format!("{}-{}", spec.device, self.boxes);
        let arguments = [PathBuf::from("run"), "--config".into(), config];
        let program = Program::roomd(&name, self.folder.path(), arguments)?;
        let status = if spec.room.is_some() {
            "connected"
        } else {
            "ready"
        };
        self.controller
            .until_state(&spec.device, "room", |room| {
                room["connectionStatus"] == status
            })
            .await
            .with_context(|| program.tail())?;
        Ok(program)
    }

    /// Waits until a receiver gets the full picture of the only sender.
    pub(super) async fn until_picture(&mut self, receiver: &str) -> anyhow::Result<()> {
        self.controller
            .until_state(receiver, "remote_participants", |part| {
                frame_rate(part).is_some_and(|fps| fps >= FPS * ENOUGH)
            })
            .await
            .with_context(|| format!("{receiver} does not get the picture"))
    }

    /// Whether these receivers got the full picture all the time since the last look.
    pub(super) fn pictures_arrived(&mut self, receivers: &[String]) -> bool {
        let news = self.controller.catch_up();
        receivers.iter().all(|receiver| {
            let topic = format!("roomd/{receiver}/state/remote_participants");
            let is_good = |part: &Value| frame_rate(part).is_some_and(|fps| fps >= FPS * ENOUGH);
            self.controller
                .state(receiver, "remote_participants")
                .is_some_and(is_good)
                && news
                    .iter()
                    .filter(|heard| heard.topic == topic)
                    .all(|heard| is_good(&heard.payload))
        })
    }
}

/// The frame rate that arrives from the one who sends a picture.
fn frame_rate(part: &Value) -> Option<f64> {
    part["remoteParticipants"]
        .as_array()?
        .iter()
        .filter(|person| person["stream"]["receiving"] == true)
        .find_map(|person| person["stream"]["fps"].as_f64().filter(|fps| *fps > 0.0))
}

/// Waits until somebody listens at an address.
async fn accepts(address: SocketAddr) {
    let mut tick = tokio::time::interval(POLL);
    while tokio::net::TcpStream::connect(address).await.is_err() {
        tick.tick().await;
    }
}

/// What the room server says of its address.
pub(super) async fn page_url(server: &Program) -> String {
    let mut tick = tokio::time::interval(POLL);
    loop {
        tick.tick().await;
        if let Some(url) = server
            .log()
            .lines()
            .find_map(|line| line.strip_prefix("room page: "))
        {
            return url.trim_end_matches('/').to_owned();
        }
    }
}

fn configuration(spec: &BoxSpec, broker: SocketAddr, state: &str) -> String {
    let (device, bitrate, codec) = (&spec.device, spec.bitrate, spec.codec);
    let room = spec
        .room
        .as_ref()
        .map(|url| format!("url = {url:?}"))
        .unwrap_or_default();
    let (on, camera, microphone) = if spec.sends {
        (
            "on",
            "\"test\"",
            "{ test = { frequency = 440.0, level_dbfs = -20.0 } }",
        )
    } else {
        ("off", "\"none\"", "\"none\"")
    };
    format!(
        r#"[device]
id = "{device}"
name = "{device}"
[room]
{room}
initial_microphone = "{on}"
initial_camera = "{on}"
[media]
camera = {camera}
microphone = {microphone}
display = "none"
speaker = "none"
video_codecs = ["{codec}"]
allow_loopback = true
[media.camera_encoding]
bitrate = {bitrate}
[mqtt]
brokers = ["mqtt://{broker}"]
[state]
dir = {state:?}
[log]
level = "warn"
"#
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{self, Sources};

    #[test]
    fn the_configurations_of_server_and_boxes_are_right() {
        let folder = tempfile::tempdir().unwrap();
        let broker = "127.0.0.1:1883".parse().unwrap();
        let room = "http://127.0.0.1:8080/bench-1";
        for text in [
            SERVER.to_owned(),
            configuration(&BoxSpec::sender("sender", room), broker, "/tmp/a"),
            configuration(&BoxSpec::receiver("receiver", room), broker, "/tmp/a"),
            configuration(
                &BoxSpec {
                    room: None,
                    ..BoxSpec::sender("idle", room)
                },
                broker,
                "/tmp/a",
            ),
        ] {
            let file = folder.path().join("roomd.toml");
            std::fs::write(&file, &text).unwrap();
            let sources = Sources {
                file,
                file_required: true,
                ..Sources::none()
            };
            assert!(config::load(&sources).is_ok(), "{text}");
        }
    }

    #[test]
    fn the_frame_rate_is_that_of_who_sends_a_picture() {
        let part = json!({ "remoteParticipants": [
            { "stream": null },
            { "stream": { "receiving": true, "fps": 0 } },
            { "stream": { "receiving": false, "fps": 12 } },
            { "stream": { "receiving": true, "fps": 29 } },
        ] });
        assert_eq!(frame_rate(&part), Some(29.0));
        assert_eq!(frame_rate(&json!({ "remoteParticipants": [] })), None);
        assert_eq!(frame_rate(&json!(null)), None);
    }
}
