//! Events at the wrong time, and events that do not exist.

use serde_json::{Value, json};

use crate::{bystanders::Bystanders, client::Client, server::Server};

/// Every event that a client may send, and some that none may.
fn everything(id: &str) -> Vec<(&'static str, Value)> {
    let payload = json!({ "receiverId": id, "clientId": id, "clientIds": [id], "message": null,
        "enabled": true, "enable": true, "text": "x", "id": "x", "type": "UserData",
        "payload": { "displayName": "x" }, "streamId": "s", "locked": true, "recording": "cloud",
        "group": "a", "files": [], "action": "accept", "senderId": id, "resultId": "1" });
    let own = roomd_protocol::ClientMessage::NAMES.iter();
    let servers = roomd_protocol::ServerMessage::NAMES.iter();
    own.chain(servers)
        .chain(&["", "no_such_event", "connect", "disconnect", "__proto__"])
        .filter(|name| !["join_room", "knock_room", "leave_room"].contains(name))
        .map(|name| (*name, payload.clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_before_the_handshake_the_identity_and_the_join_are_heard_by_nobody() {
    let server = Server::start("host");
    let bystanders = Bystanders::talk(&server, "/order").await;
    let victim = bystanders.ids[0].clone();
    let device = server.device().await;
    let mut bad = Client::open(&server).await;
    for (name, payload) in everything(&victim) {
        assert!(
            bad.event(name, &payload).await,
            "{name} before the handshake"
        );
    }
    bad.frame("40").await;
    for (name, payload) in everything(&victim) {
        assert!(
            bad.event(name, &payload).await,
            "{name} before the identity"
        );
    }
    bad.event("join_room", &json!({ "roomName": "/order" }))
        .await;
    let refused = bad.until("room_joined").await.unwrap();
    assert_eq!(refused["error"], "client_missing_device_id");
    bad.event("identify_device", &json!({ "deviceCredentials": device }))
        .await;
    for (name, payload) in everything(&victim) {
        assert!(bad.event(name, &payload).await, "{name} before the join");
    }
    bad.event("leave_room", &Value::Null).await;
    assert!(
        bad.until("room_left").await.is_some(),
        "it is answered always"
    );
    bystanders.noticed_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_that_make_no_sense_are_dropped_one_by_one() {
    let server = Server::start("host");
    let bystanders = Bystanders::talk(&server, "/nonsense").await;
    let mut bad = Client::join(&server, "/nonsense").await;
    let nonsense = [
        Value::Null,
        json!(0),
        json!([]),
        json!({}),
        json!("x"),
        json!({ "clientIds": {}, "enabled": "yes", "locked": 1, "payload": [], "text": 7,
            "groups": [], "receiverId": null, "streamId": {}, "action": "open", "files": 1 }),
    ];
    let mut sent = 0;
    for name in roomd_protocol::ClientMessage::NAMES {
        // An empty request to leave, or to start groups, is a good one.
        if ["leave_room", "update_breakout_session"].contains(name) {
            continue;
        }
        for payload in &nonsense {
            assert!(bad.event(name, payload).await, "{name} {payload}");
            sent += 1;
        }
    }
    assert!(sent < 500, "within the burst that the server takes");
    bad.event("leave_room", &Value::Null).await;
    assert!(bad.until("room_left").await.is_some());
    bystanders.noticed_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_and_leaving_again_and_again_disturbs_nobody() {
    let server = Server::start("visitor");
    let bystanders = Bystanders::talk(&server, "/door").await;
    let mut restless = Client::join(&server, "/door").await;
    for round in 0..50 {
        restless.event("leave_room", &Value::Null).await;
        restless.event("leave_room", &Value::Null).await;
        let room = if round % 2 == 0 {
            "/elsewhere"
        } else {
            "/door"
        };
        for _ in 0..2 {
            restless
                .event("join_room", &json!({ "roomName": room }))
                .await;
            let joined = restless.until("room_joined").await.unwrap();
            assert_eq!(joined["room"]["name"], room);
        }
    }
    bystanders.noticed_nothing().await;
}
