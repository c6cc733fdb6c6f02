//! `[room]`: which room, how to join it, what to do by itself.

use std::{path::PathBuf, time::Duration};

use roomd_protocol::{RoomUrl, Secret};
use roomd_signalling::Endpoints;
use toml::Value;
use url::Url;

use super::{
    device::DeviceConfig,
    reader::Section,
    setting::{Setting, read_serde, read_url, words},
    tls::check_authorities,
    units::{AnswerWithin, DisplayName, JoinTimeout},
};
use crate::appliance::settings::{InitialState, RequestPolicy};

/// Which room, how to join it, what to do by itself.
#[derive(Clone, Debug)]
pub struct RoomConfig {
    /// The room to join; without one `join_room` has to name it.
    pub url: Option<RoomUrl>,
    /// The key that makes this participant a host or lets it in. Secret `room-key`.
    pub key: Option<Secret>,
    /// The name that the others see. Default: `device.name`.
    pub display_name: DisplayName,
    /// The integrator's id of this participant. Default: none.
    pub external_id: Option<DisplayName>,
    /// Whether to join `url` at start. Default: true.
    pub auto_join: bool,
    /// Whether to knock by itself when the room is locked. Default: true.
    pub auto_knock: bool,
    /// Whether to join again after an error that may pass. Never done after `kicked`. Default: true.
    pub rejoin: bool,
    /// The microphone when joining. Default: as the room last chose; off the first time.
    pub initial_microphone: InitialState,
    /// The camera when joining. Default: as the room last chose; off the first time.
    pub initial_camera: InitialState,
    /// How long a join may take until it has failed, knocking excluded. Default: 30 s.
    pub join_timeout: Duration,
    /// What others may ask of the room.
    pub requests: RequestsConfig,
    /// Where the room's service answers.
    pub service: ServiceConfig,
}

/// What others in the room may ask of the box. That they mute it or turn its camera off needs no
/// asking: it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestsConfig {
    /// Somebody asks the room to unmute. Default: ask.
    pub unmute: RequestPolicy,
    /// Somebody asks the room to turn its camera on. Default: ask.
    pub camera_on: RequestPolicy,
    /// How long such a question stands. Default: 30 s.
    pub answer_within: Duration,
}

/// Where the service of rooms answers, and whom to trust there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Addresses, where they do not follow from the room's URL.
    pub endpoints: Endpoints,
    /// Certificates (PEM) to trust beside the system's. Default: none.
    pub ca_file: Option<PathBuf>,
    /// Where to write every frame of the signalling connection, keys left out. Default: nowhere.
    pub trace_file: Option<PathBuf>,
}

pub(super) fn read(section: &mut Section<'_, '_>, device: &DeviceConfig) -> RoomConfig {
    let url: Option<ConfiguredRoom> =
        section.optional("url", "\"https://example.whereby.com/meeting-room-4\"");
    RoomConfig {
        url: url.map(|room| room.0),
        key: section.secret("key", "\"/etc/roomd/room-key\""),
        display_name: section.key("display_name", device.name.clone()),
        external_id: section.optional("external_id", "\"building-2/room-4\""),
        auto_join: section.key("auto_join", true),
        auto_knock: section.key("auto_knock", true),
        rejoin: section.key("rejoin", true),
        initial_microphone: section.key("initial_microphone", InitialState::Last),
        initial_camera: section.key("initial_camera", InitialState::Last),
        join_timeout: milliseconds(section.key("join_timeout_ms", JoinTimeout::DEFAULT).get()),
        requests: read_requests(&mut section.section("requests")),
        service: read_service(&mut section.section("service")),
    }
}

fn read_requests(section: &mut Section<'_, '_>) -> RequestsConfig {
    RequestsConfig {
        unmute: section.key("unmute", RequestPolicy::Ask),
        camera_on: section.key("camera_on", RequestPolicy::Ask),
        answer_within: milliseconds(section.key("answer_within_ms", AnswerWithin::DEFAULT).get()),
    }
}

fn read_service(section: &mut Section<'_, '_>) -> ServiceConfig {
    let api: Option<ApiUrl> = section.optional("api_url", "\"https://rooms.example.org\"");
    let signal: Option<SignalUrl> = section.optional("signal_url", "\"wss://rooms.example.org\"");
    let ca_file: Option<PathBuf> = section.optional("ca_file", "\"/etc/roomd/rooms-ca.pem\"");
    if let Some(file) = &ca_file {
        check_authorities(section, "ca_file", file);
    }
    ServiceConfig {
        endpoints: Endpoints {
            api: api.map(|url| url.0),
            signal: signal.map(|url| url.0),
        },
        ca_file,
        trace_file: section.optional("trace_file", "\"/run/roomd/signalling.jsonl\""),
    }
}

fn milliseconds(number: u32) -> Duration {
    Duration::from_millis(number.into())
}

struct ConfiguredRoom(RoomUrl);

impl Setting for ConfiguredRoom {
    const ALLOWED: &'static str = "an https address with the room's name and without its key, \
        as \"https://example.whereby.com/meeting-room-4\" (http on one's own network)";

    fn read(value: Value) -> Result<Self, Option<String>> {
        let text: String = read_serde(value)?;
        let url = RoomUrl::parse(&text).map_err(|error| Some(error.to_string()))?;
        if url.room_key().is_some() {
            return Err(Some(
                "it carries a roomKey, which is a secret: use room.key_file or the credential room-key".to_owned(),
            ));
        }
        Ok(Self(url))
    }

    fn show(&self) -> Value {
        Value::String(self.0.as_str().to_owned())
    }
}

struct ApiUrl(Url);

impl Setting for ApiUrl {
    const ALLOWED: &'static str = "an http or https address";

    fn read(value: Value) -> Result<Self, Option<String>> {
        read_url(value, &["http", "https"]).map(Self)
    }

    fn show(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

struct SignalUrl(Url);

impl Setting for SignalUrl {
    const ALLOWED: &'static str = "a ws or wss address";

    fn read(value: Value) -> Result<Self, Option<String>> {
        read_url(value, &["ws", "wss"]).map(Self)
    }

    fn show(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

words! {
    InitialState: Last = "last", On = "on", Off = "off";
    RequestPolicy: Ask = "ask", Accept = "accept", Refuse = "refuse";
}
