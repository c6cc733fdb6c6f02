//! Brokers that die, packets that are too large, somebody else with our name, and the end.

use std::os::unix::fs::PermissionsExt;

use roomd::{appliance::Command, mqtt::MqttStatus};

use crate::{
    appliance::{Appliance, config},
    broker::Broker,
    controller::Controller,
};

#[tokio::test]
async fn after_a_restart_of_the_broker_everything_is_published_again() {
    for version in ["3.1.1", "5"] {
        let mut broker = Broker::start().await;
        let mut appliance = Appliance::start(config(&broker, version)).await;
        let mut controller = Controller::connect(&broker, version).await;
        controller.command("set_volume", r#"{"level":77}"#).await;
        controller.reply().await;
        broker.kill().await;
        appliance.problem("broker_unreachable").await;
        broker.restart().await;
        appliance.connected().await;
        let mut controller = Controller::connect(&broker, version).await;
        assert_eq!(controller.on("availability").await.text(), "online");
        let media = controller.on("state/local_media").await.json();
        assert_eq!(media["volume"], 77);
        controller.command("set_volume", r#"{"level":78}"#).await;
        assert_eq!(controller.reply().await["ok"], true);
    }
}

#[tokio::test]
async fn an_abrupt_end_leaves_the_will() {
    for version in ["3.1.1", "5"] {
        let broker = Broker::start().await;
        let appliance = Appliance::start(config(&broker, version)).await;
        let mut controller = Controller::connect(&broker, version).await;
        assert_eq!(controller.on("availability").await.text(), "online");
        appliance.interface.abort();
        assert_eq!(controller.on("availability").await.text(), "offline");
    }
}

#[tokio::test]
async fn a_shutdown_says_what_is_left_and_offline() {
    for version in ["3.1.1", "5"] {
        let broker = Broker::start().await;
        let appliance = Appliance::start(config(&broker, version)).await;
        let mut controller = Controller::connect(&broker, version).await;
        controller.command("set_volume", r#"{"level":1}"#).await;
        controller.reply().await;
        appliance.state.send_modify(|state| {
            std::sync::Arc::make_mut(&mut state.local_media).volume = 42;
        });
        appliance.shutdown.cancel();
        appliance.interface.await.unwrap();
        let media = controller
            .wait(|heard| heard.topic.ends_with("local_media") && heard.json()["volume"] == 42)
            .await;
        assert!(media.json()["version"].is_u64());
        assert_eq!(controller.on("availability").await.text(), "offline");
    }
}

#[tokio::test]
async fn a_packet_beyond_256_kib_costs_one_connection_at_most_and_raises_a_problem() {
    let broker = Broker::start().await;
    let mut appliance = Appliance::start(config(&broker, "3.1.1")).await;
    let mut controller = Controller::connect(&broker, "3.1.1").await;
    // Retained: it comes again with every subscription.
    controller
        .publish("roomd/wall/cmd/knock", vec![b'x'; 400 * 1024], true)
        .await;
    appliance.problem("oversized_packet").await;
    appliance.connected().await;
    let reply = controller.reply().await;
    assert!(
        ["too_large", "retained_command"].contains(&reply["error"]["code"].as_str().unwrap()),
        "{reply}"
    );
    for _ in 0..3 {
        controller
            .publish("roomd/wall/cmd/knock", vec![b'x'; 300 * 1024], false)
            .await;
        assert_eq!(controller.reply().await["error"]["code"], "too_large");
    }
    controller.command("set_volume", r#"{"level":7}"#).await;
    assert_eq!(appliance.command().await.0, Command::SetVolume(7));
    while let Ok(status) = appliance.problems.try_recv() {
        assert!(
            !matches!(status, MqttStatus::Disconnected { .. }),
            "{status:?}"
        );
    }
}

#[tokio::test]
async fn over_mqtt_5_the_broker_keeps_larger_packets_to_itself() {
    let broker = Broker::start().await;
    let mut appliance = Appliance::start(config(&broker, "5")).await;
    let mut controller = Controller::connect(&broker, "5").await;
    controller
        .publish("roomd/wall/cmd/knock", vec![b'x'; 400 * 1024], false)
        .await;
    controller.command("set_volume", r#"{"level":7}"#).await;
    assert_eq!(controller.reply().await["ok"], true);
    assert_eq!(appliance.command().await.0, Command::SetVolume(7));
    assert!(appliance.problems.try_recv().is_err());
}

#[tokio::test]
async fn somebody_else_with_our_client_id_is_a_problem_and_no_tug_of_war() {
    let broker = Broker::start().await;
    let mut first = Appliance::start(config(&broker, "5")).await;
    let _second = Appliance::start(config(&broker, "5")).await;
    first.problem("identity_in_use").await;
}

#[tokio::test]
async fn the_next_broker_is_tried_when_one_is_not_there() {
    let mut gone = Broker::start().await;
    gone.kill().await;
    let broker = Broker::start().await;
    let mut config = config(&broker, "5");
    config.brokers.insert(0, gone.url().parse().unwrap());
    let mut appliance = Appliance::begin(config);
    appliance.problem("broker_unreachable").await;
    let status = appliance
        .status(|status| matches!(status, MqttStatus::Connected { .. }))
        .await;
    assert_eq!(
        status,
        MqttStatus::Connected {
            broker: broker.url()
        }
    );
}

#[tokio::test]
async fn wrong_credentials_are_told_as_such() {
    let users = tempfile::NamedTempFile::new().unwrap();
    // mosquitto gives up root before it reads the file.
    std::fs::set_permissions(users.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let broker = Broker::start_with(&format!(
        "allow_anonymous false\npassword_file {}",
        users.path().display()
    ))
    .await;
    for version in ["3.1.1", "5"] {
        let mut config = config(&broker, version);
        config.username = Some("wall".to_owned());
        config.password = Some("wrong".into());
        let mut appliance = Appliance::begin(config);
        appliance.problem("broker_refuses").await;
    }
}
