//! Connections that do nothing, or next to nothing.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::{
    bystanders::Bystanders,
    client::Client,
    server::{PATIENCE, Server},
};

/// Reads until the server closes the connection.
async fn closed(stream: &mut (impl AsyncReadExt + Unpin)) {
    let mut buffer = [0; 512];
    let reading = async {
        while let Ok(length) = stream.read(&mut buffer).await {
            if length == 0 {
                return;
            }
        }
    };
    let is_closed = tokio::time::timeout(PATIENCE, reading).await;
    assert!(
        is_closed.is_ok(),
        "the server holds a connection that says nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_that_say_nothing_are_closed_and_nobody_notices() {
    let server = Server::start("visitor");
    let bystanders = Bystanders::talk(&server, "/half-open").await;
    let files = server.files();
    let mut sizes = Vec::new();
    for _ in 0..2 {
        let mut silent = Vec::new();
        for _ in 0..1000 {
            silent.push(TcpStream::connect(server.address).await.unwrap());
        }
        // There is room for others meanwhile.
        let mut guest = Client::join(&server, "/half-open").await;
        assert!(
            guest
                .event("chat_message", &json!({ "text": "hello" }))
                .await
        );
        for stream in &mut silent {
            closed(stream).await;
        }
        drop(guest);
        server.until_files(files).await;
        sizes.push(server.resident());
    }
    bystanders.noticed_nothing().await;
    println!("resident after each round, in kB: {sizes:?}");
    assert!(sizes[1] < sizes[0] + 8 * 1024, "{sizes:?}");
}

/// They would fill all places of the server if each of them had one for as long as it liked.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_websockets_that_never_identify_leave_room_for_a_newcomer() {
    let server = Server::start("visitor");
    let bystanders = Bystanders::talk(&server, "/unidentified").await;
    let files = server.files();
    let mut sizes = Vec::new();
    for _ in 0..2 {
        let mut unidentified = JoinSet::new();
        for _ in 0..1000 {
            let mut client = Client::open(&server).await;
            assert!(client.frame("40").await);
            // Answers every ping: it is anything but silent.
            unidentified.spawn(client.ended());
        }
        let mut guest = Client::join(&server, "/unidentified").await;
        assert!(
            guest
                .event("chat_message", &json!({ "text": "hello" }))
                .await
        );
        guest.until("chat_message").await.expect("the guest is in");
        drop(guest);
        assert!(!unidentified.is_empty(), "nobody attacks any more");
        while let Some(ended) = unidentified.join_next().await {
            ended.expect("the server ends what does not identify");
        }
        server.until_files(files).await;
        sizes.push(server.resident());
    }
    bystanders.noticed_nothing().await;
    println!("resident after each round, in kB: {sizes:?}");
    assert!(sizes[1] < sizes[0] + 8 * 1024, "{sizes:?}");
}

/// One byte of a request at a time.
async fn dribble(server: std::net::SocketAddr, head: &'static str) {
    let stream = TcpStream::connect(server).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let writing = async {
        let mut pace = tokio::time::interval(Duration::from_millis(500));
        for byte in head.as_bytes().iter().chain(b"x".iter().cycle()) {
            pace.tick().await;
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
        // The connection cannot be written to: the reader will see its end.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = closed(&mut reader) => {}
        () = writing => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_come_byte_by_byte_are_given_up() {
    let server = Server::start("visitor");
    let bystanders = Bystanders::talk(&server, "/slow").await;
    let files = server.files();
    let mut attacks = Vec::new();
    for _ in 0..100 {
        for head in [
            "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
            "POST /v1/meetings HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n{",
        ] {
            attacks.push(tokio::spawn(dribble(server.address, head)));
        }
    }
    for attack in attacks {
        attack.await.expect("the connection was closed");
    }
    server.until_files(files).await;
    bystanders.noticed_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_that_never_answers_a_ping_is_dropped() {
    let server = Server::start("visitor");
    let bystanders = Bystanders::talk(&server, "/mute").await;
    let files = server.files();
    let mut silent = Vec::new();
    for number in 0..50 {
        silent.push(Client::join(&server, &format!("/mute-{number}")).await);
    }
    server.until_files(files).await;
    bystanders.noticed_nothing().await;
}
