//! What a restart leaves as it was.

use roomd_server::{ServerConfig, start};
use serde_json::{Value, json};

use crate::support::{API_KEY, Client, Received, config, device, http, kept};

#[tokio::test]
async fn every_client_gets_its_id_back_from_the_same_database() {
    let directory = tempfile::tempdir().unwrap();
    let server = kept(directory.path()).await;
    let mut people = Vec::new();
    for _ in 0..3 {
        let credentials = device(&server).await;
        let (client, joined) = Client::join(&server, &credentials, json!({})).await;
        people.push((credentials, client, joined));
    }
    server.shutdown().await;
    for (_, client, _) in &mut people {
        // What was sent before, then the close frame that asks to come back.
        let frame = loop {
            if let Received::Closed(frame) = client.next().await {
                break frame;
            }
        };
        assert_eq!(u16::from(frame.unwrap().code), 1012);
    }
    let server = kept(directory.path()).await;
    let mut clients = Vec::new();
    for (credentials, _, joined) in &people {
        let claim = json!({ "clientClaim": joined["clientClaim"] });
        let (client, again) = Client::join(&server, credentials, claim).await;
        assert_eq!(again["selfId"], joined["selfId"]);
        clients.push(client);
    }
    server.shutdown().await;
}

#[tokio::test]
async fn meetings_with_their_lock_and_keys_outlive_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let server = kept(directory.path()).await;
    let body = json!({ "endDate": "2099-01-01T00:00:00Z", "fields": ["hostRoomUrl"] });
    let meeting = server.make_meeting(&body).await.unwrap();
    let host_url = reqwest::Url::parse(meeting.host_room_url.unwrap().reveal()).unwrap();
    let key = host_url.query_pairs().next().unwrap().1.into_owned();
    let members = json!({ "roomName": meeting.room_name, "roomKey": key });
    let credentials = device(&server).await;
    let (mut host, _) = Client::join(&server, &credentials, members.clone()).await;
    host.send("set_lock", json!({ "locked": true })).await;
    host.expect("room_locked").await;
    server.shutdown().await;

    let server = kept(directory.path()).await;
    let url = format!(
        "http://{}/v1/meetings/{}",
        server.local_addr(),
        meeting.meeting_id
    );
    let read = http().get(url).bearer_auth(API_KEY).send().await.unwrap();
    assert_eq!(
        read.json::<Value>().await.unwrap()["roomName"],
        meeting.room_name
    );
    let (_host, joined) = Client::join(&server, &credentials, members).await;
    assert_eq!(joined["room"]["isLocked"], true);
    assert_eq!(joined["room"]["clients"][0]["role"]["roleName"], "host");
    server.shutdown().await;
}

#[tokio::test]
async fn without_a_state_directory_ids_end_with_the_process() {
    let server = start(config()).await.unwrap();
    let credentials = device(&server).await;
    let (_client, joined) = Client::join(&server, &credentials, json!({})).await;
    server.shutdown().await;
    let server = start(ServerConfig { ..config() }).await.unwrap();
    let claim = json!({ "clientClaim": joined["clientClaim"] });
    let (_client, again) = Client::join(&server, &device(&server).await, claim).await;
    assert_ne!(again["selfId"], joined["selfId"]);
    server.shutdown().await;
}
