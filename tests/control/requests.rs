//! `answer_request` over a broker, answered by the real box: the pure appliance with a room that is
//! scripted here, and with time as it passes.

use std::time::{Duration, Instant};

use roomd::{
    appliance::{
        Appliance, ApplianceEvent, ApplianceInput, ApplianceOutput, ApplianceSettings,
        ApplianceState, Request, RequestId,
    },
    mqtt::{self, Info},
};
use roomd_protocol::{
    ServerMessage,
    records::{DeviceCredentials, DeviceUuid},
};
use roomd_room::{CaptureReport, Input, MediaCommand, MediaEvent, Now, SocketEvent};
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{appliance::config, broker::Broker, controller::Controller};

/// The box `wall` in a room with the host `a`.
struct Wall {
    script: mpsc::UnboundedSender<Input>,
    shutdown: CancellationToken,
}

impl Drop for Wall {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Wall {
    fn start(broker: &Broker, answer_within: Duration) -> Self {
        let settings = ApplianceSettings {
            room_url: Some("https://acme.whereby.com/standup".into()),
            answer_within,
            ..ApplianceSettings::default()
        };
        let appliance = Appliance::new(settings, None, "camera".into());
        let (requests, inbox) = mpsc::channel(16);
        let (state, shown) = watch::channel(appliance.state().clone());
        let (events, heard) = broadcast::channel(64);
        let (tell, _) = mpsc::unbounded_channel();
        let (script, lines) = mpsc::unbounded_channel();
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
            waiting: Vec::new(),
        };
        tokio::spawn(room.run(inbox, lines));
        let wall = Self { script, shutdown };
        wall.reach_the_room();
        wall
    }

    fn says(&self, name: &str, payload: Value) {
        let raw = serde_json::value::to_raw_value(&payload).unwrap();
        let message = ServerMessage::decode(name, Some(&raw)).unwrap().unwrap();
        self.script.send(Input::Signal(Box::new(message))).unwrap();
    }

    fn reach_the_room(&self) {
        let credentials = DeviceCredentials {
            credentials: DeviceUuid { uuid: "d".into() },
            hmac: "h".into(),
            user_id: None,
        };
        for input in [
            Input::Credentials(credentials),
            Input::Organization("1".into()),
            Input::Socket(SocketEvent::Connected { again: false }),
        ] {
            self.script.send(input).unwrap();
        }
        self.says("device_identified", Value::Null);
        let client = |id: &str, role: &str| {
            json!({
                "id": id, "deviceId": id, "displayName": id, "streams": ["0"],
                "isAudioEnabled": false, "isVideoEnabled": false, "role": { "roleName": role },
                "breakoutGroup": null
            })
        };
        let room = json!({
            "name": "/standup", "isLocked": false, "knockers": [], "session": null,
            "clients": [client("a", "host"), client("b", "visitor")]
        });
        self.says(
            "room_joined",
            json!({ "selfId": "b", "clientClaim": "c", "room": room }),
        );
    }

    fn asks_to_unmute(&self) {
        self.says(
            "audio_enable_requested",
            json!({ "requestedByClientId": "a", "enable": true }),
        );
    }
}

struct Room {
    appliance: Appliance,
    state: watch::Sender<ApplianceState>,
    events: broadcast::Sender<ApplianceEvent>,
    waiting: Vec<(
        RequestId,
        oneshot::Sender<Result<Value, roomd::appliance::CommandError>>,
    )>,
}

impl Room {
    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Request>,
        mut lines: mpsc::UnboundedReceiver<Input>,
    ) {
        self.step(ApplianceInput::Start);
        loop {
            let at = self.appliance.next_deadline();
            let at = at.unwrap_or_else(|| Instant::now() + Duration::from_secs(60));
            let input = tokio::select! {
                Some(input) = lines.recv() => ApplianceInput::Room(input),
                request = inbox.recv() => {
                    let Some(request) = request else { return };
                    let id = RequestId(self.waiting.len() as u64);
                    self.waiting.push((id, request.reply));
                    ApplianceInput::Command { id, command: request.command, by: request.by }
                }
                () = tokio::time::sleep_until(at.into()) => ApplianceInput::Timeout,
            };
            self.step(input);
        }
    }

    fn step(&mut self, input: ApplianceInput) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let now = Now {
                instant: Instant::now(),
                wall: jiff::Timestamp::now(),
            };
            let outputs = self.appliance.handle(now, input);
            self.state.send_replace(self.appliance.state().clone());
            for output in outputs {
                match output {
                    // The device does what it is told, at once.
                    ApplianceOutput::Media(MediaCommand::Microphone { enabled }) => {
                        let report = MediaEvent::Microphone(CaptureReport {
                            device: "usb".into(),
                            open: enabled,
                            flowing: enabled,
                            error: None,
                            returning: false,
                        });
                        inputs.push(ApplianceInput::Room(Input::Media(report)));
                    }
                    ApplianceOutput::Event(event) => drop(self.events.send(event)),
                    ApplianceOutput::Reply { id, result } => {
                        let at = self.waiting.iter().position(|(waiting, _)| *waiting == id);
                        let (_, reply) = self.waiting.swap_remove(at.unwrap());
                        reply.send(result).unwrap();
                    }
                    _ => {}
                }
            }
        }
    }
}

