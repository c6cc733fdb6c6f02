//! Recording and live stream: a client of its own in the room does the work.
//!
//! A recording runs while a client of role `recorder` is in the room. A host's wish starts one: a
//! process outside of this part, which joins with a key that is good for this recording alone.
//! Whatever takes the recorder out of the room ends the recording for everybody.

use std::time::{Duration, Instant};

use roomd_protocol::{
    ClientId, Secret, ServerMessage,
    records::RoleName,
    server::{CloudRecordingStarted, NewClient, NewClientRoom},
};

use super::{Outgoing, Rooms, SocketId, media::NOT_OFFERED, room::Room, tell};
use crate::{clock::Now, keys::RoomKey};

/// How long a recorder may take from its start to its join.
const COMES_WITHIN: Duration = Duration::from_secs(20);

/// What people read when a recorder ends before it is told to, and has no other reason.
pub(crate) const ENDED: &str = "recorder_ended";

/// What the host reads when it does not come in that time.
const DID_NOT_COME: &str = "recorder_did_not_join";

/// A recording that was asked for. It runs once the recorder is in the room.
pub(super) struct Recording {
    /// The id that the recorder will have in the room; names the recording too.
    pub(super) recorder: ClientId,
    /// Who asked, and is told of a failure.
    by: ClientId,
    /// Until when the recorder has to come; `None` once it is there.
    comes_until: Option<Instant>,
}

impl Rooms {
    pub(super) fn start_recording(
        &mut self,
        now: Now,
        socket: SocketId,
        kind: &str,
        out: &mut Vec<Outgoing>,
    ) {
        let has_recorder = self.services.has_recorder;
        let Some((room, by)) = self.inside(socket) else {
            return;
        };
        if let Some(recorder) = room.service(RoleName::Recorder) {
            // It runs, and somebody who came late does not know.
            let event = room.introduce(&recorder);
            tell(out, socket, event);
            return;
        }
        if room.recording.is_some() {
            return;
        }
        if !has_recorder || kind != "cloud" {
            tell(out, socket, failed(NOT_OFFERED));
            return;
        }
        let (name, meeting) = (room.name.clone(), room.meeting_id.clone());
        let recorder: ClientId = self.ids.next_id().into();
        let key = self.keys.room_key(RoomKey {
            room: name.clone(),
            meeting,
            role: RoleName::Recorder,
            device: None,
            client: Some(recorder.clone()),
        });
        if let Some(room) = self.rooms.get_mut(&name) {
            room.recording = Some(Recording {
                recorder: recorder.clone(),
                by,
                comes_until: Some(now.monotonic + COMES_WITHIN),
            });
        }
        out.push(Outgoing::StartRecorder {
            recorder,
            room: name,
            key,
        });
    }

    pub(super) fn stop_recording(&mut self, now: Now, socket: SocketId, out: &mut Vec<Outgoing>) {
        let Some((room, _)) = self.inside(socket) else {
            return;
        };
        let name = room.name.clone();
        if let Some(recorder) = room.service(RoleName::Recorder) {
            self.send_out(now, &name, &recorder, "recording-stopped", out);
        } else if room.recording.is_some() {
            room.tell_all(&ServerMessage::CloudRecordingStopped, out);
            room.give_up_recording(out);
        }
    }

    /// The process of a recorder could not be started, or is gone. `reason` says what went wrong: to
    /// the host when it never came, to everybody when it has recorded.
    #[must_use]
    pub fn recorder_ended(
        &mut self,
        now: Now,
        room: &str,
        recorder: &ClientId,
        reason: Option<&str>,
    ) -> Vec<Outgoing> {
        let mut out = Vec::new();
        self.touch(room);
        let Some(found) = self.rooms.get_mut(room) else {
            return out;
        };
        if found.clients.contains_key(recorder) {
            // Its connection may linger; the recording does not go on.
            self.send_out(now, room, recorder, "recording-ended", &mut out);
            if let Some(found) = self.rooms.get(room) {
                found.tell_all(&failed(reason.unwrap_or(ENDED)), &mut out);
            }
        } else if let Some(recording) = found.recording.take_if(|r| r.recorder == *recorder) {
            found.tell(&recording.by, failed(reason.unwrap_or(ENDED)), &mut out);
        } else if let Some(reason) = reason
            && found.recording.is_none()
            && found.service(RoleName::Recorder).is_none()
        {
            // It left by itself or when it was told to, and could not finish its files.
            found.tell_all(&failed(reason), &mut out);
        }
        self.settle(now, &mut out);
        out
    }

