//! The one task that owns the rooms. Sessions and HTTP calls talk to it through its inbox; it
//! never waits for any of them.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use axum::extract::ws::Utf8Bytes;
use roomd_protocol::{ClientId, ClientMessage, ServerMessage, engine_io};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};

use crate::{
    clock::Now,
    meetings::MeetingRecord,
    outbox::Outbox,
    rate::PerAddress,
    recorder::Recorders,
    rooms::{Census, Ended, Outgoing, Rooms, SocketId},
    store::Store,
};

/// How many commands may wait; then the sessions wait with reading.
const INBOX: usize = 1024;

/// What the room loop is told and asked.
pub(crate) enum Command {
    Attach {
        socket: SocketId,
        /// Where it comes from.
        peer: IpAddr,
        outbox: Outbox,
    },
    Event {
        socket: SocketId,
        message: ClientMessage,
    },
    /// A request to join that cannot be read.
    MalformedJoin {
        socket: SocketId,
        payload: Option<Box<RawValue>>,
    },
    Ended {
        socket: SocketId,
        how: Ended,
    },
    /// May that address have device credentials now? Otherwise: after which pause?
    MayRegister {
        address: IpAddr,
        reply: oneshot::Sender<Result<(), Duration>>,
    },
    /// A meeting that is stored already. False if there are too many.
    AddMeeting {
        meeting: MeetingRecord,
        reply: oneshot::Sender<bool>,
    },
    Meeting {
        meeting_id: String,
        reply: oneshot::Sender<Option<MeetingRecord>>,
    },
    RemoveMeeting {
        meeting_id: String,
        reply: oneshot::Sender<bool>,
    },
    Census {
        reply: oneshot::Sender<Census>,
    },
    /// The process of a recorder is gone, or never was.
    RecorderEnded {
        recorder: ClientId,
        room: String,
        /// What went wrong, if anything.
        reason: Option<&'static str>,
    },
}

/// The loop is gone: the server is shutting down.
#[derive(Debug, thiserror::Error)]
#[error("the room server is shutting down")]
pub(crate) struct LoopEnded;

/// The sending end of the inbox.
#[derive(Clone)]
pub(crate) struct Inbox(mpsc::Sender<Command>);

impl Inbox {
    pub(crate) async fn tell(&self, command: Command) -> Result<(), LoopEnded> {
        self.0.send(command).await.map_err(|_| LoopEnded)
    }

    pub(crate) async fn ask<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, LoopEnded> {
        let (reply, answer) = oneshot::channel();
        self.tell(question(reply)).await?;
        answer.await.map_err(|_| LoopEnded)
    }
}

/// An inbox that does not keep the loop alive.
#[derive(Clone)]
pub(crate) struct WeakInbox(mpsc::WeakSender<Command>);

impl WeakInbox {
    /// Tells the loop, if there still is one.
    pub(crate) async fn tell(&self, command: Command) {
        if let Some(sender) = self.0.upgrade() {
            let _ = sender.send(command).await;
        }
    }
}

/// The state that the loop owns.
pub(crate) struct RoomLoop {
    pub(crate) rooms: Rooms,
    pub(crate) registrations: PerAddress,
    pub(crate) meeting_limit: usize,
    pub(crate) store: Store,
    recorders: Option<Recorders>,
    outboxes: HashMap<SocketId, Outbox>,
}

impl RoomLoop {
    pub(crate) fn new(
        rooms: Rooms,
        registrations: PerAddress,
        meeting_limit: usize,
        store: Store,
    ) -> Self {
        Self {
            rooms,
            registrations,
            meeting_limit,
            store,
            recorders: None,
            outboxes: HashMap::new(),
        }
    }

    /// The inbox, and the loop to be spawned. The loop ends when the last inbox is dropped.
    pub(crate) fn start(
        mut self,
        recorders: Option<Recorders>,
    ) -> (Inbox, impl Future<Output = ()> + Send) {
        let (sender, mut commands) = mpsc::channel(INBOX);
        self.recorders = recorders;
        let own = WeakInbox(sender.downgrade());
        let run = async move {
            loop {
                let deadline = self.rooms.next_deadline(Now::read());
                let command = tokio::select! {
                    command = commands.recv() => match command {
                        Some(command) => Some(command),
                        None => return,
                    },
                    () = until(deadline) => None,
                };
                let now = Now::read();
                let outgoing = match command {
                    Some(command) => self.handle(now, command),
                    None => self.rooms.timeout(now),
                };
                let mut texts = Texts::default();
                for one in outgoing {
                    self.carry_out(one, &mut texts, &own);
                }
            }
        };
        (Inbox(sender), run)
    }

