//! One signalling connection at a time: handshake, keep-alive, loss and return.
//!
//! Socket.IO revision 5 over Engine.IO revision 4, WebSocket only, as the SDK does it (signal
//! reference §3): the server pings, the client answers and sends a noop every two seconds; a silence
//! longer than interval and timeout together means that the connection is dead.

use std::{net::IpAddr, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use roomd_protocol::{
    ClientMessage, RoomUrl, SIGNAL_PATH, ServerMessage,
    engine_io::{self, EngineIoError},
    socket_io::{self, SocketIoError},
};
use roomd_room::SocketEvent;
use thiserror::Error;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{
        self, Message, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig,
    },
};

use crate::{Event, backoff::Backoff, endpoints::Endpoints, tls, trace::Trace};

/// From opening the socket to the handshake, as in the SDK.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a noop goes out.
const NOOP_INTERVAL: Duration = Duration::from_secs(2);
/// How long a goodbye may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Largest message that is taken; a description of a long call is below 0.3 MiB.
const MAX_MESSAGE_SIZE: usize = 4 << 20;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Makes connections.
#[derive(Clone, Debug)]
pub struct Connector {
    tls: Arc<rustls::ClientConfig>,
    endpoints: Endpoints,
    trace: Arc<tokio::sync::Mutex<Trace>>,
    /// The addresses that this machine has now; `None` when they cannot be told.
    addresses: fn() -> Option<Vec<IpAddr>>,
}

/// A running connection; it comes back by itself until it is closed.
#[derive(Debug)]
pub struct Connection {
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
enum Order {
    Send(Box<ClientMessage>),
    Restart,
    Close,
}

/// Why a connection ended or did not begin.
#[derive(Debug, Error)]
enum ConnectionError {
    #[error("{0}")]
    WebSocket(tungstenite::Error),
    #[error("{0}")]
    Untrusted(String),
    #[error("the server answers with status {0} and no WebSocket: it is no room service")]
    NoWebSocket(tungstenite::http::StatusCode),
    #[error("no handshake within 5 s")]
    ConnectTimeout,
    #[error("the server closed the connection")]
    Closed,
    #[error("the server has been silent for {} s", .0.as_secs())]
    Silence(Duration),
    #[error("the server does not speak Engine.IO: {0}")]
    EngineIo(#[from] EngineIoError),
    #[error("the server does not speak Socket.IO: {0}")]
    SocketIo(#[from] SocketIoError),
    #[error("the server refused the namespace: {0}")]
    Refused(String),
    #[error("the server did not begin with a handshake")]
    NoHandshake,
    #[error("this machine has the address {0} no longer")]
    AddressGone(IpAddr),
}

impl From<tungstenite::Error> for ConnectionError {
    fn from(error: tungstenite::Error) -> Self {
        if let Some(reason) = tls::untrusted(&error) {
            return Self::Untrusted(reason);
        }
        match error {
            tungstenite::Error::Http(response) => Self::NoWebSocket(response.status()),
            other => Self::WebSocket(other),
        }
    }
}

/// How a pause between two attempts ended.
#[derive(Debug, PartialEq, Eq)]
enum Paused {
    /// Try again.
    Over,
    /// Nobody wants the connection any more.
    Closed,
}

/// How a connection ended.
enum End {
    /// On demand.
    Closed,
    /// On demand, to be made anew.
    Restart,
    /// The server said not to come back.
    Dismissed,
}

impl Connector {
    pub(crate) fn new(tls: Arc<rustls::ClientConfig>, endpoints: Endpoints, trace: Trace) -> Self {
        Self {
            tls,
            endpoints,
            trace: Arc::new(tokio::sync::Mutex::new(trace)),
            addresses: own_addresses,
        }
    }

    /// Connects to the service of a room and stays connected.
    pub(crate) fn connect(
        &self,
        room: &RoomUrl,
        events: mpsc::UnboundedSender<Event>,
    ) -> Connection {
        let (orders, inbox) = mpsc::unbounded_channel();
        let task = Task {
            url: self.endpoints.signal_for(room),
            origin: room.origin(),
            connector: self.clone(),
            inbox,
            events,
            again: false,
        };
        Connection {
            orders,
            task: tokio::spawn(task.run()),
        }
    }
}

impl Connection {
    /// Sends an event; it is lost when the connection is not there.
    pub(crate) fn send(&self, message: ClientMessage) {
        let _ = self.orders.send(Order::Send(Box::new(message)));
    }

    /// Drops the connection and makes it anew.
    pub(crate) fn restart(&self) {
        let _ = self.orders.send(Order::Restart);
    }

    /// Says goodbye and waits for the end.
    pub(crate) async fn close(self) {
        let _ = self.orders.send(Order::Close);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the signalling connection ended badly");
        }
    }
}

struct Task {
    url: String,
    origin: String,
    connector: Connector,
    inbox: mpsc::UnboundedReceiver<Order>,
    events: mpsc::UnboundedSender<Event>,
    again: bool,
}

impl Task {
    async fn run(mut self) {
        let mut backoff = Backoff::for_signalling();
        loop {
            let outcome = match self.connect().await {
                Some(Ok((socket, silence))) => {
                    backoff.reset();
                    self.report(SocketEvent::Connected { again: self.again });
                    self.again = true;
                    let outcome = self.stay(socket, silence).await;
                    let will_retry = !matches!(outcome, Ok(End::Closed | End::Dismissed));
                    if !matches!(outcome, Ok(End::Closed)) {
                        self.report(SocketEvent::Disconnected { will_retry });
                    }
                    outcome
                }
                Some(Err(error)) => Err(error),
                None => return,
            };
            let error = match outcome {
                Ok(End::Closed | End::Dismissed) => return,
                Ok(End::Restart) => "it was restarted".to_owned(),
                Err(error) => format!("{}: {error}", self.origin_of_url()),
            };
            let delay = backoff.next_delay();
            tracing::info!(url = %self.url, %error, ?delay, "signalling connection lost, trying again");
            let retrying = Event::Retrying {
                attempt: backoff.failures(),
                delay,
                error,
            };
            if self.events.send(retrying).is_err() || self.pause(delay).await == Paused::Closed {
                return;
            }
        }
    }

