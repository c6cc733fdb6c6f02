//! The one that owns the files of a recording: frames in, files out, within quota and free space.
//!
//! It runs on a thread of its own, because disks may wait. What it is told of the room says whose a
//! frame is and whether it may be kept at all.

use std::{
    collections::{HashMap, VecDeque},
    fs, io,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use roomd_media::CodedFrame;
use roomd_protocol::{ClientId, StreamId, records::RoleName};
use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use super::{
    index::{Index, Kind, Recorded, State, Stay},
    names,
    storage::{Folder, Storage, StorageError},
    track_file::{Taken, TrackFile},
};

/// How often waiting frames are written.
const TICK: Duration = Duration::from_secs(1);
/// How often the directory is looked through, in ticks: others write too.
const LOOK_EVERY: u32 = 10;
/// Room is made when less than this is left, in bytes: more than a room sends between two looks.
const HEADROOM: u64 = 32 * 1024 * 1024;
/// How long frames of somebody whom the room does not show yet are kept.
const STRANGERS_FOR: Duration = Duration::from_secs(3);
/// And how many.
const STRANGERS: usize = 1000;

/// The room as far as a recording knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Roster {
    /// This program is in the room as its recorder: everybody is told, and frames may be kept.
    pub(super) may_record: bool,
    /// The people, in the order of the room.
    pub(super) people: Vec<Person>,
}

/// Somebody in the room.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Person {
    pub(super) id: ClientId,
    pub(super) display_name: String,
    pub(super) role_name: RoleName,
    /// The streams that were negotiated.
    pub(super) camera: Option<StreamId>,
    pub(super) screenshare: Option<StreamId>,
}

/// Why a recording had to end.
#[derive(Debug, Error)]
pub enum WriteError {
    /// Neither quota nor disk have room, and no finished recording can give way.
    #[error(
        "there is no room for recordings: raise recording.quota_megabytes, or free the disk ({0})"
    )]
    Full(String),
    /// The directory cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A file cannot be written.
    #[error("a file of the recording cannot be written: {0}")]
    File(#[from] io::Error),
}

/// A recording on disk.
pub(super) struct Writer {
    storage: Storage,
    folder: Folder,
    index: Index,
    /// Place of the file in the index.
    open: HashMap<(ClientId, Kind), (usize, TrackFile)>,
    /// Running number of the next file.
    next: u32,
    roster: Roster,
    strangers: VecDeque<(Instant, CodedFrame)>,
    wish_key_frame: mpsc::UnboundedSender<ClientId>,
    /// Time of the engine's clock when the recording began.
    begins: Option<Duration>,
    /// Bytes that may still be written.
    room: u64,
    ticks: u32,
    index_changed: bool,
}

/// What the writer hears.
pub(super) struct Inputs {
    pub(super) frames: mpsc::Receiver<CodedFrame>,
    pub(super) roster: watch::Receiver<Roster>,
    /// Complete the files and end.
    pub(super) finish: CancellationToken,
}

impl Writer {
    /// Makes room, and the folder of a recording of `room`.
    ///
    /// # Errors
    /// There is no room, or the directory cannot be used.
    pub(super) fn create(
        storage: Storage,
        room: &str,
        wish_key_frame: mpsc::UnboundedSender<ClientId>,
    ) -> Result<Self, WriteError> {
        let now = Timestamp::now();
        let left = make_room(&storage)?;
        if left == 0 {
            return Err(full(&storage));
        }
        let folder = storage.new_folder(room, now)?;
        let index = Index {
            version: 1,
            room: room.to_owned(),
            state: State::Recording,
            started_at: now,
            ended_at: None,
            error: None,
            participants: Vec::new(),
            files: Vec::new(),
        };
        index.write(&folder.path)?;
        Ok(Self {
            storage,
            folder,
            index,
            open: HashMap::new(),
            next: 1,
            roster: Roster::default(),
            strangers: VecDeque::new(),
            wish_key_frame,
            begins: None,
            room: left,
            ticks: 0,
            index_changed: false,
        })
    }

