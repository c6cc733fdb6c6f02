//! One WebSocket: handshake, heartbeat, limits; events to the room loop and back.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::{SinkExt, Stream, StreamExt, stream::SplitSink};
use roomd_protocol::{ClientMessage, engine_io, socket_io};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Limits,
    outbox::{Outbound, Outgoings, outbox},
    rate::Bucket,
    room_loop::{Command, Inbox},
    rooms::{Closing, Ended, SocketId},
};

/// How often the server pings; a constant of the SDK says that it expects this.
const PING_INTERVAL: Duration = Duration::from_millis(2000);

/// How long the reader may still look for a close frame after the writer has failed, and how long
/// the last frames may take on shutdown.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a session needs.
pub(crate) struct Session {
    pub(crate) socket: SocketId,
    /// Where the connection comes from.
    pub(crate) peer: IpAddr,
    pub(crate) inbox: Inbox,
    pub(crate) limits: Arc<Limits>,
    /// Cancelled when the server shuts down.
    pub(crate) stop: CancellationToken,
}

/// Why a connection ended.
enum End {
    /// The client ended it.
    Client(Ended),
    /// The client broke the rules: the WebSocket code and what it did.
    Broke(u16, &'static str),
    /// The connection failed or fell silent.
    Failed,
}

impl Session {
    /// Serves the connection until it ends. `place` is its place among the connections of the server.
    pub(crate) async fn run(self, websocket: WebSocket, place: OwnedSemaphorePermit) {
        let (outbox, mut outgoings) = outbox(self.limits.send_queue_bytes);
        let (mut sink, mut stream) = websocket.split();
        let attach = Command::Attach {
            socket: self.socket,
            peer: self.peer,
            outbox,
        };
        if self.inbox.tell(attach).await.is_err() {
            return;
        }
        let mut direct = tokio::sync::mpsc::channel(4);
        let overflow = outgoings.overflow.clone();
        let end = {
            let reading = self.read(&mut stream, &direct.0);
            let writing = self.write(&mut sink, &mut outgoings, &mut direct.1);
            tokio::pin!(reading, writing);
            tokio::select! {
                end = &mut reading => end,
                () = overflow.cancelled() => End::Failed,
                // A socket that the peer has closed may fail to write before its close frame is
                // read, and the frame tells whether the page was closed.
                () = &mut writing => {
                    // Nothing is sent any more: somebody else may come.
                    drop(place);
                    tokio::time::timeout(LAST_WORDS, reading)
                        .await
                        .unwrap_or(End::Failed)
                }
            }
        };
        let how = match end {
            End::Client(how) => how,
            End::Failed => Ended::Lost,
            End::Broke(code, reason) => {
                tracing::info!(socket = self.socket.0, reason, "closing a connection");
                close(&mut sink, code, reason).await;
                Ended::Lost
            }
        };
        let ended = Command::Ended {
            socket: self.socket,
            how,
        };
        // Without a room loop there is nobody to tell.
        let _ = self.inbox.tell(ended).await;
    }

