//! The configuration: one TOML file, its drop-ins, the environment, and secrets apart, read into
//! types that cannot be wrong.
//!
//! | module | what it holds |
//! |---|---|
//! | `device`, `room`, `media`, `controls`, `mqtt`, `server`, `recording`, `system` | one section each |
//! | `units`, `setting` | values with bounds; how a value is read and shown |
//! | `sources`, `layer` | where text comes from; one file or the environment as a tree |
//! | `reader` | takes the topmost value of each key, collects every mistake |
//! | `secret`, `tls` | files that hold a secret, a certificate or a key |
//! | `problem` | a mistake: place, key, found, allowed, remedy |
//! | `report` | what `roomd check-config` prints |
//!
//! [`load`] is the only way in; `docs/configuration.md` is its description for people.

mod controls;
mod device;
mod layer;
mod media;
mod mqtt;
mod problem;
mod reader;
mod recording;
mod report;
mod room;
mod secret;
mod server;
mod setting;
mod sources;
mod system;
mod tls;
mod units;

use std::path::PathBuf;

pub use controls::ControlsConfig;
pub use device::DeviceConfig;
pub use media::MediaConfig;
pub use problem::{ConfigError, EX_CONFIG, Origin, Problem};
pub use reader::Key;
pub use report::{report, report_json};
pub use room::{RequestsConfig, RoomConfig, ServiceConfig};
pub use sources::{DEFAULT_FILE, Secrets, Sources, variable_of};
pub use system::{LogConfig, LogDirectives, LogFormat, StateConfig};
pub use units::{
    AnswerWithin, Debounce, DisplayName, DoublePress, EvenPixels, FramesPerSecond, JitterBuffer,
    JoinTimeout, KeepFree, LongPress, OpusBitrate, Percent, Pixels, RecordingQuota, RetentionDays,
    VideoBitrate,
};

use reader::Reader;
use roomd_server::config::ServerConfig;
use roomd_signalling::SignallingSettings;

use crate::{appliance::settings::ApplianceSettings, mqtt::settings::MqttConfig, record::Storage};

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the box is called.
    pub device: DeviceConfig,
    /// Which room, how to join it, what to do by itself.
    pub room: RoomConfig,
    /// Cameras, sound, display, encodings.
    pub media: MediaConfig,
    /// Buttons, switches and lights.
    pub controls: ControlsConfig,
    /// Which brokers, which topics, which credentials; device and groups are those of `device`.
    pub mqtt: MqttConfig,
    /// The room server.
    pub server: ServerConfig,
    /// Where the room server's recordings are kept; `None`: it makes none.
    pub recording: Option<Storage>,
    /// Where the box remembers.
    pub state: StateConfig,
    /// What is logged and how.
    pub log: LogConfig,
}

impl Config {
    /// How the box behaves in rooms.
    #[must_use]
    pub fn appliance(&self) -> ApplianceSettings {
        let room = &self.room;
        ApplianceSettings {
            room_url: room.url.as_ref().map(|url| url.as_str().to_owned()),
            room_key: room.key.clone(),
            display_name: room.display_name.as_str().to_owned(),
            external_id: room.external_id.as_ref().map(|id| id.as_str().to_owned()),
            auto_join: room.auto_join,
            auto_knock: room.auto_knock,
            rejoin: room.rejoin,
            initial_microphone: room.initial_microphone,
            initial_camera: room.initial_camera,
            on_request_audio: room.requests.unmute,
            on_request_video: room.requests.camera_on,
            answer_within: room.requests.answer_within,
            join_timeout: room.join_timeout,
            volume: self.media.volume.get(),
        }
    }

    /// How the signalling client finds rooms, with its credentials in the state directory.
    #[must_use]
    pub fn signalling(&self) -> SignallingSettings {
        let service = &self.room.service;
        SignallingSettings {
            endpoints: service.endpoints.clone(),
            ca_file: service.ca_file.clone(),
            credentials_file: Some(self.state.dir.join("device-credentials.json")),
            trace_file: service.trace_file.clone(),
        }
    }
}

/// A configuration and how it came about.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The files that were read, the lowest layer first.
    pub files: Vec<PathBuf>,
    /// Every key with the value in effect and its origin, secrets hidden.
    pub keys: Vec<Key>,
}

/// Reads the configuration.
///
/// # Errors
/// All mistakes at once. A program ends with [`EX_CONFIG`] then.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let (layers, files, unreadable) = sources.layers();
    let mut reader = Reader::new(&layers, sources, unreadable);

    let device = device::read(&mut reader.section("device"), sources);
    let room = room::read(&mut reader.section("room"), &device);
    let media = media::read(&mut reader.section("media"));
    let controls = controls::read(&mut reader.section("controls"));
    let mqtt = mqtt::read(&mut reader.section("mqtt"), &device);
    let server = server::read(&mut reader.section("server"), sources);
    let recording = recording::read(&mut reader.section("recording"));
    let state = system::read_state(&mut reader.section("state"), sources);
    let log = system::read_log(&mut reader.section("log"));
    let config = Config {
        device,
        room,
        media,
        controls,
        mqtt,
        server,
        recording,
        state,
        log,
    };

    let (keys, mut problems) = reader.finish();
    let names: Vec<String> = keys.iter().map(|key| key.key.clone()).collect();
    problems.extend(sources::missing_underscores(sources, &names));
    if problems.is_empty() {
        Ok(Loaded {
            config,
            files,
            keys,
        })
    } else {
        Err(ConfigError { problems })
    }
}

#[cfg(test)]
mod tests;
