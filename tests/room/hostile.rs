//! One client against a server that sends anything at any time: the invariants hold all the same.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use proptest::{prelude::*, test_runner::TestRunner};
use roomd_protocol::{
    ClientId, RoomUrl, ServerMessage,
    records::{DeviceCredentials, DeviceUuid},
};
use roomd_room::{
    Action, CaptureReport, ConnectionStatus as Status, Effect, Input, JoinOptions, MediaCommand,
    MediaEvent, Now, RoomConnection, SocketEvent,
};
use serde_json::{Value, json};

use crate::{
    actions::{self, Choice},
    invariants::{Cause, Transcript, Watcher},
};

/// Most steps of a case; half as many on average.
const STEPS: usize = 120;
/// Some 72,000 steps in all.
const CASES: u32 = 1200;

const IDS: [&str; 5] = ["a", "b", "c", "d", "x"];

#[derive(Clone)]
enum Step {
    Join(bool),
    Act(u32, usize),
    Signal(&'static str, Value),
    Credentials,
    Organization(bool),
    Loss(bool),
    Return,
    Share(bool),
    Failure(bool),
    Wait(u64),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Join(true) => write!(f, "joins as an assistant"),
            Self::Join(false) => write!(f, "joins"),
            Self::Act(at, number) => write!(f, "{} ({number})", actions::line(*at).1),
            Self::Signal(name, payload) => write!(f, "<- {name} {payload}"),
            Self::Credentials => write!(f, "the credentials come"),
            Self::Organization(found) => write!(f, "the organization: {found}"),
            Self::Loss(will_retry) => {
                write!(f, "the connection is lost, to be made again: {will_retry}")
            }
            Self::Return => write!(f, "the connection is back"),
            Self::Share(begins) => write!(f, "the capture of the screen goes on: {begins}"),
            Self::Failure(is_camera) => write!(f, "a device fails, the camera: {is_camera}"),
            Self::Wait(ms) => write!(f, "{ms} ms pass"),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::bool::weighted(0.1).prop_map(Step::Join),
        60 => (0..actions::total(), any::<u16>())
            .prop_map(|(at, number)| Step::Act(at, usize::from(number))),
        40 => event(),
        8 => Just(Step::Signal("device_identified", Value::Null)),
        20 => joined(),
        1 => Just(Step::Credentials),
        1 => prop::bool::weighted(0.9).prop_map(Step::Organization),
        3 => prop::bool::weighted(0.8).prop_map(Step::Loss),
        6 => Just(Step::Return),
        3 => any::<bool>().prop_map(Step::Share),
        1 => any::<bool>().prop_map(Step::Failure),
        6 => (0..20_000_u64).prop_map(Step::Wait),
    ]
}

fn joined() -> impl Strategy<Value = Step> {
    let role = prop::sample::select(vec![
        "host",
        "host",
        "host",
        "visitor",
        "viewer",
        "assistant",
    ]);
    let clients = prop::collection::vec((0..IDS.len(), any::<u16>()), 0..5);
    let refused = prop::sample::select(vec![
        "room_locked",
        "room_locked",
        "room_locked",
        "room_full",
        "anything",
    ]);
    prop_oneof![
        8 => (role, clients, any::<[bool; 4]>()).prop_map(|(role, clients, flags)| {
            let mut list = vec![client("b", role, flags[0], None)];
            list.extend(clients.into_iter().map(|(id, bits)| {
                let role = ["visitor", "host", "recorder", "viewer"][usize::from(bits) % 4];
                let group = [None, Some("a"), Some("")][usize::from(bits) % 3];
                client(IDS[id], role, bits & 8 == 0, group)
            }));
            let knockers = if flags[1] { json!([{ "clientId": "k", "displayName": "K" }]) } else { json!([]) };
            let mut all = json!({
                "selfId": "b", "clientClaim": format!("claim-{}", list.len()),
                "room": {
                    "name": "/standup", "organizationId": "1", "isLocked": flags[2],
                    "mode": if flags[3] { "group" } else { "normal" }, "clients": list, "knockers": knockers,
                    "session": null, "iceServers": { "iceServers": [] },
                },
            });
            if flags[0] {
                all["room"]["spotlights"] = json!([{ "clientId": "a", "streamId": "0" }]);
            }
            if flags[3] {
                all["breakout"] = breakout(usize::from(flags[0]), flags[1]);
            }
            Step::Signal("room_joined", all)
        }),
        3 => (refused, prop::bool::weighted(0.8)).prop_map(|(error, locked)| Step::Signal(
            "room_joined", json!({ "error": error, "isLocked": locked, "selfId": "b" }))),
    ]
}

