//! `[server]`: the room server; read into the server's own configuration, bounds included.

use std::{net::SocketAddr, time::Duration};

use roomd_protocol::{Secret, records::IceServer};
use roomd_server::config::{ServerConfig, TlsMode, UnlistedMode, UnlistedRole};
use serde::Deserialize;
use toml::Value;
use url::Url;

use super::{
    reader::Section,
    setting::{Setting, read_serde, read_url, serde_setting, show_serde, words},
    sources::Sources,
    system::state_directory,
    tls::check_identity,
};

pub(super) fn read(section: &mut Section<'_, '_>, sources: &Sources) -> ServerConfig {
    let mut server = ServerConfig::default();
    let mut keys = Keys {
        section,
        server: &mut server,
    };
    keys.with("listen", |server| &mut server.listen);
    keys.with("tls", |server| &mut server.tls);
    keys.with("ice_servers", |server| &mut server.ice_servers);
    keys.with("allow_unlisted_rooms", |server| {
        &mut server.allow_unlisted_rooms
    });
    keys.with("unlisted_role", |server| &mut server.unlisted_role);
    keys.with("unlisted_mode", |server| &mut server.unlisted_mode);
    keys.duration("grace_seconds", 1, |server| &mut server.grace);
    keys.duration("claim_hours", 3600, |server| &mut server.claim_lifetime);
    keys.optional(
        "plain_listen",
        "\"127.0.0.1:8080\"",
        |server, address: SocketAddr| server.plain_listen = Some(address),
    );
    keys.optional(
        "public_url",
        "\"https://rooms.example.org/\"",
        |server, url: PublicUrl| {
            server.public_url = Some(url.0);
        },
    );
    keys.secret("api_key", "\"/etc/roomd/server-api-key\"", |server, key| {
        server.api_key = Some(key);
    });
    keys.secret(
        "assistant_key",
        "\"/etc/roomd/server-assistant-key\"",
        |server, key| server.assistant_key = Some(key),
    );
    keys.with("recorder_command", |server| &mut server.recorder_command);

    server.state_dir =
        Some(section.key("state_dir", state_directory(sources, "roomd/room-server")));
    if let TlsMode::Files { certificate, key } = &server.tls {
        section.check_private_file("tls", key);
        check_identity(section, ("tls", certificate), ("tls", key));
    }
    read_limits(&mut section.section("limits"), &mut server);
    server
}

fn read_limits(section: &mut Section<'_, '_>, server: &mut ServerConfig) {
    let mut keys = Keys { section, server };
    keys.with("clients_per_room", |server| {
        &mut server.limits.clients_per_room
    });
    keys.with("clients_per_group_room", |server| {
        &mut server.limits.clients_per_group_room
    });
    keys.with("knockers_per_room", |server| {
        &mut server.limits.knockers_per_room
    });
    keys.with("sockets_per_device", |server| {
        &mut server.limits.sockets_per_device
    });
    keys.with("sockets", |server| &mut server.limits.sockets);
    keys.with("meetings", |server| &mut server.limits.meetings);
    keys.with("message_bytes", |server| &mut server.limits.message_bytes);
    keys.with("event_bytes", |server| &mut server.limits.event_bytes);
    keys.with("messages_per_second", |server| {
        &mut server.limits.messages_per_second
    });
    keys.with("message_burst", |server| &mut server.limits.message_burst);
    keys.with("send_queue_bytes", |server| {
        &mut server.limits.send_queue_bytes
    });
    keys.with("devices_per_minute", |server| {
        &mut server.limits.devices_per_minute
    });
    keys.with("unidentified_sockets", |server| {
        &mut server.limits.unidentified_sockets
    });
    keys.with("identify_seconds", |server| {
        &mut server.limits.identify_seconds
    });
    keys.with("ping_timeout_seconds", |server| {
        &mut server.limits.ping_timeout_seconds
    });
}

/// Reads keys into the server's configuration, whose own check has the bounds: each value is tried
/// in a configuration that is otherwise the default, so that every mistake is reported and at its
/// own key.
struct Keys<'s, 'r, 'a> {
    section: &'s mut Section<'r, 'a>,
    server: &'s mut ServerConfig,
}

