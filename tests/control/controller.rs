//! A controller: an MQTT client beside the box, speaking either version.

use std::time::Duration;

use rumqttc::{QoS, v5};
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use crate::{appliance::PATIENCE, broker::Broker};

/// A message that the controller has heard.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) retain: bool,
    pub(crate) correlation: Option<Vec<u8>>,
}

impl Heard {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.payload).unwrap()
    }
}

enum Client {
    V311(rumqttc::AsyncClient),
    V5(v5::AsyncClient),
}

/// A client that hears everything below `roomd/` and `client/`.
pub(crate) struct Controller {
    client: Client,
    heard: mpsc::UnboundedReceiver<Heard>,
    task: JoinHandle<()>,
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Larger than what the box takes, so that it can be tried.
const LIMIT: usize = 32 * 1024 * 1024;

impl Controller {
    /// Connects and subscribes.
    pub(crate) async fn connect(broker: &Broker, version: &str) -> Self {
        let (tell, heard) = mpsc::unbounded_channel();
        let (ready, mut is_ready) = mpsc::channel(1);
        let (client, task) = if version == "5" {
            let mut options = v5::MqttOptions::new("controller", "127.0.0.1", broker.port);
            options.set_max_packet_size(u32::try_from(LIMIT).ok());
            let (client, mut events) = v5::AsyncClient::new(options, 4096);
            let subscriber = client.clone();
            let task = tokio::spawn(async move {
                while let Ok(event) = events.poll().await {
                    match event {
                        v5::Event::Incoming(v5::mqttbytes::v5::Packet::ConnAck(_)) => {
                            for filter in ["roomd/#", "client/#"] {
                                subscriber
                                    .try_subscribe(filter, v5::mqttbytes::QoS::AtLeastOnce)
                                    .unwrap();
                            }
                        }
                        v5::Event::Incoming(v5::mqttbytes::v5::Packet::SubAck(_)) => {
                            let _ = ready.try_send(());
                        }
                        v5::Event::Incoming(v5::mqttbytes::v5::Packet::Publish(publish)) => {
                            let properties = publish.properties.unwrap_or_default();
                            let _ = tell.send(Heard {
                                topic: String::from_utf8(publish.topic.into()).unwrap(),
                                payload: publish.payload.into(),
                                retain: publish.retain,
                                correlation: properties.correlation_data.map(Into::into),
                            });
                        }
                        _ => {}
                    }
                }
            });
            (Client::V5(client), task)
        } else {
            let mut options = rumqttc::MqttOptions::new("controller", "127.0.0.1", broker.port);
            options.set_max_packet_size(LIMIT, LIMIT);
            let (client, mut events) = rumqttc::AsyncClient::new(options, 4096);
            let subscriber = client.clone();
            let task = tokio::spawn(async move {
                while let Ok(event) = events.poll().await {
                    match event {
                        rumqttc::Event::Incoming(rumqttc::Packet::ConnAck(_)) => {
                            for filter in ["roomd/#", "client/#"] {
                                subscriber.try_subscribe(filter, QoS::AtLeastOnce).unwrap();
                            }
                        }
                        rumqttc::Event::Incoming(rumqttc::Packet::SubAck(_)) => {
                            let _ = ready.try_send(());
                        }
                        rumqttc::Event::Incoming(rumqttc::Packet::Publish(publish)) => {
                            let _ = tell.send(Heard {
                                topic: publish.topic,
                                payload: publish.payload.into(),
                                retain: publish.retain,
                                correlation: None,
                            });
                        }
                        _ => {}
                    }
                }
            });
            (Client::V311(client), task)
        };
        timeout(PATIENCE, is_ready.recv())
            .await
            .expect("the broker does not answer");
        Self {
            client,
            heard,
            task,
        }
    }

    /// Publishes with QoS 1.
    pub(crate) async fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>, retain: bool) {
        match &self.client {
            Client::V311(client) => {
                client
                    .publish(topic, QoS::AtLeastOnce, retain, payload.into())
                    .await
                    .unwrap();
            }
            Client::V5(client) => {
                let qos = v5::mqttbytes::QoS::AtLeastOnce;
                client
                    .publish(topic, qos, retain, payload.into())
                    .await
                    .unwrap();
            }
        }
    }

    /// Publishes with MQTT 5 properties.
    pub(crate) async fn publish_with(
        &self,
        topic: &str,
        payload: &str,
        properties: v5::mqttbytes::v5::PublishProperties,
    ) {
        let Client::V5(client) = &self.client else {
            panic!("MQTT 3.1.1 has no properties");
        };
        let qos = v5::mqttbytes::QoS::AtLeastOnce;
        client
            .publish_with_properties(topic, qos, false, payload.to_owned(), properties)
            .await
            .unwrap();
    }

    /// Sends a command of the box `wall`.
    pub(crate) async fn command(&self, name: &str, payload: &str) {
        self.publish(&format!("roomd/wall/cmd/{name}"), payload, false)
            .await;
    }

    /// The next message, whatever it is; `None` when none comes.
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        timeout(PATIENCE, self.heard.recv()).await.ok()?
    }

    /// The next message that is wanted.
    pub(crate) async fn wait(&mut self, wanted: impl Fn(&Heard) -> bool) -> Heard {
        let mut others = Vec::new();
        timeout(PATIENCE, async {
            loop {
                let heard = self.heard.recv().await.expect("the controller is cut off");
                if wanted(&heard) {
                    return heard;
                }
                others.push(heard.topic);
            }
        })
        .await
        .unwrap_or_else(|_| panic!("not heard, but {others:?}"))
    }

    /// The next message on a topic of the box `wall`.
    pub(crate) async fn on(&mut self, topic: &str) -> Heard {
        let topic = format!("roomd/wall/{topic}");
        self.wait(|heard| heard.topic == topic).await
    }

    /// The next reply on the box's own topic.
    pub(crate) async fn reply(&mut self) -> Value {
        self.on("reply").await.json()
    }

    /// The reply to the command with that id.
    pub(crate) async fn reply_to(&mut self, id: &str) -> Value {
        self.wait(|heard| heard.topic.ends_with("/reply") && heard.json()["id"] == id)
            .await
            .json()
    }

    /// Nothing more is heard for a moment.
    pub(crate) async fn silence(&mut self, moment: Duration) {
        if let Ok(Some(heard)) = timeout(moment, self.heard.recv()).await {
            panic!("heard {heard:?}");
        }
    }
}
