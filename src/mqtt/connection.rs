//! One connection with one broker, MQTT 3.1.1 and 5 alike.
//!
//! A connection is made once and never again: whatever waited in it goes with it, and the next one
//! publishes everything anew. A task of its own carries it; its owner never waits for the broker.

use std::time::Duration;

use rumqttc::{QoS, Transport, v5};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    command::Properties,
    settings::{BrokerTransport, BrokerUrl, MqttConfig, MqttVersion},
    tls::{self, TlsError},
};

/// Largest packet that is taken from a broker, in bytes; above the 64 KiB of a command, so that
/// somewhat larger ones get an answer.
pub(crate) const PACKET_LIMIT: usize = 256 * 1024;

/// Largest packet that is sent, in bytes. Payloads are kept below.
const OUTGOING_LIMIT: usize = 1024 * 1024;

/// How long making a connection may take, in seconds.
const CONNECT_TIMEOUT_SECS: u64 = 5;

/// Messages between the two tasks.
const QUEUE: usize = 64;

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// A message.
    Publish {
        topic: String,
        payload: Vec<u8>,
        retain: bool,
        correlation: Option<Vec<u8>>,
    },
    /// The end, in good order: the broker keeps the will to itself.
    Disconnect,
}

/// What happens on the connection.
#[derive(Debug)]
pub(crate) enum Happening {
    /// The broker accepted us.
    Accepted,
    /// It took our subscriptions, but for those with these indices.
    Subscribed { refused: Vec<usize> },
    /// A message.
    Message(Message),
    /// It is over; nothing follows.
    Ended(End),
}

