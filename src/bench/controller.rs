//! The controller of the boxes: an MQTT client that notes when each message came.

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, bail};
use rumqttc::v5::{
    AsyncClient, Event, MqttOptions,
    mqttbytes::{QoS, v5::Packet},
};
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

/// How long anything may take that is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// The topic of bare round trips.
const ECHO: &str = "bench/echo";

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// When it came.
    pub(super) at: Instant,
    /// Its topic.
    pub(super) topic: String,
    /// Its payload; `null` when it is no JSON.
    pub(super) payload: Value,
}

/// When something was published.
#[derive(Clone, Copy, Debug)]
pub(super) struct Published {
    /// For differences of times.
    pub(super) at: Instant,
    /// For comparison with the times of packets.
    pub(super) wall: SystemTime,
}

/// The client. It hears everything below `roomd/`.
pub(super) struct Controller {
    client: AsyncClient,
    heard: mpsc::UnboundedReceiver<Heard>,
    states: HashMap<String, Value>,
    task: JoinHandle<()>,
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Controller {
    /// Connects and subscribes.
    pub(super) async fn connect(broker: SocketAddr) -> anyhow::Result<Self> {
        let mut options = MqttOptions::new("bench", broker.ip().to_string(), broker.port());
        options.set_max_packet_size(Some(1024 * 1024));
        let mut network = rumqttc::NetworkOptions::new();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        let (client, mut events) = AsyncClient::new(options, 64);

        let (tell, heard) = mpsc::unbounded_channel();
        let (ready, mut is_ready) = mpsc::channel(2);
        let task = tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        let message = Heard {
                            at: Instant::now(),
                            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                            payload: serde_json::from_slice(&publish.payload).unwrap_or_default(),
                        };
                        if tell.send(message).is_err() {
                            return;
                        }
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        if ready.send(()).await.is_err() {
                            return;
                        }
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::error!(%error, "the connection with the broker is lost");
                        return;
                    }
                }
            }
        });
        for filter in ["roomd/#", ECHO] {
            client.subscribe(filter, QoS::AtLeastOnce).await?;
            timeout(PATIENCE, is_ready.recv())
                .await
                .context("the broker does not answer")?
                .context("the broker does not take a subscription")?;
        }
        Ok(Self {
            client,
            heard,
            states: HashMap::new(),
            task,
        })
    }

    /// Sends a command to a box.
    pub(super) async fn command(
        &self,
        device: &str,
        command: &str,
        payload: &str,
    ) -> anyhow::Result<Published> {
        self.publish(&format!("roomd/{device}/cmd/{command}"), payload)
            .await
    }

    async fn publish(&self, topic: &str, payload: &str) -> anyhow::Result<Published> {
        let now = Published {
            at: Instant::now(),
            wall: SystemTime::now(),
        };
        let payload = payload.to_owned();
        self.client
            .publish(topic, QoS::AtLeastOnce, false, payload)
            .await?;
        Ok(now)
    }

    /// How long a message takes to the broker and back.
    pub(super) async fn echo(&mut self, number: usize) -> anyhow::Result<Duration> {
        let sent = self.publish(ECHO, &number.to_string()).await?;
        let echo = self
            .next("an echo", |heard| {
                heard.topic == ECHO && heard.payload == number
            })
            .await?;
        Ok(echo.at - sent.at)
    }

    /// The next message that is wanted.
    pub(super) async fn next(
        &mut self,
        what: &str,
        wanted: impl Fn(&Heard) -> bool,
    ) -> anyhow::Result<Heard> {
        let waiting = async {
            loop {
                let Some(heard) = self.heard.recv().await else {
                    bail!("the connection with the broker is lost");
                };
                self.states
                    .insert(heard.topic.clone(), heard.payload.clone());
                if wanted(&heard) {
                    return Ok(heard);
                }
            }
        };
        match timeout(PATIENCE, waiting).await {
            Ok(heard) => heard,
            Err(_) => bail!("{what} did not come within {PATIENCE:?}"),
        }
    }

    /// The next message of a state part that is wanted.
    pub(super) async fn next_state(
        &mut self,
        device: &str,
        part: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Heard> {
        let topic = format!("roomd/{device}/state/{part}");
        self.next(&topic, |heard| {
            heard.topic == topic && wanted(&heard.payload)
        })
        .await
        .with_context(|| format!("last seen of {topic}: {:?}", self.states.get(&topic)))
    }

    /// Waits until a state part is as wanted, which it may be already.
    pub(super) async fn until_state(
        &mut self,
        device: &str,
        part: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<()> {
        self.catch_up();
        let topic = format!("roomd/{device}/state/{part}");
        if self.states.get(&topic).is_some_and(&wanted) {
            return Ok(());
        }
        self.next_state(device, part, wanted).await.map(|_| ())
    }

    /// Takes in what has come; gives the values of a state part on the way.
    pub(super) fn catch_up(&mut self) -> Vec<Heard> {
        let mut news = Vec::new();
        while let Ok(heard) = self.heard.try_recv() {
            self.states
                .insert(heard.topic.clone(), heard.payload.clone());
            news.push(heard);
        }
        news
    }

    /// The last value of a state part.
    pub(super) fn state(&self, device: &str, part: &str) -> Option<&Value> {
        self.states.get(&format!("roomd/{device}/state/{part}"))
    }

    /// Forgets what a box was: another of that name is about to start.
    pub(super) fn forget(&mut self, device: &str) {
        self.catch_up();
        let base = format!("roomd/{device}/");
        self.states.retain(|topic, _| !topic.starts_with(&base));
    }
}
