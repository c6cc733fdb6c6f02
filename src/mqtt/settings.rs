//! The `[mqtt]` section of the configuration: which broker, which topics, which credentials.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use roomd_protocol::Secret;
use serde::{Deserialize, Serialize};
use url::Url;

use super::topics;

/// How the box reaches its brokers and under which topics it is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MqttConfig {
    /// Brokers, tried in turn: `mqtt://`, `mqtts://`, `ws://` or `wss://`. Empty turns MQTT off.
    pub brokers: Vec<BrokerUrl>,
    /// Protocol version, `"3.1.1"` or `"5"`.
    pub version: MqttVersion,
    /// First level of every topic; may itself have several levels (`site/roomd`).
    pub prefix: TopicPrefix,
    /// Second level of the box's own topics. The daemon puts the host's name here when it is left out.
    pub device: DeviceName,
    /// Client id at the broker, `roomd-<device>` when left out.
    pub client_id: Option<String>,
    /// User at the broker.
    pub username: Option<String>,
    /// Password of that user. Better given as a file or as a systemd credential.
    pub password: Option<Secret>,
    /// Trust and identity on `mqtts://` and `wss://`.
    pub tls: MqttTls,
    /// Seconds between two signs of life, 5 to 600.
    pub keep_alive: KeepAlive,
    /// Topic prefixes besides `<prefix>/` below which a command may ask for its reply (`client/`).
    pub reply_allow_list: Vec<TopicPrefix>,
    /// Groups whose commands the box obeys (`<prefix>/group/<group>/cmd/…`).
    pub groups: Vec<DeviceName>,
    /// Whether `sentAt` can be judged: `auto` asks systemd-timesyncd, `always` and `never` overrule it.
    pub clock_synchronised: ClockSynchronised,
}

impl Default for MqttConfig {
    fn default() -> Self {
        Self {
            brokers: Vec::new(),
            version: MqttVersion::default(),
            prefix: TopicPrefix("roomd".to_owned()),
            device: DeviceName("roomd".to_owned()),
            client_id: None,
            username: None,
            password: None,
            tls: MqttTls::default(),
            keep_alive: KeepAlive::default(),
            reply_allow_list: Vec::new(),
            groups: Vec::new(),
            clock_synchronised: ClockSynchronised::default(),
        }
    }
}

impl MqttConfig {
    /// The client id that the broker sees.
    #[must_use]
    pub fn effective_client_id(&self) -> String {
        self.client_id
            .clone()
            .unwrap_or_else(|| format!("roomd-{}", self.device))
    }
}

/// Trust and identity of a TLS connection with a broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MqttTls {
    /// PEM file with further certificate authorities; those of the system are trusted as well.
    pub ca: Option<PathBuf>,
    /// PEM file with the client's certificate chain; needs `client_key`.
    pub client_certificate: Option<PathBuf>,
    /// PEM file with the client's private key.
    pub client_key: Option<PathBuf>,
    /// Application protocols to offer (`mqtt`, `x-amzn-mqtt-ca`).
    pub alpn: Vec<String>,
}

/// Protocol version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MqttVersion {
    /// MQTT 3.1.1.
    #[serde(rename = "3.1.1")]
    V311,
    /// MQTT 5.
    #[default]
    #[serde(rename = "5")]
    V5,
}

/// Whether the box may judge the age of a command by its clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockSynchronised {
    /// As systemd-timesyncd says (`/run/systemd/timesync/synchronized`).
    #[default]
    Auto,
    /// Something else keeps the clock (chrony, PTP).
    Always,
    /// The clock is not to be trusted.
    Never,
}

/// What is wrong with a value of the `[mqtt]` section.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not a URL at all.
    #[error("\"{value}\" is not a URL ({reason}); write it as mqtt://broker.example:1883")]
    NotAUrl {
        /// What was given, without its password.
        value: String,
        /// What the parser said.
        reason: String,
    },
    /// A URL of another protocol.
    #[error("\"{found}\" is no scheme of a broker; allowed are mqtt, mqtts, ws and wss")]
    Scheme {
        /// What was given.
        found: String,
    },
    /// No host in the URL.
    #[error("the broker's URL names no host; write it as mqtt://broker.example:1883")]
    NoHost,
    /// Credentials in the URL.
    #[error("the broker's URL holds credentials; use the keys `username` and `password` instead")]
    Credentials,
    /// Not usable as (part of) a topic.
    #[error("\"{value}\" cannot be {what}: {allowed}")]
    Topic {
        /// What was given.
        value: String,
        /// What it was meant to be.
        what: &'static str,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Keep-alive out of range.
    #[error("a keep-alive of {0} s is out of range; allowed are 5 to 600 seconds")]
    KeepAlive(u64),
}

/// Address of a broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BrokerUrl(Url);

/// How the bytes reach a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerTransport {
    /// `mqtt://`
    Tcp,
    /// `mqtts://`
    Tls,
    /// `ws://`
    WebSocket,
    /// `wss://`
    SecureWebSocket,
}

impl BrokerUrl {
    /// How the bytes get there.
    #[must_use]
    pub fn transport(&self) -> BrokerTransport {
        match self.0.scheme() {
            "mqtts" => BrokerTransport::Tls,
            "ws" => BrokerTransport::WebSocket,
            "wss" => BrokerTransport::SecureWebSocket,
            _ => BrokerTransport::Tcp,
        }
    }

