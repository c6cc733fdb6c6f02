//! The recorder in the room: the same core, signalling and media as the appliance, without its will.

use std::time::{Duration, Instant};

use roomd_media::{
    Command as MediaEngineCommand, MediaEngine,
    outputs::Recording,
    settings::{AudioSink, AudioSource, DisplaySink, MediaSettings, VideoSource},
};
use roomd_protocol::{ClientId, records::RoleName};
use roomd_room::{
    Action, ConnectionStatus as Status, Effect, Input, JoinOptions, MediaCommand, Now,
    RoomConnection, RoomConnectionState, SocketEvent,
};
use roomd_signalling::{self as signalling, Endpoints, SignallingSettings};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{
    JITTER_BUFFER, RecordError, RecordSettings,
    writer::{Inputs, Person, Roster, WriteError, Writer},
};

/// What it is called where its name is shown at all.
const NAME: &str = "Recorder";
/// The server waits as long for its join.
const JOINS_WITHIN: Duration = Duration::from_secs(20);
/// How long the connection may be away: the server runs on the same machine, or starts this program anew.
const AWAY_FOR: Duration = Duration::from_secs(30);
/// How long saying goodbye may take.
const LEAVES_WITHIN: Duration = Duration::from_secs(2);
/// Frames that may wait for the disk: some seconds of a full room.
const FRAMES: usize = 2000;
/// A peer is asked for a key frame at most once in this time.
const KEY_FRAME_INTERVAL: Duration = Duration::from_secs(1);

/// Joins, records until `stop` or until the room ends it, and completes the files.
///
/// # Errors
/// Whatever ends the recording against the will of those who record. The files hold what came before.
pub async fn run(settings: RecordSettings, stop: CancellationToken) -> Result<(), RecordError> {
    let room_name = settings.room.room_name();
    let room_name = room_name.trim_start_matches('/').to_owned();
    let (wish_key_frame, key_frames) = mpsc::unbounded_channel();
    let storage = settings.storage.clone();
    let made =
        tokio::task::spawn_blocking(move || Writer::create(storage, &room_name, wish_key_frame));
    let writer = made
        .await
        .map_err(|error| RecordError::Thread(error.into()))??;

    let (frames, received) = mpsc::channel(FRAMES);
    let (media_events, media) = mpsc::unbounded_channel();
    let engine =
        MediaEngine::start_with(media_settings(&settings), media_events, Recording(frames))?;
    let (commands, signalling_commands) = mpsc::unbounded_channel();
    let (signalling_events, signalling_inbox) = mpsc::unbounded_channel();
    let signalling_task = signalling::start(
        SignallingSettings {
            endpoints: Endpoints::default(),
            ca_file: settings.ca_file.clone(),
            credentials_file: None,
            trace_file: None,
        },
        signalling_commands,
        signalling_events,
    )?;
    let (roster, watched) = watch::channel(Roster::default());
    let finish = CancellationToken::new();
    let written = writer
        .start(Inputs {
            frames: received,
            roster: watched,
            finish: finish.clone(),
        })
        .map_err(RecordError::Thread)?;

    let session = Session {
        room: RoomConnection::new(concat!("roomd:", env!("CARGO_PKG_VERSION"))),
        engine,
        commands,
        roster,
        asked: Vec::new(),
        joined: false,
        since: Instant::now(),
    };
    let ears = Ears {
        signalling: signalling_inbox,
        media,
        key_frames,
        written,
    };
    let outcome = session.record(&settings, ears, &stop, &finish).await;
    // Its commands are closed: the task ends by itself.
    if tokio::time::timeout(LEAVES_WITHIN, signalling_task)
        .await
        .is_err()
    {
        tracing::warn!("the signalling client does not end");
    }
    outcome
}

/// Cancels `stop` when standard input ends, if it is a pipe: then it is the server's, whose end is the
/// end of the recording. A terminal or `/dev/null` says nothing.
pub fn stop_with_input(stop: &CancellationToken) {
    let input = std::io::stdin();
    let is_pipe = rustix::fs::fstat(&input)
        .is_ok_and(|file| rustix::fs::FileType::from_raw_mode(file.st_mode).is_fifo());
    if !is_pipe {
        return;
    }
    let stop = stop.clone();
    // Blocks until the end, and ends with the program at the latest.
    std::thread::spawn(move || {
        if let Err(error) = std::io::copy(&mut input.lock(), &mut std::io::sink()) {
            tracing::warn!(%error, "standard input cannot be read any more");
        }
        stop.cancel();
    });
}

fn media_settings(settings: &RecordSettings) -> MediaSettings {
    MediaSettings {
        camera: VideoSource::None,
        microphone: AudioSource::None,
        screenshare: Vec::new(),
        display: DisplaySink::None,
        speaker: AudioSink::None,
        latency_ms: JITTER_BUFFER,
        allow_loopback: settings.allow_loopback,
        ..MediaSettings::default()
    }
}

