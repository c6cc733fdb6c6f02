//! The directory of recordings: a folder for each, locked while it is recorded; what is there, and
//! what is deleted.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use thiserror::Error;

use super::{
    index::{INDEX, Index, State},
    names,
    quota::{self, Finished, Limits, Usage},
};

/// The directory cannot be used.
#[derive(Debug, Error)]
#[error(
    "cannot use {path} for recordings: {source}; it must belong to the service's user and have room"
)]
pub struct StorageError {
    /// What cannot be used.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// The directory of recordings and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The directory; made when it is missing, for its owner alone.
    pub directory: PathBuf,
    /// What recordings may take.
    pub limits: Limits,
}

/// The folder of a recording that runs. Nobody deletes it while this lives.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Locked; the system opens it with the process, however that ends.
    _lock: File,
}

impl Storage {
    /// Deletes what is too old, and ends what no program writes any more. To be called now and then by
    /// whoever runs all the time: retention holds although nobody records.
    ///
    /// # Errors
    /// The directory cannot be read or something in it not be deleted.
    pub fn sweep(&self, now: Timestamp) -> Result<(), StorageError> {
        self.make_room(now, 0).map(drop)
    }

    /// Makes room for `wanted` bytes as far as finished recordings can give way; how many bytes may be
    /// written.
    ///
    /// # Errors
    /// As [`Self::sweep`].
    pub(super) fn make_room(&self, now: Timestamp, wanted: u64) -> Result<u64, StorageError> {
        self.prepare()?;
        let usage = self.usage()?;
        let plan = quota::plan(&usage, &self.limits, now, wanted);
        for folder in plan.delete {
            let path = self.directory.join(&folder);
            fs::remove_dir_all(&path).map_err(|source| StorageError { path, source })?;
            tracing::info!(
                folder,
                "a finished recording was deleted: too old, or its place was needed"
            );
        }
        Ok(plan.room)
    }

    /// A new folder for a recording of `room`, mode 0700.
    ///
    /// # Errors
    /// The directory refuses.
    pub(super) fn new_folder(&self, room: &str, now: Timestamp) -> Result<Folder, StorageError> {
        self.prepare()?;
        let name = names::folder(room, now);
        for number in 1..=u32::MAX {
            let name = match number {
                1 => name.clone(),
                number => format!("{name}-{number}"),
            };
            let path = self.directory.join(name);
            let failed = |source| StorageError {
                path: path.clone(),
                source,
            };
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made.map_err(failed)?,
            }
            let lock = File::open(&path).map_err(failed)?;
            lock.lock().map_err(failed)?;
            return Ok(Folder { path, _lock: lock });
        }
        Err(StorageError {
            path: self.directory.clone(),
            source: io::ErrorKind::AlreadyExists.into(),
        })
    }

    fn prepare(&self) -> Result<(), StorageError> {
        // One that is there keeps its mode; what is in it is closed to others in any case.
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory);
        made.map_err(|source| StorageError {
            path: self.directory.clone(),
            source,
        })
    }

    fn usage(&self) -> Result<Usage, StorageError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| StorageError { path, source }
        };
        let directory = &self.directory;
        let mut usage = Usage::default();
        for entry in fs::read_dir(directory).map_err(failed(directory))? {
            let entry = entry.map_err(failed(directory))?;
            let path = entry.path();
            // A link is none of ours, and leads elsewhere.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let Some(folder) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            if !is_folder {
                continue;
            }
            let bytes = match size_of(&path) {
                // Another recorder deleted it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                bytes => bytes.map_err(failed(&path))?,
            };
            match ended(&path) {
                Ok(Some(ended)) => usage.finished.push(Finished {
                    folder,
                    bytes,
                    ended,
                }),
                Ok(None) => usage.running += bytes,
                // Nothing that this program made: it takes its place, and stays.
                Err(error) => {
                    tracing::debug!(folder, %error, "a folder that is no recording");
                    usage.running += bytes;
                }
            }
        }
        let system =
            rustix::fs::statvfs(directory).map_err(|error| failed(directory)(error.into()))?;
        usage.free = system.f_bavail.saturating_mul(system.f_frsize);
        Ok(usage)
    }
}

/// When the recording of a folder ended, `None` while it runs. One whose program ended without a word
/// is noted as interrupted.
fn ended(folder: &Path) -> io::Result<Option<Timestamp>> {
    let lock = File::open(folder)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let mut index = Index::read(folder)?;
    if let Some(ended) = index.ended_at {
        return Ok(Some(ended));
    }
    let ended = last_written(folder)?.max(index.started_at);
    index.state = State::Interrupted;
    index.ended_at = Some(ended);
    for stay in &mut index.participants {
        stay.left_at.get_or_insert(ended);
    }
    for file in &mut index.files {
        let length = fs::metadata(folder.join(&file.file)).map(|file| file.len());
        file.bytes = file.bytes.or(length.ok());
    }
    index.write(folder)?;
    Ok(Some(ended))
}