fn client(id: &str, role: &str, on: bool, group: Option<&str>) -> Value {
    json!({
        "id": id, "deviceId": format!("device-{id}"), "displayName": id.to_uppercase(), "streams": ["0"],
        "isAudioEnabled": on, "isVideoEnabled": !on, "role": { "roleName": role }, "breakoutGroup": group,
    })
}

fn breakout(number: usize, active: bool) -> Value {
    let own = ["a", "b", ""][number % 3];
    let assignments = json!({ "device-a": "a", "device-b": own, "device-c": "b" });
    let assignments = if number & 4 == 0 {
        assignments
    } else {
        Value::Null
    };
    json!({
        "groups": { "a": "Group A", "b": "", "7": "Seven" },
        "assignments": assignments,
        "startedAt": active.then_some("2026-11-23T12:00:00.000Z"),
        "breakoutStartedAt": "2026-11-23T12:00:00.000Z",
        "breakoutEndedAt": (!active).then_some("2026-11-23T12:10:00.000Z"),
        "initiatedBy": { "clientId": "a", "active": active || number & 8 == 0 },
        "autoMoveToMain": number & 16 == 0, "autoMoveToGroup": number & 32 == 0,
        "breakoutTimerDuration": 0,
    })
}

/// An event that a server sends, about anybody.
fn event() -> impl Strategy<Value = Step> {
    let id = prop::sample::select(IDS.to_vec());
    (id, any::<u16>(), any::<bool>()).prop_map(|(id, number, flag)| {
        let number = usize::from(number);
        let stream = ["0", "s", "own"][number % 3];
        let text = format!("text {}", number % 7);
        let hand = flag.then(|| json!({ "reaction": "✋", "timestamp": format!("t{}", number % 3) }));
        let resolution = ["accepted", "on_hold", "rejected", "later"][number % 4];
        let error = flag.then_some("failed");
        let role = ["visitor", "host", "recorder"][number % 3];
        let knocker = if flag { "b" } else { id };
        let newcomer = client(id, role, flag, None);
        let group = ["a", "b", "", "nowhere"][number % 4];
        let (message_id, result) = (format!("m{}", number % 9), format!("r{}", number % 3));
        let all = [
            ("new_client", json!({ "client": newcomer })),
            ("client_left", json!({ "clientId": id })),
            ("audio_enabled", json!({ "clientId": id, "isAudioEnabled": flag })),
            ("video_enabled", json!({ "clientId": id, "isVideoEnabled": flag })),
            ("audio_enable_requested", json!({ "requestedByClientId": id, "enable": flag })),
            ("video_enable_requested", json!({ "requestedByClientId": id, "enable": flag })),
            ("client_metadata_received", json!({ "type": "UserData",
                "payload": { "clientId": id, "displayName": text, "stickyReaction": hand } })),
            ("chat_message", json!({ "id": message_id, "senderId": id, "text": text, "timestamp": "t" })),
            ("chat_message", json!({ "error": "file_sharing_not_enabled" })),
            ("chat_message_removed", json!({ "id": message_id, "requestedByClientId": id })),
            ("room_knocked", json!({ "clientId": id, "displayName": text })),
            ("knocker_left", json!({ "clientId": id })),
            ("knock_handled", json!({ "clientId": knocker, "resolution": resolution,
                "knockResponse": { "message": text }, "metadata": { "roomKey": "k", "roomName": "/standup" } })),
            ("room_locked", json!({ "isLocked": flag })),
            ("room_session_ended", json!({ "roomSessionId": "s" })),
            ("screenshare_started", json!({ "clientId": id, "streamId": stream, "hasAudioTrack": flag })),
            ("screenshare_stopped", json!({ "clientId": id, "streamId": stream })),
            ("spotlight_added", json!({ "clientId": id, "streamId": stream })),
            ("spotlight_removed", json!({ "clientId": id, "streamId": stream })),
            ("cloud_recording_started", json!({ "error": error })),
            ("cloud_recording_stopped", Value::Null),
            ("live_transcription_started", json!({ "error": error })),
            ("live_transcription_stopped", Value::Null),
            ("live_captions_started", json!({ "error": error })),
            ("live_captions_stopped", Value::Null),
            ("live_caption", json!({ "resultId": result, "senderId": id, "text": text })),
            ("breakout_session_updated", breakout(number, flag)),
            ("breakout_group_joined", json!({ "clientId": id, "group": group })),
            ("breakout_move_to_group", Value::Null),
            ("breakout_move_to_main", Value::Null),
            ("breakout_ending", Value::Null),
            ("ready_to_receive_offer", json!({ "clientId": id })),
            ("sdp_offer", json!({ "clientId": id, "message": { "type": "offer", "sdp": "s" } })),
            ("sdp_answer", json!({ "clientId": id, "message": { "type": "answer", "sdp": "s" } })),
            ("mediaserver_config", json!({ "iceServers": [], "mediaserverConfigTtlSeconds": number % 5 })),
            ("client_unable_to_join", json!({ "error": "room_full" })),
            // Seldom: what ends everything.
            if number.is_multiple_of(8) { ("client_kicked", json!({ "clientId": id })) } else { ("streaming_stopped", Value::Null) },
            if number.is_multiple_of(8) { ("room_left", Value::Null) } else { ("breakout_timer_ended", Value::Null) },
        ];
        let (name, payload) = all[(number / 8) % all.len()].clone();
        Step::Signal(name, payload)
    })
}

