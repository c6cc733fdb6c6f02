//! Too much, too fast, too large.

use serde_json::json;

use crate::{bystanders::Bystanders, client::Client, server::Server};

/// How many attack at the same time.
const ATTACKERS: usize = 8;

/// Sends until the server does not take it any more, or has been told so many times.
async fn flood(mut client: Client, frame: &str, times: usize) {
    for _ in 0..times {
        if !client.frame(frame).await {
            break;
        }
    }
    client.ended().await;
}

/// Attackers in the room of the bystanders, each of whom sends that frame 10,000 times as fast as
/// it can, three rounds of them; the server is none the larger for it.
async fn flooded(frame: &str) {
    let server = Server::start("visitor");
    let mut sizes = Vec::new();
    for round in 0..3 {
        let room = format!("/flood-{round}");
        let bystanders = Bystanders::talk(&server, &room).await;
        let mut attacks = Vec::new();
        for _ in 0..ATTACKERS {
            let attacker = Client::join(&server, &room).await;
            let frame = frame.to_owned();
            attacks.push(tokio::spawn(async move {
                flood(attacker, &frame, 10_000).await
            }));
        }
        for attack in attacks {
            attack.await.expect("the server has ended the connection");
        }
        bystanders.noticed_nothing().await;
        sizes.push(server.resident());
    }
    println!("resident after each round, in kB: {sizes:?}");
    assert!(sizes[2] < sizes[0] + 8 * 1024, "{sizes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_flood_costs_the_flooders_their_connection_alone() {
    flooded(r#"42["chat_message",{"text":"flood"}]"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_unknown_events_at_once_cost_their_senders_their_connection_alone() {
    flooded(r#"42["no_such_event",{"deep":[[[[[[[[]]]]]]]]}]"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_to_everybody_at_once_cost_their_senders_their_connection_alone() {
    flooded(r#"42["sdp_offer",{"receiverId":"nobody","message":{"sdp":"v=0"}}]"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_megabyte_costs_its_sender_its_connection_and_the_server_no_memory() {
    let server = Server::start("visitor");
    let bystanders = Bystanders::talk(&server, "/large").await;
    let text = "x".repeat(1_000_000);
    let event = json!(["chat_message", { "text": text }]);
    let frame = format!("42{event}");
    let mut sizes = Vec::new();
    for _ in 0..20 {
        let mut bad = Client::join(&server, "/large").await;
        bad.frame(&frame).await;
        bad.ended().await;
        sizes.push(server.resident());
    }
    bystanders.noticed_nothing().await;
    println!("resident after each message, in kB: {sizes:?}");
    assert!(sizes[19] < sizes[4] + 4 * 1024, "{sizes:?}");
}
