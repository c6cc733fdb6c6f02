//! `answer_request` over a broker.

use std::time::Duration;

use roomd::appliance::ApplianceSettings;
use serde_json::{Value, json};

use crate::{
    broker::Broker,
    controller::Controller,
    wall::{Wall, room_joined, settings},
};

fn asks_to_unmute(wall: &Wall) {
    wall.says(
        "audio_enable_requested",
        json!({ "requestedByClientId": "a", "enable": true }),
    );
}

/// A box that was asked to unmute, a controller that heard of it, and the request's id.
async fn asked(answer_within: Duration) -> (Broker, Wall, Controller, String) {
    let broker = Broker::start().await;
    let mut controller = Controller::connect(&broker, "5").await;
    let mut wall = Wall::start(
        &broker,
        ApplianceSettings {
            answer_within,
            ..settings()
        },
    );
    wall.lets_in(room_joined("visitor")).await;
    controller
        .wait(|heard| {
            heard.topic == "roomd/wall/state/room"
                && heard.json()["connectionStatus"] == "connected"
        })
        .await;
    asks_to_unmute(&wall);
    let (mut event, mut state) = (None, None);
    while event.is_none() || state.is_none() {
        let heard = controller.wait(|_| true).await;
        match heard.topic.as_str() {
            "roomd/wall/event/request_audio_enable" => event = Some(heard.json()),
            "roomd/wall/state/requests" if heard.json()["requests"][0].is_object() => {
                state = Some(heard.json()["requests"][0].clone());
            }
            _ => {}
        }
    }
    let (event, state) = (event.unwrap(), state.unwrap());
    let id = event["requestId"].as_str().unwrap().to_owned();
    assert_eq!(state["requestId"], id);
    assert_eq!(state["kind"], "unmute");
    assert_eq!(state["participantId"], "a");
    (broker, wall, controller, id)
}

/// Asks for a part of the state and waits until it is as it should be.
async fn published_again(
    controller: &mut Controller,
    part: &str,
    is: impl Fn(&Value) -> bool,
) -> Value {
    let payload = json!({ "parts": [part] }).to_string();
    controller.publish("roomd/wall/get", payload, false).await;
    let topic = format!("roomd/wall/state/{part}");
    let heard = controller
        .wait(|heard| heard.topic == topic && is(&heard.json()))
        .await;
    heard.json()
}

fn answer(request: &str, accept: bool, id: &str) -> String {
    json!({ "requestId": request, "accept": accept, "id": id }).to_string()
}

fn assert_not_found(reply: &Value) {
    assert_eq!(reply["ok"], false);
    assert_eq!(reply["error"]["code"], "not_found", "{reply}");
    assert_eq!(reply["error"]["field"], "requestId");
}

#[tokio::test]
async fn an_accepted_request_unmutes_and_counts_once() {
    let (_broker, _wall, mut controller, request) = asked(Duration::from_secs(30)).await;
    controller
        .command("answer_request", &answer(&request, true, "yes"))
        .await;
    let reply = controller.reply_to("yes").await;
    assert_eq!(reply["result"], json!({ "enabled": true }), "{reply}");
    let media = published_again(&mut controller, "local_media", |media| {
        media["microphone"]["state"] == "on"
    })
    .await;
    assert_eq!(media["changedBy"], json!({ "source": "mqtt", "id": "yes" }));
    let is_empty = |part: &Value| part["requests"] == json!([]);
    published_again(&mut controller, "requests", is_empty).await;
    controller
        .command("answer_request", &answer(&request, true, "again"))
        .await;
    assert_not_found(&controller.reply_to("again").await);
}

#[tokio::test]
async fn a_declined_request_leaves_the_box_muted() {
    let (_broker, _wall, mut controller, request) = asked(Duration::from_secs(30)).await;
    controller
        .command("answer_request", &answer(&request, false, "no"))
        .await;
    // Events and replies go different ways.
    let (mut ended, mut reply) = (None, None);
    while ended.is_none() || reply.is_none() {
        let heard = controller.wait(|_| true).await;
        match heard.topic.as_str() {
            "roomd/wall/event/request_ended" => ended = Some(heard.json()),
            "roomd/wall/reply" => reply = Some(heard.json()),
            _ => {}
        }
    }
    assert_eq!(ended.unwrap()["reason"], "declined");
    assert_eq!(reply.unwrap()["ok"], true);
    let media = published_again(&mut controller, "local_media", |_| true).await;
    assert_eq!(media["microphone"]["state"], "muted");
}

#[tokio::test]
async fn a_request_that_nobody_answers_ends_by_itself_and_an_answer_comes_too_late() {
    let (_broker, _wall, mut controller, request) = asked(Duration::from_millis(700)).await;
    let ended = controller.on("event/request_ended").await.json();
    assert_eq!(ended["requestId"], request);
    assert_eq!(ended["reason"], "expired");
    let is_empty = |part: &Value| part["requests"] == json!([]);
    published_again(&mut controller, "requests", is_empty).await;
    controller
        .command("answer_request", &answer(&request, true, "late"))
        .await;
    let reply = controller.reply_to("late").await;
    assert_not_found(&reply);
    assert!(
        reply["error"]["message"]
            .as_str()
            .unwrap()
            .contains("in time")
    );
}

#[tokio::test]
async fn an_answer_to_a_request_that_never_was_is_not_found_and_a_bad_one_names_its_field() {
    let (_broker, _wall, mut controller, _) = asked(Duration::from_secs(30)).await;
    controller
        .command("answer_request", &answer("r1", true, "unknown"))
        .await;
    assert_not_found(&controller.reply_to("unknown").await);
    for (payload, field) in [
        (r#"{"accept":true,"id":"x"}"#, "requestId"),
        (r#"{"requestId":"","accept":true,"id":"x"}"#, "requestId"),
        (r#"{"requestId":"a","id":"x"}"#, "accept"),
        (r#"{"requestId":"a","accept":1,"id":"x"}"#, "accept"),
    ] {
        // Each under an id of its own, because a repeated one gets the first reply.
        let payload = payload.replace(r#""x""#, &json!(payload.len().to_string()).to_string());
        controller.command("answer_request", &payload).await;
        let id = serde_json::from_str::<Value>(&payload).unwrap()["id"].clone();
        let reply = controller.reply_to(id.as_str().unwrap()).await;
        assert_eq!(
            reply["error"]["code"], "invalid_payload",
            "{payload}: {reply}"
        );
        assert_eq!(reply["error"]["field"], field, "{payload}: {reply}");
    }
}
