//! The bare echo: the same HTTP and WebSocket stack as the room server's, with the same buffers, and
//! nothing behind it. Every text comes back to its sender.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;
use axum::{
    Router,
    extract::{
        WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    routing::get,
};
use futures_util::{SinkExt, StreamExt};
use roomd_protocol::SIGNAL_PATH;
use tokio::io::AsyncReadExt;

/// The read buffer of the room server's connections, in bytes.
const READ_BUFFER: usize = 8 * 1024;

/// Serves on a free port of the loopback interface, which it prints, until standard input ends.
pub(in crate::bench) async fn run() -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let upgrade =
        async |upgrade: WebSocketUpgrade| upgrade.read_buffer_size(READ_BUFFER).on_upgrade(echo);
    let app = Router::new().route(SIGNAL_PATH, get(upgrade));
    let server = axum_server::from_tcp(listener)?.serve(app.into_make_service());
    println!("{address}");
    let (mut input, mut rest) = (tokio::io::stdin(), Vec::new());
    tokio::select! {
        served = server => served.context("the echo failed"),
        ended = input.read_to_end(&mut rest) => ended.map(drop).context("standard input failed"),
    }
}

async fn echo(websocket: WebSocket) {
    let (mut sink, mut stream) = websocket.split();
    while let Some(Ok(message)) = stream.next().await {
        if matches!(message, Message::Text(_)) && sink.send(message).await.is_err() {
            return;
        }
    }
}
