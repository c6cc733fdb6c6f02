//! A client of the room protocol, as small as tests need it.

use std::{path::Path, time::Duration};

use futures_util::{SinkExt, StreamExt};
use roomd_protocol::{SIGNAL_PATH, engine_io, records::DeviceCredentials, socket_io};
use roomd_server::{RunningServer, ServerConfig, TlsMode, start};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, protocol::CloseFrame},
};

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const API_KEY: &str = "an-api-key-for-tests";

/// A server on a free port of the loopback interface, without encryption.
pub(crate) fn config() -> ServerConfig {
    ServerConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        tls: TlsMode::Off,
        api_key: Some(API_KEY.into()),
        ..ServerConfig::default()
    }
}

pub(crate) async fn kept(directory: &Path) -> RunningServer {
    let config = ServerConfig {
        state_dir: Some(directory.to_owned()),
        ..config()
    };
    start(config).await.unwrap()
}

/// An HTTP client that trusts nobody and goes through no proxy.
pub(crate) fn http() -> reqwest::Client {
    // The tests of one process share the provider; whoever is first installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// One connection to the server.
pub(crate) struct Client {
    websocket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Received {
    Event(String, Value),
    Disconnect,
    Closed(Option<CloseFrame>),
}

impl Client {
    /// Opens a WebSocket and connects the namespace.
    pub(crate) async fn connect(server: &RunningServer) -> Self {
        let mut client = Self::open(server).await;
        client.frame("40").await;
        let answer = client.text().await;
        assert!(answer.starts_with("40{\"sid\":"), "{answer}");
        client
    }

    /// Opens a WebSocket; the server says its timing.
    pub(crate) async fn open(server: &RunningServer) -> Self {
        let address = server.local_addr();
        let url = format!("ws://{address}{SIGNAL_PATH}?EIO=4&transport=websocket");
        let (websocket, _) = connect_async(url).await.unwrap();
        let mut client = Self { websocket };
        let open = client.text().await;
        let Ok(engine_io::Packet::Open(open)) = engine_io::Packet::decode(&open) else {
            panic!("{open} is no handshake")
        };
        assert_eq!((open.ping_interval, open.ping_timeout), (2000, 10_000));
        client
    }

    /// Connects as a device that has its credentials.
    pub(crate) async fn identified(server: &RunningServer, device: &DeviceCredentials) -> Self {
        let mut client = Self::connect(server).await;
        client
            .send("identify_device", json!({ "deviceCredentials": device }))
            .await;
        client.expect("device_identified").await;
        client
    }

    /// Connects and joins; returns the answer too.
    pub(crate) async fn join(
        server: &RunningServer,
        device: &DeviceCredentials,
        members: Value,
    ) -> (Self, Value) {
        let mut client = Self::identified(server, device).await;
        let mut request = json!({ "roomName": "/r", "displayName": "Guest" });
        for (name, value) in members.as_object().unwrap() {
            request[name] = value.clone();
        }
        client.send("join_room", request).await;
        let joined = client.expect("room_joined").await;
        (client, joined)
    }

    pub(crate) async fn send(&mut self, name: &str, payload: Value) {
        let payload = serde_json::value::to_raw_value(&payload).unwrap();
        let packet = socket_io::Packet::Event {
            ack: None,
            name: name.to_owned(),
            payload: Some(payload),
        };
        self.frame(&format!("4{}", packet.encode())).await;
    }

    pub(crate) async fn frame(&mut self, text: &str) {
        self.websocket.send(Message::text(text)).await.unwrap();
    }

    /// Sends until the server does not take it any more.
    pub(crate) async fn flood(&mut self, text: &str, times: usize) {
        for _ in 0..times {
            if self.websocket.send(Message::text(text)).await.is_err() {
                return;
            }
        }
    }

    /// The next event, which has to be of that name; its payload.
    pub(crate) async fn expect(&mut self, name: &str) -> Value {
        match self.next().await {
            Received::Event(got, payload) if got == name => payload,
            other => panic!("{name} expected, got {other:?}"),
        }
    }

    /// The next thing that is not part of the heartbeat.
    pub(crate) async fn next(&mut self) -> Received {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.websocket.next());
            let text = match next.await.expect("the server is silent") {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => return Received::Closed(frame),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Received::Closed(None),
            };
            match engine_io::Packet::decode(&text).unwrap() {
                engine_io::Packet::Ping(_) => self.frame("3").await,
                engine_io::Packet::Message(message) => {
                    match socket_io::Packet::decode(message).unwrap() {
                        socket_io::Packet::Event { name, payload, .. } => {
                            let payload = payload.map_or(Value::Null, |raw| {
                                serde_json::from_str(raw.get()).unwrap()
                            });
                            return Received::Event(name, payload);
                        }
                        socket_io::Packet::Disconnect => return Received::Disconnect,
                        other => panic!("unexpected {other:?}"),
                    }
                }
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// Closes with that code, as a page that goes away does with 1001.
    pub(crate) async fn close(mut self, code: u16) {
        let frame = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        self.websocket.close(Some(frame)).await.unwrap();
    }

    async fn text(&mut self) -> String {
        let next = tokio::time::timeout(PATIENCE, self.websocket.next()).await;
        next.unwrap()
            .unwrap()
            .unwrap()
            .into_text()
            .unwrap()
            .to_string()
    }
}

/// Credentials from `POST /devices`.
pub(crate) async fn device(server: &RunningServer) -> DeviceCredentials {
    let url = format!("http://{}/devices", server.local_addr());
    let response = http().post(url).send().await.unwrap();
    response.error_for_status().unwrap().json().await.unwrap()
}
