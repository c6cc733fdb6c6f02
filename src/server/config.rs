//! What an operator may set, with its defaults. Checked once, in [`ServerConfig::check`].

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use roomd_protocol::{
    Secret,
    records::{IceServer, RoleName, RoomMode},
};
use serde::Deserialize;
use thiserror::Error;
use url::Url;

/// The whole configuration of the room server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Address and port of the server. Port 0 takes a free one. Default `0.0.0.0:8443`.
    pub listen: SocketAddr,
    /// How `listen` is encrypted. Default: a certificate of the server's own making.
    pub tls: TlsMode,
    /// A second address without encryption, for programs on this machine or behind a proxy.
    /// Default none.
    pub plain_listen: Option<SocketAddr>,
    /// Directory of the database and of the self-made certificate. Without one nothing is kept:
    /// rooms, claims and certificate end with the process. Default none.
    pub state_dir: Option<PathBuf>,
    /// Bearer key of `/v1/meetings`. Without one these calls are switched off. Default none.
    pub api_key: Option<Secret>,
    /// Key with which programs join as assistants (`assistantKey`), at least 16 characters. Without
    /// one nobody does. Default none.
    pub assistant_key: Option<Secret>,
    /// Program and arguments that record a room when a host asks for it; see [`crate::recorder`].
    /// Default empty: recording is not offered. (`roomd room-server` puts itself here when a directory for
    /// recordings is configured.)
    pub recorder_command: Vec<String>,
    /// Address under which people reach the server, for the room links it makes, for example
    /// `https://rooms.example.org/`. Default: `listen`, with a LAN address of this machine.
    pub public_url: Option<Url>,
    /// STUN and TURN servers that clients are told to use. Default none: enough on one network.
    pub ice_servers: Vec<IceServer>,
    /// Whether a room that was not made through `/v1/meetings` begins to exist when somebody
    /// joins it. Default true.
    pub allow_unlisted_rooms: bool,
    /// Role of who joins such a room without a key: `visitor` or `host`. Default `visitor`.
    pub unlisted_role: UnlistedRole,
    /// Mode of such a room: `normal` or `group`. Both are served peer to peer. Default `normal`.
    pub unlisted_mode: UnlistedMode,
    /// Seconds that a client whose connection broke stays in its room, 0 to 300. Default 10.
    #[serde(rename = "grace_seconds", with = "seconds")]
    pub grace: Duration,
    /// Hours for which a client gets its old id back, 1 to 720. Default 24.
    #[serde(rename = "claim_hours", with = "hours")]
    pub claim_lifetime: Duration,
    /// Bounds on what clients may do.
    pub limits: Limits,
}

/// How a listening address is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "mode")]
pub enum TlsMode {
    /// Plain HTTP. Browsers then give camera and microphone to pages of `localhost` only.
    Off,
    /// A certificate of the server's own making, kept in `state_dir`, which carries this
    /// machine's names and addresses. Browsers ask once whether to trust it.
    #[default]
    SelfSigned,
    /// A certificate from files.
    Files {
        /// Certificate chain, PEM.
        certificate: PathBuf,
        /// Private key, PEM.
        key: PathBuf,
    },
}

/// Role of who joins an unlisted room without a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnlistedRole {
    /// An ordinary participant: nobody may lock, kick or mute.
    #[default]
    Visitor,
    /// Everybody is a host.
    Host,
}

impl From<UnlistedRole> for RoleName {
    fn from(role: UnlistedRole) -> Self {
        match role {
            UnlistedRole::Visitor => Self::Visitor,
            UnlistedRole::Host => Self::Host,
        }
    }
}

/// Mode of unlisted rooms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnlistedMode {
    /// Small rooms.
    #[default]
    Normal,
    /// Allows breakout groups.
    Group,
}

impl From<UnlistedMode> for RoomMode {
    fn from(mode: UnlistedMode) -> Self {
        match mode {
            UnlistedMode::Normal => Self::Normal,
            UnlistedMode::Group => Self::Group,
        }
    }
}

