//! Starts the tasks of the appliance and ends them in order: the only place that knows them all.

use std::path::PathBuf;

use roomd_controls::{lamp::LightPart, light::Indications, lights, panel::Panel};
use roomd_media::{MediaEngine, MediaError, settings::MediaSettings};
use roomd_protocol::StreamId;
use roomd_signalling::SignallingError;
use thiserror::Error;
use tokio::{
    sync::{broadcast, mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    appliance::{
        Appliance, ApplianceEvent, ApplianceState, Memory, MemoryFile, ProblemReport, Request,
    },
    config::Config,
    mqtt::{self, Info, MqttStatus},
    room_loop,
    systemd::{Notifier, Part, Watchdog},
};

/// Commands that may wait; more than that and the sender waits.
const INBOX: usize = 256;
/// Events that a slow listener may be behind.
const EVENTS: usize = 256;

/// Why the appliance does not start.
#[derive(Debug, Error)]
pub enum DaemonError {
    /// The media engine.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The signalling client.
    #[error(transparent)]
    Signalling(#[from] SignallingError),
    /// The thread of the lights.
    #[error("cannot start the thread of the lights: {0}")]
    Lights(std::io::Error),
    /// The state directory.
    #[error(
        "cannot use the state directory {path}: {source}; create it for the service's user, or set state.dir"
    )]
    StateDirectory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// A running appliance.
#[derive(Debug)]
pub struct Daemon {
    /// Where commands go.
    pub requests: mpsc::Sender<Request>,
    /// What the appliance shows.
    pub state: watch::Receiver<ApplianceState>,
    /// What happens.
    pub events: broadcast::Sender<ApplianceEvent>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

/// Starts the appliance on the running tokio runtime. `trace_signal` is a file for every signalling
/// frame.
///
/// # Errors
/// When a part cannot start with this configuration.
pub fn start(config: &Config, trace_signal: Option<PathBuf>) -> Result<Daemon, DaemonError> {
    let state_dir = &config.state.dir;
    std::fs::create_dir_all(state_dir).map_err(|source| DaemonError::StateDirectory {
        path: state_dir.clone(),
        source,
    })?;
    let memory_file = state_dir.join("state.json");
    let (memory, lost) = Memory::recall(&memory_file);

    let (media_events, media) = mpsc::unbounded_channel();
    let camera_stream = camera_stream(memory.as_ref());
    let media_settings = MediaSettings {
        camera_stream: Some(camera_stream.clone()),
        ..config.media.settings.clone()
    };
    let engine = MediaEngine::start(media_settings, media_events)?;
    let (signalling, signalling_commands) = mpsc::unbounded_channel();
    let (signalling_events, signalling_inbox) = mpsc::unbounded_channel();
    let mut settings = config.signalling();
    settings.trace_file = trace_signal.or(settings.trace_file);
    let signalling_task =
        roomd_signalling::start(settings, signalling_commands, signalling_events)?;

    let (requests, request_inbox) = mpsc::channel(INBOX);
    let (problems, problem_inbox) = mpsc::unbounded_channel();
    if let Some(report) = lost {
        // The other end is in this function.
        let _ = problems.send(report);
    }
    let (events, _) = broadcast::channel(EVENTS);
    let mut appliance = Appliance::new(config.appliance(), memory, camera_stream);
    // The switches are read before anything can open.
    let panel = Panel::open(
        config.controls.table.clone(),
        config.controls.places.clone(),
    );
    appliance.forbid(panel.bans());
    let bindings = bindings(config, &panel);
    let (published, state) = watch::channel(appliance.state().clone());
    let (heartbeat, rounds) = watch::channel(0);
    let (panel_events, panel_inbox) = mpsc::channel(INBOX);
    tokio::spawn(panel.run(panel_events));
    let lights = start_lights(config, &rounds)?;
    let shutdown = CancellationToken::new();
    let mqtt = start_mqtt(config, &requests, &state, &events, &problems);
    tokio::spawn(tell_systemd(
        state.clone(),
        rounds,
        engine.status(),
        shutdown.clone(),
    ));

    let ears = room_loop::Ears {
        requests: request_inbox,
        signalling: signalling_inbox,
        media,
        engine: engine.status(),
        panel: panel_inbox,
        lights: lights.news,
        shown: lights.shown,
        problems: problem_inbox,
        shutdown: shutdown.clone(),
    };
    let mouths = room_loop::Mouths {
        signalling,
        state: published,
        events: events.clone(),
        lights: lights.state,
        heartbeat,
        memory: Some(MemoryFile::at(memory_file)),
    };
    let task = tokio::spawn(async move {
        let signalling = mouths.signalling.clone();
        room_loop::run(appliance, bindings, ears, mouths, &engine).await;
        // The room is left; now the rest, from the outside in.
        drop(signalling);
        if let Err(error) = signalling_task.await {
            tracing::error!(%error, "the signalling client ended badly");
        }
        engine.shutdown().await;
        // Nobody tells them anything any more: they go dark.
        if let Some(thread) = lights.thread
            && tokio::task::spawn_blocking(move || thread.join())
                .await
                .is_ok_and(|end| end.is_err())
        {
            tracing::error!("the thread of the lights ended badly");
        }
        if let Some((task, shutdown)) = mqtt {
            shutdown.cancel();
            if let Err(error) = task.await {
                tracing::error!(%error, "the MQTT interface ended badly");
            }
        }
    });
    Ok(Daemon {
        requests,
        state,
        events,
        shutdown,
        task,
    })
}

impl Daemon {
    /// Leaves the room and ends every part.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.ended().await;
    }

    /// Runs until `stop` is cancelled or a part breaks, then ends every part.
    pub async fn until(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => self.stop().await,
            result = &mut self.task => {
                if let Err(error) = result {
                    tracing::error!(%error, "the room loop ended badly");
                }
            }
        }
    }

    async fn ended(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the room loop ended badly");
        }
    }
}

