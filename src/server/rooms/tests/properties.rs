//! Whatever anybody sends: no panic, nothing for outsiders, no id twice.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;

const ROOMS: [&str; 3] = ["/r", "/x", "r"];

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Attach,
    Event(usize, String, Value),
    Ended(usize, bool),
    Wait(u64),
    Delete,
}

/// Ids and keys in payloads are placeholders: they stand for ones that were handed out.
fn payload() -> impl Strategy<Value = Value> {
    let id = prop_oneof![
        (0..8usize).prop_map(|n| json!(format!("#id{n}"))),
        Just(json!("x"))
    ];
    let key = prop_oneof![
        Just(json!("#host")),
        Just(json!("#viewer")),
        Just(json!("x"))
    ];
    let key = prop_oneof![2 => Just(json!(null)), 3 => key];
    let claim = (0..8usize).prop_map(|n| json!(format!("#claim{n}")));
    let group = prop_oneof![Just("a"), Just("b"), Just("")];
    let action = prop_oneof![Just("accept"), Just("hold"), Just("reject")];
    let stream = prop_oneof![Just("0"), Just("s"), Just("t")];
    let numbers = prop_oneof![Just(-1.0), Just(0.0), Just(3.0), Just(1e300)];
    (
        (0..ROOMS.len(), id.clone(), id, key, claim),
        (group, action, stream, numbers, any::<bool>(), ".{0,8}"),
    )
        .prop_map(|((room, id, other, key, claim), rest)| {
            let (group, action, stream, number, flag, text) = rest;
            let mut all = json!({
                "roomName": ROOMS[room], "roomKey": key, "displayName": text, "text": text,
                "clientId": id, "clientIds": [id, other], "receiverId": other, "group": group,
                "streamId": stream, "action": action, "enabled": flag, "enable": flag,
                "locked": flag, "id": id, "type": "UserData", "payload": { "displayName": text },
                "message": { "sdp": text }, "files": [], "active": flag,
                "groups": { "a": "A", "b": "B" }, "assignments": { "d0": group, "d1": "a" },
                "breakoutTimerSetting": flag, "breakoutTimerDuration": number,
                "autoMoveToGroup": flag, "autoMoveToMain": flag,
                "moveToGroupGracePeriod": number, "moveToMainGracePeriod": number,
                "breakoutGroup": group, "broadcast": flag, "enforceAssignment": flag,
            });
            if flag {
                all["clientClaim"] = claim;
            }
            all
        })
}

fn step() -> impl Strategy<Value = Step> {
    let name = prop_oneof![
        1 => proptest::sample::select(ClientMessage::NAMES),
        1 => proptest::sample::select(&["join_room", "knock_room", "handle_knock", "set_lock"][..]),
    ];
    prop_oneof![
        2 => Just(Step::Attach),
        30 => (0..8usize, name, payload())
            .prop_map(|(socket, name, payload)| Step::Event(socket, name.to_owned(), payload)),
        3 => (0..8usize, any::<bool>()).prop_map(|(socket, left)| Step::Ended(socket, left)),
        3 => (0..400u64).prop_map(Step::Wait),
        1 => Just(Step::Delete),
    ]
}

/// The events that reach a socket outside of every room.
const FOR_OUTSIDERS: [&str; 6] = [
    "device_identified",
    "room_joined",
    "room_left",
    "knock_handled",
    "client_kicked",
    // An answer to the sender alone.
    "chat_message",
];

struct World {
    test: TestRooms,
    sockets: Vec<SocketId>,
    ids: Vec<String>,
    claims: Vec<String>,
    given: BTreeSet<String>,
}

impl World {
    fn fill(&self, payload: &Value) -> Box<RawValue> {
        let mut text = payload.to_string();
        for (n, id) in self.ids.iter().enumerate() {
            text = text.replace(&format!("#id{n}\""), &format!("{id}\""));
        }
        for (n, claim) in self.claims.iter().enumerate() {
            text = text.replace(&format!("#claim{n}\""), &format!("{claim}\""));
        }
        for (name, role) in [("#host", RoleName::Host), ("#viewer", RoleName::Viewer)] {
            let key = self.test.key(role);
            text = text.replace(name, key.as_str().unwrap());
        }
        RawValue::from_string(text).unwrap()
    }

