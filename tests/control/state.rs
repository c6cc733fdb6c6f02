//! What the box publishes of itself.

use std::{sync::Arc, time::Duration};

use roomd::{appliance::ApplianceEvent, mqtt::status::PARTS};
use serde_json::json;

use crate::{
    appliance::{Appliance, config},
    broker::Broker,
    controller::{Controller, Heard},
};

#[tokio::test]
async fn whoever_comes_later_finds_availability_info_and_every_part_retained() {
    for version in ["3.1.1", "5"] {
        let broker = Broker::start().await;
        let _appliance = Appliance::start(config(&broker, version)).await;
        let mut early = Controller::connect(&broker, version).await;
        early.command("set_volume", r#"{"level":5}"#).await;
        early.reply().await; // everything before it has reached the broker
        let mut controller = Controller::connect(&broker, version).await;
        drop(early);
        let mut missing: Vec<String> = PARTS
            .iter()
            .map(|part| format!("state/{}", part.name))
            .chain(["availability".to_owned(), "info".to_owned()])
            .collect();
        while !missing.is_empty() {
            let heard = controller.wait(|heard| heard.retain).await;
            let topic = heard.topic.strip_prefix("roomd/wall/").unwrap().to_owned();
            missing.retain(|wanted| *wanted != topic);
            match topic.as_str() {
                "availability" => assert_eq!(heard.text(), "online"),
                "info" => {
                    let info = heard.json();
                    assert_eq!(info["device"], "wall");
                    assert_eq!(info["contractVersion"], "1");
                    assert_eq!(info["groups"], json!(["floor_2"]));
                    assert_eq!(info["model"], "test");
                }
                "state/local_media" => assert!(heard.json()["version"].is_u64()),
                _ => assert!(heard.json()["at"].is_string(), "{topic}"),
            }
        }
    }
}

#[tokio::test]
async fn only_changed_parts_are_published_and_a_burst_ends_with_its_last_value() {
    let broker = Broker::start().await;
    let appliance = Appliance::start(config(&broker, "5")).await;
    let mut controller = Controller::connect(&broker, "5").await;
    controller.command("set_volume", r#"{"level":5}"#).await;
    controller.reply().await;
    for volume in 0..=100 {
        appliance
            .state
            .send_modify(|state| Arc::make_mut(&mut state.local_media).volume = volume);
        tokio::task::yield_now().await;
    }
    let mut publications = 0;
    loop {
        let heard = controller
            .wait(|heard| heard.topic.contains("/state/") && !heard.retain)
            .await;
        assert_eq!(heard.topic, "roomd/wall/state/local_media");
        publications += 1;
        if heard.json()["volume"] == 100 {
            break;
        }
    }
    assert!(publications <= 5, "{publications}");
    controller.silence(Duration::from_millis(300)).await;
}

/// Waits until every part was heard in a message that is as wanted.
async fn every_part(controller: &mut Controller, wanted: impl Fn(&Heard) -> bool) {
    let mut missing: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
    while !missing.is_empty() {
        let heard = controller
            .wait(|heard| heard.topic.contains("/state/") && wanted(heard))
            .await;
        missing.retain(|name| !heard.topic.ends_with(&format!("/{name}")));
    }
}

#[tokio::test]
async fn state_is_published_again_on_get() {
    let broker = Broker::start().await;
    let _appliance = Appliance::start(config(&broker, "3.1.1")).await;
    let mut controller = Controller::connect(&broker, "3.1.1").await;
    every_part(&mut controller, |_| true).await;
    controller
        .publish("roomd/wall/get", r#"{"parts":["chat"]}"#, false)
        .await;
    let fresh = controller
        .wait(|heard| heard.topic.contains("/state/") && !heard.retain)
        .await;
    assert_eq!(fresh.topic, "roomd/wall/state/chat");
    controller.publish("roomd/wall/get", "", false).await;
    every_part(&mut controller, |heard| !heard.retain).await;
    for wrong in [
        r#"{"parts":["no_such"]}"#,
        r#"{"part":["chat"]}"#,
        "[",
        "{\"parts\":7}",
    ] {
        controller.publish("roomd/wall/get", wrong, false).await;
        let event = controller.on("event/command_rejected").await.json();
        assert_eq!(event["command"], "get");
        assert_eq!(event["error"]["code"], "invalid_payload", "{wrong}");
    }
}

#[tokio::test]
async fn events_are_published_once_and_not_retained() {
    let broker = Broker::start().await;
    let appliance = Appliance::start(config(&broker, "5")).await;
    let mut controller = Controller::connect(&broker, "5").await;
    appliance
        .events
        .send(ApplianceEvent {
            name: "chat_new_message".to_owned(),
            payload: json!({"text": "Hello"}),
        })
        .unwrap();
    let heard = controller.on("event/chat_new_message").await;
    assert!(!heard.retain);
    assert_eq!(heard.json()["text"], "Hello");
    assert!(heard.json()["at"].is_string());
}
