//! A client of the room protocol that costs as little as one can.

use std::{borrow::Cow, net::SocketAddr};

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use roomd_protocol::{
    ClientMessage, SIGNAL_PATH,
    client::{ChatMessageRequest, IdentifyDevice, JoinRoom},
    engine_io,
    records::DeviceCredentials,
    socket_io,
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

/// Read buffer of a client in bytes: `room_joined` is the largest that comes.
const READ_BUFFER: usize = 8 * 1024;

/// One connection.
pub(super) struct Client {
    websocket: WebSocketStream<TcpStream>,
}

/// What a benchmark looks at of an event.
pub(super) struct Event {
    pub(super) name: String,
    pub(super) payload: Option<Box<RawValue>>,
}

impl Client {
    /// Opens a WebSocket, and says nothing yet.
    pub(super) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .context("cannot connect to the server")?;
        stream.set_nodelay(true)?;
        let url = format!("ws://{address}{SIGNAL_PATH}?EIO=4&transport=websocket");
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        let (websocket, _) = client_async_with_config(url, stream, Some(config))
            .await
            .context("the server takes no WebSocket")?;
        Ok(Self { websocket })
    }

    /// Opens a WebSocket and joins; the answer has come when this returns.
    pub(super) async fn join(
        address: SocketAddr,
        room: &str,
        device: &DeviceCredentials,
    ) -> anyhow::Result<Self> {
        let mut client = Self::open(address).await?;
        client.text("40".to_owned()).await?;
        let device_credentials = device.clone();
        let identify = ClientMessage::IdentifyDevice(IdentifyDevice { device_credentials });
        client.send(&identify).await?;
        let join: JoinRoom = serde_json::from_value(json!({ "roomName": room }))?;
        client
            .send(&ClientMessage::JoinRoom(Box::new(join)))
            .await?;
        let joined = client.until("room_joined").await?;
        #[derive(Deserialize)]
        struct Answer {
            error: Option<String>,
        }
        let text = joined.payload.context("room_joined is empty")?;
        let answer: Answer = serde_json::from_str(text.get())?;
        match answer.error {
            None => Ok(client),
            Some(error) => bail!("the join was refused: {error}"),
        }
    }

    /// Writes into the chat.
    pub(super) async fn say(&mut self, text: String) -> anyhow::Result<()> {
        let request = ChatMessageRequest {
            text,
            ..ChatMessageRequest::default()
        };
        self.send(&ClientMessage::ChatMessage(request)).await
    }

    /// Leaves the room and closes the connection, as a person does.
    pub(super) async fn leave(mut self) -> anyhow::Result<()> {
        self.send(&ClientMessage::LeaveRoom).await?;
        self.until("room_left").await?;
        self.websocket.close(None).await?;
        // The server's own close frame ends the connection.
        while let Some(Ok(_)) = self.websocket.next().await {}
        Ok(())
    }

    pub(super) async fn send(&mut self, message: &ClientMessage) -> anyhow::Result<()> {
        let packet = message.to_packet().encode();
        self.text(engine_io::Packet::Message(&packet).encode())
            .await
    }

    async fn text(&mut self, text: String) -> anyhow::Result<()> {
        self.websocket
            .send(Message::text(text))
            .await
            .context("the server does not take a message")
    }

    async fn until(&mut self, name: &str) -> anyhow::Result<Event> {
        loop {
            let event = self.next().await?;
            if event.name == name {
                return Ok(event);
            }
        }
    }

    /// The next event; pings are answered. Cancelling it loses nothing but a pong.
    pub(super) async fn next(&mut self) -> anyhow::Result<Event> {
        loop {
            let text = match self.websocket.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => bail!("the server closed: {frame:?}"),
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(error).context("the connection failed"),
                None => bail!("the connection has ended"),
            };
            match engine_io::Packet::decode(&text)? {
                engine_io::Packet::Ping(data) => {
                    self.text(engine_io::Packet::Pong(data).encode()).await?;
                }
                engine_io::Packet::Message(message) => {
                    if let socket_io::Packet::Event { name, payload, .. } =
                        socket_io::Packet::decode(message)?
                    {
                        return Ok(Event { name, payload });
                    }
                }
                _ => {}
            }
        }
    }
}

impl Event {
    /// The text of a chat message; `None` for every other event.
    pub(super) fn said(&self) -> Option<Cow<'_, str>> {
        #[derive(Deserialize)]
        struct Said<'a> {
            #[serde(borrow)]
            text: Cow<'a, str>,
        }
        if self.name != "chat_message" {
            return None;
        }
        let payload = self.payload.as_ref()?;
        let said: Said<'_> = serde_json::from_str(payload.get()).ok()?;
        Some(said.text)
    }
}

/// Credentials from `POST /devices`.
pub(super) async fn device(address: SocketAddr) -> anyhow::Result<DeviceCredentials> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "POST /devices HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (_, body) = answer
        .split_once("\r\n\r\n")
        .with_context(|| format!("the server says {answer:?}"))?;
    serde_json::from_str(body).with_context(|| format!("the server says {answer:?}"))
}
