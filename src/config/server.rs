//! `[server]`: the room server; read into the server's own configuration, bounds included.

use std::{path::PathBuf, time::Duration};

use roomd_protocol::records::IceServer;
use roomd_server::config::{Limits, ServerConfig, TlsMode, UnlistedMode, UnlistedRole};
use serde::Deserialize;
use toml::Value;
use url::Url;

use super::{
    reader::Section,
    setting::{Setting, read_serde, read_url, serde_setting, show_serde, words},
    sources::Sources,
    system::state_directory,
};

pub(super) fn read(section: &mut Section<'_, '_>, sources: &Sources) -> ServerConfig {
    let mut server = ServerConfig::default();
    let mut keys = Keys { section, server: &mut server };
    keys.with("listen", |server| &mut server.listen);
    keys.with("tls", |server| &mut server.tls);
    keys.with("ice_servers", |server| &mut server.ice_servers);
    keys.with("allow_unlisted_rooms", |server| &mut server.allow_unlisted_rooms);
    keys.with("unlisted_role", |server| &mut server.unlisted_role);
    keys.with("unlisted_mode", |server| &mut server.unlisted_mode);
    keys.with("grace_seconds", |server| &mut server.grace);
    keys.with_hours("claim_hours", |server| &mut server.claim_lifetime);
    keys.optional("plain_listen", "\"127.0.0.1:8080\"", |server, address| server.plain_listen = Some(address));
    keys.optional("public_url", "\"https://rooms.example.org/\"", |server, url: PublicUrl| {
        server.public_url = Some(url.0);
    });
    keys.api_key();

    server.state_dir = Some(section.key("state_dir", state_directory(sources, "roomd/room-server")));
    if let TlsMode::Files { key, .. } = &server.tls {
        section.check_private_file("tls", key);
    }
    read_limits(&mut section.section("limits"), &mut server);
    server
}

fn read_limits(section: &mut Section<'_, '_>, server: &mut ServerConfig) {
    let mut keys = Keys { section, server };
    keys.with("clients_per_room", |server| &mut server.limits.clients_per_room);
    keys.with("clients_per_group_room", |server| &mut server.limits.clients_per_group_room);
    keys.with("knockers_per_room", |server| &mut server.limits.knockers_per_room);
    keys.with("sockets_per_device", |server| &mut server.limits.sockets_per_device);
    keys.with("sockets", |server| &mut server.limits.sockets);
    keys.with("meetings", |server| &mut server.limits.meetings);
    keys.with("message_bytes", |server| &mut server.limits.message_bytes);
    keys.with("event_bytes", |server| &mut server.limits.event_bytes);
    keys.with("messages_per_second", |server| &mut server.limits.messages_per_second);
    keys.with("message_burst", |server| &mut server.limits.message_burst);
    keys.with("send_queue_bytes", |server| &mut server.limits.send_queue_bytes);
    keys.with("devices_per_minute", |server| &mut server.limits.devices_per_minute);
    keys.with("identify_seconds", |server| &mut server.limits.identify_seconds);
    keys.with("ping_timeout_seconds", |server| &mut server.limits.ping_timeout_seconds);
    let Limits { .. } = server.limits;
}