fn files(folder: &Path) -> io::Result<Vec<fs::Metadata>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        match entry?.metadata() {
            Ok(file) => files.push(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

fn size_of(folder: &Path) -> io::Result<u64> {
    Ok(files(folder)?.iter().map(fs::Metadata::len).sum())
}

fn last_written(folder: &Path) -> io::Result<Timestamp> {
    let times = files(folder)?
        .into_iter()
        .filter_map(|file| Timestamp::try_from(file.modified().ok()?).ok());
    times
        .max()
        .ok_or_else(|| io::Error::other(format!("there is nothing beside {INDEX}")))
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, time::Duration};

    use super::*;

    const HOUR: i64 = 3600;

    fn storage(directory: &Path) -> Storage {
        Storage {
            directory: directory.join("recordings"),
            limits: Limits {
                quota: 10_000,
                keep_free: 0,
                retention: Some(Duration::from_secs(24 * 3600)),
            },
        }
    }

    fn now() -> Timestamp {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }

    fn hours_ago(hours: i64) -> Timestamp {
        Timestamp::from_second(now().as_second() - hours * HOUR).unwrap()
    }

    fn index(ended_at: Option<Timestamp>) -> Index {
        Index {
            version: 1,
            room: "r".to_owned(),
            state: match ended_at {
                Some(_) => State::Finished,
                None => State::Recording,
            },
            started_at: hours_ago(100),
            ended_at,
            error: None,
            participants: Vec::new(),
            files: Vec::new(),
        }
    }

    fn recording(storage: &Storage, room: &str, bytes: usize, ended: Option<Timestamp>) -> Folder {
        let folder = storage.new_folder(room, now()).unwrap();
        fs::write(folder.path.join("01-anna.mkv"), vec![0; bytes]).unwrap();
        index(ended).write(&folder.path).unwrap();
        folder
    }

    #[test]
    fn folders_are_for_their_owner_alone_and_never_shared() {
        let directory = tempfile::tempdir().unwrap();
        let storage = storage(directory.path());
        let first = storage.new_folder("r", now()).unwrap();
        let second = storage.new_folder("r", now()).unwrap();
        assert_ne!(first.path, second.path);
        for path in [&storage.directory, &first.path] {
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }

    #[test]
    fn finished_recordings_give_way_and_the_one_that_runs_stays() {
        let directory = tempfile::tempdir().unwrap();
        let storage = storage(directory.path());
        let old = recording(&storage, "old", 100, Some(hours_ago(25))).path;
        let first = recording(&storage, "first", 4000, Some(hours_ago(3))).path;
        let second = recording(&storage, "second", 1000, Some(hours_ago(2))).path;
        let running = recording(&storage, "running", 3000, None);
        let room = storage.make_room(now(), 3000).unwrap();
        assert!((3000..6000).contains(&room), "{room}");
        assert_eq!(
            [&old, &first, &second, &running.path].map(|path| path.exists()),
            [false, false, true, true]
        );
        assert_eq!(
            storage.make_room(now(), 9000).unwrap(),
            10_000 - size_of(&running.path).unwrap()
        );
        assert!(running.path.exists() && !second.exists());
        assert_eq!(Index::read(&running.path).unwrap().state, State::Recording);
    }

    #[test]
    fn a_recording_whose_program_is_gone_is_noted_as_interrupted_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let storage = storage(directory.path());
        let path = recording(&storage, "r", 10, None).path;
        storage.sweep(now()).unwrap();
        let index = Index::read(&path).unwrap();
        assert_eq!(index.state, State::Interrupted);
        assert!(index.ended_at.is_some());
    }

    #[test]
    fn what_is_no_recording_is_not_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let storage = storage(directory.path());
        storage.sweep(now()).unwrap();
        let elsewhere = directory.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("precious"), "x").unwrap();
        index(Some(hours_ago(99))).write(&elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, storage.directory.join("link")).unwrap();
        fs::create_dir(storage.directory.join("by-hand")).unwrap();
        fs::write(storage.directory.join("by-hand/notes"), vec![0; 20_000]).unwrap();
        assert_eq!(storage.make_room(now(), 5000).unwrap(), 0);
        assert!(elsewhere.join("precious").exists());
        assert!(storage.directory.join("by-hand/notes").exists());
    }
}