    fn check(&mut self, outgoing: &[Outgoing], inside: &BTreeSet<SocketId>, told: SocketId) {
        for one in outgoing {
            let Outgoing::Event { to, message } = one else {
                continue;
            };
            let is_inside = inside.contains(to) || self.inside().contains(to);
            assert!(
                is_inside || FOR_OUTSIDERS.contains(&message.name()),
                "{} for an outsider",
                message.name()
            );
            if let ServerMessage::RoomJoined(joined) = &**message
                && let RoomJoined::Success(joined) = &**joined
            {
                assert_eq!(*to, told, "room_joined is for the joiner alone");
                let ids: BTreeSet<&ClientId> = joined.room.clients.iter().map(|c| &c.id).collect();
                assert_eq!(
                    ids.len(),
                    joined.room.clients.len(),
                    "an id twice in a room"
                );
                assert!(ids.contains(&joined.self_id));
                assert!(joined.room.clients.len() <= 4);
                self.ids.insert(0, joined.self_id.to_string());
                self.ids.truncate(8);
                let claim = joined.client_claim.as_ref().unwrap();
                self.claims.insert(0, claim.reveal().to_owned());
                self.claims.truncate(8);
            }
            if let ServerMessage::NewClient(new) = &**message {
                assert_ne!(*to, told, "nobody is told of itself");
                self.given.insert(new.client.id.to_string());
            }
        }
    }

    fn inside(&self) -> BTreeSet<SocketId> {
        let clients = self
            .test
            .rooms
            .rooms
            .values()
            .flat_map(|room| room.clients.values());
        let sockets: Vec<SocketId> = clients.filter_map(|client| client.socket).collect();
        let unique: BTreeSet<SocketId> = sockets.iter().copied().collect();
        assert_eq!(unique.len(), sockets.len(), "a socket in two places");
        unique
    }

    /// Both books agree: a socket is in a room exactly if a client of that room has it.
    fn check_books(&self) {
        let inside = self.inside();
        for (socket, state) in &self.test.rooms.sockets {
            let is_in = matches!(state.place, Place::In { .. });
            assert_eq!(
                is_in,
                inside.contains(socket),
                "{socket:?} {:?}",
                state.place
            );
        }
        for room in self.test.rooms.rooms.values() {
            assert!(
                !room.is_forgettable(self.test.now),
                "{} is empty and kept",
                room.name
            );
            assert_eq!(room.session.is_some(), room.clients.len() >= 2);
            for client in room.clients.values() {
                assert_ne!(client.socket.is_some(), client.grace_until.is_some());
            }
        }
    }
}

use super::super::Place;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_messages_from_random_sockets_break_nothing(
        steps in proptest::collection::vec(step(), 1..120),
        is_locked in any::<bool>(),
        is_group in any::<bool>(),
    ) {
        let mode = if is_group { RoomMode::Group } else { RoomMode::Normal };
        let mut limited = settings();
        limited.limits.clients_per_group_room = 4;
        let test = TestRooms::with(limited, vec![meeting(is_locked, mode)]);
        let mut world = World {
            test,
            sockets: Vec::new(),
            ids: Vec::new(),
            claims: Vec::new(),
            given: BTreeSet::new(),
        };
        for n in 0..4 {
            let socket = world.test.socket(&format!("d{}", n % 3));
            world.sockets.push(socket);
        }
        for step in steps {
            let inside = world.inside();
            let now = world.test.now;
            match step {
                Step::Attach => {
                    let device = format!("d{}", world.sockets.len() % 3);
                    let socket = world.test.socket(&device);
                    world.sockets.push(socket);
                }
                Step::Event(n, name, payload) => {
                    let socket = world.sockets[n % world.sockets.len()];
                    let raw = world.fill(&payload);
                    if let Ok(Some(message)) = ClientMessage::decode(&name, Some(&raw)) {
                        let outgoing = world.test.rooms.receive(now, socket, message);
                        world.check(&outgoing, &inside, socket);
                    }
                }
                Step::Ended(n, left) => {
                    let socket = world.sockets[n % world.sockets.len()];
                    let how = if left { Ended::Left } else { Ended::Lost };
                    let outgoing = world.test.rooms.ended(now, socket, how);
                    world.check(&outgoing, &inside, SocketId(0));
                }
                Step::Wait(seconds) => {
                    world.test.advance(seconds);
                    world.test.forget_sent();
                }
                Step::Delete => {
                    let outgoing = world.test.rooms.remove_meeting(now, "m").unwrap_or_default();
                    world.check(&outgoing, &inside, SocketId(0));
                }
            }
            world.check_books();
        }
    }
}
