//! Two well-behaved clients of a room, who talk until they are told to stop.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

use crate::{client::Client, server::Server};

/// How often they talk: well below what the server allows.
const PAUSE: Duration = Duration::from_millis(50);

/// What is still no notice: the machine of a test does other things too.
const UNNOTICED: Duration = Duration::from_secs(1);

/// How many messages they exchange after an attack.
const AFTERWARDS: usize = 10;

/// Names of events that nobody may make happen to them.
const FORGED: [&str; 6] = [
    "client_kicked",
    "room_locked",
    "audio_enable_requested",
    "video_enable_requested",
    "breakout_session_updated",
    "spotlight_added",
];

/// The two, and who they are.
pub(crate) struct Bystanders {
    pub(crate) ids: [String; 2],
    stop: oneshot::Sender<()>,
    count: watch::Receiver<usize>,
    talk: JoinHandle<Vec<Duration>>,
}

impl Bystanders {
    /// Joins them and lets them talk.
    pub(crate) async fn talk(server: &Server, room: &str) -> Self {
        let speaker = Client::join(server, room).await;
        let listener = Client::join(server, room).await;
        let ids = [speaker.id.clone(), listener.id.clone()];
        let (stop, stopped) = oneshot::channel();
        let (trips, count) = watch::channel(0);
        let talk = tokio::spawn(talk(speaker, listener, stopped, trips));
        Self {
            ids,
            stop,
            count,
            talk,
        }
    }

    /// Every message arrived, in time, and nothing was done to them; they go on for a while.
    pub(crate) async fn noticed_nothing(mut self) {
        let until = *self.count.borrow() + AFTERWARDS;
        // An error means that they have ended, which is told below.
        let _ = self.count.wait_for(|count| *count >= until).await;
        let _ = self.stop.send(());
        let trips = self.talk.await.expect("the bystanders were disturbed");
        let worst = trips.iter().max().expect("they talked");
        println!("{} round trips, the slowest took {worst:?}", trips.len());
        assert!(*worst < UNNOTICED, "a message took {worst:?}");
    }
}

async fn talk(
    mut speaker: Client,
    mut listener: Client,
    mut stopped: oneshot::Receiver<()>,
    count: watch::Sender<usize>,
) -> Vec<Duration> {
    let mut trips = Vec::new();
    let me = speaker.id.clone();
    let mut pace = tokio::time::interval(PAUSE);
    let mut number = 0;
    while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
        pace.tick().await;
        number += 1;
        let text = format!("message {number}");
        let sent = Instant::now();
        assert!(
            speaker
                .event("chat_message", &json!({ "text": text }))
                .await
        );
        for reader in [&mut listener, &mut speaker] {
            loop {
                let (name, payload) = reader.next().await.expect("still connected");
                assert!(!FORGED.contains(&name.as_str()), "{name} {payload}");
                if name == "chat_message" && payload["text"] == json!(text) {
                    assert_eq!(payload["senderId"], json!(me));
                    break;
                }
            }
        }
        trips.push(sent.elapsed());
        count.send_replace(trips.len());
    }
    trips
}