/// Bounds on what clients may do. Each is at least 1.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Clients in a room of mode `normal`; each sends its media to every other one. Default 4.
    pub clients_per_room: usize,
    /// Clients in a room of mode `group`, also peer to peer. Default 8.
    pub clients_per_group_room: usize,
    /// People who may wait outside one room. Default 50.
    pub knockers_per_room: usize,
    /// Connections of one device. Default 10.
    pub sockets_per_device: usize,
    /// Connections of the whole server. Default 1000.
    pub sockets: usize,
    /// Rooms made through `/v1/meetings` that may exist at a time. Default 10000.
    pub meetings: usize,
    /// Bytes of one WebSocket message; session descriptions need it. Default 262144.
    pub message_bytes: usize,
    /// Bytes of every event that is no session description. Default 16384.
    pub event_bytes: usize,
    /// Messages per second of one connection, sustained. Default 100.
    pub messages_per_second: u32,
    /// Messages of one connection at once. Default 500.
    pub message_burst: u32,
    /// Bytes that may wait to be sent to one client before it is dropped. Default 4194304.
    pub send_queue_bytes: usize,
    /// `POST /devices` per minute and address. Default 60.
    pub devices_per_minute: u32,
    /// Connections that have not said yet who they are, and never more than half of `sockets`. For one
    /// more the oldest of the address that has most of them is closed. Default 200.
    pub unidentified_sockets: usize,
    /// Seconds until a connection that does not say who it is is closed. Default 20.
    pub identify_seconds: u64,
    /// Seconds beyond the ping interval of 2 s after which a silent client is dropped. Default 10.
    pub ping_timeout_seconds: u64,
}

/// A value of the configuration that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{key} = {value} is not possible: {allowed}")]
pub struct ConfigError {
    /// The key, with its table.
    pub key: &'static str,
    /// What was set.
    pub value: String,
    /// What may be set.
    pub allowed: &'static str,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8443)),
            tls: TlsMode::default(),
            plain_listen: None,
            state_dir: None,
            api_key: None,
            assistant_key: None,
            recorder_command: Vec::new(),
            public_url: None,
            ice_servers: Vec::new(),
            allow_unlisted_rooms: true,
            unlisted_role: UnlistedRole::default(),
            unlisted_mode: UnlistedMode::default(),
            grace: Duration::from_secs(10),
            claim_lifetime: Duration::from_secs(24 * 3600),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients_per_room: 4,
            clients_per_group_room: 8,
            knockers_per_room: 50,
            sockets_per_device: 10,
            sockets: 1000,
            meetings: 10_000,
            message_bytes: 256 * 1024,
            event_bytes: 16 * 1024,
            messages_per_second: 100,
            message_burst: 500,
            send_queue_bytes: 4 * 1024 * 1024,
            devices_per_minute: 60,
            unidentified_sockets: 200,
            identify_seconds: 20,
            ping_timeout_seconds: 10,
        }
    }
}

impl Limits {
    /// How many clients a room of that mode takes.
    #[must_use]
    pub fn clients(&self, mode: RoomMode) -> usize {
        match mode {
            RoomMode::Normal => self.clients_per_room,
            RoomMode::Group => self.clients_per_group_room,
        }
    }

    /// How many connections may not have said yet who they are.
    pub(crate) fn unidentified(&self) -> usize {
        self.unidentified_sockets.min(self.sockets.div_ceil(2))
    }
}

