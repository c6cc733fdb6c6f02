//! Recorders as processes: started, told to finish, and what is said when they fail.

use std::{path::Path, time::Duration};

use roomd_server::{RunningServer, ServerConfig, config::UnlistedRole, start};
use serde_json::{Value, json};

use crate::support::{Client, PATIENCE, Received, config, device};

async fn with_recorder(command: &[&str]) -> RunningServer {
    let config = ServerConfig {
        unlisted_role: UnlistedRole::Host,
        grace: Duration::ZERO,
        recorder_command: command.iter().map(ToString::to_string).collect(),
        ..config()
    };
    start(config).await.unwrap()
}

/// A recorder that notes its room, waits for the end of its input and notes that it has finished.
fn script(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "printf %s \"$ROOMD_RECORD_URL\" > {folder}/part && mv {folder}/part {folder}/url && \
         cat && touch {folder}/finished"
    )
}

/// The content of a file, as soon as there is one.
async fn written(file: &Path) -> String {
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let reading = async {
        loop {
            tick.tick().await;
            if let Ok(text) = std::fs::read_to_string(file) {
                return text;
            }
        }
    };
    let text = tokio::time::timeout(PATIENCE, reading).await;
    text.unwrap_or_else(|_| panic!("{} is not written", file.display()))
}

/// The recorder's key from the address that its process was given.
fn key_of(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    assert_eq!(url.path(), "/r");
    let mut pairs = url.query_pairs();
    let (_, key) = pairs.find(|(name, _)| name == "roomKey").unwrap();
    key.into_owned()
}

async fn recording(folder: &Path) -> (RunningServer, Client, Client, Value) {
    let server = with_recorder(&["sh", "-c", &script(folder)]).await;
    let (mut host, _) = Client::join(&server, &device(&server).await, json!({})).await;
    host.send("start_recording", json!({ "recording": "cloud" }))
        .await;
    let key = key_of(&written(&folder.join("url")).await);
    let members = json!({ "roomKey": key });
    let (recorder, joined) = Client::join(&server, &device(&server).await, members).await;
    host.expect("cloud_recording_started").await;
    let new = host.expect("new_client").await;
    assert_eq!(new["client"]["role"]["roleName"], "recorder");
    assert_eq!(new["client"]["id"], joined["selfId"]);
    (server, host, recorder, joined)
}

#[tokio::test]
async fn a_recording_is_a_process_that_joins_and_finishes_when_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (server, mut host, mut recorder, _) = recording(folder.path()).await;
    host.send("stop_recording", Value::Null).await;
    host.expect("cloud_recording_stopped").await;
    host.expect("client_left").await;
    while !matches!(recorder.next().await, Received::Event(name, _) if name == "client_kicked") {}
    written(&folder.path().join("finished")).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_shutdown_waits_until_the_recorder_has_finished() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _host, _recorder, _) = recording(folder.path()).await;
    server.shutdown().await;
    assert!(folder.path().join("finished").exists());
}

#[tokio::test]
async fn a_recorder_that_cannot_be_started_or_ends_at_once_is_an_error_for_the_host() {
    for (command, error) in [
        ("/nowhere/recorder", "recorder_not_started"),
        ("false", "recorder_ended"),
        ("true", "recorder_ended"),
    ] {
        let server = with_recorder(&[command]).await;
        let (mut host, _) = Client::join(&server, &device(&server).await, json!({})).await;
        for _ in 0..2 {
            host.send("start_recording", json!({ "recording": "cloud" }))
                .await;
            let answer = host.expect("cloud_recording_started").await;
            assert_eq!(answer["error"], error, "{command}");
        }
        server.shutdown().await;
    }
}
