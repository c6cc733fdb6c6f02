//! Two clients in a room of the started server.

use roomd_server::start;
use serde_json::json;

use crate::support::{Client, Received, config, device};

#[tokio::test]
async fn two_clients_meet_negotiate_and_part() {
    let server = start(config()).await.unwrap();
    let (mut a, joined_a) = Client::join(&server, &device(&server).await, json!({})).await;
    let (mut b, joined_b) = Client::join(&server, &device(&server).await, json!({})).await;
    let new = a.expect("new_client").await;
    assert_eq!(new["client"]["id"], joined_b["selfId"]);
    assert_eq!(new["room"]["session"], joined_b["room"]["session"]);
    assert!(joined_b.get("error").is_none() && joined_b["room"].get("sfuServer").is_none());

    b.send(
        "ready_to_receive_offer",
        json!({ "receiverId": joined_a["selfId"] }),
    )
    .await;
    let solicited = a.expect("ready_to_receive_offer").await;
    assert_eq!(solicited, json!({ "clientId": joined_b["selfId"] }));
    // As large as session descriptions get after many screenshares.
    let message = json!({ "type": "offer", "sdp": "v=0 ".repeat(50_000), "isInitialOffer": true });
    let offer = json!({ "receiverId": joined_b["selfId"], "message": message });
    a.send("sdp_offer", offer).await;
    let relayed = b.expect("sdp_offer").await;
    assert_eq!(
        relayed,
        json!({ "clientId": joined_a["selfId"], "message": message })
    );

    b.frame(r#"42["leave_room"]"#).await;
    b.expect("room_left").await;
    assert_eq!(
        a.expect("client_left").await["clientId"],
        joined_b["selfId"]
    );
    a.expect("room_session_ended").await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_closed_page_goes_at_once_and_a_lost_connection_after_the_grace_period() {
    let mut config = config();
    config.grace = std::time::Duration::from_secs(1);
    let server = start(config).await.unwrap();
    let (mut a, _) = Client::join(&server, &device(&server).await, json!({})).await;
    for (code, is_immediate) in [(Some(1001), true), (None, false)] {
        let (b, joined) = Client::join(&server, &device(&server).await, json!({})).await;
        a.expect("new_client").await;
        let start = std::time::Instant::now();
        match code {
            Some(code) => b.close(code).await,
            None => drop(b),
        }
        assert_eq!(a.expect("client_left").await["clientId"], joined["selfId"]);
        assert_eq!(
            start.elapsed() < std::time::Duration::from_millis(900),
            is_immediate
        );
        a.expect("room_session_ended").await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn noops_surplus_arguments_and_unknown_events_are_taken() {
    let server = start(config()).await.unwrap();
    let (mut a, _) = Client::join(&server, &device(&server).await, json!({})).await;
    for frame in [
        "6",
        "3",
        r#"42["no_such_event",{"x":1}]"#,
        r#"42["enable_audio",null]"#,
        r#"42["enable_audio",{"enabled":"maybe"}]"#,
        r#"430[]"#,
        r#"42["fetch_mediaserver_config",null,null]"#,
    ] {
        a.frame(frame).await;
    }
    let config = a.expect("mediaserver_config").await;
    assert!(config["iceServers"].is_array());
    server.shutdown().await;
}

#[tokio::test]
async fn a_newer_connection_disconnects_the_older_one_for_good() {
    let server = start(config()).await.unwrap();
    let credentials = device(&server).await;
    let (mut old, joined) = Client::join(&server, &credentials, json!({})).await;
    let claim = json!({ "clientClaim": joined["clientClaim"] });
    let (_new, again) = Client::join(&server, &credentials, claim).await;
    assert_eq!(again["selfId"], joined["selfId"]);
    assert!(matches!(old.next().await, Received::Disconnect));
    assert!(matches!(old.next().await, Received::Closed(_)));
    server.shutdown().await;
}
