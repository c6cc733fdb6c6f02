//! A broker for the demo and the benchmarks: rumqttd inside the process, on this machine only, nothing kept.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    thread,
};

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

/// The broker does not start.
#[derive(Debug, thiserror::Error)]
#[error("the MQTT broker does not start on port {port}: {reason}")]
pub struct BrokerError {
    /// The port that was asked for.
    pub port: u16,
    /// What went wrong.
    pub reason: String,
}

/// Log directives without the lines of the broker, unless they ask for them: it calls the end of every
/// connection an error.
#[must_use]
pub fn without_its_log(directives: &str) -> String {
    if directives.contains("rumqttd") {
        directives.to_owned()
    } else {
        format!("{directives},rumqttd=off")
    }
}

/// Starts the broker (MQTT 5) and returns its address; port 0 takes a free one. It ends with the process.
pub(crate) fn start(port: u16) -> Result<SocketAddr, BrokerError> {
    let refused = |reason: String| BrokerError { port, reason };
    // The library reports a taken port by a log line alone, so it is tried before.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| refused(error.to_string()))?;
    let settings = ServerSettings {
        name: "embedded".to_owned(),
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
        v5: Some(HashMap::from([("embedded".to_owned(), settings)])),
        ..Config::default()
    };
    let mut broker = Broker::new(config);
    thread::Builder::new()
        .name("mqtt-broker".to_owned())
        .spawn(move || {
            if let Err(error) = broker.start() {
                tracing::error!(%error, "the embedded MQTT broker ended");
            }
        })
        .map_err(|error| refused(error.to_string()))?;
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_is_silent_in_the_log_unless_it_is_asked_for() {
        assert_eq!(without_its_log("info"), "info,rumqttd=off");
        let asked = "info,rumqttd::server=debug";
        assert_eq!(without_its_log(asked), asked);
    }
}