/// The capture of a screen, as a media engine has it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Capture {
    None,
    Asked,
    Runs,
}

/// A client, its clock, and whether somebody is at the other end.
struct Desk {
    room: RoomConnection,
    now: Now,
    began: Instant,
    is_open: bool,
    capture: Capture,
    captures: u32,
    watcher: Watcher,
    transcript: Transcript,
    /// Names of the actions that were not refused.
    done: Vec<&'static str>,
}

impl Desk {
    fn new() -> Self {
        let began = Instant::now();
        let wall = "2026-11-23T12:00:00Z".parse().unwrap();
        Self {
            room: RoomConnection::new("test:1"),
            now: Now {
                instant: began,
                wall,
            },
            began,
            is_open: false,
            capture: Capture::None,
            captures: 0,
            watcher: Watcher::default(),
            transcript: Transcript::default(),
            done: Vec::new(),
        }
    }

    /// Returns whether it was taken.
    fn turn(&mut self, cause: Cause) -> bool {
        let before = self.room.state().clone();
        let outcome = match &cause {
            Cause::Act(action) | Cause::Refused(action) => self.room.act(self.now, action.clone()),
            Cause::Input(input) => Ok(self.room.handle(self.now, input.clone())),
        };
        let cause = match (cause, &outcome) {
            (Cause::Act(action), Err(_)) => Cause::Refused(action),
            (cause, _) => cause,
        };
        let is_taken = outcome.is_ok();
        let effects = match outcome {
            Ok(effects) => effects,
            Err(_) => self.room.after_refusal(self.now),
        };
        let after = self.room.state();
        let at = self.now.instant - self.began;
        let status = after.connection_status;
        self.transcript.note(at, "desk", &cause, status, &effects);
        if let Err(why) = self
            .watcher
            .judge(&cause, self.now, &before, after, &effects)
        {
            panic!("{why}\n{}", self.transcript);
        }
        for effect in effects {
            match effect {
                Effect::CloseSocket | Effect::RestartSocket => self.is_open = false,
                Effect::Media(MediaCommand::StartScreenshare { .. }) => {
                    self.captures += 1;
                    self.capture = Capture::Asked;
                }
                Effect::Media(MediaCommand::StopScreenshare) => self.capture = Capture::None,
                _ => {}
            }
        }
        is_taken
    }

    fn input(&mut self, input: Input) {
        self.turn(Cause::Input(input));
    }

