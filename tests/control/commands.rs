//! Commands and their replies, in both versions of MQTT.

use roomd::appliance::{ChangeSource, Command};
use roomd_room::Action;
use rumqttc::v5::mqttbytes::v5::PublishProperties;
use serde_json::json;

use crate::{
    appliance::{Appliance, config},
    broker::Broker,
    controller::Controller,
};

async fn setup(version: &str) -> (Broker, Appliance, Controller) {
    let broker = Broker::start().await;
    let appliance = Appliance::start(config(&broker, version)).await;
    let controller = Controller::connect(&broker, version).await;
    (broker, appliance, controller)
}

async fn a_command_is_carried_out_and_answered_and_the_state_tells(version: &str) {
    let (_broker, mut appliance, mut controller) = setup(version).await;
    controller
        .command("toggle_microphone", r#"{"enabled":false,"id":"7f3c"}"#)
        .await;
    let (command, by) = appliance.command().await;
    assert_eq!(
        command,
        Command::Room(Action::ToggleMicrophone(Some(false)))
    );
    assert_eq!(
        (by.source, by.id.as_deref()),
        (ChangeSource::Mqtt, Some("7f3c"))
    );
    // The state follows the reply when it was published less than 100 ms ago.
    let (mut state, mut reply) = (None, None);
    while state.is_none() || reply.is_none() {
        let heard = controller.wait(|_| true).await;
        match heard.topic.as_str() {
            "roomd/wall/reply" => reply = Some(heard.json()),
            "roomd/wall/state/local_participant" if heard.json()["isAudioEnabled"] == false => {
                state = Some(heard.json());
            }
            _ => {}
        }
    }
    let (state, reply) = (state.unwrap(), reply.unwrap());
    assert_eq!(state["changedBy"], json!({"source": "mqtt", "id": "7f3c"}));
    assert_eq!(reply["id"], "7f3c");
    assert_eq!(reply["command"], "toggle_microphone");
    assert_eq!(reply["device"], "wall");
    assert_eq!(reply["ok"], true);
    assert_eq!(reply["result"], json!({"enabled": false}));
    assert!(reply["tookMs"].is_u64());
    assert!(reply["at"].as_str().unwrap().ends_with('Z'));
    assert!(reply.get("error").is_none());

    controller.command("lock_room", "ON").await;
    let reply = controller.reply().await;
    assert_eq!(reply["ok"], false);
    assert_eq!(reply["error"]["code"], "not_permitted");
    assert!(reply.get("result").is_none());
    appliance.shutdown.cancel();
    appliance.interface.await.unwrap();
}

#[tokio::test]
async fn a_command_is_carried_out_over_mqtt_3_1_1() {
    a_command_is_carried_out_and_answered_and_the_state_tells("3.1.1").await;
}

#[tokio::test]
async fn a_command_is_carried_out_over_mqtt_5() {
    a_command_is_carried_out_and_answered_and_the_state_tells("5").await;
}

#[tokio::test]
async fn commands_reach_the_box_through_its_groups_and_all_and_no_others() {
    let (_broker, mut appliance, mut controller) = setup("3.1.1").await;
    for topic in [
        "roomd/group/floor_3/cmd/set_volume",
        "roomd/desk/cmd/set_volume",
        "roomd/all/cmd/set_volume",
        "roomd/group/floor_2/cmd/set_volume",
        "roomd/wall/cmd/set_volume",
    ] {
        controller
            .publish(topic, format!(r#"{{"level":1,"id":"{topic}"}}"#), false)
            .await;
    }
    for id in [
        "roomd/all/cmd/set_volume",
        "roomd/group/floor_2/cmd/set_volume",
        "roomd/wall/cmd/set_volume",
    ] {
        assert_eq!(appliance.command().await.1.id.as_deref(), Some(id));
        assert_eq!(controller.reply().await["id"], id);
    }
    controller
        .publish("roomd/all/admin/reboot", r#"{"id":"r"}"#, false)
        .await;
    assert_eq!(
        controller.reply_to("r").await["error"]["code"],
        "not_supported"
    );
}

#[tokio::test]
async fn a_reply_goes_where_the_command_asks_but_not_where_it_must_not() {
    let (_broker, _appliance, mut controller) = setup("3.1.1").await;
    controller
        .command("set_volume", r#"{"level":1,"replyTo":"client/7/answers"}"#)
        .await;
    let reply = controller
        .wait(|heard| heard.topic == "client/7/answers")
        .await
        .json();
    assert_eq!(reply["ok"], true);
    for forbidden in [
        "elsewhere/x",
        "roomd/desk/cmd/leave_room",
        "roomd/desk/state/room",
        "client/+",
    ] {
        controller
            .command(
                "set_volume",
                &json!({"level": 1, "replyTo": forbidden}).to_string(),
            )
            .await;
        let reply = controller.reply().await;
        assert_eq!(reply["error"]["field"], "replyTo", "{forbidden}: {reply}");
    }
}

#[tokio::test]
async fn mqtt_5_properties_lead_the_reply_and_make_a_command_idempotent_and_let_it_expire() {
    let (_broker, mut appliance, mut controller) = setup("5").await;
    let properties = PublishProperties {
        response_topic: Some("client/9".to_owned()),
        correlation_data: Some(vec![0, 255, 7].into()),
        message_expiry_interval: Some(30),
        ..PublishProperties::default()
    };
    for _ in 0..2 {
        controller
            .publish_with(
                "roomd/wall/cmd/set_volume",
                r#"{"level":3}"#,
                properties.clone(),
            )
            .await;
        let reply = controller.wait(|heard| heard.topic == "client/9").await;
        assert_eq!(reply.correlation, Some(vec![0, 255, 7]));
        assert_eq!(reply.json()["result"], json!({"level": 3}));
    }
    assert_eq!(appliance.command().await.0, Command::SetVolume(3));
    controller.command("set_volume", r#"{"level":4}"#).await;
    assert_eq!(appliance.command().await.0, Command::SetVolume(4));
}

#[tokio::test]
async fn the_same_id_gets_the_first_reply_and_is_carried_out_once() {
    let (_broker, mut appliance, mut controller) = setup("3.1.1").await;
    controller
        .command("toggle_microphone", r#"{"id":"once"}"#)
        .await;
    let first = controller.reply_to("once").await;
    controller
        .command("toggle_microphone", r#"{"id":"once"}"#)
        .await;
    assert_eq!(controller.reply_to("once").await, first);
    controller.command("set_volume", r#"{"level":9}"#).await;
    assert!(matches!(appliance.command().await.0, Command::Room(_)));
    assert_eq!(appliance.command().await.0, Command::SetVolume(9));

    // Delivered again while it is under way: one command, two replies.
    appliance.hold();
    for _ in 0..2 {
        controller
            .command("toggle_microphone", r#"{"id":"twice"}"#)
            .await;
    }
    controller
        .command("no_such", r#"{"id":"heard both"}"#)
        .await;
    controller.reply_to("heard both").await;
    appliance.permits.add_permits(2);
    let reply = controller.reply_to("twice").await;
    assert_eq!(controller.reply_to("twice").await, reply);
}

#[tokio::test]
async fn bad_commands_get_their_documented_error_and_the_next_good_one_works() {
    let (_broker, mut appliance, mut controller) = setup("3.1.1").await;
    let long = vec![b'x'; 64 * 1024 + 1];
    let longer = vec![b'x'; 200 * 1024];
    let table: [(&str, &[u8], &str); 11] = [
        ("toggle_microphone", b"{\"enabled\":1}", "invalid_payload"),
        (
            "toggle_microphone",
            b"{\"enabeld\":true}",
            "invalid_payload",
        ),
        ("toggle_microphone", b"{", "invalid_payload"),
        ("toggle_microphone", b"\xff\xfe", "invalid_payload"),
        ("toggle_microphone", b"on", "invalid_payload"),
        ("toggle_microfone", b"", "unknown_command"),
        ("knock", b"{\"sentAt\":\"2020-01-01T00:00:00Z\"}", "expired"),
        ("knock", &long, "too_large"),
        ("knock", &longer, "too_large"),
        ("standby", b"", "not_supported"),
        ("set_volume", b"{\"level\":101}", "invalid_payload"),
    ];
    for (name, payload, code) in table {
        controller
            .publish(&format!("roomd/wall/cmd/{name}"), payload, false)
            .await;
        let event = controller.on("event/command_rejected").await;
        assert_eq!(event.json()["error"]["code"], code, "{name}");
        assert!(!event.retain);
        let reply = controller.reply().await;
        assert_eq!(reply["error"]["code"], code, "{name}: {reply}");
        assert!(!reply["error"]["remedy"].as_str().unwrap().is_empty());
        controller.command("set_volume", r#"{"level":5}"#).await;
        assert_eq!(controller.reply().await["ok"], true);
        assert_eq!(appliance.command().await.0, Command::SetVolume(5));
    }
}

#[tokio::test]
async fn a_retained_command_is_refused_on_every_connection() {
    let broker = Broker::start().await;
    let mut controller = Controller::connect(&broker, "3.1.1").await;
    controller
        .publish("roomd/wall/cmd/leave_room", r#"{"id":"old"}"#, true)
        .await;
    controller
        .wait(|heard| heard.topic.ends_with("leave_room"))
        .await;
    let mut appliance = Appliance::start(config(&broker, "3.1.1")).await;
    let reply = controller.reply_to("old").await;
    assert_eq!(reply["error"]["code"], "retained_command");
    controller.command("set_volume", r#"{"level":5}"#).await;
    assert_eq!(appliance.command().await.0, Command::SetVolume(5));
}
