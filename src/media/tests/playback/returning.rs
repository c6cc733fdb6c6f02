//! A sound server that comes while the engine runs.

use std::{path::Path, process::Command, time::Duration};

use roomd_media::{
    EngineStatus, MediaEngine,
    settings::{AudioSink, DisplaySink, MediaSettings},
};
use tokio::sync::mpsc;

use crate::child::{sound_server, under_alsa};

#[test]
fn a_speaker_that_is_not_there_yet_is_told_and_opened_when_it_comes() {
    under_alsa(
        "returning::a_speaker_that_is_not_there_yet_is_told_and_opened_when_it_comes",
        async |server| {
            let ended = Command::new("pactl")
                .args(["--server", &server, "exit"])
                .status()
                .expect("pactl is installed (package pulseaudio-utils)");
            assert!(ended.success());
            let settings = MediaSettings {
                display: DisplaySink::None,
                speaker: AudioSink::Alsa("default".to_owned()),
                ..MediaSettings::default()
            };
            let (events, _heard) = mpsc::unbounded_channel();
            let engine = MediaEngine::start(settings, events).unwrap();
            until(&engine, "the problem is told", |status| {
                status.speaker.is_none()
                    && matches!(&status.problems[..], [problem] if problem.contains("alsasink default"))
            })
            .await;
            let _server = sound_server(Path::new(server.strip_prefix("unix:").unwrap()));
            until(&engine, "the speaker is open", |status| {
                status.speaker.as_deref() == Some("alsasink default") && status.problems.is_empty()
            })
            .await;
            engine.shutdown().await;
        },
    );
}

/// Waits until the engine's status is as wanted.
async fn until(engine: &MediaEngine, what: &str, holds: impl FnMut(&EngineStatus) -> bool) {
    let mut status = engine.status();
    let waited = tokio::time::timeout(Duration::from_secs(15), status.wait_for(holds)).await;
    assert!(waited.is_ok(), "{what}: {:?}", engine.report());
}
