//! A core with a clock of its own and words to feed it.

use std::time::{Duration, Instant};

use roomd_protocol::{
    ClientMessage, RoomUrl, ServerMessage,
    records::{DeviceCredentials, DeviceUuid},
};
use serde_json::{Value, json};

use crate::{
    Action, Effect, Input, JoinOptions, MediaCommand, MediaEvent, Now, Refusal, RoomConnection,
    SocketEvent, state::ConnectionStatus,
};

/// A room connection under test and everything it wanted since it was last asked.
pub(super) struct Desk {
    pub(super) room: RoomConnection,
    pub(super) now: Now,
    pub(super) effects: Vec<Effect>,
}

impl Desk {
    pub(super) fn new() -> Self {
        let wall = "2026-11-23T10:00:00Z".parse().unwrap();
        Self {
            room: RoomConnection::new("test:1"),
            now: Now {
                instant: Instant::now(),
                wall,
            },
            effects: Vec::new(),
        }
    }

    /// Joined as `b` in a room where `a` has been before.
    pub(super) fn in_room() -> Self {
        let mut desk = Self::new();
        desk.begin_join(None);
        desk.signal("room_joined", room_joined("b", &["a", "b"], "visitor"));
        desk.effects.clear();
        desk
    }

    /// Joined as `b` and host, with `a` present.
    pub(super) fn as_host() -> Self {
        let mut desk = Self::new();
        desk.begin_join(None);
        desk.signal("room_joined", room_joined("b", &["a", "b"], "host"));
        desk.effects.clear();
        desk
    }

    pub(super) fn begin_join(&mut self, key: Option<&str>) {
        self.act(Action::JoinRoom(Box::new(JoinOptions {
            room_url: Some(RoomUrl::parse("https://acme.whereby.com/standup").unwrap()),
            room_key: key.map(Into::into),
            display_name: "Desk".into(),
            ..JoinOptions::default()
        })))
        .unwrap();
        self.reach_the_room();
    }

    /// Everything that a join waits for, up to `join_room`.
    pub(super) fn reach_the_room(&mut self) {
        self.input(Input::Credentials(DeviceCredentials {
            credentials: DeviceUuid { uuid: "d".into() },
            hmac: "h".into(),
            user_id: None,
        }));
        self.input(Input::Organization("1".into()));
        self.input(Input::Socket(SocketEvent::Connected { again: false }));
        self.signal("device_identified", Value::Null);
    }

    pub(super) fn act(&mut self, action: Action) -> Result<(), Refusal> {
        let outcome = self.room.act(self.now, action);
        let (effects, result) = match outcome {
            Ok(effects) => (effects, Ok(())),
            Err(refusal) => (self.room.after_refusal(self.now), Err(refusal)),
        };
        self.effects.extend(effects);
        result
    }

    pub(super) fn input(&mut self, input: Input) {
        let effects = self.room.handle(self.now, input);
        self.effects.extend(effects);
    }

    pub(super) fn signal(&mut self, name: &str, payload: Value) {
        self.input(Input::Signal(Box::new(message(name, payload))));
    }

    pub(super) fn media(&mut self, event: MediaEvent) {
        self.input(Input::Media(event));
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.now.instant += by;
        if self
            .room
            .next_deadline()
            .is_some_and(|at| at <= self.now.instant)
        {
            self.input(Input::Timeout);
        }
    }

    pub(super) fn status(&self) -> ConnectionStatus {
        self.room.state().connection_status
    }

    /// Names of the events sent since the last call.
    pub(super) fn sent(&mut self) -> Vec<&'static str> {
        self.take_sent().iter().map(ClientMessage::name).collect()
    }

    pub(super) fn take_sent(&mut self) -> Vec<ClientMessage> {
        std::mem::take(&mut self.effects)
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Send(message) => Some(message),
                _ => None,
            })
            .collect()
    }

    /// Demands on the media engine since the last call.
    pub(super) fn media_commands(&mut self) -> Vec<MediaCommand> {
        std::mem::take(&mut self.effects)
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Media(command) => Some(command),
                _ => None,
            })
            .collect()
    }
}

/// The payload of the only message of that name that was sent since the last call.
pub(super) fn payload(desk: &mut Desk, name: &str) -> Value {
    let sent = desk.take_sent();
    let mut named = sent.iter().filter(|message| message.name() == name);
    let message = named
        .next()
        .unwrap_or_else(|| panic!("no {name}: {sent:?}"));
    assert!(named.next().is_none(), "{name} twice");
    serde_json::from_str(message.payload().unwrap().get()).unwrap()
}

pub(super) fn message(name: &str, payload: Value) -> ServerMessage {
    let raw = serde_json::value::to_raw_value(&payload).unwrap();
    ServerMessage::decode(name, Some(&raw)).unwrap().unwrap()
}

pub(super) fn client(id: &str, role: &str) -> Value {
    json!({
        "id": id, "deviceId": format!("device-{id}"), "displayName": id.to_uppercase(), "streams": ["0"],
        "isAudioEnabled": false, "isVideoEnabled": false, "role": { "roleName": role }, "breakoutGroup": null
    })
}

pub(super) fn room_joined(own: &str, ids: &[&str], role: &str) -> Value {
    let clients: Vec<Value> = ids
        .iter()
        .map(|id| client(id, if *id == own { role } else { "visitor" }))
        .collect();
    json!({
        "selfId": own, "clientClaim": format!("claim-{own}"),
        "room": {
            "name": "/standup", "organizationId": "1", "mode": "normal", "isClaimed": true, "isLocked": false,
            "clients": clients, "knockers": [], "spotlights": [], "session": null,
            "iceServers": { "iceServers": [] }, "turnServers": [], "mediaserverConfigTtlSeconds": 0
        }
    })
}
