//! Every event of every role: what is carried out, and what is not heard.

use super::*;

/// Who may send what with effect. A letter stands for a role:
/// H host, V visitor, G granted visitor, v viewer, g granted viewer, R recorder, S streamer,
/// C captioner, A assistant, D a visitor who dialled in.
const TABLE: [(&str, &str); 34] = [
    ("identify_device", "HVGvgRSCAD"),
    ("join_room", "HVGvgRSCAD"),
    ("leave_room", "HVGvgRSCAD"),
    ("enable_audio", "HVGAD"),
    ("enable_video", "HVGAD"),
    ("enable_audio: off", "HVGvgRSCAD"),
    ("enable_video: off", "HVGvgRSCAD"),
    ("start_screenshare", "HVGAD"),
    ("stop_screenshare", "HVGAD"),
    ("send_client_metadata", "HVGvgAD"),
    ("chat_message", "HVGvgAD"),
    ("remove_chat_message", "HVGvgAD"),
    ("remove_chat_message: another's", "H"),
    ("request_file_upload_url", "HVGvgAD"),
    ("ready_to_receive_offer", "HVGvgRSCAD"),
    ("sdp_offer", "HVGvgRSCAD"),
    ("sdp_answer", "HVGvgRSCAD"),
    ("ice_candidate", "HVGvgRSCAD"),
    ("ice_endofcandidates", "HVGvgRSCAD"),
    ("fetch_mediaserver_config", "HVGvgRSCAD"),
    ("set_lock", "H"),
    ("handle_knock", "H"),
    ("kick_client", "H"),
    ("request_audio_enable", "H"),
    ("request_video_enable", "H"),
    ("add_spotlight", "H"),
    ("remove_spotlight", "H"),
    ("update_breakout_session", "H"),
    ("join_breakout_group", "HVGvgAD"),
    ("start_recording", "H"),
    ("stop_recording", "H"),
    ("start_live_transcription", "H"),
    ("stop_live_transcription", "H"),
    ("live_caption", "C"),
];

/// These two have the same row for all, but want a captioner in the room.
const CAPTIONS: [(&str, &str); 2] = [
    ("live_captions_enabled", "HVGvgAD"),
    ("live_captions_disabled", "HVGvgAD"),
];

/// Without effect in a room, whoever sends them: `door` has their tests.
const OUTSIDE: [&str; 2] = ["knock_room", "cancel_room_knock"];

const ROLES: [(char, RoleName); 10] = [
    ('H', RoleName::Host),
    ('V', RoleName::Visitor),
    ('G', RoleName::GrantedVisitor),
    ('v', RoleName::Viewer),
    ('g', RoleName::GrantedViewer),
    ('R', RoleName::Recorder),
    ('S', RoleName::Streamer),
    ('C', RoleName::Captioner),
    ('A', RoleName::Assistant),
    ('D', RoleName::Visitor),
];

/// A room in which every event could have an effect: with somebody who tries it, a host who has
/// prepared everything, a witness, a knocker and a captioner.
struct Scene {
    test: TestRooms,
    subject: Person,
    witness: Person,
    knocker: ClientId,
    /// A message of the subject, where it may write, and one of the witness.
    own_message: String,
    other_message: String,
}

impl Scene {
    fn set(letter: char, role: RoleName) -> Self {
        let mut test = TestRooms::serviced();
        let host = test.host("d-host");
        let witness = test.visitor("d-witness");
        let mut members = json!({ "roomKey": test.key(role), "isDialIn": letter == 'D',
            // Forged: none of it is looked at.
            "role": { "roleName": "host" }, "selfId": host.id, "id": host.id });
        if role == RoleName::Assistant {
            members["roomKey"] = json!(null);
            members["assistantKey"] = json!(ASSISTANT_KEY);
        }
        let (subject, joined) = test.enter("d-subject", members);
        let mut clients = joined.room.clients.iter();
        let own = clients.find(|c| c.id == subject.id).unwrap();
        assert_eq!(own.role.role_name, role);
        assert_eq!(own.is_dial_in, letter == 'D');
        if role != RoleName::Captioner {
            let key = test.key(RoleName::Captioner);
            test.enter("d-captioner", json!({ "roomKey": key }));
        }
        test.send(host.socket, "set_lock", json!({ "locked": true }));
        let (outside, refused) = test.refused("d-knocker", json!({}));
        let knock = json!({ "roomName": "/r", "displayName": "Knocker" });
        test.send(outside, "knock_room", knock);
        let spotlight = json!({ "clientId": host.id, "streamId": "0" });
        test.send(host.socket, "add_spotlight", spotlight);
        test.send(host.socket, "start_live_transcription", json!(null));
        test.send(witness.socket, "live_captions_enabled", json!(null));
        test.send(subject.socket, "live_captions_enabled", json!(null));
        test.send(
            subject.socket,
            "start_screenshare",
            json!({ "streamId": "mine" }),
        );
        let mut written = |person: &Person| {
            test.forget_sent();
            test.send(person.socket, "chat_message", json!({ "text": "x" }));
            let events = test.events(host.socket);
            let message = events.first().map(|(_, message)| message["id"].clone());
            message.map_or(String::new(), |id| id.as_str().unwrap().to_owned())
        };
        let (own_message, other_message) = (written(&subject), written(&witness));
        test.forget_sent();
        Self {
            test,
            subject,
            witness,
            knocker: refused.self_id.unwrap(),
            own_message,
            other_message,
        }
    }