    /// Host name or address, IPv6 in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Port, the scheme's own (1883, 8883, 80, 443) when not given.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port().unwrap_or(match self.transport() {
            BrokerTransport::Tcp => 1883,
            BrokerTransport::Tls => 8883,
            BrokerTransport::WebSocket => 80,
            BrokerTransport::SecureWebSocket => 443,
        })
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for BrokerUrl {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|error| SettingsError::NotAUrl {
            value: text.rsplit('@').next().unwrap_or_default().to_owned(),
            reason: error.to_string(),
        })?;
        if !matches!(url.scheme(), "mqtt" | "mqtts" | "ws" | "wss") {
            return Err(SettingsError::Scheme {
                found: url.scheme().to_owned(),
            });
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(SettingsError::NoHost);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SettingsError::Credentials);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// First levels of a topic, without a slash at its ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TopicPrefix(String);

impl FromStr for TopicPrefix {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.strip_suffix('/').unwrap_or(text);
        let usable = trimmed.len() <= 256
            && !trimmed.starts_with('$')
            && trimmed
                .split('/')
                .all(|level| !level.is_empty() && !level.contains(['+', '#', '\0']))
            && !trimmed.chars().any(char::is_control);
        if !usable {
            return Err(SettingsError::Topic {
                value: text.to_owned(),
                what: "a topic prefix",
                allowed: "levels divided by /, none empty, without + # and control characters, \
                          not beginning with $, at most 256 bytes",
            });
        }
        Ok(Self(trimmed.to_owned()))
    }
}

/// Name of a device or a group: one level of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceName(String);

impl FromStr for DeviceName {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let usable = !text.is_empty()
            && text.len() <= 64
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !topics::RESERVED_DEVICES.contains(&text);
        if !usable {
            return Err(SettingsError::Topic {
                value: text.to_owned(),
                what: "the name of a device or group",
                allowed: "1 to 64 letters, digits, - and _, but not \"all\" and \"group\"",
            });
        }
        Ok(Self(text.to_owned()))
    }
}

macro_rules! text_type {
    ($name:ident) => {
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
text_type!(TopicPrefix);
text_type!(DeviceName);

macro_rules! through_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = SettingsError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}
through_text!(BrokerUrl);
through_text!(TopicPrefix);
through_text!(DeviceName);

/// Time between two signs of life, 5 to 600 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct KeepAlive(Duration);

impl KeepAlive {
    /// The time.
    #[must_use]
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self(Duration::from_secs(15))
    }
}

impl TryFrom<u64> for KeepAlive {
    type Error = SettingsError;

    fn try_from(seconds: u64) -> Result<Self, Self::Error> {
        if (5..=600).contains(&seconds) {
            Ok(Self(Duration::from_secs(seconds)))
        } else {
            Err(SettingsError::KeepAlive(seconds))
        }
    }
}

impl From<KeepAlive> for u64 {
    fn from(value: KeepAlive) -> Self {
        value.0.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_section_is_the_default_and_the_default_survives_a_round_trip() {
        assert_eq!(
            toml::from_str::<MqttConfig>("").unwrap(),
            MqttConfig::default()
        );
        let written = toml::to_string(&MqttConfig::default()).unwrap();
        assert_eq!(
            toml::from_str::<MqttConfig>(&written).unwrap(),
            MqttConfig::default()
        );
    }

    #[test]
    fn a_full_section_is_understood() {
        let config: MqttConfig = toml::from_str(
            r#"
            brokers = ["mqtts://a.example", "ws://b.example/mqtt"]
            version = "3.1.1"
            prefix = "site/roomd/"
            device = "wall-1"
            keep_alive = 30
            groups = ["floor_2"]
            reply_allow_list = ["client/"]
            clock_synchronised = "always"
            [tls]
            ca = "/etc/roomd/ca.pem"
            alpn = ["mqtt"]
            "#,
        )
        .unwrap();
        assert_eq!(config.brokers[0].port(), 8883);
        assert_eq!(config.brokers[1].port(), 80);
        assert_eq!(config.brokers[1].transport(), BrokerTransport::WebSocket);
        assert_eq!(config.prefix.as_str(), "site/roomd");
        assert_eq!(config.effective_client_id(), "roomd-wall-1");
    }

    #[test]
    fn wrong_values_are_refused_with_what_is_allowed() {
        for (text, expected) in [
            ("brokers = [\"http://a\"]", "mqtt, mqtts, ws and wss"),
            ("brokers = [\"broker\"]", "not a URL"),
            ("brokers = [\"mqtt://u:hunter2@a\"]", "username"),
            ("prefix = \"a//b\"", "none empty"),
            ("prefix = \"$SYS\"", "not beginning with $"),
            ("device = \"all\"", "\"all\""),
            ("device = \"a/b\"", "letters"),
            ("keep_alive = 1", "5 to 600"),
            ("version = \"4\"", "3.1.1"),
            ("broker = []", "unknown field"),
        ] {
            let error = toml::from_str::<MqttConfig>(text).unwrap_err();
            let message = error.message();
            assert!(message.contains(expected), "{text}: {message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