/// A message from the broker.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) properties: Properties,
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum End {
    /// We said so.
    #[error("disconnected")]
    Disconnected,
    /// A client with the same id has connected.
    #[error("another client has connected with the same client id")]
    TakenOver,
    /// A packet larger than we take.
    #[error("a packet of {bytes} bytes arrived, allowed are {PACKET_LIMIT}")]
    Oversized { bytes: usize },
    /// The broker does not want us.
    #[error("the broker refuses the connection: {0}")]
    Refused(String),
    /// The machine slept: whatever was connected is not to be trusted.
    #[error("the machine slept for {} s", .0.as_secs())]
    Slept(Duration),
    /// The broker has cut the connection.
    #[error("the broker has closed the connection")]
    Cut,
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// What is needed for a connection besides the configuration.
pub(crate) struct Terms {
    pub(crate) filters: Vec<String>,
    /// Where the broker says `offline` for us; none for who is no box.
    pub(crate) will_topic: Option<String>,
    pub(crate) packet_limit: usize,
}

/// A connection. Dropping it cuts it, and the broker publishes the will.
pub(crate) struct Connection {
    pub(crate) outgoing: mpsc::Sender<Outgoing>,
    pub(crate) happenings: mpsc::Receiver<Happening>,
    task: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connection {
    /// Begins to connect.
    ///
    /// # Errors
    /// When the certificates of an encrypted connection cannot be used.
    pub(crate) fn open(
        config: &MqttConfig,
        broker: &BrokerUrl,
        terms: Terms,
    ) -> Result<Self, TlsError> {
        let transport = transport(config, broker)?;
        let (outgoing, to_send) = mpsc::channel(QUEUE);
        let (tell, happenings) = mpsc::channel(QUEUE);
        let task = match config.version {
            MqttVersion::V311 => {
                let options = options_v311(config, broker, transport, &terms);
                tokio::spawn(carry_v311(options, terms.filters, to_send, tell))
            }
            MqttVersion::V5 => {
                let options = options_v5(config, broker, transport, &terms);
                tokio::spawn(carry_v5(options, terms.filters, to_send, tell))
            }
        };
        Ok(Self {
            outgoing,
            happenings,
            task,
        })
    }

    /// What happens next.
    pub(crate) async fn next(&mut self) -> Happening {
        // The task ends without a word only when it panicked inside the client library.
        self.happenings.recv().await.unwrap_or_else(|| {
            Happening::Ended(End::Failed("the MQTT client has stopped".to_owned()))
        })
    }
}

fn transport(config: &MqttConfig, broker: &BrokerUrl) -> Result<Transport, TlsError> {
    Ok(match broker.transport() {
        BrokerTransport::Tcp => Transport::Tcp,
        BrokerTransport::WebSocket => Transport::Ws,
        BrokerTransport::Tls => Transport::tls_with_config(rumqttc::TlsConfiguration::Rustls(
            tls::client_config(&config.tls)?,
        )),
        BrokerTransport::SecureWebSocket => Transport::wss_with_config(
            rumqttc::TlsConfiguration::Rustls(tls::client_config(&config.tls)?),
        ),
    })
}

/// For web sockets the client wants the whole URL, with the port spelled out.
fn host(broker: &BrokerUrl) -> &str {
    match broker.transport() {
        BrokerTransport::Tcp | BrokerTransport::Tls => broker.host(),
        BrokerTransport::WebSocket | BrokerTransport::SecureWebSocket => broker.as_str(),
    }
}

fn network_options() -> rumqttc::NetworkOptions {
    let mut network = rumqttc::NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(CONNECT_TIMEOUT_SECS);
    network
}

fn options_v311(
    config: &MqttConfig,
    broker: &BrokerUrl,
    transport: Transport,
    terms: &Terms,
) -> rumqttc::MqttOptions {
    let mut options =
        rumqttc::MqttOptions::new(config.effective_client_id(), host(broker), broker.port());
    options
        .set_transport(transport)
        .set_keep_alive(config.keep_alive.duration())
        .set_clean_session(true)
        .set_max_packet_size(terms.packet_limit, OUTGOING_LIMIT);
    if let Some(topic) = &terms.will_topic {
        let will = rumqttc::LastWill::new(topic, "offline", QoS::AtLeastOnce, true);
        options.set_last_will(will);
    }
    if let Some((user, password)) = credentials(config) {
        options.set_credentials(user, password);
    }
    options
}

fn options_v5(
    config: &MqttConfig,
    broker: &BrokerUrl,
    transport: Transport,
    terms: &Terms,
) -> v5::MqttOptions {
    let mut options =
        v5::MqttOptions::new(config.effective_client_id(), host(broker), broker.port());
    options
        .set_transport(transport)
        .set_keep_alive(config.keep_alive.duration())
        .set_clean_start(true)
        .set_connection_timeout(CONNECT_TIMEOUT_SECS)
        .set_max_packet_size(u32::try_from(terms.packet_limit).ok());
    if let Some(topic) = &terms.will_topic {
        let qos = v5::mqttbytes::QoS::AtLeastOnce;
        let will = v5::mqttbytes::v5::LastWill::new(topic, "offline", qos, true, None);
        options.set_last_will(will);
    }
    options.set_network_options(network_options());
    if let Some((user, password)) = credentials(config) {
        options.set_credentials(user, password);
    }
    options
}

fn credentials(config: &MqttConfig) -> Option<(String, String)> {
    let user = config.username.clone()?;
    let password = config
        .password
        .as_ref()
        .map(|secret| secret.reveal().to_owned());
    Some((user, password.unwrap_or_default()))
}

/// Carries an MQTT 3.1.1 connection to its end.
async fn carry_v311(
    options: rumqttc::MqttOptions,
    filters: Vec<String>,
    mut to_send: mpsc::Receiver<Outgoing>,
    tell: mpsc::Sender<Happening>,
) {
    let (client, mut events) = rumqttc::AsyncClient::new(options, QUEUE);
    events.set_network_options(network_options());
    let sending = async {
        while let Some(outgoing) = to_send.recv().await {
            let sent = match outgoing {
                Outgoing::Publish {
                    topic,
                    payload,
                    retain,
                    ..
                } => {
                    client
                        .publish(topic, QoS::AtLeastOnce, retain, payload)
                        .await
                }
                Outgoing::Disconnect => client.disconnect().await,
            };
            if let Err(error) = sent {
                tracing::warn!(%error, "an MQTT message cannot be sent");
            }
        }
    };
    let receiving = async {
        loop {
            let happening = match events.poll().await {
                Ok(rumqttc::Event::Incoming(rumqttc::Packet::ConnAck(_))) => {
                    let subscriptions = filters.iter().map(|filter| {
                        rumqttc::SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce)
                    });
                    if let Err(error) = client.try_subscribe_many(subscriptions) {
                        break End::Failed(format!("cannot subscribe: {error}"));
                    }
                    Happening::Accepted
                }
                Ok(rumqttc::Event::Incoming(rumqttc::Packet::SubAck(ack))) => {
                    Happening::Subscribed {
                        refused: indices(&ack.return_codes, |code| {
                            matches!(code, rumqttc::SubscribeReasonCode::Failure)
                        }),
                    }
                }
                Ok(rumqttc::Event::Incoming(rumqttc::Packet::Publish(publish))) => {
                    Happening::Message(Message {
                        topic: publish.topic,
                        payload: publish.payload.into(),
                        properties: Properties {
                            retain: publish.retain,
                            ..Properties::default()
                        },
                    })
                }
                Ok(rumqttc::Event::Outgoing(rumqttc::Outgoing::Disconnect)) => {
                    break End::Disconnected;
                }
                Ok(_) => continue,
                Err(error) => break end_v311(error),
            };
            if tell.send(happening).await.is_err() {
                break End::Disconnected;
            }
        }
    };
    let end = tokio::select! {
        end = receiving => end,
        () = sending => return, // the owner has dropped the connection
    };
    // Nobody listens any more: then nobody wants to know.
    let _ = tell.send(Happening::Ended(end)).await;
}

/// Carries an MQTT 5 connection to its end.
async fn carry_v5(
    options: v5::MqttOptions,
    filters: Vec<String>,
    mut to_send: mpsc::Receiver<Outgoing>,
    tell: mpsc::Sender<Happening>,
) {
    use v5::mqttbytes::{
        QoS,
        v5::{Filter, Packet, PublishProperties, SubscribeReasonCode},
    };
    let (client, mut events) = v5::AsyncClient::new(options, QUEUE);
    let sending = async {
        while let Some(outgoing) = to_send.recv().await {
            let sent = match outgoing {
                Outgoing::Publish {
                    topic,
                    payload,
                    retain,
                    correlation: None,
                } => {
                    client
                        .publish(topic, QoS::AtLeastOnce, retain, payload)
                        .await
                }
                Outgoing::Publish {
                    topic,
                    payload,
                    retain,
                    correlation: Some(data),
                } => {
                    let properties = PublishProperties {
                        correlation_data: Some(data.into()),
                        ..PublishProperties::default()
                    };
                    client
                        .publish_with_properties(
                            topic,
                            QoS::AtLeastOnce,
                            retain,
                            payload,
                            properties,
                        )
                        .await
                }
                Outgoing::Disconnect => client.disconnect().await,
            };
            if let Err(error) = sent {
                tracing::warn!(%error, "an MQTT message cannot be sent");
            }
        }
    };
    let receiving = async {
        loop {
            let happening = match events.poll().await {
                Ok(v5::Event::Incoming(Packet::ConnAck(_))) => {
                    let subscriptions = filters
                        .iter()
                        .map(|filter| Filter::new(filter.clone(), QoS::AtLeastOnce));
                    if let Err(error) = client.try_subscribe_many(subscriptions) {
                        break End::Failed(format!("cannot subscribe: {error}"));
                    }
                    Happening::Accepted
                }
                Ok(v5::Event::Incoming(Packet::SubAck(ack))) => Happening::Subscribed {
                    refused: indices(&ack.return_codes, |code| {
                        !matches!(code, SubscribeReasonCode::Success(_))
                    }),
                },
                Ok(v5::Event::Incoming(Packet::Publish(publish))) => {
                    let Ok(topic) = String::from_utf8(publish.topic.into()) else {
                        continue; // none of our filters matches it
                    };
                    let properties = publish.properties.unwrap_or_default();
                    Happening::Message(Message {
                        topic,
                        payload: publish.payload.into(),
                        properties: Properties {
                            retain: publish.retain,
                            expiry: properties
                                .message_expiry_interval
                                .map(|seconds| Duration::from_secs(seconds.into())),
                            response_topic: properties.response_topic,
                            correlation: properties.correlation_data.map(Into::into),
                        },
                    })
                }
                Ok(v5::Event::Outgoing(rumqttc::Outgoing::Disconnect)) => break End::Disconnected,
                Ok(_) => continue,
                Err(error) => break end_v5(error),
            };
            if tell.send(happening).await.is_err() {
                break End::Disconnected;
            }
        }
    };
    let end = tokio::select! {
        end = receiving => end,
        () = sending => return, // the owner has dropped the connection
    };
    // Nobody listens any more: then nobody wants to know.
    let _ = tell.send(Happening::Ended(end)).await;
}

fn indices<T>(codes: &[T], wanted: impl Fn(&T) -> bool) -> Vec<usize> {
    let matching = codes.iter().enumerate().filter(|(_, code)| wanted(code));
    matching.map(|(index, _)| index).collect()
}

fn end_v311(error: rumqttc::ConnectionError) -> End {
    use rumqttc::{ConnectionError, Error, StateError};
    match error {
        ConnectionError::ConnectionRefused(code) => End::Refused(format!("{code:?}")),
        ConnectionError::MqttState(StateError::Deserialization(
            Error::PayloadSizeLimitExceeded(bytes),
        )) => End::Oversized { bytes },
        ConnectionError::MqttState(StateError::ConnectionAborted) => End::Cut,
        ConnectionError::MqttState(StateError::Deserialization(Error::Io(error))) => {
            End::Failed(error.to_string())
        }
        ConnectionError::MqttState(StateError::AwaitPingResp) => {
            End::Failed("the broker gives no sign of life".to_owned())
        }
        other => End::Failed(other.to_string()),
    }
}

fn end_v5(error: v5::ConnectionError) -> End {
    use v5::{
        ConnectionError, StateError,
        mqttbytes::{Error, v5::DisconnectReasonCode},
    };
    match error {
        ConnectionError::ConnectionRefused(code) => End::Refused(format!("{code:?}")),
        ConnectionError::MqttState(StateError::Deserialization(
            Error::PayloadSizeLimitExceeded { pkt_size, .. },
        )) => End::Oversized { bytes: pkt_size },
        ConnectionError::MqttState(StateError::IncomingPacketTooLarge { pkt_size, .. }) => {
            End::Oversized { bytes: pkt_size }
        }
        ConnectionError::MqttState(StateError::ServerDisconnect {
            reason_code,
            reason_string,
        }) => match reason_code {
            DisconnectReasonCode::SessionTakenOver => End::TakenOver,
            other => End::Failed(format!(
                "the broker has disconnected us: {other:?} {}",
                reason_string.unwrap_or_default()
            )),
        },
        ConnectionError::MqttState(StateError::ConnectionAborted) => End::Cut,
        ConnectionError::MqttState(StateError::AwaitPingResp) => {
            End::Failed("the broker gives no sign of life".to_owned())
        }
        other => End::Failed(other.to_string()),
    }
}