    fn handle(&mut self, now: Now, command: Command) -> Vec<Outgoing> {
        match command {
            Command::Attach {
                socket,
                peer,
                outbox,
            } => {
                self.outboxes.insert(socket, outbox);
                return self.rooms.attach(now, socket, peer);
            }
            Command::Event { socket, message } => return self.rooms.receive(now, socket, message),
            Command::MalformedJoin { socket, payload } => {
                return self
                    .rooms
                    .receive_malformed_join(socket, payload.as_deref());
            }
            Command::Ended { socket, how } => {
                self.outboxes.remove(&socket);
                return self.rooms.ended(now, socket, how);
            }
            Command::MayRegister { address, reply } => {
                let may = self.registrations.take(now.monotonic, address);
                let pause = self.registrations.pause();
                answer(reply, if may { Ok(()) } else { Err(pause) });
            }
            Command::AddMeeting { meeting, reply } => {
                let has_place = self.rooms.census().meetings < self.meeting_limit;
                if has_place {
                    self.rooms.add_meeting(meeting);
                }
                answer(reply, has_place);
            }
            Command::Meeting { meeting_id, reply } => {
                answer(reply, self.rooms.meeting(&meeting_id).cloned());
            }
            Command::RemoveMeeting { meeting_id, reply } => {
                let outgoing = self.rooms.remove_meeting(now, &meeting_id);
                answer(reply, outgoing.is_some());
                return outgoing.unwrap_or_default();
            }
            Command::Census { reply } => answer(reply, self.rooms.census()),
            Command::RecorderEnded {
                recorder,
                room,
                reason,
            } => {
                if let Some(recorders) = &mut self.recorders {
                    recorders.forget(&recorder);
                }
                return self.rooms.recorder_ended(now, &room, &recorder, reason);
            }
        }
        Vec::new()
    }

    fn carry_out(&mut self, outgoing: Outgoing, texts: &mut Texts, own: &WeakInbox) {
        match outgoing {
            Outgoing::Event { to, message } => {
                if let Some(outbox) = self.outboxes.get(&to) {
                    outbox.send(texts.of(message));
                }
            }
            Outgoing::Close { socket, closing } => {
                if let Some(outbox) = self.outboxes.get(&socket) {
                    outbox.close(closing);
                }
            }
            Outgoing::StartRecorder {
                recorder,
                room,
                key,
            } => {
                if let Some(recorders) = &mut self.recorders {
                    recorders.start(recorder, room, &key, own.clone());
                }
            }
            Outgoing::StopRecorder { recorder } => {
                if let Some(recorders) = &mut self.recorders {
                    recorders.stop(&recorder);
                }
            }
            Outgoing::MeetingChanged(meeting) => {
                let stored = self.store.put(meeting);
                tokio::spawn(async move {
                    if let Err(error) = stored.await {
                        tracing::error!(%error, "the lock of a room was not stored");
                    }
                });
            }
            Outgoing::MeetingOver { meeting_id } => {
                let deleted = self.store.delete(meeting_id);
                tokio::spawn(async move {
                    if let Err(error) = deleted.await {
                        tracing::error!(%error, "a meeting that is over was not deleted");
                    }
                });
            }
        }
    }
}

/// The frame that was made last: a message for several sockets is encoded once.
#[derive(Default)]
struct Texts(Option<(Arc<ServerMessage>, Utf8Bytes)>);

impl Texts {
    fn of(&mut self, message: Arc<ServerMessage>) -> Utf8Bytes {
        if let Some((known, text)) = &self.0
            && Arc::ptr_eq(known, &message)
        {
            return text.clone();
        }
        let packet = message.to_packet().encode();
        let text = Utf8Bytes::from(engine_io::Packet::Message(&packet).encode());
        self.0 = Some((message, text.clone()));
        text
    }
}

/// Whoever asked may have gone meanwhile.
fn answer<T>(reply: oneshot::Sender<T>, value: T) {
    let _ = reply.send(value);
}

async fn until(deadline: Option<std::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
