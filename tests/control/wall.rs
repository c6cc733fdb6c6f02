//! The real box behind a broker: the pure appliance with time as it passes, devices that do at once what they are told, and
//! a room whose server the test speaks for.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use roomd::{
    appliance::{
        Appliance, ApplianceEvent, ApplianceInput, ApplianceOutput, ApplianceSettings,
        ApplianceState, CommandError, Memory, Request, RequestId,
    },
    mqtt::{self, Info},
};
use roomd_media::{Device, EngineStatus};
use roomd_protocol::{
    ClientMessage, ServerMessage,
    records::{DeviceCredentials, DeviceUuid},
};
use roomd_room::{CaptureReport, Input, MediaCommand, MediaEvent, Now, SocketEvent};
use roomd_signalling::Command as Signalling;
use serde_json::{Value, json};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    appliance::{PATIENCE, config},
    broker::Broker,
};

/// The box `wall`.
pub(crate) struct Wall {
    script: mpsc::UnboundedSender<ApplianceInput>,
    sent: mpsc::UnboundedReceiver<ClientMessage>,
    shutdown: CancellationToken,
}

impl Drop for Wall {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// A configured room, joined at start.
pub(crate) fn settings() -> ApplianceSettings {
    ApplianceSettings {
        room_url: Some("https://acme.whereby.com/standup".into()),
        ..ApplianceSettings::default()
    }
}

/// The record of a client.
pub(crate) fn client(id: &str, role: &str) -> Value {
    json!({
        "id": id, "deviceId": format!("device-{id}"), "displayName": id.to_uppercase(), "streams": ["0"],
        "isAudioEnabled": false, "isVideoEnabled": false, "role": { "roleName": role }, "breakoutGroup": null
    })
}

/// The box is `b` in a room with the host `a`.
pub(crate) fn room_joined(role: &str) -> Value {
    json!({
        "selfId": "b", "clientClaim": "claim-b",
        "room": {
            "name": "/standup", "isLocked": false, "mode": "group", "knockers": [], "session": null,
            "clients": [client("a", "host"), client("b", role)]
        }
    })
}

impl Wall {
    /// Starts it without a memory.
    pub(crate) fn start(broker: &Broker, settings: ApplianceSettings) -> Self {
        Self::start_with(broker, settings, None)
    }

    /// Starts it as it was when it wrote `memory`.
    pub(crate) fn start_with(
        broker: &Broker,
        settings: ApplianceSettings,
        memory: Option<Memory>,
    ) -> Self {
        let appliance = Appliance::new(settings, memory, "camera".into());
        let (requests, inbox) = mpsc::channel(16);
        let (state, shown) = watch::channel(appliance.state().clone());
        let (events, heard) = broadcast::channel(1024);
        let (tell, _) = mpsc::unbounded_channel();
        let (script, lines) = mpsc::unbounded_channel();
        let (send, sent) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        mqtt::start(
            config(broker, "5"),
            Info::default(),
            requests,
            shown,
            heard,
            tell,
            shutdown.clone(),
        );
        let room = Room {
            appliance,
            state,
            events,
            sent: send,
            camera: false,
            count: 0,
            waiting: BTreeMap::new(),
        };
        tokio::spawn(room.run(inbox, lines));
        Self {
            script,
            sent,
            shutdown,
        }
    }

    /// The server says something.
    pub(crate) fn says(&self, name: &str, payload: Value) {
        let raw = serde_json::value::to_raw_value(&payload).unwrap();
        let message = ServerMessage::decode(name, Some(&raw)).unwrap().unwrap();
        self.happens(Input::Signal(Box::new(message)));
    }

    /// Something else happens to the room connection.
    pub(crate) fn happens(&self, input: Input) {
        self.script.send(ApplianceInput::Room(input)).unwrap();
    }

    /// The media engine has found devices.
    pub(crate) fn finds(&self, devices: Vec<Device>) {
        let status = EngineStatus {
            devices,
            ..EngineStatus::default()
        };
        self.script.send(ApplianceInput::Engine(status)).unwrap();
    }

    /// Answers the `join_room` that the box sends now or sent already; gives what it said.
    pub(crate) async fn lets_in(&mut self, joined: Value) -> Value {
        let join = self.sent("join_room").await;
        self.says("room_joined", joined);
        join
    }

