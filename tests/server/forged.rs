//! Lies about who one is and what one may.

use serde_json::json;

use crate::{bystanders::Bystanders, client::Client, server::Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_role_and_forged_ids_move_nobody_else() {
    let server = Server::start("visitor");
    let bystanders = Bystanders::talk(&server, "/forged").await;
    let victim = &bystanders.ids[0];
    let device = server.device().await;
    let members = json!({ "role": { "roleName": "host" }, "roleName": "host", "selfId": victim,
        "clientId": victim, "id": victim, "deviceId": "x", "isHost": true });
    let mut bad = Client::join_as(&server, "/forged", &device, members).await;
    assert_ne!(bad.id, *victim);
    for (name, payload) in [
        (
            "kick_client",
            json!({ "clientId": victim, "reasonId": "kick" }),
        ),
        (
            "kick_client",
            json!({ "clientIds": bystanders.ids, "reasonId": "end-meeting" }),
        ),
        ("set_lock", json!({ "locked": true })),
        (
            "request_audio_enable",
            json!({ "clientIds": bystanders.ids, "enable": false }),
        ),
        (
            "request_video_enable",
            json!({ "clientIds": bystanders.ids, "enable": false }),
        ),
        (
            "add_spotlight",
            json!({ "clientId": bad.id, "streamId": "0" }),
        ),
        (
            "update_breakout_session",
            json!({ "active": true, "groups": { "a": "A" } }),
        ),
        (
            "handle_knock",
            json!({ "clientId": victim, "action": "reject" }),
        ),
        ("start_recording", json!({ "recording": "cloud" })),
        ("stop_recording", json!(null)),
        (
            "live_caption",
            json!({ "senderId": victim, "resultId": "1", "text": "I agree" }),
        ),
        // The server's own events, as if a client could send them.
        ("client_kicked", json!({ "clientId": victim })),
        ("room_joined", json!({ "selfId": victim })),
        ("chat_message_removed", json!({ "id": "1" })),
    ] {
        assert!(bad.event(name, &payload).await, "{name}");
    }
    // Whatever it calls itself, it speaks under its own id.
    let forged = json!({ "text": "forged", "senderId": victim, "clientId": victim });
    bad.event("chat_message", &forged).await;
    let heard = loop {
        let message = bad.until("chat_message").await.unwrap();
        if message["text"] == "forged" {
            break message;
        }
    };
    assert_eq!(heard["senderId"], json!(bad.id));
    bystanders.noticed_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_claim_and_a_made_up_device_give_nobodys_place() {
    let server = Server::start("visitor");
    let owner = server.device().await;
    let mut victim = Client::join_as(&server, "/stolen", &owner, json!({})).await;
    let thief = server.device().await;
    let stolen = json!({ "clientClaim": victim.claim });
    let thief = Client::join_as(&server, "/stolen", &thief, stolen).await;
    assert_ne!(thief.id, victim.id, "a claim belongs to one device");
    let mut made_up = Client::open(&server).await;
    made_up.frame("40").await;
    let uuid = &owner.credentials.uuid;
    let credentials = json!({ "credentials": { "uuid": uuid }, "hmac": "00".repeat(32) });
    made_up
        .event(
            "identify_device",
            &json!({ "deviceCredentials": credentials }),
        )
        .await;
    made_up
        .event(
            "join_room",
            &json!({ "roomName": "/stolen", "clientClaim": victim.claim }),
        )
        .await;
    let refused = made_up.until("room_joined").await.unwrap();
    assert_eq!(refused["error"], "client_missing_device_id");
    assert!(
        victim
            .event("chat_message", &json!({ "text": "still here" }))
            .await
    );
    let message = victim.until("chat_message").await.unwrap();
    assert_eq!(message["senderId"], json!(victim.id));
}
