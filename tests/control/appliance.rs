//! The appliance side: answers requests as the room loop does, and owns what is shown.

use std::{sync::Arc, time::Duration};

use roomd::{
    appliance::{
        ApplianceEvent, ApplianceState, ChangedBy, Command, CommandError, ErrorCode, Request,
    },
    mqtt::{self, Info, MqttConfig, MqttStatus},
};
use roomd_room::Action;
use serde_json::{Value, json};
use tokio::{
    sync::{Semaphore, broadcast, mpsc, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An appliance with the interface under test.
pub(crate) struct Appliance {
    pub(crate) state: Arc<watch::Sender<ApplianceState>>,
    pub(crate) events: broadcast::Sender<ApplianceEvent>,
    pub(crate) problems: mpsc::UnboundedReceiver<MqttStatus>,
    /// Every command that was carried out, and for whom.
    pub(crate) carried_out: mpsc::UnboundedReceiver<(Command, ChangedBy)>,
    /// One permit for each command that may be carried out; endless unless taken away.
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) interface: JoinHandle<()>,
}

/// The configuration of the box `wall` at that broker.
pub(crate) fn config(broker: &Broker, version: &str) -> MqttConfig {
    toml::from_str(&format!(
        "brokers = [\"{}\"]\nversion = \"{version}\"\ndevice = \"wall\"\ngroups = [\"floor_2\"]\n\
         reply_allow_list = [\"client\"]\nclock_synchronised = \"always\"",
        broker.url()
    ))
    .unwrap()
}

impl Appliance {
    /// Starts it and waits until it is reachable.
    pub(crate) async fn start(config: MqttConfig) -> Self {
        let mut appliance = Self::begin(config);
        appliance.connected().await;
        appliance
    }

    pub(crate) fn begin(config: MqttConfig) -> Self {
        let (requests, inbox) = mpsc::channel(16);
        let (state, shown) = watch::channel(ApplianceState::default());
        let (events, heard) = broadcast::channel(64);
        let (tell, problems) = mpsc::unbounded_channel();
        let (log, carried_out) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        let permits = Arc::new(Semaphore::new(1_000_000));
        let state = Arc::new(state);
        let info = Info {
            model: "test".to_owned(),
            version: "0.1.0".to_owned(),
            ..Info::default()
        };
        let interface = mqtt::start(config, info, requests, shown, heard, tell, shutdown.clone());
        tokio::spawn(room_loop(
            inbox,
            Arc::clone(&state),
            log,
            Arc::clone(&permits),
        ));
        Self {
            state,
            events,
            problems,
            carried_out,
            permits,
            shutdown,
            interface,
        }
    }

    pub(crate) async fn connected(&mut self) {
        self.status(|status| matches!(status, MqttStatus::Connected { .. }))
            .await;
    }

    /// Waits for a word about the connection.
    pub(crate) async fn status(&mut self, wanted: impl Fn(&MqttStatus) -> bool) -> MqttStatus {
        let mut others = Vec::new();
        timeout(PATIENCE, async {
            loop {
                let status = self.problems.recv().await.expect("the interface has ended");
                if wanted(&status) {
                    return status;
                }
                others.push(status);
            }
        })
        .await
        .unwrap_or_else(|_| panic!("not told, but {others:?}"))
    }

    /// Waits until that problem is raised; gives its message.
    pub(crate) async fn problem(&mut self, code: &str) -> String {
        let raised = |status: &MqttStatus| matches!(status, MqttStatus::Raised(problem) if problem.code == code);
        match self.status(raised).await {
            MqttStatus::Raised(problem) => problem.message,
            other => panic!("{other:?}"),
        }
    }

    /// The next command that was carried out.
    pub(crate) async fn command(&mut self) -> (Command, ChangedBy) {
        timeout(PATIENCE, self.carried_out.recv())
            .await
            .expect("no command")
            .unwrap()
    }

    /// From now on each command waits for a permit.
    pub(crate) fn hold(&self) {
        self.permits
            .forget_permits(self.permits.available_permits());
    }
}

async fn room_loop(
    mut inbox: mpsc::Receiver<Request>,
    state: Arc<watch::Sender<ApplianceState>>,
    log: mpsc::UnboundedSender<(Command, ChangedBy)>,
    permits: Arc<Semaphore>,
) {
    loop {
        permits.acquire().await.unwrap().forget();
        let Some(request) = inbox.recv().await else {
            return;
        };
        let answer = carry_out(&request, &state);
        // A test that does not listen to them has ended.
        let _ = log.send((request.command, request.by));
        let _ = request.reply.send(answer);
    }
}

fn carry_out(
    request: &Request,
    state: &watch::Sender<ApplianceState>,
) -> Result<Value, CommandError> {
    match &request.command {
        Command::Room(Action::ToggleMicrophone(enabled)) => {
            let mut now = false;
            state.send_modify(|state| {
                let part = Arc::make_mut(&mut state.local_participant);
                now = enabled.unwrap_or(!part.participant.is_audio_enabled);
                part.participant.is_audio_enabled = now;
                part.changed_by = Some(request.by.clone());
            });
            Ok(json!({ "enabled": now }))
        }
        Command::SetVolume(level) => {
            state.send_modify(|state| Arc::make_mut(&mut state.local_media).volume = *level);
            Ok(json!({ "level": level }))
        }
        Command::Room(Action::LockRoom(_)) => Err(CommandError::new(
            ErrorCode::NotPermitted,
            "lock_room needs the role host, this participant is visitor",
            "join with a room key (join_room.roomKey)",
        )),
        _ => Ok(Value::Null),
    }
}
