//! What outlives the process: the signing key and the meetings, in one redb file.
//!
//! A thread of its own owns the database, because a commit waits for the disk.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::mpsc,
    thread::JoinHandle,
};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use thiserror::Error;
use tokio::sync::oneshot;

use crate::{keys::SIGNING_KEY_LENGTH, meetings::MeetingRecord};

const SECRETS: TableDefinition<&str, &[u8]> = TableDefinition::new("secrets");
const MEETINGS: TableDefinition<&str, &[u8]> = TableDefinition::new("meetings");
const SIGNING_KEY: &str = "signing-key";
const FILE: &str = "rooms.redb";

/// Why something could not be kept.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The directory cannot be made or written.
    #[error("cannot use the state directory {path}: {source}; make it writable for this user")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error(
        "cannot open {path}: {source}; is another room server running with the same state directory?"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What the database says.
        source: Box<redb::Error>,
    },
    /// A transaction failed.
    #[error("cannot read or write the room database: {0}")]
    Transaction(Box<redb::Error>),
    /// A record is not what was written.
    #[error("the room database holds a {what} that cannot be read: {reason}")]
    Content {
        /// Which record.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// The thread of the database is gone.
    #[error("the room database is closed")]
    Closed,
}

/// Where meetings are kept. Clones use the same place.
#[derive(Clone)]
pub(crate) enum Store {
    /// Nowhere: everything ends with the process.
    Nowhere,
    /// In the database, through its thread.
    Disk(mpsc::Sender<Job>),
}

/// What was found at the start.
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) signing_key: [u8; SIGNING_KEY_LENGTH],
    pub(crate) meetings: Vec<MeetingRecord>,
    /// Ends when the last clone of the store is dropped; then the file is closed.
    pub(crate) thread: Option<JoinHandle<()>>,
}

/// A change, and where to say that it is on the disk.
pub(crate) struct Job {
    change: Change,
    done: oneshot::Sender<Result<(), StoreError>>,
}

enum Change {
    Put(MeetingRecord),
    Delete(String),
}

impl Store {
    /// Stores a meeting under its id. The future is ready when it is on the disk; the order of
    /// calls is the order on the disk.
    pub(crate) fn put(
        &self,
        meeting: MeetingRecord,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        self.change(Change::Put(meeting))
    }

    /// Forgets a meeting, likewise.
    pub(crate) fn delete(
        &self,
        meeting_id: String,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        self.change(Change::Delete(meeting_id))
    }

    fn change(
        &self,
        change: Change,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        let stored = match self {
            Self::Nowhere => None,
            Self::Disk(jobs) => {
                let (done, stored) = oneshot::channel();
                // A closed database drops `done`, which the future reports.
                let _ = jobs.send(Job { change, done });
                Some(stored)
            }
        };
        async move {
            match stored {
                None => Ok(()),
                Some(stored) => stored.await.map_err(|_| StoreError::Closed)?,
            }
        }
    }
}

/// Opens what `state_dir` holds, or makes it.
///
/// # Errors
/// When the directory or the database cannot be used.
pub(crate) fn open(state_dir: Option<&Path>) -> Result<Opened, StoreError> {
    let Some(directory) = state_dir else {
        return Ok(Opened {
            store: Store::Nowhere,
            signing_key: rand::random(),
            meetings: Vec::new(),
            thread: None,
        });
    };
    make_directory(directory)?;
    let path = directory.join(FILE);
    let database = Database::create(&path).map_err(|source| StoreError::Open {
        path: path.clone(),
        source: Box::new(source.into()),
    })?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
        .map_err(|source| StoreError::Directory { path, source })?;
    let signing_key = signing_key(&database)?;
    let meetings = read_meetings(&database)?;
    let (jobs, inbox) = mpsc::channel::<Job>();
    let thread = std::thread::spawn(move || {
        for job in inbox {
            // Whoever asked may be gone; the change was made all the same.
            let _ = job.done.send(apply(&database, job.change));
        }
    });
    Ok(Opened {
        store: Store::Disk(jobs),
        signing_key,
        meetings,
        thread: Some(thread),
    })
}