/// Everything that the recorder hears.
struct Ears {
    signalling: mpsc::UnboundedReceiver<signalling::Event>,
    media: mpsc::UnboundedReceiver<roomd_room::MediaEvent>,
    key_frames: mpsc::UnboundedReceiver<ClientId>,
    written: oneshot::Receiver<Result<(), WriteError>>,
}

struct Session {
    room: RoomConnection,
    engine: MediaEngine,
    commands: mpsc::UnboundedSender<signalling::Command>,
    roster: watch::Sender<Roster>,
    /// Who was asked for a key frame, and when.
    asked: Vec<(ClientId, Instant)>,
    joined: bool,
    /// Since when it is in the room, or is not.
    since: Instant,
}

/// How the recorder stands.
#[derive(Debug)]
enum Standing {
    /// It is on its way into the room, for the first time or again.
    Away,
    /// It is the room's recorder.
    Recording,
    /// The room has sent it out, or lets it go.
    Over,
    /// It cannot be the room's recorder.
    Refused(RecordError),
}

fn standing(state: &RoomConnectionState) -> Standing {
    match state.connection_status {
        Status::Connected if state.local_participant.role_name == RoleName::Recorder => {
            Standing::Recording
        }
        Status::Connected => {
            let role = state.local_participant.role_name;
            Standing::Refused(RecordError::NotRecorder(role.as_str()))
        }
        Status::Kicked | Status::Left | Status::Leaving => Standing::Over,
        Status::RoomLocked | Status::Knocking | Status::KnockOnHold | Status::KnockRejected => {
            Standing::Refused(RecordError::Refused("room_locked".to_owned()))
        }
        Status::Disconnected if state.connection_error.is_some() => {
            let error = state.connection_error.clone().unwrap_or_default();
            Standing::Refused(RecordError::Refused(error))
        }
        Status::Ready | Status::Connecting | Status::Disconnected | Status::Reconnecting => {
            Standing::Away
        }
    }
}

fn roster(state: &RoomConnectionState, may_record: bool) -> Roster {
    let people = state.remote_participants.iter().map(|person| Person {
        id: person.id.clone(),
        display_name: person.display_name.clone(),
        role_name: person.role_name,
        camera: person.stream.as_ref().map(|stream| stream.id.clone()),
        screenshare: person
            .presentation_stream
            .as_ref()
            .map(|stream| stream.id.clone()),
    });
    Roster {
        may_record,
        people: people.collect(),
    }
}

impl Session {
    async fn record(
        mut self,
        settings: &RecordSettings,
        mut ears: Ears,
        stop: &CancellationToken,
        finish: &CancellationToken,
    ) -> Result<(), RecordError> {
        self.act(Action::ToggleMicrophone(Some(false)));
        self.act(Action::ToggleCamera(Some(false)));
        self.act(Action::JoinRoom(Box::new(JoinOptions {
            room_url: Some(settings.room.clone()),
            display_name: NAME.to_owned(),
            ignore_breakout_groups: true,
            ..JoinOptions::default()
        })));
        let outcome = self.listen(&mut ears, stop).await;
        // Complete the files first: whatever happens now, they are whole.
        finish.cancel();
        let outcome = match outcome {
            Ok(Ended::Written(result)) => result.map_err(RecordError::from),
            Ok(Ended::Stopped) => written(&mut ears.written).await,
            // What was written counts, but the first cause is told.
            Err(error) => {
                if let Err(also) = written(&mut ears.written).await {
                    tracing::error!(error = %also, "the files are not complete");
                }
                Err(error)
            }
        };
        if outcome.is_ok() {
            self.leave(&mut ears).await;
        }
        self.engine.shutdown().await;
        outcome
    }

    /// Until the recording ends, for whatever reason.
    async fn listen(
        &mut self,
        ears: &mut Ears,
        stop: &CancellationToken,
    ) -> Result<Ended, RecordError> {
        loop {
            let patience = self.since + if self.joined { AWAY_FOR } else { JOINS_WITHIN };
            let deadline = self
                .room
                .next_deadline()
                .map_or(patience, |at| at.min(patience));
            let deadline = match standing(self.room.state()) {
                Standing::Recording => self.room.next_deadline(),
                _ => Some(deadline),
            };
            let input = tokio::select! {
                () = stop.cancelled() => return Ok(Ended::Stopped),
                result = &mut ears.written => return Ok(Ended::Written(ended(result))),
                Some(event) = ears.signalling.recv() => match of_room(event) {
                    Some(Input::Socket(SocketEvent::Disconnected { will_retry: false })) => {
                        return Ok(Ended::Stopped);
                    }
                    Some(input) => input,
                    None => continue,
                },
                Some(event) = ears.media.recv() => Input::Media(event),
                Some(peer) = ears.key_frames.recv() => {
                    self.ask_for_key_frame(peer);
                    continue;
                }
                () = until(deadline) => Input::Timeout,
            };
            let effects = self.room.handle(now(), input);
            self.carry_out(effects);
            if self.follow()? {
                return Ok(Ended::Stopped);
            }
        }
    }

