//! The client's state machine against a server that sends anything.

use std::{
    collections::BTreeSet,
    sync::LazyLock,
    time::{Duration, Instant},
};

use roomd_protocol::{
    ClientMessage, RoomUrl, ServerMessage,
    records::{DeviceCredentials, DeviceUuid},
    socket_io::Packet,
};
use roomd_room::{
    Action, Effect, Input, JoinOptions, MediaCommand, MediaEvent, Now, RoomConnection, SocketEvent,
};

use super::lines;

/// A line is a Socket.IO packet of the server, or `+` and seconds that pass, or a letter for something that happens
/// on this side: `d` and `u` the network goes down and up, `a` to `h` something that somebody does.
pub(crate) fn room_connection(bytes: &[u8]) {
    let mut desk = Desk::joining();
    for line in lines(bytes).take(200) {
        if let Some(seconds) = line.strip_prefix('+') {
            let seconds = seconds.parse().unwrap_or(1).min(3600);
            desk.now.instant += Duration::from_secs(seconds);
            if desk
                .room
                .next_deadline()
                .is_some_and(|at| at <= desk.now.instant)
            {
                desk.input(Input::Timeout);
            }
        } else if let Some(event) = socket_event(line) {
            desk.input(Input::Socket(event));
        } else if let Some(action) = action(line) {
            if let Ok(effects) = desk.room.act(desk.now, action) {
                desk.follow(effects);
            }
        } else if let Ok(Packet::Event { name, payload, .. }) = Packet::decode(line)
            && let Ok(Some(message)) = ServerMessage::decode(&name, payload.as_deref())
        {
            desk.input(Input::Signal(Box::new(message)));
        }
        desk.check();
    }
}

fn socket_event(line: &str) -> Option<SocketEvent> {
    match line {
        "d" => Some(SocketEvent::Disconnected { will_retry: true }),
        "D" => Some(SocketEvent::Disconnected { will_retry: false }),
        "u" => Some(SocketEvent::Connected { again: true }),
        _ => None,
    }
}

fn action(line: &str) -> Option<Action> {
    Some(match line {
        "a" => Action::ToggleMicrophone(None),
        "b" => Action::ToggleCamera(None),
        "c" => Action::ToggleRaiseHand(None),
        "e" => Action::LeaveRoom,
        "f" => Action::StartScreenshare { source: None },
        "g" => Action::Knock,
        "h" => Action::CancelKnock,
        "j" => join(),
        _ => return None,
    })
}

fn join() -> Action {
    Action::JoinRoom(Box::new(JoinOptions {
        room_url: Some(ROOM.clone()),
        display_name: "Desk".into(),
        ..JoinOptions::default()
    }))
}

struct Desk {
    room: RoomConnection,
    now: Now,
}

impl Desk {
    /// With everything that a join needs but the server's answers.
    fn joining() -> Self {
        let now = Now {
            instant: *BEGAN,
            wall: "2026-11-23T10:00:00Z".parse().unwrap(),
        };
        let mut desk = Self {
            room: RoomConnection::new("roomd:fuzz"),
            now,
        };
        let effects = desk.room.act(now, join()).expect("a first join");
        desk.follow(effects);
        desk.input(Input::Socket(SocketEvent::Connected { again: false }));
        desk
    }

    fn input(&mut self, input: Input) {
        let effects = self.room.handle(self.now, input);
        self.follow(effects);
    }

    /// Answers as the parts around the core do.
    fn follow(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::FetchDeviceCredentials(_) => {
                    self.input(Input::Credentials(DeviceCredentials {
                        credentials: DeviceUuid { uuid: "d".into() },
                        hmac: "h".into(),
                        user_id: None,
                    }))
                }
                Effect::FetchOrganization { .. } => self.input(Input::Organization("1".into())),
                Effect::Send(message) => {
                    let payload = message.payload();
                    let read = ClientMessage::decode(message.name(), payload.as_deref());
                    assert!(matches!(read, Ok(Some(_))), "a server reads {message:?}");
                }
                Effect::Media(MediaCommand::StartScreenshare { .. }) => {
                    self.input(Input::Media(MediaEvent::ScreenshareStarted {
                        stream: "own-share".into(),
                        has_audio: true,
                    }));
                }
                Effect::Media(MediaCommand::OpenPeer { peer, session, .. }) => {
                    self.input(Input::Media(MediaEvent::PeerConnected { peer, session }));
                }
                _ => {}
            }
        }
    }

    fn check(&self) {
        let state = self.room.state();
        let ids: BTreeSet<_> = state
            .remote_participants
            .iter()
            .map(|one| &one.id)
            .collect();
        assert_eq!(ids.len(), state.remote_participants.len(), "an id twice");
        assert!(
            state
                .remote_participants
                .iter()
                .all(|one| one.role_name.is_person())
        );
        assert_eq!(
            state.local_participant.is_screen_sharing,
            state.screenshares.iter().any(|share| share.is_local)
        );
    }
}

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
static ROOM: LazyLock<RoomUrl> =
    LazyLock::new(|| RoomUrl::parse("https://acme.whereby.com/standup").unwrap());
