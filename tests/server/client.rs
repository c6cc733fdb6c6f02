//! A raw client: the project's codecs on a WebSocket, and nothing that stops it from misbehaving.

use futures_util::{SinkExt, StreamExt};
use roomd_protocol::{SIGNAL_PATH, engine_io, records::DeviceCredentials, socket_io};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::server::{PATIENCE, Server};

pub(crate) struct Client {
    websocket: WebSocketStream<TcpStream>,
    /// Own id, once joined.
    pub(crate) id: String,
    pub(crate) claim: Value,
}

impl Client {
    /// A WebSocket, and not a word yet.
    pub(crate) async fn open(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let url = format!(
            "ws://{}{SIGNAL_PATH}?EIO=4&transport=websocket",
            server.address
        );
        let (websocket, _) = client_async(url, stream).await.unwrap();
        Self {
            websocket,
            id: String::new(),
            claim: Value::Null,
        }
    }

    /// In a room, as a new device.
    pub(crate) async fn join(server: &Server, room: &str) -> Self {
        let device = server.device().await;
        Self::join_as(server, room, &device, json!({})).await
    }

    pub(crate) async fn join_as(
        server: &Server,
        room: &str,
        device: &DeviceCredentials,
        members: Value,
    ) -> Self {
        let mut client = Self::open(server).await;
        client.frame("40").await;
        client
            .event("identify_device", &json!({ "deviceCredentials": device }))
            .await;
        let mut request = json!({ "roomName": room, "displayName": "Guest" });
        for (name, value) in members.as_object().unwrap() {
            request[name] = value.clone();
        }
        client.event("join_room", &request).await;
        let joined = client.until("room_joined").await.expect("an answer");
        if let Some(id) = joined["selfId"].as_str() {
            client.id = id.to_owned();
        }
        client.claim = joined["clientClaim"].clone();
        client
    }

    /// Sends an event; false when the connection is gone.
    pub(crate) async fn event(&mut self, name: &str, payload: &Value) -> bool {
        let packet = socket_io::Packet::Event {
            ack: None,
            name: name.to_owned(),
            payload: serde_json::value::to_raw_value(payload).ok(),
        };
        let packet = packet.encode();
        self.frame(&engine_io::Packet::Message(&packet).encode())
            .await
    }

    /// Sends a text frame; false when the connection is gone.
    pub(crate) async fn frame(&mut self, text: &str) -> bool {
        self.websocket.send(Message::text(text)).await.is_ok()
    }

    /// The next event, answering pings; `None` when the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.websocket.next());
            let text = match next.await.expect("the server is silent")? {
                Ok(Message::Text(text)) => text,
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => continue,
            };
            match engine_io::Packet::decode(&text).unwrap() {
                engine_io::Packet::Ping(_) => {
                    self.frame("3").await;
                }
                engine_io::Packet::Message(message) => {
                    match socket_io::Packet::decode(message).unwrap() {
                        socket_io::Packet::Event { name, payload, .. } => {
                            let payload = payload.map_or(Value::Null, |raw| {
                                serde_json::from_str(raw.get()).unwrap()
                            });
                            return Some((name, payload));
                        }
                        socket_io::Packet::Disconnect => return None,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    /// The payload of the next event of that name; `None` when the connection has ended.
    pub(crate) async fn until(&mut self, name: &str) -> Option<Value> {
        loop {
            let (got, payload) = self.next().await?;
            if got == name {
                return Some(payload);
            }
        }
    }

    /// Reads until the server has ended the connection.
    pub(crate) async fn ended(mut self) {
        while self.next().await.is_some() {}
    }
}
