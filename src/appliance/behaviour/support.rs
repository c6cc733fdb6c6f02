//! A box with a clock of its own, and everything it did since it was last asked.

use std::time::{Duration, Instant};

use roomd_controls::switch::Bans;
use roomd_protocol::{ServerMessage, records::DeviceCredentials, records::DeviceUuid};
use roomd_room::{
    CaptureReport, ConnectionStatus, Input, MediaCommand, MediaEvent, Now, SocketEvent,
};
use roomd_signalling::Command as Signalling;
use serde_json::{Value, json};

use crate::appliance::{
    Appliance, ApplianceInput, ApplianceOutput, ApplianceSettings, ChangeSource, ChangedBy,
    Command, CommandError, ControlsPart, JoinRoom, Memory, RequestId,
};

pub(super) struct Wall {
    pub(super) appliance: Appliance,
    pub(super) now: Now,
    pub(super) outputs: Vec<ApplianceOutput>,
    requests: u64,
}

pub(super) fn settings() -> ApplianceSettings {
    ApplianceSettings {
        room_url: Some("https://acme.whereby.com/standup".into()),
        ..ApplianceSettings::default()
    }
}

impl Wall {
    pub(super) fn started(settings: ApplianceSettings, memory: Option<Memory>) -> Self {
        Self::banned(settings, memory, Bans::default())
    }

    /// Started with its hardware switches like this.
    pub(super) fn banned(settings: ApplianceSettings, memory: Option<Memory>, bans: Bans) -> Self {
        let now = Now {
            instant: Instant::now(),
            wall: "2026-11-23T10:00:00Z".parse().unwrap(),
        };
        let mut wall = Self {
            appliance: Appliance::new(settings, memory, "camera".into()),
            now,
            outputs: Vec::new(),
            requests: 0,
        };
        wall.appliance.forbid(bans);
        // As the room loop does: what is heard before the start changes nothing of what is remembered.
        wall.input(ApplianceInput::Controls(ControlsPart::default()));
        wall.input(ApplianceInput::Start);
        wall
    }

    /// That participant asks the box to unmute.
    pub(super) fn ask_to_unmute(&mut self, from: &str) {
        let payload = json!({ "requestedByClientId": from, "enable": true });
        self.signal("audio_enable_requested", payload);
    }

    /// Joined, with `a` in the room.
    pub(super) fn in_room(settings: ApplianceSettings) -> Self {
        let mut wall = Self::started(settings, None);
        wall.reach_the_room();
        wall.signal("room_joined", room_joined());
        assert_eq!(wall.status(), ConnectionStatus::Connected);
        wall.outputs.clear();
        wall
    }

    pub(super) fn reach_the_room(&mut self) {
        self.room(Input::Credentials(DeviceCredentials {
            credentials: DeviceUuid { uuid: "d".into() },
            hmac: "h".into(),
            user_id: None,
        }));
        self.room(Input::Organization("1".into()));
        self.room(Input::Socket(SocketEvent::Connected { again: false }));
        self.signal("device_identified", Value::Null);
    }

    pub(super) fn input(&mut self, input: ApplianceInput) {
        let outputs = self.appliance.handle(self.now, input);
        self.outputs.extend(outputs);
    }

    pub(super) fn room(&mut self, input: Input) {
        self.input(ApplianceInput::Room(input));
    }

    pub(super) fn signal(&mut self, name: &str, payload: Value) {
        let raw = serde_json::value::to_raw_value(&payload).unwrap();
        let message = ServerMessage::decode(name, Some(&raw)).unwrap().unwrap();
        self.room(Input::Signal(Box::new(message)));
    }

    pub(super) fn microphone(&mut self, open: bool, flowing: bool, error: Option<&str>) {
        self.room(Input::Media(MediaEvent::Microphone(CaptureReport {
            device: "usb".into(),
            open,
            flowing,
            error: error.map(str::to_owned),
            returning: false,
        })));
    }

    pub(super) fn camera(&mut self, open: bool, flowing: bool) {
        self.room(Input::Media(MediaEvent::Camera(CaptureReport {
            device: "hdmi".into(),
            open,
            flowing,
            error: None,
            returning: false,
        })));
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.now.instant += by;
        self.now.wall += by;
        self.input(ApplianceInput::Timeout);
    }

    pub(super) fn command(&mut self, command: Command) -> RequestId {
        self.requests += 1;
        let id = RequestId(self.requests);
        let by = ChangedBy {
            source: ChangeSource::Mqtt,
            id: Some(format!("c{}", self.requests)),
            participant_id: None,
        };
        self.input(ApplianceInput::Command { id, command, by });
        id
    }

    pub(super) fn join(&mut self) -> RequestId {
        self.command(Command::JoinRoom(JoinRoom::default()))
    }

    pub(super) fn reply(&self, wanted: RequestId) -> Option<Result<Value, CommandError>> {
        self.outputs.iter().find_map(|output| match output {
            ApplianceOutput::Reply { id, result } if *id == wanted => Some(result.clone()),
            _ => None,
        })
    }

    pub(super) fn status(&self) -> ConnectionStatus {
        self.appliance.room().connection_status
    }

    pub(super) fn memory(&self) -> Option<Memory> {
        self.outputs.iter().rev().find_map(|output| match output {
            ApplianceOutput::Remember(memory) => Some(memory.clone()),
            _ => None,
        })
    }

    pub(super) fn sent(&mut self) -> Vec<&'static str> {
        let names = self.outputs.iter().filter_map(|output| match output {
            ApplianceOutput::Signalling(Signalling::Send(message)) => Some(message.name()),
            _ => None,
        });
        let names = names.collect();
        self.outputs.clear();
        names
    }

    pub(super) fn opened_socket(&self) -> bool {
        self.outputs
            .iter()
            .any(|output| matches!(output, ApplianceOutput::Signalling(Signalling::Open(_))))
    }

    pub(super) fn media(&self, wanted: &MediaCommand) -> bool {
        self.outputs
            .iter()
            .any(|output| matches!(output, ApplianceOutput::Media(command) if command == wanted))
    }

    pub(super) fn event(&self, name: &str) -> Option<Value> {
        self.outputs.iter().find_map(|output| match output {
            ApplianceOutput::Event(event) if event.name == name => Some(event.payload.clone()),
            _ => None,
        })
    }

    /// The events of that name, the oldest first.
    pub(super) fn events(&self, name: &str) -> Vec<Value> {
        let named = self.outputs.iter().filter_map(|output| match output {
            ApplianceOutput::Event(event) if event.name == name => Some(event.payload.clone()),
            _ => None,
        });
        named.collect()
    }

    pub(super) fn problems(&self) -> Vec<String> {
        self.appliance
            .state()
            .problems
            .iter()
            .map(|problem| problem.code.clone())
            .collect()
    }
}

pub(super) fn room_joined() -> Value {
    let client = |id: &str, role: &str| {
        json!({
            "id": id, "deviceId": "d", "displayName": id, "streams": ["0"], "isAudioEnabled": false,
            "isVideoEnabled": false, "role": { "roleName": role }, "breakoutGroup": null
        })
    };
    json!({
        "selfId": "b", "clientClaim": "claim-b",
        "room": {
            "name": "/standup", "isLocked": false, "knockers": [], "session": null,
            "clients": [client("a", "host"), client("b", "visitor")]
        }
    })
}