    /// Tells the writer how the room is; true when the recording is over.
    fn follow(&mut self) -> Result<bool, RecordError> {
        let standing = standing(self.room.state());
        let was_recording = self.roster.borrow().may_record;
        let is_recording = matches!(standing, Standing::Recording);
        if is_recording != was_recording {
            self.since = Instant::now();
        }
        match standing {
            Standing::Recording => {
                if !was_recording {
                    tracing::info!(again = self.joined, "the room is being recorded");
                }
                self.joined = true;
                let roster = roster(self.room.state(), true);
                self.tell(roster);
            }
            Standing::Away => {
                if was_recording {
                    tracing::warn!("the connection is lost: nothing is recorded until it is back");
                }
                let mut roster = self.roster.borrow().clone();
                roster.may_record = false;
                self.tell(roster);
                let patience = if self.joined { AWAY_FOR } else { JOINS_WITHIN };
                if self.since.elapsed() >= patience {
                    let seconds = patience.as_secs();
                    return Err(match self.joined {
                        true => RecordError::Lost(seconds),
                        false => RecordError::NotJoined(seconds),
                    });
                }
            }
            Standing::Over => return Ok(true),
            Standing::Refused(error) => return Err(error),
        }
        Ok(false)
    }

    fn tell(&self, roster: Roster) {
        self.roster.send_if_modified(|known| {
            let changed = *known != roster;
            if changed {
                *known = roster;
            }
            changed
        });
    }

    fn ask_for_key_frame(&mut self, peer: ClientId) {
        let now = Instant::now();
        self.asked
            .retain(|(_, asked)| now < *asked + KEY_FRAME_INTERVAL);
        if self.asked.iter().all(|(known, _)| *known != peer) {
            self.engine
                .send(MediaEngineCommand::Room(MediaCommand::RequestKeyFrame {
                    peer: peer.clone(),
                }));
            self.asked.push((peer, now));
        }
    }

    fn act(&mut self, action: Action) {
        match self.room.act(now(), action) {
            Ok(effects) => self.carry_out(effects),
            Err(refusal) => tracing::debug!(%refusal, "nothing to do"),
        }
    }

    fn carry_out(&self, effects: Vec<Effect>) {
        for effect in effects {
            let command = match effect {
                Effect::FetchDeviceCredentials(room) => {
                    signalling::Command::FetchDeviceCredentials(room)
                }
                Effect::FetchOrganization { room, credentials } => {
                    signalling::Command::FetchOrganization { room, credentials }
                }
                Effect::OpenSocket(room) => signalling::Command::Open(room),
                Effect::CloseSocket => signalling::Command::Close,
                Effect::RestartSocket => signalling::Command::Restart,
                Effect::Send(message) => signalling::Command::Send(message),
                Effect::Media(command) => {
                    self.engine.send(MediaEngineCommand::Room(command));
                    continue;
                }
                Effect::Event(_) => continue,
            };
            if self.commands.send(command).is_err() {
                tracing::error!("the signalling client has ended");
            }
        }
    }

    /// Says goodbye, if the room has not done so.
    async fn leave(&mut self, ears: &mut Ears) {
        self.act(Action::LeaveRoom);
        let gone = async {
            while self.room.state().connection_status == Status::Leaving {
                let deadline = self.room.next_deadline();
                let input = tokio::select! {
                    event = ears.signalling.recv() => match event {
                        Some(event) => of_room(event),
                        None => return,
                    },
                    () = until(deadline) => Some(Input::Timeout),
                };
                if let Some(input) = input {
                    let effects = self.room.handle(now(), input);
                    self.carry_out(effects);
                }
            }
        };
        if tokio::time::timeout(LEAVES_WITHIN, gone).await.is_err() {
            tracing::warn!("the server does not answer the goodbye");
        }
    }
}

/// Why listening has ended without an error of the room.
enum Ended {
    /// It was told to stop, or was sent out.
    Stopped,
    /// The writer has ended, which it does not by itself.
    Written(Result<(), WriteError>),
}

type Written = Result<Result<(), WriteError>, oneshot::error::RecvError>;

fn ended(result: Written) -> Result<(), WriteError> {
    result.unwrap_or_else(|_| {
        let error = std::io::Error::other("the thread that writes ended with a bug");
        Err(WriteError::File(error))
    })
}

async fn written(
    outcome: &mut oneshot::Receiver<Result<(), WriteError>>,
) -> Result<(), RecordError> {
    Ok(ended(outcome.await)?)
}

fn now() -> Now {
    Now {
        instant: Instant::now(),
        wall: jiff::Timestamp::now(),
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

fn of_room(event: signalling::Event) -> Option<Input> {
    Some(match event {
        signalling::Event::Credentials(credentials) => Input::Credentials(credentials),
        signalling::Event::Organization(id) => Input::Organization(id),
        signalling::Event::OrganizationNotFound => Input::OrganizationNotFound,
        signalling::Event::Socket(event) => Input::Socket(event),
        signalling::Event::Message(message) => Input::Signal(message),
        signalling::Event::Retrying { attempt, error, .. } => {
            tracing::info!(attempt, error, "the room server does not answer");
            return None;
        }
    })
}