    fn carry_out(&mut self, step: &Step) {
        match step {
            Step::Join(assistant) => {
                self.turn(Cause::Act(Action::JoinRoom(Box::new(JoinOptions {
                    room_url: RoomUrl::parse("https://acme.whereby.com/standup").ok(),
                    display_name: "Desk".into(),
                    assistant_key: assistant.then(|| "key".into()),
                    ..JoinOptions::default()
                }))));
                self.is_open = true;
                self.input(Input::Socket(SocketEvent::Connected { again: false }));
                self.carry_out(&Step::Credentials);
                self.carry_out(&Step::Organization(true));
                self.carry_out(&Step::Signal("device_identified", Value::Null));
            }
            Step::Act(at, number) => {
                let ids: Vec<ClientId> = IDS.iter().map(|id| ClientId::from(*id)).collect();
                let choice = Choice {
                    state: self.room.state(),
                    ids: &ids,
                    number: *number,
                };
                // At the door there is little else to do.
                let line = match self.room.state().connection_status {
                    Status::RoomLocked if number.is_multiple_of(3) => actions::named("knock"),
                    Status::Knocking if number.is_multiple_of(3) => actions::named("cancelKnock"),
                    _ => actions::line(*at),
                };
                if let Some(action) = (line.2)(&choice)
                    && self.turn(Cause::Act(action))
                {
                    self.done.push(line.1);
                }
            }
            // Nothing comes over a connection that is closed.
            Step::Signal(name, payload) if self.is_open => {
                self.input(Input::Signal(Box::new(message(name, payload))));
            }
            Step::Loss(will_retry) if self.is_open => {
                self.is_open = false;
                self.input(Input::Socket(SocketEvent::Disconnected {
                    will_retry: *will_retry,
                }));
            }
            Step::Return if !self.is_open && self.room.is_active() => {
                self.is_open = true;
                self.input(Input::Socket(SocketEvent::Connected { again: true }));
            }
            Step::Signal(..) | Step::Loss(_) | Step::Return => {}
            Step::Credentials => self.input(Input::Credentials(DeviceCredentials {
                credentials: DeviceUuid {
                    uuid: "device-b".into(),
                },
                hmac: "h".into(),
                user_id: None,
            })),
            Step::Organization(true) => self.input(Input::Organization("1".into())),
            Step::Organization(false) => self.input(Input::OrganizationNotFound),
            Step::Share(true) if self.capture == Capture::Asked => {
                self.capture = Capture::Runs;
                let stream = format!("own-{}", self.captures).into();
                let has_audio = self.captures.is_multiple_of(2);
                self.input(Input::Media(MediaEvent::ScreenshareStarted {
                    stream,
                    has_audio,
                }));
            }
            Step::Share(false) if self.capture != Capture::None => {
                self.capture = Capture::None;
                self.input(Input::Media(MediaEvent::ScreenshareEnded { error: None }));
            }
            Step::Share(_) => {}
            Step::Failure(is_camera) => {
                let report = CaptureReport {
                    error: Some("gone".into()),
                    ..CaptureReport::default()
                };
                self.input(Input::Media(if *is_camera {
                    MediaEvent::Camera(report)
                } else {
                    MediaEvent::Microphone(report)
                }));
            }
            Step::Wait(ms) => self.wait(Duration::from_millis(*ms)),
        }
    }

    /// Time goes on from deadline to deadline.
    fn wait(&mut self, by: Duration) {
        let end = self.now.instant + by;
        while let Some(at) = self.room.next_deadline().filter(|at| *at <= end) {
            self.go_to(at.max(self.now.instant));
            self.input(Input::Timeout);
        }
        self.go_to(end);
    }

    fn go_to(&mut self, at: Instant) {
        let passed = at - self.now.instant;
        self.now = Now {
            instant: at,
            wall: self.now.wall.checked_add(passed).unwrap(),
        };
    }
}

/// The event as the wire brings it. Room-connection reference §7, invariant 52: members that nobody knows are passed over.
fn message(name: &str, payload: &Value) -> ServerMessage {
    let read = |payload: &Value| {
        let raw = serde_json::value::to_raw_value(payload).unwrap();
        ServerMessage::decode(name, Some(&raw)).unwrap().unwrap()
    };
    let plain = read(payload);
    if let Value::Object(members) = payload {
        let mut members = members.clone();
        members.insert("unknownMember".into(), json!({ "a": [1] }));
        assert_eq!(read(&Value::Object(members)), plain);
    }
    plain
}

#[test]
fn whatever_a_server_sends_the_invariants_hold() {
    let config = ProptestConfig {
        cases: CASES * number_of_times(),
        max_shrink_iters: 4000,
        source_file: Some(file!()),
        ..ProptestConfig::default()
    };
    let done = RefCell::new(BTreeMap::new());
    let count = Cell::new(0);
    let steps = (joined(), prop::collection::vec(step(), 1..=STEPS));
    let outcome = TestRunner::new(config).run(&steps, |(begin, steps)| {
        let mut desk = Desk::new();
        desk.carry_out(&Step::Join(false));
        desk.carry_out(&begin);
        for step in &steps {
            desk.carry_out(step);
        }
        count.set(count.get() + steps.len());
        for name in desk.done {
            *done.borrow_mut().entry(name).or_insert(0) += 1;
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    println!("{} steps, carried out: {:?}", count.get(), done.borrow());
    for (_, name, _) in actions::ACTIONS {
        assert!(
            done.borrow().contains_key(name),
            "{name} was always refused"
        );
    }
}

#[test]
fn an_event_that_nobody_knows_is_passed_over() {
    let raw = serde_json::value::to_raw_value(&json!({ "roomMode": "group" })).unwrap();
    assert_eq!(
        ServerMessage::decode("room_mode_changed", Some(&raw)).unwrap(),
        None
    );
}

/// `ROOM_TIMES` makes the run longer, as the nightly run does.
fn number_of_times() -> u32 {
    let times = std::env::var("ROOM_TIMES").ok();
    times.and_then(|times| times.parse().ok()).unwrap_or(1)
}
