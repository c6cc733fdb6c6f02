//! More commands than can be carried out.

use std::collections::BTreeMap;

use roomd::appliance::Command;
use roomd_room::Action;

use crate::{
    appliance::{Appliance, config},
    broker::Broker,
    controller::Controller,
};

#[tokio::test]
async fn under_a_flood_switches_coalesce_mute_gets_through_and_each_command_gets_one_reply() {
    let broker = Broker::start().await;
    let mut appliance = Appliance::start(config(&broker, "3.1.1")).await;
    let mut controller = Controller::connect(&broker, "3.1.1").await;
    appliance.hold(); // the room loop is busy
    for number in 0..500 {
        let payload = format!(r#"{{"level":{},"id":"v{number}"}}"#, number % 101);
        controller.command("set_volume", &payload).await;
    }
    controller
        .command("toggle_microphone", r#"{"enabled":true,"id":"unmute"}"#)
        .await;
    controller
        .command("toggle_microphone", r#"{"enabled":false,"id":"mute"}"#)
        .await;
    controller.command("no_such", r#"{"id":"all heard"}"#).await;
    let mut replies: BTreeMap<String, (u32, bool)> = BTreeMap::new();
    let mut count = |reply: &serde_json::Value| {
        let id = reply["id"].as_str().unwrap().to_owned();
        let entry = replies.entry(id).or_insert((0, reply["ok"] == true));
        entry.0 += 1;
        if reply["ok"] == false && reply["command"] != "no_such" {
            assert_eq!(reply["error"]["code"], "rate_limited");
        }
    };
    loop {
        let reply = controller.reply().await;
        count(&reply);
        if reply["id"] == "all heard" {
            break;
        }
    }
    appliance.permits.add_permits(10_000);
    let mut last_ones = std::collections::BTreeSet::from(["mute", "v499"]);
    while !last_ones.is_empty() {
        let reply = controller.reply().await;
        count(&reply);
        last_ones.remove(reply["id"].as_str().unwrap());
    }
    assert!(
        replies.values().all(|(times, _)| *times == 1),
        "{replies:?}"
    );
    assert_eq!(replies.len(), 503, "one reply for each");
    assert!(replies["mute"].1 && replies["v499"].1 && !replies["unmute"].1);
    let mut volumes = 0;
    let mut muted = false;
    while let Ok((command, _)) = appliance.carried_out.try_recv() {
        match command {
            Command::SetVolume(_) => volumes += 1,
            Command::Room(Action::ToggleMicrophone(Some(false))) => muted = true,
            other => panic!("{other:?}"),
        }
    }
    assert!(muted);
    assert!(volumes < 120, "{volumes} of 500 were carried out");
}