    /// The server's address without the path, which is always the same.
    fn origin_of_url(&self) -> &str {
        self.url.split(SIGNAL_PATH).next().unwrap_or(&self.url)
    }

    fn report(&self, event: SocketEvent) {
        let _ = self.events.send(Event::Socket(event));
    }

    /// Waits, unless the connection is to be made anew at once or closed. What is sent meanwhile is
    /// lost, as in the SDK: `room_joined` brings the state back.
    async fn pause(&mut self, delay: Duration) -> Paused {
        let until = Instant::now() + delay;
        loop {
            match tokio::time::timeout_at(until, self.inbox.recv()).await {
                Err(_) | Ok(Some(Order::Restart)) => return Paused::Over,
                Ok(None | Some(Order::Close)) => return Paused::Closed,
                Ok(Some(Order::Send(_))) => {}
            }
        }
    }

    /// Opens the socket up to the namespace; `None` when the connection was closed meanwhile.
    async fn connect(&mut self) -> Option<Result<(Socket, Duration), ConnectionError>> {
        loop {
            let handshake = timeout(
                CONNECT_TIMEOUT,
                open(&self.connector, &self.url, &self.origin),
            );
            tokio::pin!(handshake);
            loop {
                tokio::select! {
                    result = &mut handshake => {
                        return Some(result.unwrap_or(Err(ConnectionError::ConnectTimeout)));
                    }
                    order = self.inbox.recv() => match order {
                        None | Some(Order::Close) => return None,
                        // The network of before is gone, and the handshake with it.
                        Some(Order::Restart) => break,
                        Some(Order::Send(_)) => {}
                    }
                }
            }
        }
    }

    async fn stay(
        &mut self,
        mut socket: Socket,
        silence: Duration,
    ) -> Result<End, ConnectionError> {
        let mut noop = interval(NOOP_INTERVAL);
        noop.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                frame = socket.next() => {
                    heard = Instant::now();
                    match frame.ok_or(ConnectionError::Closed)?? {
                        Message::Text(text) => {
                            if let Some(end) = self.received(&mut socket, text.as_str()).await? {
                                return Ok(end);
                            }
                        }
                        Message::Close(_) => return Err(ConnectionError::Closed),
                        _ => {}
                    }
                }
                order = self.inbox.recv() => match order {
                    Some(Order::Send(message)) => {
                        let text = message.to_packet().encode();
                        self.write(&mut socket, &engine_io::Packet::Message(&text)).await?;
                    }
                    Some(Order::Restart) => return Ok(End::Restart),
                    None | Some(Order::Close) => {
                        self.say_goodbye(&mut socket).await;
                        return Ok(End::Closed);
                    }
                },
                _ = noop.tick() => {
                    if let Some(gone) = lost_address(&socket, self.connector.addresses) {
                        return Err(ConnectionError::AddressGone(gone));
                    }
                    self.write(&mut socket, &engine_io::Packet::Noop).await?;
                }
                () = tokio::time::sleep_until(heard + silence) => return Err(ConnectionError::Silence(silence)),
            }
        }
    }

    async fn received(
        &mut self,
        socket: &mut Socket,
        frame: &str,
    ) -> Result<Option<End>, ConnectionError> {
        match engine_io::Packet::decode(frame)? {
            engine_io::Packet::Ping(text) => {
                self.write(socket, &engine_io::Packet::Pong(text)).await?
            }
            engine_io::Packet::Message(text) => {
                self.connector.trace.lock().await.frame("<", frame);
                match socket_io::Packet::decode(text)? {
                    socket_io::Packet::Event { name, payload, .. } => {
                        self.event(&name, payload.as_deref())
                    }
                    socket_io::Packet::Disconnect => return Ok(Some(End::Dismissed)),
                    socket_io::Packet::ConnectError(reason) => {
                        let reason = reason.map_or_else(String::new, |raw| raw.get().to_owned());
                        return Err(ConnectionError::Refused(reason));
                    }
                    socket_io::Packet::Connect(_) | socket_io::Packet::Ack { .. } => {}
                }
            }
            _ => {}
        }
        Ok(None)
    }

