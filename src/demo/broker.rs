//! The broker of the demo: rumqttd inside the process, on this machine only, nothing kept.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    thread,
};

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

use super::DemoError;

/// Starts the broker (MQTT 5) and returns its address. It ends with the process.
pub(super) fn start(port: u16) -> Result<SocketAddr, DemoError> {
    let refused = |reason: String| DemoError::Broker { port, reason };
    // The library reports a taken port by a log line alone, so it is tried before.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| refused(error.to_string()))?;
    let settings = ServerSettings {
        name: "demo".to_owned(),
        listen: address,
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: 10_000,
            max_payload_size: 256 * 1024,
            max_inflight_count: 100,
            auth: None,
            external_auth: None,
            dynamic_filters: false,
        },
    };
    let config = Config {
        router: RouterConfig {
            max_connections: 100,
            max_outgoing_packet_count: 200,
            max_segment_size: 1024 * 1024,
            max_segment_count: 10,
            ..RouterConfig::default()
        },
        v5: Some(HashMap::from([("demo".to_owned(), settings)])),
        ..Config::default()
    };
    let mut broker = Broker::new(config);
    thread::Builder::new()
        .name("mqtt-broker".to_owned())
        .spawn(move || {
            if let Err(error) = broker.start() {
                tracing::error!(%error, "the MQTT broker of the demo ended");
            }
        })
        .map_err(|error| refused(error.to_string()))?;
    Ok(address)
}
