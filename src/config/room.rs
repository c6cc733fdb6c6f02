//! `[room]`: which room, how to join it, what to do by itself.

use std::{path::PathBuf, time::Duration};

use roomd_protocol::{RoomUrl, Secret};
use toml::Value;
use url::Url;

use super::{
    device::DeviceConfig,
    reader::Section,
    setting::{Setting, read_serde, read_url, words},
    units::{DisplayName, FirstPause, JoinTimeout, LongestPause},
};

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
    /// The microphone when joining. Default: as the room last chose; off the first time.
    pub initial_microphone: Initial,
    /// The camera when joining. Default: as the room last chose; off the first time.
    pub initial_camera: Initial,
    /// How long a join may take until it has failed. Default: 15 s.
    pub join_timeout: Duration,
    /// What to do when a join failed.
    pub rejoin: RejoinPolicy,
    /// What others may ask of the room.
    pub requests: RequestPolicy,
    /// Where the room's service answers.
    pub service: ServiceConfig,
}

/// What to do when a join failed. After `kicked` nothing is done, whatever stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RejoinPolicy {
    /// Whether to try again after a failure that may pass. Default: true.
    pub enabled: bool,
    /// The first pause; it doubles up to the longest. Default: 1 s.
    pub first_pause: Duration,
    /// The longest pause. Default: 60 s.
    pub longest_pause: Duration,
    /// Whether to try again, at the longest pause, after an answer that only a person can change:
    /// the room is full, does not exist, the key is wrong. Default: true.
    pub retry_refusals: bool,
}

/// What others in the room may ask of the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestPolicy {
    /// A host mutes the microphone. Default: accept.
    pub mute: Answer,
    /// A host asks to speak. Default: ask.
    pub unmute: Answer,
    /// A host turns the camera off. Default: accept.
    pub camera_off: Answer,
    /// A host asks to turn the camera on. Default: ask.
    pub camera_on: Answer,
}

/// How a microphone or camera begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Initial {
    /// As the room last chose; off when that is not known.
    #[default]
    Last,
    /// On.
    On,
    /// Off.
    Off,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Show it and let the room decide (`answer_request`).
    Ask,
    /// Do it.
    Accept,
    /// Do not do it.
    Refuse,
}

/// Where a room's service answers, as configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Base of the HTTP calls. Default: derived from the room.
    pub api_url: Option<Url>,
    /// The signalling server. Default: derived from the room.
    pub signal_url: Option<Url>,
    /// Certificates (PEM) to trust beside the system's. Default: none.
    pub ca_file: Option<PathBuf>,
}

/// Where the service of one room answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEndpoints {
    /// Base of the HTTP calls, `http` or `https`.
    pub api_url: Url,
    /// The signalling server, `ws` or `wss`.
    pub signal_url: Url,
}

impl ServiceConfig {
    /// Where the service of `room` answers: as configured; for rooms of whereby.com the public
    /// service; else the room's own origin.
    #[must_use]
    pub fn endpoints(&self, room: &RoomUrl) -> Option<ServiceEndpoints> {
        let public = room.host() == "whereby.com" || room.host().ends_with(".whereby.com");
        let origin = room.origin();
        let (api, signal) = if public {
            (PUBLIC_API.to_owned(), PUBLIC_SIGNAL.to_owned())
        } else {
            // http becomes ws, https becomes wss.
            (origin.clone(), origin.replacen("http", "ws", 1))
        };
        let url = |configured: &Option<Url>, derived: &str| match configured {
            Some(url) => Some(url.clone()),
            None => Url::parse(derived).ok(),
        };
        Some(ServiceEndpoints {
            api_url: url(&self.api_url, &api)?,
            signal_url: url(&self.signal_url, &signal)?,
        })
    }
}