    /// Service clients whose persons have all gone are sent away: nobody is left to serve.
    pub(super) fn dismiss_services(&mut self, now: Now, name: &str, out: &mut Vec<Outgoing>) {
        let Some(room) = self.rooms.get(name) else {
            return;
        };
        let is_person = |role: RoleName| role.is_person() || role == RoleName::Assistant;
        let is_served = room.clients.values().any(|client| is_person(client.role()));
        if is_served {
            return;
        }
        let rest: Vec<ClientId> = room.clients.keys().cloned().collect();
        for id in rest {
            self.send_out(now, name, &id, "room-empty", out);
        }
        if let Some(room) = self.rooms.get_mut(name) {
            room.give_up_recording(out);
        }
    }
}

impl Room {
    /// The client of a role that a room has once.
    pub(super) fn service(&self, role: RoleName) -> Option<ClientId> {
        let mut clients = self.clients.iter();
        let (id, _) = clients.find(|(_, client)| client.role() == role)?;
        Some(id.clone())
    }

    /// `new_client` for somebody who is there already. The SDK takes a recorder's for the news
    /// that a recording runs, which `room_joined` does not tell.
    pub(super) fn introduce(&self, id: &ClientId) -> ServerMessage {
        ServerMessage::NewClient(Box::new(NewClient {
            client: self
                .clients
                .get(id)
                .map(|client| client.record.clone())
                .unwrap_or_default(),
            room: Some(NewClientRoom {
                session: self.session.clone(),
            }),
        }))
    }

    /// A recorder has joined.
    pub(super) fn recorder_came(&mut self, now: Now, id: &ClientId, out: &mut Vec<Outgoing>) {
        match &mut self.recording {
            Some(recording) if recording.recorder == *id => recording.comes_until = None,
            // Another one, with a key of the API, was faster.
            Some(_) => self.give_up_recording(out),
            None => {}
        }
        if let Some(client) = self.clients.get_mut(id) {
            client.record.started_cloud_recording_at = Some(now.iso());
        }
        let started = CloudRecordingStarted {
            error: None,
            started_at: Some(now.iso()),
        };
        self.tell_others(id, &ServerMessage::CloudRecordingStarted(started), out);
    }

    /// A client of that role has gone, whatever the cause; `client_left` follows.
    pub(super) fn service_left(&mut self, role: RoleName, out: &mut Vec<Outgoing>) {
        match role {
            RoleName::Recorder => {
                self.tell_all(&ServerMessage::CloudRecordingStopped, out);
                self.give_up_recording(out);
            }
            RoleName::Streamer => self.tell_all(&ServerMessage::StreamingStopped, out),
            RoleName::Captioner => self.captioner_left(out),
            _ => {}
        }
    }

    /// Forgets the recording; a process that was started for it is to end.
    pub(super) fn give_up_recording(&mut self, out: &mut Vec<Outgoing>) {
        if let Some(recording) = self.recording.take() {
            out.push(Outgoing::StopRecorder {
                recorder: recording.recorder,
            });
        }
    }

    pub(super) fn recorder_deadline(&self) -> Option<Instant> {
        self.recording.as_ref()?.comes_until
    }

    pub(super) fn expire_recorder(&mut self, now: Now, out: &mut Vec<Outgoing>) {
        if self
            .recorder_deadline()
            .is_some_and(|at| at <= now.monotonic)
        {
            if let Some(recording) = &self.recording {
                self.tell(&recording.by, failed(DID_NOT_COME), out);
            }
            self.give_up_recording(out);
        }
    }
}

fn failed(reason: &str) -> ServerMessage {
    ServerMessage::CloudRecordingStarted(CloudRecordingStarted {
        error: Some(reason.to_owned()),
        started_at: None,
    })
}

/// What service clients need to get in, and what may be started for them.
#[derive(Clone, Debug, Default)]
pub struct Services {
    /// The key with which programs join as assistants; `None`: no assistants.
    pub assistant_key: Option<Secret>,
    /// Whether [`Outgoing::StartRecorder`] can be carried out.
    pub has_recorder: bool,
}