    fn payload(&self, row: &str) -> Value {
        let (witness, host) = (&self.witness.id, self.test_host());
        let credentials = self.test.keys.device_credentials("d-subject".into());
        let message = if row.ends_with("another's") {
            &self.other_message
        } else {
            &self.own_message
        };
        json!({
            "deviceCredentials": credentials, "roomName": "/r", "clientId": match row {
                "handle_knock" => &self.knocker,
                "remove_spotlight" => &host,
                _ => witness,
            },
            "clientIds": [witness], "enabled": !row.ends_with("off"), "enable": false,
            "streamId": if row.ends_with("spotlight") { "0" } else if row == "stop_screenshare" { "mine" } else { "new" },
            "type": "UserData", "payload": { "displayName": "x" }, "text": "x", "id": message,
            "files": [], "receiverId": witness, "message": { "sdp": "x" }, "locked": false,
            "action": "accept", "reasonId": "kick", "active": true, "groups": { "a": "A" },
            "group": "", "recording": "cloud", "senderId": witness, "resultId": "r",
        })
    }

    fn test_host(&self) -> ClientId {
        let clients = &self.test.rooms.rooms["/r"].clients;
        clients.keys().next().unwrap().clone()
    }

    /// Whether anybody was told anything, or anything was started, stored or stopped.
    fn has_effect(mut self, row: &str) -> bool {
        let name = row.split(':').next().unwrap();
        if row == "stop_recording" {
            let socket = self.test.rooms.rooms["/r"].clients[&self.test_host()].socket;
            self.test.send(
                socket.unwrap(),
                "start_recording",
                json!({ "recording": "cloud" }),
            );
        }
        self.test.forget_sent();
        self.test.stored.clear();
        let payload = self.payload(row);
        self.test.send(self.subject.socket, name, payload);
        !self.test.sent.is_empty() || !self.test.stored.is_empty()
    }
}

// conformance: rule.lockRoom rule.kickParticipant rule.requestAudioAndVideo rule.spotlights [server]
// conformance: rule.breakoutSession rule.waitingRoom rule.cloudRecording rule.liveTranscription [server]
// conformance: rule.liveCaptions rule.chat rule.removeChatMessage rule.screenshare rule.breakoutMoves [server]
// conformance: rule.ownMediaNameAndHand role.visitor role.granted_visitor role.viewer role.granted_viewer [server]
// conformance: role.host role.recorder role.streamer role.captioner role.assistant [server]
#[test]
fn each_role_does_what_the_table_allows_and_nothing_else_is_heard() {
    for (row, allowed) in TABLE.into_iter().chain(CAPTIONS) {
        for (letter, role) in ROLES {
            let has_effect = Scene::set(letter, role).has_effect(row);
            assert_eq!(
                has_effect,
                allowed.contains(letter),
                "{row} of {letter} {role:?}"
            );
        }
    }
}

#[test]
fn the_table_has_every_event_of_the_protocol() {
    let rows = TABLE.iter().chain(&CAPTIONS).map(|(row, _)| *row);
    let in_table: Vec<&str> = rows.map(|row| row.split(':').next().unwrap()).collect();
    for name in ClientMessage::NAMES {
        assert!(in_table.contains(name) || OUTSIDE.contains(name), "{name}");
    }
}

// conformance: role.none [server]
#[test]
fn whoever_is_in_no_room_is_heard_by_nobody() {
    for name in ClientMessage::NAMES {
        let mut scene = Scene::set('V', RoleName::Visitor);
        let outsider = scene.test.socket("d-outsider");
        scene.test.forget_sent();
        let payload = scene.payload(name);
        scene.test.send(outsider, name, payload);
        scene.test.sent.remove(&outsider);
        // A knock is there to be heard by hosts, and by them alone.
        let host = scene.test.rooms.rooms["/r"].clients[&scene.test_host()].socket;
        if *name == "knock_room" {
            scene.test.sent.remove(&host.unwrap());
        }
        assert!(scene.test.sent.is_empty(), "{name}: {:?}", scene.test.sent);
    }
}