/// Makes the state directory, for this user alone, if it is not there.
pub(crate) fn make_directory(directory: &Path) -> Result<(), StoreError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|source| StoreError::Directory {
            path: directory.to_owned(),
            source,
        })
}

fn signing_key(database: &Database) -> Result<[u8; SIGNING_KEY_LENGTH], StoreError> {
    let transaction = database.begin_write().map_err(failed)?;
    let key = {
        let mut table = transaction.open_table(SECRETS).map_err(failed)?;
        let known = table
            .get(SIGNING_KEY)
            .map_err(failed)?
            .map(|bytes| bytes.value().to_vec());
        match known {
            Some(bytes) => <[u8; SIGNING_KEY_LENGTH]>::try_from(bytes.as_slice())
                .map_err(|error| content("signing key", &error))?,
            None => {
                let key: [u8; SIGNING_KEY_LENGTH] = rand::random();
                table.insert(SIGNING_KEY, key.as_slice()).map_err(failed)?;
                key
            }
        }
    };
    transaction.commit().map_err(failed)?;
    Ok(key)
}

fn read_meetings(database: &Database) -> Result<Vec<MeetingRecord>, StoreError> {
    // Made here so that the table exists when it is read.
    let transaction = database.begin_write().map_err(failed)?;
    transaction.open_table(MEETINGS).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(MEETINGS).map_err(failed)?;
    let mut meetings = Vec::new();
    for entry in table.iter().map_err(failed)? {
        let (_, value) = entry.map_err(failed)?;
        let meeting =
            serde_json::from_slice(value.value()).map_err(|error| content("meeting", &error))?;
        meetings.push(meeting);
    }
    Ok(meetings)
}

fn apply(database: &Database, change: Change) -> Result<(), StoreError> {
    let transaction = database.begin_write().map_err(failed)?;
    {
        let mut table = transaction.open_table(MEETINGS).map_err(failed)?;
        match change {
            Change::Put(meeting) => {
                let json =
                    serde_json::to_vec(&meeting).map_err(|error| content("meeting", &error))?;
                table
                    .insert(meeting.meeting_id.as_str(), json.as_slice())
                    .map_err(failed)?;
            }
            Change::Delete(id) => {
                table.remove(id.as_str()).map_err(failed)?;
            }
        }
    }
    transaction.commit().map_err(failed)
}

fn failed(error: impl Into<redb::Error>) -> StoreError {
    StoreError::Transaction(Box::new(error.into()))
}

fn content(what: &'static str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Content {
        what,
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use roomd_protocol::records::RoomMode;

    use super::*;

    fn meeting(id: &str) -> MeetingRecord {
        MeetingRecord {
            meeting_id: id.into(),
            room_name: format!("/{id}"),
            is_locked: true,
            mode: RoomMode::Group,
            start: Timestamp::UNIX_EPOCH,
            end: Timestamp::MAX,
        }
    }

    async fn close(opened: Opened) {
        drop(opened.store);
        let thread = opened.thread.unwrap();
        tokio::task::spawn_blocking(|| thread.join().unwrap())
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn key_and_meetings_are_there_after_the_file_was_closed() {
        let directory = tempfile::tempdir().unwrap();
        let opened = open(Some(directory.path())).unwrap();
        let key = opened.signing_key;
        opened.store.put(meeting("a")).await.unwrap();
        opened.store.put(meeting("b")).await.unwrap();
        opened.store.delete("a".into()).await.unwrap();
        close(opened).await;

        let again = open(Some(directory.path())).unwrap();
        assert_eq!(again.signing_key, key);
        assert_eq!(again.meetings, [meeting("b")]);
        let mode = fs::metadata(directory.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_second_server_on_the_same_directory_is_told_so() {
        let directory = tempfile::tempdir().unwrap();
        let _first = open(Some(directory.path())).unwrap();
        let error = open(Some(directory.path())).err().unwrap().to_string();
        assert!(error.contains("another room server"), "{error}");
    }
}