    /// Writes on a thread of its own until it is to finish, or cannot go on.
    pub(super) fn start(
        self,
        inputs: Inputs,
    ) -> io::Result<oneshot::Receiver<Result<(), WriteError>>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let (tell, outcome) = oneshot::channel();
        std::thread::Builder::new()
            .name("recording".to_owned())
            .spawn(move || {
                // Whoever waited is gone: the program ends.
                let _ = tell.send(runtime.block_on(self.run(inputs)));
            })?;
        Ok(outcome)
    }

    async fn run(mut self, mut inputs: Inputs) -> Result<(), WriteError> {
        let outcome = self.write(&mut inputs).await;
        inputs.frames.close();
        let outcome = match outcome {
            // What came before the end belongs to the recording.
            Ok(()) => loop {
                match inputs.frames.try_recv() {
                    Ok(frame) => {
                        if let Err(error) = self.hear(frame) {
                            break Err(error);
                        }
                    }
                    Err(_) => break Ok(()),
                }
            },
            failed => failed,
        };
        let finished = self.finish(outcome.as_ref().err());
        outcome.and(finished)
    }

    async fn write(&mut self, inputs: &mut Inputs) -> Result<(), WriteError> {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = inputs.finish.cancelled() => return Ok(()),
                changed = inputs.roster.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    let roster = inputs.roster.borrow_and_update().clone();
                    self.follow(roster)?;
                }
                frame = inputs.frames.recv() => match frame {
                    Some(frame) => self.hear(frame)?,
                    None => return Ok(()),
                },
                _ = ticks.tick() => self.tick()?,
            }
        }
    }

    /// The room has changed.
    fn follow(&mut self, roster: Roster) -> Result<(), WriteError> {
        let now = Timestamp::now();
        if roster.may_record && self.index.participants.is_empty() && self.begins.is_none() {
            self.index.started_at = now;
            self.index_changed = true;
        }
        if roster.may_record {
            self.note_stays(&roster, now);
            let keys: Vec<(ClientId, Kind)> = self.open.keys().cloned().collect();
            for key in keys {
                let person = roster.people.iter().find(|person| person.id == key.0);
                let is_over = match (person, key.1) {
                    (None, _) => true,
                    (Some(person), Kind::Screenshare) => person.screenshare.is_none(),
                    (Some(_), Kind::Camera) => false,
                };
                if is_over {
                    self.complete(&key)?;
                }
            }
        } else {
            // Nobody is told that it records now: what comes meanwhile is left out.
            self.strangers.clear();
            for (_, file) in self.open.values_mut() {
                file.skipped();
            }
        }
        self.roster = roster;
        for (came, frame) in std::mem::take(&mut self.strangers) {
            self.keep(came, frame)?;
        }
        self.write_index()
    }

    fn note_stays(&mut self, roster: &Roster, now: Timestamp) {
        for stay in self
            .index
            .participants
            .iter_mut()
            .filter(|stay| stay.left_at.is_none())
        {
            match roster
                .people
                .iter()
                .find(|person| person.id == stay.participant_id)
            {
                Some(person) if person.display_name != stay.display_name => {
                    stay.display_name.clone_from(&person.display_name);
                    self.index_changed = true;
                }
                Some(_) => {}
                None => {
                    stay.left_at = Some(now);
                    self.index_changed = true;
                }
            }
        }
        for person in &roster.people {
            let is_known = |stay: &Stay| stay.participant_id == person.id && stay.left_at.is_none();
            if !self.index.participants.iter().any(is_known) {
                self.index.participants.push(Stay {
                    participant_id: person.id.clone(),
                    display_name: person.display_name.clone(),
                    role_name: person.role_name,
                    joined_at: now,
                    left_at: None,
                });
                self.index_changed = true;
            }
        }
    }

    fn hear(&mut self, frame: CodedFrame) -> Result<(), WriteError> {
        if self.roster.may_record {
            self.keep(Instant::now(), frame)?;
            self.write_index()
        } else {
            Ok(())
        }
    }

    /// Puts a frame where it belongs, or aside until the room says whose it is.
    fn keep(&mut self, came: Instant, frame: CodedFrame) -> Result<(), WriteError> {
        let person = self
            .roster
            .people
            .iter()
            .find(|person| person.id == frame.peer);
        let kind = match person {
            Some(person) if person.screenshare.as_ref() == Some(&frame.stream) => Kind::Screenshare,
            Some(person) if person.camera.as_ref() == Some(&frame.stream) => Kind::Camera,
            _ => {
                if self.strangers.len() >= STRANGERS {
                    self.strangers.pop_front();
                }
                self.strangers.push_back((came, frame));
                return Ok(());
            }
        };
        let name = person
            .map(|person| person.display_name.clone())
            .unwrap_or_default();
        let key = (frame.peer.clone(), kind);
        if !self.open.contains_key(&key) && !self.begin(&key, &name, &frame)? {
            return Ok(());
        }
        let Some((_, file)) = self.open.get_mut(&key) else {
            return Ok(());
        };
        let before = file.size();
        match file.take(&frame)? {
            Taken::Kept => {}
            Taken::NeedsKeyFrame => self.ask_for_key_frame(&key.0),
            Taken::OtherCodec => {
                self.complete(&key)?;
                if self.begin(&key, &name, &frame)?
                    && let Some((_, file)) = self.open.get_mut(&key)
                {
                    file.take(&frame)?;
                }
            }
        }
        let after = self.open.get(&key).map_or(before, |(_, file)| file.size());
        self.spend(after.saturating_sub(before))
    }

    /// A new file that begins with this frame; false when it has to wait for a key frame.
    fn begin(
        &mut self,
        key: &(ClientId, Kind),
        display_name: &str,
        frame: &CodedFrame,
    ) -> Result<bool, WriteError> {
        if !frame.is_key {
            self.ask_for_key_frame(&key.0);
            return Ok(false);
        }
        let name = names::file(self.next, display_name, key.1 == Kind::Screenshare);
        let begins = *self.begins.get_or_insert(frame.at);
        let now = Timestamp::now();
        let file = TrackFile::create(&self.folder.path.join(&name), display_name, now, frame)?;
        self.next += 1;
        self.index.files.push(Recorded {
            file: name,
            participant_id: key.0.clone(),
            display_name: display_name.to_owned(),
            kind: key.1,
            codecs: vec![frame.codec],
            started_at: now,
            offset_ms: milliseconds(frame.at.saturating_sub(begins)),
            duration_ms: None,
            bytes: None,
        });
        self.index_changed = true;
        let length = file.length();
        self.open
            .insert(key.clone(), (self.index.files.len() - 1, file));
        self.spend(length)?;
        Ok(true)
    }

    fn ask_for_key_frame(&self, peer: &ClientId) {
        // The program ends: nobody asks any more.
        let _ = self.wish_key_frame.send(peer.clone());
    }

    /// Completes a file.
    fn complete(&mut self, key: &(ClientId, Kind)) -> Result<(), WriteError> {
        let Some((place, mut file)) = self.open.remove(key) else {
            return Ok(());
        };
        let outcome = file.finish();
        if let Some(recorded) = self.index.files.get_mut(place) {
            recorded.duration_ms = Some(milliseconds(file.duration()));
            recorded.bytes = Some(file.length());
            recorded.codecs = file.codecs();
            self.index_changed = true;
        }
        Ok(outcome?)
    }

    fn tick(&mut self) -> Result<(), WriteError> {
        self.ticks = self.ticks.wrapping_add(1);
        self.strangers
            .retain(|(came, _)| came.elapsed() < STRANGERS_FOR);
        for (_, file) in self.open.values_mut() {
            file.flush()?;
        }
        if self.ticks.is_multiple_of(LOOK_EVERY) {
            self.look()?;
        }
        self.spend(0)
    }

    fn spend(&mut self, bytes: u64) -> Result<(), WriteError> {
        self.room = self.room.saturating_sub(bytes);
        if self.room == 0 {
            self.look()?;
        }
        if self.room == 0 {
            return Err(full(&self.storage));
        }
        Ok(())
    }

    /// Looks how much room there is; what waits to be written is as good as written.
    fn look(&mut self) -> Result<(), WriteError> {
        let files = self.open.values().map(|(_, file)| file);
        let waiting: u64 = files.map(|file| file.size() - file.length()).sum();
        self.room = make_room(&self.storage)?.saturating_sub(waiting);
        Ok(())
    }

    /// Completes what is open, and the index.
    fn finish(mut self, error: Option<&WriteError>) -> Result<(), WriteError> {
        let mut outcome = Ok(());
        let keys: Vec<(ClientId, Kind)> = self.open.keys().cloned().collect();
        for key in keys {
            // The others are completed whatever becomes of this one.
            outcome = outcome.and(self.complete(&key));
        }
        let now = Timestamp::now();
        let failure = error.map(ToString::to_string);
        self.index.error = failure.or(outcome.as_ref().err().map(ToString::to_string));
        self.index.state = match self.index.error {
            Some(_) => State::Failed,
            None => State::Finished,
        };
        self.index.ended_at = Some(now);
        for stay in &mut self.index.participants {
            stay.left_at.get_or_insert(now);
        }
        if self.index.files.is_empty() && self.index.error.is_none() {
            // Nobody said or showed anything.
            tracing::info!("nothing was recorded");
        }
        self.index.write(&self.folder.path)?;
        // The folder's name is in the directory for good.
        fs::File::open(&self.storage.directory)?.sync_all()?;
        outcome
    }

    fn write_index(&mut self) -> Result<(), WriteError> {
        if std::mem::take(&mut self.index_changed) {
            self.index.write(&self.folder.path)?;
        }
        Ok(())
    }
}

/// Bytes that may be written, after finished recordings have given way if need be.
fn make_room(storage: &Storage) -> Result<u64, StorageError> {
    storage.make_room(Timestamp::now(), HEADROOM.min(storage.limits.quota / 4))
}

fn full(storage: &Storage) -> WriteError {
    WriteError::Full(storage.directory.display().to_string())
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
