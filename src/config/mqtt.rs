//! `[mqtt]`: which brokers, which topics, which credentials; read into the interface's own settings.

use toml::Value;

use super::{
    device::DeviceConfig,
    reader::Section,
    setting::{Setting, read_serde, serde_setting},
    tls::{check_authorities, check_identity},
};
use crate::mqtt::settings::{
    BrokerUrl, ClockSynchronised, KeepAlive, MqttConfig, MqttTls, MqttVersion, TopicPrefix,
};

pub(super) fn read(section: &mut Section<'_, '_>, device: &DeviceConfig) -> MqttConfig {
    let default = MqttConfig::default();
    let client_id: Option<ShortText> = section.optional("client_id", "\"roomd-wall-1\"");
    let username: Option<ShortText> = section.optional("username", "\"wall-1\"");
    MqttConfig {
        brokers: section.key("brokers", default.brokers),
        version: section.key("version", default.version),
        prefix: section.key("prefix", default.prefix),
        device: device.id.clone(),
        groups: device.groups.clone(),
        client_id: client_id.map(|text| text.0),
        username: username.map(|text| text.0),
        password: section.secret("password", "\"/etc/roomd/mqtt-password\""),
        keep_alive: section.key("keep_alive", default.keep_alive),
        reply_allow_list: section.key("reply_allow_list", default.reply_allow_list),
        clock_synchronised: section.key("clock_synchronised", default.clock_synchronised),
        tls: read_tls(&mut section.section("tls")),
    }
}

fn read_tls(section: &mut Section<'_, '_>) -> MqttTls {
    let tls = MqttTls {
        ca: section.optional("ca", "\"/etc/roomd/broker-ca.pem\""),
        client_certificate: section.optional("client_certificate", "\"/etc/roomd/mqtt.pem\""),
        client_key: section.private_file("client_key", "\"/etc/roomd/mqtt.key\""),
        alpn: section.key("alpn", Vec::<String>::new()),
    };
    if let Some(file) = &tls.ca {
        check_authorities(section, "ca", file);
    }
    if let (Some(certificate), Some(key)) = (&tls.client_certificate, &tls.client_key) {
        check_identity(
            section,
            ("client_certificate", certificate),
            ("client_key", key),
        );
    }
    let alone = match (&tls.client_certificate, &tls.client_key) {
        (Some(_), None) => Some(("client_certificate", "client_key")),
        (None, Some(_)) => Some(("client_key", "client_certificate")),
        _ => None,
    };
    if let Some((there, missing)) = alone {
        section.refuse(
            there,
            format!("{there} without {missing}"),
            "both or neither",
            format!("set {missing} as well, or remove {there}"),
        );
    }
    tls
}

serde_setting! {
    Vec<BrokerUrl>: "a list of addresses with mqtt, mqtts, ws or wss and without credentials, \
        as [\"mqtts://broker.example.org\"]; an empty one turns MQTT off";
    MqttVersion: "\"3.1.1\" or \"5\"" ["3.1.1", "5"];
    TopicPrefix: "levels divided by /, none empty, without + # and control characters, at most 256 bytes";
    Vec<TopicPrefix>: "a list of topic prefixes, as [\"client/\"]";
    KeepAlive: "a whole number from 5 to 600 (seconds)";
    ClockSynchronised: "one of \"auto\", \"always\", \"never\"" ["auto", "always", "never"];
}

/// A text that the broker sees.
struct ShortText(String);

impl Setting for ShortText {
    const ALLOWED: &'static str = "a text of 1 to 256 characters on one line";

    fn read(value: Value) -> Result<Self, Option<String>> {
        let text: String = read_serde(value)?;
        let fits = (1..=256).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if fits { Ok(Self(text)) } else { Err(None) }
    }

    fn show(&self) -> Value {
        Value::String(self.0.clone())
    }
}