/// A box that was asked to unmute, a controller that heard of it, and the request's id.
async fn asked(answer_within: Duration) -> (Broker, Wall, Controller, String) {
    let broker = Broker::start().await;
    let mut controller = Controller::connect(&broker, "5").await;
    let wall = Wall::start(&broker, answer_within);
    controller
        .wait(|heard| {
            heard.topic == "roomd/wall/state/room"
                && heard.json()["connectionStatus"] == "connected"
        })
        .await;
    wall.asks_to_unmute();
    let (mut event, mut state) = (None, None);
    while event.is_none() || state.is_none() {
        let heard = controller.wait(|_| true).await;
        match heard.topic.as_str() {
            "roomd/wall/event/request_audio_enable" => event = Some(heard.json()),
            "roomd/wall/state/requests" if heard.json()["requests"][0].is_object() => {
                state = Some(heard.json()["requests"][0].clone());
            }
            _ => {}
        }
    }
    let (event, state) = (event.unwrap(), state.unwrap());
    let id = event["requestId"].as_str().unwrap().to_owned();
    assert_eq!(state["requestId"], id);
    assert_eq!(state["kind"], "unmute");
    assert_eq!(state["participantId"], "a");
    (broker, wall, controller, id)
}

/// Asks for a part of the state and waits until it is as it should be.
async fn published_again(
    controller: &mut Controller,
    part: &str,
    is: impl Fn(&Value) -> bool,
) -> Value {
    let payload = json!({ "parts": [part] }).to_string();
    controller.publish("roomd/wall/get", payload, false).await;
    let topic = format!("roomd/wall/state/{part}");
    let heard = controller
        .wait(|heard| heard.topic == topic && is(&heard.json()))
        .await;
    heard.json()
}

fn answer(request: &str, accept: bool, id: &str) -> String {
    json!({ "requestId": request, "accept": accept, "id": id }).to_string()
}

fn assert_not_found(reply: &Value) {
    assert_eq!(reply["ok"], false);
    assert_eq!(reply["error"]["code"], "not_found", "{reply}");
    assert_eq!(reply["error"]["field"], "requestId");
}

#[tokio::test]
async fn an_accepted_request_unmutes_and_counts_once() {
    let (_broker, _wall, mut controller, request) = asked(Duration::from_secs(30)).await;
    controller
        .command("answer_request", &answer(&request, true, "yes"))
        .await;
    let reply = controller.reply_to("yes").await;
    assert_eq!(reply["result"], json!({ "enabled": true }), "{reply}");
    let media = published_again(&mut controller, "local_media", |media| {
        media["microphone"]["state"] == "on"
    })
    .await;
    assert_eq!(media["changedBy"], json!({ "source": "mqtt", "id": "yes" }));
    let is_empty = |part: &Value| part["requests"] == json!([]);
    published_again(&mut controller, "requests", is_empty).await;
    controller
        .command("answer_request", &answer(&request, true, "again"))
        .await;
    assert_not_found(&controller.reply_to("again").await);
}

#[tokio::test]
async fn a_declined_request_leaves_the_box_muted() {
    let (_broker, _wall, mut controller, request) = asked(Duration::from_secs(30)).await;
    controller
        .command("answer_request", &answer(&request, false, "no"))
        .await;
    // Events and replies go different ways.
    let (mut ended, mut reply) = (None, None);
    while ended.is_none() || reply.is_none() {
        let heard = controller.wait(|_| true).await;
        match heard.topic.as_str() {
            "roomd/wall/event/request_ended" => ended = Some(heard.json()),
            "roomd/wall/reply" => reply = Some(heard.json()),
            _ => {}
        }
    }
    assert_eq!(ended.unwrap()["reason"], "declined");
    assert_eq!(reply.unwrap()["ok"], true);
    let media = published_again(&mut controller, "local_media", |_| true).await;
    assert_eq!(media["microphone"]["state"], "muted");
}

#[tokio::test]
async fn a_request_that_nobody_answers_ends_by_itself_and_an_answer_comes_too_late() {
    let (_broker, _wall, mut controller, request) = asked(Duration::from_millis(700)).await;
    let ended = controller.on("event/request_ended").await.json();
    assert_eq!(ended["requestId"], request);
    assert_eq!(ended["reason"], "expired");
    let is_empty = |part: &Value| part["requests"] == json!([]);
    published_again(&mut controller, "requests", is_empty).await;
    controller
        .command("answer_request", &answer(&request, true, "late"))
        .await;
    let reply = controller.reply_to("late").await;
    assert_not_found(&reply);
    assert!(
        reply["error"]["message"]
            .as_str()
            .unwrap()
            .contains("in time")
    );
}

#[tokio::test]
async fn an_answer_to_a_request_that_never_was_is_not_found_and_a_bad_one_names_its_field() {
    let (_broker, _wall, mut controller, _) = asked(Duration::from_secs(30)).await;
    controller
        .command("answer_request", &answer("r1", true, "unknown"))
        .await;
    assert_not_found(&controller.reply_to("unknown").await);
    for (payload, field) in [
        (r#"{"accept":true,"id":"x"}"#, "requestId"),
        (r#"{"requestId":"","accept":true,"id":"x"}"#, "requestId"),
        (r#"{"requestId":"a","id":"x"}"#, "accept"),
        (r#"{"requestId":"a","accept":1,"id":"x"}"#, "accept"),
    ] {
        // Each under an id of its own, because a repeated one gets the first reply.
        let payload = payload.replace(r#""x""#, &json!(payload.len().to_string()).to_string());
        controller.command("answer_request", &payload).await;
        let id = serde_json::from_str::<Value>(&payload).unwrap()["id"].clone();
        let reply = controller.reply_to(id.as_str().unwrap()).await;
        assert_eq!(
            reply["error"]["code"], "invalid_payload",
            "{payload}: {reply}"
        );
        assert_eq!(reply["error"]["field"], field, "{payload}: {reply}");
    }
}