    /// The payload of the next event of that name that the box sends to the server, `null` for none.
    pub(crate) async fn sent(&mut self, name: &str) -> Value {
        let mut others = Vec::new();
        let message = timeout(PATIENCE, async {
            loop {
                let message = self.sent.recv().await.expect("the box has ended");
                if message.name() == name {
                    return message;
                }
                others.push(message.name());
            }
        });
        match message.await {
            Ok(message) => message.payload().map_or(Value::Null, |payload| {
                serde_json::from_str(payload.get()).unwrap()
            }),
            Err(_) => panic!("{name} was not sent, but {others:?}"),
        }
    }

    /// The names of what was sent and not looked at yet.
    pub(crate) fn sent_so_far(&mut self) -> Vec<&'static str> {
        let mut names = Vec::new();
        while let Ok(message) = self.sent.try_recv() {
            names.push(message.name());
        }
        names
    }
}

struct Room {
    appliance: Appliance,
    state: watch::Sender<ApplianceState>,
    events: broadcast::Sender<ApplianceEvent>,
    sent: mpsc::UnboundedSender<ClientMessage>,
    camera: bool,
    count: u64,
    waiting: BTreeMap<RequestId, oneshot::Sender<Result<Value, CommandError>>>,
}

impl Room {
    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Request>,
        mut lines: mpsc::UnboundedReceiver<ApplianceInput>,
    ) {
        self.step(ApplianceInput::Start);
        loop {
            let at = self.appliance.next_deadline();
            let at = at.unwrap_or_else(|| Instant::now() + Duration::from_secs(60));
            let input = tokio::select! {
                Some(input) = lines.recv() => input,
                request = inbox.recv() => {
                    let Some(request) = request else { return };
                    self.count += 1;
                    let id = RequestId(self.count);
                    self.waiting.insert(id, request.reply);
                    ApplianceInput::Command { id, command: request.command, by: request.by }
                }
                () = tokio::time::sleep_until(at.into()) => ApplianceInput::Timeout,
            };
            self.step(input);
        }
    }

    fn step(&mut self, input: ApplianceInput) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = Now {
                instant: Instant::now(),
                wall: jiff::Timestamp::now(),
            };
            let outputs = self.appliance.handle(now, input);
            self.state.send_replace(self.appliance.state().clone());
            for output in outputs {
                match output {
                    ApplianceOutput::Media(command) => {
                        let event = self.media(command);
                        inputs.extend(event.map(|event| ApplianceInput::Room(Input::Media(event))));
                    }
                    ApplianceOutput::Event(event) => drop(self.events.send(event)),
                    ApplianceOutput::Signalling(command) => {
                        let input = self.signalling(command);
                        inputs.extend(input.map(ApplianceInput::Room));
                    }
                    ApplianceOutput::Reply { id, result } => {
                        let reply = self.waiting.remove(&id).expect("one reply");
                        reply.send(result).unwrap();
                    }
                    _ => {}
                }
            }
        }
    }

    /// What the service answers at once; what it says of the room is the test's.
    fn signalling(&mut self, command: Signalling) -> Option<Input> {
        Some(match command {
            Signalling::FetchDeviceCredentials(_) => Input::Credentials(DeviceCredentials {
                credentials: DeviceUuid { uuid: "d".into() },
                hmac: "h".into(),
                user_id: None,
            }),
            Signalling::FetchOrganization { .. } => Input::Organization("1".into()),
            Signalling::Open(_) => Input::Socket(SocketEvent::Connected { again: false }),
            Signalling::Send(ClientMessage::IdentifyDevice(_)) => {
                Input::Signal(Box::new(ServerMessage::DeviceIdentified))
            }
            Signalling::Send(message) => {
                // A test that does not look at it may have ended.
                let _ = self.sent.send(message);
                return None;
            }
            _ => return None,
        })
    }

    /// What the media engine answers at once.
    fn media(&mut self, command: MediaCommand) -> Option<MediaEvent> {
        let report = |device: &str, on| CaptureReport {
            device: device.to_owned(),
            open: on,
            flowing: on,
            error: None,
            returning: false,
        };
        Some(match command {
            MediaCommand::Microphone { enabled } => {
                MediaEvent::Microphone(report("Table microphone", enabled))
            }
            MediaCommand::Camera { enabled } => {
                self.camera = enabled;
                MediaEvent::Camera(report("Front camera", enabled))
            }
            // An open camera is opened anew.
            MediaCommand::CaptureProfile(_) if self.camera => {
                MediaEvent::Camera(report("Front camera", true))
            }
            MediaCommand::StartScreenshare { .. } => MediaEvent::ScreenshareStarted {
                stream: "own-screen".into(),
                has_audio: true,
            },
            _ => return None,
        })
    }
}