impl Keys<'_, '_, '_> {
    fn with<T: Setting + Clone>(&mut self, name: &str, field: fn(&mut ServerConfig) -> &mut T) {
        let value = self.section.key(name, field(self.server).clone());
        self.set(name, |server| *field(server) = value.clone());
    }

    fn duration(&mut self, name: &str, unit: u32, field: fn(&mut ServerConfig) -> &mut Duration) {
        let default = field(self.server).as_secs() / u64::from(unit);
        let number = self
            .section
            .key(name, u32::try_from(default).unwrap_or(u32::MAX));
        let duration = Duration::from_secs(u64::from(number) * u64::from(unit));
        self.set(name, |server| *field(server) = duration);
    }

    fn optional<T: Setting + Clone>(
        &mut self,
        name: &str,
        example: &'static str,
        set: fn(&mut ServerConfig, T),
    ) {
        if let Some(value) = self.section.optional::<T>(name, example) {
            self.set(name, |server| set(server, value.clone()));
        }
    }

    fn secret(
        &mut self,
        name: &'static str,
        example: &'static str,
        set: fn(&mut ServerConfig, Secret),
    ) {
        if let Some(key) = self.section.secret(name, example) {
            self.set(name, |server| set(server, key.clone()));
        }
    }

    fn set(&mut self, name: &str, set: impl Fn(&mut ServerConfig)) {
        let mut alone = ServerConfig::default();
        set(&mut alone);
        match alone.check() {
            Ok(()) => set(self.server),
            Err(error) => {
                let remedy = format!(
                    "change {name} to {}, or remove it for the default",
                    error.allowed
                );
                self.section
                    .refuse(name, error.value, error.allowed, remedy);
            }
        }
    }
}

serde_setting! {
    u32: "a whole number";
    u64: "a whole number";
    usize: "a whole number";
}

words! {
    UnlistedRole: Visitor = "visitor", Host = "host";
    UnlistedMode: Normal = "normal", Group = "group";
}

impl Setting for TlsMode {
    const ALLOWED: &'static str = "{ mode = \"self_signed\" }, { mode = \"off\" } or \
        { mode = \"files\", certificate = \"/…/cert.pem\", key = \"/…/key.pem\" }";

    fn read(value: Value) -> Result<Self, Option<String>> {
        read_serde(value)
    }

    fn show(&self) -> Value {
        let text = |text: &str| Value::String(text.to_owned());
        let table = match self {
            Self::Off => toml::Table::from_iter([("mode".to_owned(), text("off"))]),
            Self::SelfSigned => toml::Table::from_iter([("mode".to_owned(), text("self_signed"))]),
            Self::Files { certificate, key } => toml::Table::from_iter([
                ("mode".to_owned(), text("files")),
                ("certificate".to_owned(), certificate.show()),
                ("key".to_owned(), key.show()),
            ]),
        };
        Value::Table(table)
    }
}

impl Setting for Vec<IceServer> {
    const ALLOWED: &'static str = "a list of STUN and TURN servers, \
        as [{ urls = \"turn:turn.example.org\", username = \"u\", credential = \"…\" }]";

    fn read(value: Value) -> Result<Self, Option<String>> {
        // Its own members alone: the protocol's type lets unknown ones pass.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            urls: Value,
            #[serde(default)]
            username: Option<Value>,
            #[serde(default)]
            credential: Option<Value>,
        }
        for written in read_serde::<Vec<Written>>(value.clone())? {
            if written.username.is_some() != written.credential.is_some() {
                return Err(Some("username and credential go together".to_owned()));
            }
            let urls = match written.urls {
                Value::Array(urls) => urls,
                url => vec![url],
            };
            let schemes = ["stun:", "stuns:", "turn:", "turns:"];
            let is_ice = |url: &Value| {
                url.as_str()
                    .is_some_and(|url| schemes.iter().any(|scheme| url.starts_with(scheme)))
            };
            if urls.is_empty() || !urls.iter().all(is_ice) {
                return Err(Some(
                    "an address does not begin with stun:, stuns:, turn: or turns:".to_owned(),
                ));
            }
        }
        read_serde(value)
    }

    fn show(&self) -> Value {
        let hidden = |server: &IceServer| IceServer {
            credential: server.credential.as_ref().map(|_| "(secret)".into()),
            ..server.clone()
        };
        show_serde(&self.iter().map(hidden).collect::<Self>())
    }
}

#[derive(Clone)]
struct PublicUrl(Url);

impl Setting for PublicUrl {
    const ALLOWED: &'static str =
        "an http or https address without a path, as \"https://rooms.example.org/\"";

    fn read(value: Value) -> Result<Self, Option<String>> {
        read_url(value, &["http", "https"]).map(Self)
    }

    fn show(&self) -> Value {
        Value::String(self.0.to_string())
    }
}