    async fn read(
        &self,
        stream: &mut (impl Stream<Item = Result<Message, axum::Error>> + Unpin),
        direct: &tokio::sync::mpsc::Sender<String>,
    ) -> End {
        let patience = PING_INTERVAL + Duration::from_secs(self.limits.ping_timeout_seconds);
        let per_second = f64::from(self.limits.messages_per_second);
        let mut bucket = Bucket::new(Instant::now(), per_second, self.limits.message_burst);
        let mut is_connected = false;
        // Set again when it rings, not with every frame: the timers of all sessions are one structure.
        let silence = tokio::time::sleep(patience);
        tokio::pin!(silence);
        let mut heard = tokio::time::Instant::now();
        loop {
            let next = tokio::select! {
                biased;
                next = stream.next() => next,
                () = &mut silence => {
                    if heard.elapsed() >= patience {
                        return End::Failed;
                    }
                    silence.as_mut().reset(heard + patience);
                    continue;
                }
            };
            heard = tokio::time::Instant::now();
            let text = match next {
                None => return End::Client(Ended::Lost),
                Some(Ok(Message::Close(frame))) => return End::Client(closed(frame.as_ref())),
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Binary(_))) => {
                    return End::Broke(close_code::UNSUPPORTED, "binary frames are not served");
                }
                Some(Err(error)) => {
                    tracing::debug!(socket = self.socket.0, %error, "reading failed");
                    return End::Broke(
                        close_code::SIZE,
                        "a message was too large or malformed, or the network failed",
                    );
                }
            };
            if !bucket.take(heard.into_std()) {
                return End::Broke(close_code::POLICY, "too many messages");
            }
            let message = match engine_io::Packet::decode(&text) {
                Ok(engine_io::Packet::Message(message)) => message,
                Ok(engine_io::Packet::Pong(_) | engine_io::Packet::Noop) => continue,
                Ok(engine_io::Packet::Close) => return End::Client(Ended::Left),
                Ok(_) | Err(_) => {
                    return End::Broke(close_code::PROTOCOL, "not an Engine.IO packet of a client");
                }
            };
            match socket_io::Packet::decode(message) {
                Ok(socket_io::Packet::Connect(_)) if !is_connected => {
                    is_connected = true;
                    let sid = serde_json::json!({ "sid": uuid::Uuid::new_v4().to_string() });
                    let sid = serde_json::value::to_raw_value(&sid).ok();
                    let packet = socket_io::Packet::Connect(sid).encode();
                    let answer = engine_io::Packet::Message(&packet).encode();
                    if direct.send(answer).await.is_err() {
                        return End::Failed;
                    }
                }
                Ok(socket_io::Packet::Disconnect) => return End::Client(Ended::Left),
                Ok(socket_io::Packet::Event { name, payload, .. }) if is_connected => {
                    if !self.fits(&name, text.len()) {
                        tracing::debug!(socket = self.socket.0, name, "too large, dropped");
                        continue;
                    }
                    match ClientMessage::decode(&name, payload.as_deref()) {
                        Ok(Some(message)) => {
                            let event = Command::Event {
                                socket: self.socket,
                                message,
                            };
                            if self.inbox.tell(event).await.is_err() {
                                return End::Failed;
                            }
                        }
                        Ok(None) => {}
                        Err(error) => {
                            // The text of the error may quote what the client sent.
                            let category = error.source.classify();
                            tracing::debug!(socket = self.socket.0, name, ?category, "malformed");
                            let socket = self.socket;
                            let malformed = Command::MalformedJoin { socket, payload };
                            if name == "join_room" && self.inbox.tell(malformed).await.is_err() {
                                return End::Failed;
                            }
                        }
                    }
                }
                // Events before the namespace is connected, acknowledgements nobody asked for.
                Ok(_) => {}
                Err(_) => {
                    return End::Broke(close_code::PROTOCOL, "not a Socket.IO packet of a client");
                }
            }
        }
    }

    /// Session descriptions may be large, nothing else.
    fn fits(&self, name: &str, length: usize) -> bool {
        matches!(name, "sdp_offer" | "sdp_answer") || length <= self.limits.event_bytes
    }

    /// Sends the handshake, pings and what the room loop says, until the connection is to end.
    async fn write(
        &self,
        sink: &mut SplitSink<WebSocket, Message>,
        outgoings: &mut Outgoings,
        direct: &mut tokio::sync::mpsc::Receiver<String>,
    ) {
        let open = engine_io::Open {
            sid: uuid::Uuid::new_v4().to_string(),
            upgrades: Vec::new(),
            ping_interval: PING_INTERVAL.as_millis() as u64,
            ping_timeout: self.limits.ping_timeout_seconds * 1000,
            max_payload: self.limits.message_bytes as u64,
        };
        let open = engine_io::Packet::Open(open).encode();
        if sink.send(Message::text(open)).await.is_err() {
            return;
        }
        let mut ping =
            tokio::time::interval_at(tokio::time::Instant::now() + PING_INTERVAL, PING_INTERVAL);
        // Made once: each registers in a list that all sessions share.
        let stopped = self.stop.cancelled();
        tokio::pin!(stopped);
        loop {
            let text = tokio::select! {
                biased;
                () = &mut stopped => {
                    flush(sink, outgoings).await;
                    return;
                }
                answer = direct.recv() => match answer {
                    Some(answer) => answer.into(),
                    None => return,
                },
                next = outgoings.next() => match next {
                    Some(Outbound::Text(text)) => text,
                    Some(Outbound::Close(closing)) => {
                        send_close(sink, closing).await;
                        return;
                    }
                    None => return,
                },
                _ = ping.tick() => engine_io::Packet::Ping("").encode().into(),
            };
            if sink.send(Message::text(text)).await.is_err() {
                return;
            }
        }
    }
}

/// The last frames before a shutdown: the client is to come back.
async fn flush(sink: &mut SplitSink<WebSocket, Message>, outgoings: &mut Outgoings) {
    while let Some(outbound) = outgoings.try_next() {
        let sent = match outbound {
            Outbound::Text(text) => sink.send(Message::text(text)).await.is_ok(),
            Outbound::Close(closing) => {
                send_close(sink, closing).await;
                return;
            }
        };
        if !sent {
            return;
        }
    }
    close(sink, close_code::RESTART, "the server restarts").await;
}

async fn send_close(sink: &mut SplitSink<WebSocket, Message>, closing: Closing) {
    if closing == Closing::ForGood {
        let packet = socket_io::Packet::Disconnect.encode();
        let frame = engine_io::Packet::Message(&packet).encode();
        if sink.send(Message::text(frame)).await.is_err() {
            return;
        }
    }
    close(sink, close_code::NORMAL, "").await;
}

/// A peer that does not take the close frame is not waited for.
async fn close(sink: &mut SplitSink<WebSocket, Message>, code: u16, reason: &'static str) {
    let frame = Message::Close(Some(CloseFrame {
        code,
        reason: reason.into(),
    }));
    let closing = async {
        let _ = sink.send(frame).await;
        let _ = sink.close().await;
    };
    let _ = tokio::time::timeout(LAST_WORDS, closing).await;
}

/// A page that is closed or reloaded says so with code 1001. Everything else may be a network.
fn closed(frame: Option<&CloseFrame>) -> Ended {
    match frame {
        Some(frame) if frame.code == close_code::AWAY => Ended::Left,
        _ => Ended::Lost,
    }
}
