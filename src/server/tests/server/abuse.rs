//! Clients that break the rules lose their connection; nobody else notices.

use roomd_server::{RunningServer, start};
use serde_json::json;

use crate::support::{Client, Received, config, device};

/// A room in which one client misbehaves while two others go on.
async fn witnessed(
    server: &RunningServer,
    misbehave: impl AsyncFnOnce(&mut Client) -> Option<u16>,
) {
    let (mut a, _) = Client::join(server, &device(server).await, json!({})).await;
    let (mut b, joined_b) = Client::join(server, &device(server).await, json!({})).await;
    a.expect("new_client").await;
    let (mut bad, joined_bad) = Client::join(server, &device(server).await, json!({})).await;
    a.expect("new_client").await;
    b.expect("new_client").await;
    let code = misbehave(&mut bad).await;
    if let Some(code) = code {
        let frame = loop {
            match bad.next().await {
                Received::Closed(frame) => break frame,
                Received::Event(..) | Received::Disconnect => {}
            }
        };
        // A flood may end in a reset before the close frame is read.
        if let Some(frame) = frame {
            assert_eq!(u16::from(frame.code), code, "{frame:?}");
        }
        assert_eq!(
            a.expect("client_left").await["clientId"],
            joined_bad["selfId"]
        );
        assert_eq!(
            b.expect("client_left").await["clientId"],
            joined_bad["selfId"]
        );
    }
    b.send("enable_audio", json!({ "enabled": true })).await;
    assert_eq!(
        a.expect("audio_enabled").await["clientId"],
        joined_b["selfId"]
    );
}

async fn server() -> RunningServer {
    let mut config = config();
    config.grace = std::time::Duration::ZERO;
    start(config).await.unwrap()
}

#[tokio::test]
async fn an_oversized_message_ends_the_connection_of_its_sender_alone() {
    let server = server().await;
    witnessed(&server, async |bad| {
        bad.frame(&format!(
            "42[\"chat_message\",{{\"text\":\"{}\"}}]",
            "x".repeat(300_000)
        ))
        .await;
        Some(1009)
    })
    .await;
    server.shutdown().await;
}

#[tokio::test]
async fn garbage_ends_the_connection_of_its_sender_alone() {
    let server = server().await;
    for garbage in [
        "",
        "x",
        "9",
        "4",
        "42",
        "42{",
        "42[]",
        "451-[\"x\"]",
        "0{}",
        "2probe",
    ] {
        witnessed(&server, async |bad| {
            bad.frame(garbage).await;
            Some(1002)
        })
        .await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_join_that_cannot_be_read_is_refused_and_the_next_one_is_served() {
    let server = server().await;
    let mut client = Client::identified(&server, &device(&server).await).await;
    for (request, error) in [
        (json!({ "displayName": "Guest" }), "missing_parameters"),
        (json!({ "roomName": ["/r"] }), "invalid_parameters"),
    ] {
        client.send("join_room", request).await;
        assert_eq!(client.expect("room_joined").await["error"], error);
    }
    client.send("join_room", json!({ "roomName": "/r" })).await;
    assert!(client.expect("room_joined").await["error"].is_null());
    server.shutdown().await;
}

#[tokio::test]
async fn a_flood_ends_the_connection_of_its_sender_alone() {
    let server = server().await;
    witnessed(&server, async |bad| {
        bad.flood(r#"42["no_such_event"]"#, 5000).await;
        Some(1008)
    })
    .await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_large_event_that_is_no_session_description_is_dropped() {
    let server = server().await;
    witnessed(&server, async |bad| {
        bad.send("chat_message", json!({ "text": "x".repeat(20_000) }))
            .await;
        None
    })
    .await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_and_the_others_go_on() {
    let mut config = config();
    config.grace = std::time::Duration::ZERO;
    config.limits.send_queue_bytes = 64 * 1024;
    config.limits.messages_per_second = 100_000;
    config.limits.message_burst = 100_000;
    let server = start(config).await.unwrap();
    let (mut a, _) = Client::join(&server, &device(&server).await, json!({})).await;
    let (_deaf, joined) = Client::join(&server, &device(&server).await, json!({})).await;
    a.expect("new_client").await;
    // Fills the buffers of both ends of the connection, then the queue.
    let message = json!({ "sdp": "x".repeat(100_000) });
    let offer = json!({ "receiverId": joined["selfId"], "message": message });
    let left = async {
        loop {
            a.send("sdp_offer", offer.clone()).await;
            a.frame(r#"42["fetch_mediaserver_config",null]"#).await;
            match a.next().await {
                Received::Event(name, _) if name == "mediaserver_config" => {}
                Received::Event(name, payload) => break (name, payload),
                other => panic!("{other:?}"),
            }
        }
    };
    let (name, payload) = tokio::time::timeout(crate::support::PATIENCE, left)
        .await
        .unwrap();
    assert_eq!(
        (name.as_str(), &payload["clientId"]),
        ("client_left", &joined["selfId"])
    );
    server.shutdown().await;
}

#[tokio::test]
async fn the_server_takes_a_limited_number_of_connections() {
    let mut config = config();
    config.limits.sockets = 1;
    let server = start(config).await.unwrap();
    let _first = Client::connect(&server).await;
    let url = format!(
        "ws://{}{}?EIO=4&transport=websocket",
        server.local_addr(),
        roomd_protocol::SIGNAL_PATH
    );
    let error = tokio_tungstenite::connect_async(url)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("503"), "{error}");
    server.shutdown().await;
}