    /// A malformed event is lost, the connection is not.
    fn event(&self, name: &str, payload: Option<&serde_json::value::RawValue>) {
        match ServerMessage::decode(name, payload) {
            Ok(Some(message)) => {
                let _ = self.events.send(Event::Message(Box::new(message)));
            }
            Ok(None) => tracing::debug!(event = name, "unknown event"),
            Err(error) => tracing::warn!(%error, "a malformed event of the server is ignored"),
        }
    }

    async fn write(
        &self,
        socket: &mut Socket,
        packet: &engine_io::Packet<'_>,
    ) -> Result<(), ConnectionError> {
        let frame = packet.encode();
        if matches!(packet, engine_io::Packet::Message(_)) {
            self.connector.trace.lock().await.frame(">", &frame);
        }
        Ok(socket.send(Message::text(frame)).await?)
    }

    async fn say_goodbye(&self, socket: &mut Socket) {
        let text = socket_io::Packet::Disconnect.encode();
        let goodbye = async {
            self.write(socket, &engine_io::Packet::Message(&text))
                .await?;
            socket.close(None).await?;
            Ok::<(), ConnectionError>(())
        };
        if !matches!(timeout(CLOSE_TIMEOUT, goodbye).await, Ok(Ok(()))) {
            tracing::debug!("the signalling connection ended without a goodbye");
        }
    }
}

/// Opens the WebSocket and the namespace. Returns how long the server may be silent.
async fn open(
    connector: &Connector,
    url: &str,
    origin: &str,
) -> Result<(Socket, Duration), ConnectionError> {
    let mut request = url.into_client_request()?;
    if let Ok(origin) = HeaderValue::from_str(origin) {
        request.headers_mut().insert("Origin", origin);
    }
    let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE_SIZE));
    let tls = tokio_tungstenite::Connector::Rustls(connector.tls.clone());
    let (mut socket, _) =
        connect_async_tls_with_config(request, Some(config), true, Some(tls)).await?;

    let frame = next_text(&mut socket).await?;
    let engine_io::Packet::Open(open) = engine_io::Packet::decode(&frame)? else {
        return Err(ConnectionError::NoHandshake);
    };
    let connect = socket_io::Packet::Connect(None).encode();
    let connect = engine_io::Packet::Message(&connect).encode();
    connector.trace.lock().await.frame(">", &connect);
    socket.send(Message::text(connect)).await?;
    loop {
        let frame = next_text(&mut socket).await?;
        match engine_io::Packet::decode(&frame)? {
            engine_io::Packet::Ping(text) => {
                socket
                    .send(Message::text(engine_io::Packet::Pong(text).encode()))
                    .await?;
            }
            engine_io::Packet::Message(text) => {
                connector.trace.lock().await.frame("<", &frame);
                match socket_io::Packet::decode(text)? {
                    socket_io::Packet::Connect(_) => break,
                    socket_io::Packet::ConnectError(reason) => {
                        let reason = reason.map_or_else(String::new, |raw| raw.get().to_owned());
                        return Err(ConnectionError::Refused(reason));
                    }
                    _ => return Err(ConnectionError::NoHandshake),
                }
            }
            _ => {}
        }
    }
    Ok((
        socket,
        Duration::from_millis(open.ping_interval.saturating_add(open.ping_timeout)),
    ))
}

/// The address of this end, when this machine has it no longer: nothing will arrive there any more, and
/// waiting for a silence would take most of a minute.
fn lost_address(socket: &Socket, addresses: fn() -> Option<Vec<IpAddr>>) -> Option<IpAddr> {
    let stream = match socket.get_ref() {
        MaybeTlsStream::Plain(stream) => stream,
        MaybeTlsStream::Rustls(stream) => stream.get_ref().0,
        _ => return None,
    };
    let own = stream.local_addr().ok()?.ip();
    let is_there = addresses()?
        .iter()
        .any(|address| address.to_canonical() == own.to_canonical());
    (!is_there).then_some(own)
}

fn own_addresses() -> Option<Vec<IpAddr>> {
    let interfaces = if_addrs::get_if_addrs().ok()?;
    Some(interfaces.iter().map(if_addrs::Interface::ip).collect())
}

async fn next_text(socket: &mut Socket) -> Result<String, ConnectionError> {
    loop {
        match socket.next().await.ok_or(ConnectionError::Closed)?? {
            Message::Text(text) => return Ok(text.as_str().to_owned()),
            Message::Close(_) => return Err(ConnectionError::Closed),
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