/// The public service's HTTP calls.
const PUBLIC_API: &str = "https://api.whereby.dev";
/// The public service's signalling.
const PUBLIC_SIGNAL: &str = "wss://signal.appearin.net";

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
        initial_microphone: section.key("initial_microphone", Initial::Last),
        initial_camera: section.key("initial_camera", Initial::Last),
        join_timeout: milliseconds(section.key("join_timeout_ms", JoinTimeout::DEFAULT).get()),
        rejoin: read_rejoin(&mut section.section("rejoin")),
        requests: read_requests(&mut section.section("requests")),
        service: read_service(&mut section.section("service")),
    }
}

fn read_rejoin(section: &mut Section<'_, '_>) -> RejoinPolicy {
    let enabled = section.key("enabled", true);
    let first = section.key("first_pause_ms", FirstPause::DEFAULT);
    let longest = section.key("longest_pause_ms", LongestPause::DEFAULT);
    if first.get() > longest.get() {
        section.refuse(
            "first_pause_ms",
            format!(
                "{}, which is above longest_pause_ms = {}",
                first.get(),
                longest.get()
            ),
            "at most longest_pause_ms",
            "raise longest_pause_ms or lower first_pause_ms".to_owned(),
        );
    }
    RejoinPolicy {
        enabled,
        first_pause: milliseconds(first.get()),
        longest_pause: milliseconds(longest.get()),
        retry_refusals: section.key("retry_refusals", true),
    }
}

fn read_requests(section: &mut Section<'_, '_>) -> RequestPolicy {
    RequestPolicy {
        mute: section.key("mute", Answer::Accept),
        unmute: section.key("unmute", Answer::Ask),
        camera_off: section.key("camera_off", Answer::Accept),
        camera_on: section.key("camera_on", Answer::Ask),
    }
}

fn read_service(section: &mut Section<'_, '_>) -> ServiceConfig {
    let api: Option<ApiUrl> = section.optional("api_url", "\"https://rooms.example.org\"");
    let signal: Option<SignalUrl> = section.optional("signal_url", "\"wss://rooms.example.org\"");
    ServiceConfig {
        api_url: api.map(|url| url.0),
        signal_url: signal.map(|url| url.0),
        ca_file: section.optional("ca_file", "\"/etc/roomd/rooms-ca.pem\""),
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
        if url.as_str().contains('@') {
            return Err(Some("it carries credentials".to_owned()));
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
    Initial: Last = "last", On = "on", Off = "off";
    Answer: Ask = "ask", Accept = "accept", Refuse = "refuse";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_of_whereby_lead_to_the_public_service_and_others_to_their_own_origin() {
        for (room, api, signal) in [
            (
                "https://acme.whereby.com/r",
                "https://api.whereby.dev/",
                "wss://signal.appearin.net/",
            ),
            (
                "https://whereby.com/r",
                "https://api.whereby.dev/",
                "wss://signal.appearin.net/",
            ),
            (
                "https://notwhereby.com/r",
                "https://notwhereby.com/",
                "wss://notwhereby.com/",
            ),
            (
                "https://rooms.example.org:8443/r",
                "https://rooms.example.org:8443/",
                "wss://rooms.example.org:8443/",
            ),
            (
                "http://127.0.0.1:8080/r",
                "http://127.0.0.1:8080/",
                "ws://127.0.0.1:8080/",
            ),
        ] {
            let endpoints = ServiceConfig::default()
                .endpoints(&RoomUrl::parse(room).unwrap())
                .unwrap();
            assert_eq!(endpoints.api_url.as_str(), api, "{room}");
            assert_eq!(endpoints.signal_url.as_str(), signal, "{room}");
        }
    }

    #[test]
    fn configured_endpoints_overrule_the_derived_ones() {
        let service = ServiceConfig {
            signal_url: Some("ws://10.0.0.1:9000".parse().unwrap()),
            ..ServiceConfig::default()
        };
        let endpoints = service
            .endpoints(&RoomUrl::parse("https://acme.whereby.com/r").unwrap())
            .unwrap();
        assert_eq!(endpoints.api_url.as_str(), "https://api.whereby.dev/");
        assert_eq!(endpoints.signal_url.as_str(), "ws://10.0.0.1:9000/");
    }
}