/// The camera's stream as the room knows it from before a restart; a new one where nobody does.
fn camera_stream(memory: Option<&Memory>) -> StreamId {
    memory
        .filter(|memory| memory.client_claim.is_some())
        .and_then(|memory| memory.camera_stream.clone())
        .unwrap_or_else(|| uuid::Uuid::new_v4().to_string().into())
}

fn bindings(config: &Config, panel: &Panel) -> room_loop::Bindings {
    let buttons = config.controls.table.buttons.iter();
    room_loop::Bindings {
        buttons: buttons.map(|button| button.name.clone()).collect(),
        commands: config.controls.commands.clone(),
        report: panel.state(),
    }
}

/// The lights: what they are to tell, what they show, and their thread, where there are any.
struct Lights {
    state: watch::Sender<Indications>,
    shown: Option<watch::Receiver<Indications>>,
    news: mpsc::UnboundedReceiver<Vec<LightPart>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

fn start_lights(config: &Config, rounds: &watch::Receiver<u64>) -> Result<Lights, DaemonError> {
    let (state, wanted) = watch::channel(Indications::default());
    let (tell, news) = mpsc::unbounded_channel();
    let controls = &config.controls;
    let (mut shown, mut thread) = (None, None);
    if !controls.table.lights.is_empty() {
        let (written, receiver) = watch::channel(Indications::default());
        let (table, places) = (controls.table.lights.clone(), controls.places.clone());
        let started = lights::start(table, places, wanted, rounds.clone(), written, tell);
        (shown, thread) = (Some(receiver), Some(started.map_err(DaemonError::Lights)?));
    }
    Ok(Lights {
        state,
        shown,
        news,
        thread,
    })
}

type MqttTask = (JoinHandle<()>, CancellationToken);

fn start_mqtt(
    config: &Config,
    requests: &mpsc::Sender<Request>,
    state: &watch::Receiver<ApplianceState>,
    events: &broadcast::Sender<ApplianceEvent>,
    problems: &mpsc::UnboundedSender<ProblemReport>,
) -> Option<MqttTask> {
    if config.mqtt.brokers.is_empty() {
        tracing::info!(
            "no MQTT broker is configured (mqtt.brokers): only the configuration controls this box"
        );
        return None;
    }
    let info = Info {
        model: config
            .device
            .model
            .as_ref()
            .map(|model| model.as_str().to_owned())
            .unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        serial: serial_number(),
        capabilities: Vec::new(),
        addresses: addresses(),
    };
    let (status, mut news) = mpsc::unbounded_channel();
    let shutdown = CancellationToken::new();
    let task = mqtt::start(
        config.mqtt.clone(),
        info,
        requests.clone(),
        state.clone(),
        events.subscribe(),
        status,
        shutdown.clone(),
    );
    let problems = problems.clone();
    tokio::spawn(async move {
        while let Some(status) = news.recv().await {
            let report = match status {
                MqttStatus::Raised(problem) => ProblemReport::Raised(problem),
                MqttStatus::Cleared(code) => ProblemReport::Cleared(code.to_owned()),
                MqttStatus::Connected { broker } => {
                    tracing::info!(%broker, "connected with the MQTT broker");
                    continue;
                }
                MqttStatus::Disconnected { broker, reason } => {
                    tracing::warn!(%broker, %reason, "the MQTT broker is away");
                    continue;
                }
            };
            if problems.send(report).is_err() {
                return;
            }
        }
    });
    Some((task, shutdown))
}

/// The board's serial number, as far as the firmware tells it.
fn serial_number() -> String {
    [
        "/sys/firmware/devicetree/base/serial-number",
        "/sys/class/dmi/id/product_serial",
    ]
    .iter()
    .find_map(|path| std::fs::read_to_string(path).ok())
    .map(|text| {
        text.trim_matches(|c: char| c == '\0' || c.is_whitespace())
            .to_owned()
    })
    .unwrap_or_default()
}

fn addresses() -> Vec<String> {
    if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .filter(|interface| !interface.is_loopback())
        .map(|interface| interface.ip().to_string())
        .collect()
}

/// `READY`, `STATUS` and the watchdog, for as long as the room loop goes round.
async fn tell_systemd(
    mut state: watch::Receiver<ApplianceState>,
    mut rounds: watch::Receiver<u64>,
    mut engine: watch::Receiver<roomd_media::EngineStatus>,
    shutdown: CancellationToken,
) {
    let mut notifier = Notifier::new();
    let mut watchdog = Watchdog::from_environment(&[Part::RoomLoop, Part::Media]);
    let status = status_line(&state.borrow_and_update());
    notifier.ready(&status);
    let mut stopping = false;
    loop {
        let part = tokio::select! {
            () = shutdown.cancelled(), if !stopping => {
                stopping = true;
                notifier.stopping("leaving the room");
                continue;
            }
            changed = state.changed() => {
                if changed.is_err() {
                    return;
                }
                let status = status_line(&state.borrow_and_update());
                notifier.status(&status);
                continue;
            }
            changed = rounds.changed() => {
                if changed.is_err() {
                    return;
                }
                rounds.mark_unchanged();
                Part::RoomLoop
            }
            changed = engine.changed() => {
                if changed.is_err() {
                    return;
                }
                engine.mark_unchanged();
                Part::Media
            }
        };
        if let Some(watchdog) = &mut watchdog {
            watchdog.progressed(part, std::time::Instant::now());
        }
    }
}

/// The state in a line, for `systemctl status` and the demo.
#[must_use]
pub fn status_line(state: &ApplianceState) -> String {
    use crate::appliance::state::MediaState;
    let room = &state.room;
    let mut line = room.connection_status.as_str().to_owned();
    if let Some(url) = &room.room_url {
        line.push_str(&format!(" · {url}"));
    }
    match state.remote_participants.len() {
        0 => {}
        1 => line.push_str(" · with 1 other"),
        count => line.push_str(&format!(" · with {count} others")),
    }
    let word = |state| match state {
        MediaState::On => "on",
        MediaState::Muted => "muted",
        MediaState::Off => "off",
        MediaState::Starting => "starting",
        MediaState::Failed => "failed",
    };
    line.push_str(&format!(
        " · microphone {} · camera {}",
        word(state.local_media.microphone.state),
        word(state.local_media.camera.state)
    ));
    if state
        .local_participant
        .participant
        .sticky_reaction
        .is_some()
    {
        line.push_str(" · hand raised");
    }
    if let Some(request) = state.requests.first() {
        line.push_str(&format!(" · {}", crate::display::question(request)));
    }
    if let Some(problem) = state.problems.first() {
        line.push_str(&format!(" · {}", problem.message));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_returning_participant_keeps_its_camera_stream_and_a_new_one_gets_another() {
        let memory = |client_claim: Option<&str>| Memory {
            client_claim: client_claim.map(Into::into),
            camera_stream: Some("known".into()),
            ..Memory::default()
        };
        let returning = memory(Some("claim"));
        assert_eq!(camera_stream(Some(&returning)), "known".into());
        assert_ne!(camera_stream(Some(&memory(None))), "known".into());
        assert_ne!(camera_stream(None), camera_stream(None));
    }
}