#[test]
fn an_id_of_another_room_means_nobody_here() {
    let mut scene = Scene::set('H', RoleName::Host);
    let (other, _) = scene
        .test
        .enter("d-other", json!({ "roomName": "/elsewhere" }));
    scene.test.forget_sent();
    for (name, payload) in [
        (
            "kick_client",
            json!({ "clientId": other.id, "reasonId": "kick" }),
        ),
        (
            "request_audio_enable",
            json!({ "clientIds": [other.id], "enable": true }),
        ),
        (
            "add_spotlight",
            json!({ "clientId": other.id, "streamId": "0" }),
        ),
        (
            "sdp_offer",
            json!({ "receiverId": other.id, "message": {} }),
        ),
        (
            "start_screenshare",
            json!({ "receiverId": other.id, "streamId": "s" }),
        ),
        (
            "handle_knock",
            json!({ "clientId": other.id, "action": "accept" }),
        ),
    ] {
        scene.test.send(scene.subject.socket, name, payload);
        assert_eq!(scene.test.heard(other.socket), [""; 0], "{name}");
    }
}

// conformance: joinError.invalid_assistant_key field.WherebyClientOptions.assistantKey [server]
#[test]
fn assistants_need_the_key_of_assistants() {
    let mut test = TestRooms::serviced();
    for (key, error) in [("wrong", "invalid_assistant_key"), (ASSISTANT_KEY, "")] {
        let socket = test.socket("d");
        match test.join_with(socket, json!({ "assistantKey": key })) {
            RoomJoined::Refused(refused) => assert_eq!(refused.error.as_deref(), Some(error)),
            RoomJoined::Success(joined) => {
                assert_eq!(error, "");
                assert_eq!(joined.room.clients[0].role.role_name, RoleName::Assistant);
            }
        }
    }
    let mut test = TestRooms::open();
    let (_, refused) = test.refused("d", json!({ "assistantKey": ASSISTANT_KEY }));
    assert_eq!(
        refused.error.as_deref(),
        Some("organization_assistant_not_enabled")
    );
    // What the SDK sends for persons.
    test.enter("d-person", json!({ "assistantKey": "" }));
}

// conformance: joinError.room_empty joinError.unique_role_already_in_room [server]
#[test]
fn service_clients_take_no_place_of_people_and_are_there_once() {
    let mut test = TestRooms::serviced();
    test.rooms.settings.limits.clients_per_group_room = 2;
    let recorder = test.key(RoleName::Recorder);
    let (_, refused) = test.refused("d-r", json!({ "roomKey": recorder }));
    assert_eq!(refused.error.as_deref(), Some("room_empty"));
    let _people = [test.host("d-h"), test.visitor("d-v")];
    test.enter("d-r", json!({ "roomKey": recorder }));
    let (_, refused) = test.refused("d-r2", json!({ "roomKey": recorder }));
    assert_eq!(
        refused.error.as_deref(),
        Some("unique_role_already_in_room")
    );
    let (_, refused) = test.refused("d-3", json!({}));
    assert_eq!(refused.error.as_deref(), Some("room_full"));
}

#[test]
fn service_clients_are_sent_away_when_the_last_person_has_gone() {
    let mut test = TestRooms::serviced();
    let visitor = test.visitor("d-v");
    let key = test.key(RoleName::Streamer);
    let (streamer, _) = test.enter("d-s", json!({ "roomKey": key }));
    test.forget_sent();
    test.send(visitor.socket, "leave_room", json!(null));
    let heard = test.heard(streamer.socket);
    assert_eq!(heard.last(), Some(&"client_kicked"), "{heard:?}");
    assert!(
        test.rooms
            .rooms
            .get("/r")
            .is_none_or(|room| room.clients.is_empty())
    );
}

// conformance: joinError.room_join_permission_denied [server]
#[test]
fn a_person_does_not_turn_into_a_service_client_before_the_others() {
    let mut test = TestRooms::serviced();
    let (_, visitor) = (test.host("d-h"), test.visitor("d-v"));
    let key = test.key(RoleName::Recorder);
    let RoomJoined::Refused(refused) = test.join_with(visitor.socket, json!({ "roomKey": key }))
    else {
        panic!("let in")
    };
    assert_eq!(
        refused.error.as_deref(),
        Some("room_join_permission_denied")
    );
    assert_eq!(test.record(&visitor.id).role.role_name, RoleName::Visitor);
}