impl ServerConfig {
    /// Refuses values that types alone cannot exclude.
    ///
    /// # Errors
    /// Names the key, its value and what is allowed.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |key, value: String, allowed| {
            Err(ConfigError {
                key,
                value,
                allowed,
            })
        };
        if self.grace > Duration::from_secs(300) {
            let value = self.grace.as_secs().to_string();
            return refuse("grace_seconds", value, "0 to 300");
        }
        let hours = self.claim_lifetime.as_secs() / 3600;
        if !(1..=720).contains(&hours) {
            return refuse("claim_hours", hours.to_string(), "1 to 720");
        }
        if let Some(url) = &self.public_url
            && !(matches!(url.scheme(), "http" | "https") && url.path() == "/")
        {
            let allowed =
                "an http or https address without a path, as in https://rooms.example.org/";
            return refuse("public_url", url.to_string(), allowed);
        }
        for (name, key) in [
            ("api_key", &self.api_key),
            ("assistant_key", &self.assistant_key),
        ] {
            if key.as_ref().is_some_and(|key| key.reveal().len() < 16) {
                let allowed = "at least 16 characters; `openssl rand -hex 24` makes one";
                return refuse(name, "(hidden)".into(), allowed);
            }
        }
        if self.recorder_command.first().is_some_and(String::is_empty) {
            let allowed = "a program and its arguments, as [\"/usr/bin/roomd\", \"record\"]";
            return refuse("recorder_command", "[\"\"]".into(), allowed);
        }
        let limits = &self.limits;
        for (key, value) in [
            ("limits.clients_per_room", limits.clients_per_room),
            (
                "limits.clients_per_group_room",
                limits.clients_per_group_room,
            ),
            ("limits.knockers_per_room", limits.knockers_per_room),
            ("limits.sockets_per_device", limits.sockets_per_device),
            ("limits.sockets", limits.sockets),
            ("limits.unidentified_sockets", limits.unidentified_sockets),
            ("limits.meetings", limits.meetings),
            (
                "limits.messages_per_second",
                limits.messages_per_second as usize,
            ),
            ("limits.message_burst", limits.message_burst as usize),
            (
                "limits.devices_per_minute",
                limits.devices_per_minute as usize,
            ),
            ("limits.identify_seconds", limits.identify_seconds as usize),
        ] {
            if value == 0 {
                return refuse(key, "0".into(), "1 or more");
            }
        }
        for (key, value) in [
            ("limits.message_bytes", limits.message_bytes),
            ("limits.event_bytes", limits.event_bytes),
            ("limits.send_queue_bytes", limits.send_queue_bytes),
        ] {
            if value < 1024 {
                return refuse(key, value.to_string(), "1024 or more");
            }
        }
        if !(5..=20).contains(&limits.ping_timeout_seconds) {
            let value = limits.ping_timeout_seconds.to_string();
            return refuse("limits.ping_timeout_seconds", value, "5 to 20");
        }
        Ok(())
    }
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u32::deserialize(from).map(|seconds| Duration::from_secs(seconds.into()))
    }
}

mod hours {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u32::deserialize(from).map(|hours| Duration::from_secs(u64::from(hours) * 3600))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_allowed_and_an_empty_file_gives_them() {
        ServerConfig::default().check().unwrap();
        let empty: ServerConfig = toml::from_str("").unwrap();
        assert_eq!(
            format!("{empty:?}"),
            format!("{:?}", ServerConfig::default())
        );
    }

    #[test]
    fn every_key_can_be_set_from_toml() {
        let config: ServerConfig = toml::from_str(
            r#"
            listen = "127.0.0.1:0"
            plain_listen = "127.0.0.1:8080"
            state_dir = "/var/lib/roomd"
            api_key = "0123456789abcdef"
            assistant_key = "fedcba9876543210"
            recorder_command = ["/usr/bin/record", "--quiet"]
            public_url = "https://rooms.example.org/"
            ice_servers = [{ urls = "stun:stun.example.org" }]
            allow_unlisted_rooms = false
            unlisted_role = "host"
            unlisted_mode = "group"
            grace_seconds = 15
            claim_hours = 48
            tls = { mode = "files", certificate = "/c.pem", key = "/k.pem" }
            [limits]
            clients_per_room = 6
            "#,
        )
        .unwrap();
        config.check().unwrap();
        assert_eq!(config.grace, Duration::from_secs(15));
        assert_eq!(config.limits.clients_per_room, 6);
        assert_eq!(config.recorder_command.len(), 2);
        for secret in ["0123456789abcdef", "fedcba9876543210"] {
            assert!(!format!("{config:?}").contains(secret));
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_key_value_and_remedy() {
        for (text, message) in [
            (
                "grace_seconds = 301",
                "grace_seconds = 301 is not possible: 0 to 300",
            ),
            (
                "claim_hours = 0",
                "claim_hours = 0 is not possible: 1 to 720",
            ),
            ("api_key = 'short'", "api_key = (hidden) is not possible"),
            (
                "assistant_key = 'short'",
                "assistant_key = (hidden) is not possible",
            ),
            (
                "recorder_command = ['']",
                "recorder_command = [\"\"] is not possible",
            ),
            (
                "public_url = 'ftp://x/'",
                "public_url = ftp://x/ is not possible",
            ),
            (
                "limits = { sockets = 0 }",
                "limits.sockets = 0 is not possible: 1 or more",
            ),
            (
                "limits = { ping_timeout_seconds = 1 }",
                "ping_timeout_seconds = 1 is",
            ),
        ] {
            let config: ServerConfig = toml::from_str(text).unwrap();
            let error = config.check().unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
        assert!(toml::from_str::<ServerConfig>("grace = 1").is_err());
        assert!(toml::from_str::<ServerConfig>("limits = { client = 1 }").is_err());
    }
}
