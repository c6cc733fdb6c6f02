//! `recording.json`: what a recording consists of, for programs. Replaced as a whole whenever it
//! changes, so it is never half written.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use jiff::Timestamp;
use roomd_media::Codec;
use roomd_protocol::{ClientId, records::RoleName};
use serde::{Deserialize, Serialize};

/// Its name in the folder of the recording.
pub(super) const INDEX: &str = "recording.json";

/// What a recording consists of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// 1: the version of this description.
    pub version: u32,
    /// The room's name, without its key.
    pub room: String,
    /// How it stands.
    pub state: State,
    /// When the room was told that a recording runs.
    pub started_at: Timestamp,
    /// When it ended, `null` while it runs.
    pub ended_at: Option<Timestamp>,
    /// Why it failed; absent when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Who was there, each stay by itself.
    pub participants: Vec<Stay>,
    /// The files, in the order of their numbers.
    pub files: Vec<Recorded>,
}

/// How a recording stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It runs; or its program ended without a word and nobody looked since.
    Recording,
    /// It was stopped, and every file is complete.
    Finished,
    /// It had to end; the files hold what came until then.
    Failed,
    /// Its program ended without a word; the files can be played up to their last second.
    Interrupted,
}

/// Somebody from coming to going.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stay {
    /// The id in the room.
    pub participant_id: ClientId,
    /// The name shown last.
    pub display_name: String,
    /// The role.
    pub role_name: RoleName,
    /// When it came, or the recording began.
    pub joined_at: Timestamp,
    /// When it went, or the recording ended.
    pub left_at: Option<Timestamp>,
}

/// A file of the recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// Its name in the folder.
    pub file: String,
    /// Whose.
    pub participant_id: ClientId,
    /// The name shown when the file began.
    pub display_name: String,
    /// Of which kind.
    pub kind: Kind,
    /// What it is coded with, in the order of the tracks; complete once the file is.
    pub codecs: Vec<Codec>,
    /// When its first frame was captured.
    pub started_at: Timestamp,
    /// How far its beginning lies behind that of the recording, in milliseconds: files played with
    /// these offsets are together.
    pub offset_ms: u64,
    /// Its length in milliseconds, `null` while it grows.
    pub duration_ms: Option<u64>,
    /// Its size in bytes, `null` while it grows.
    pub bytes: Option<u64>,
}

/// What a file shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Camera and microphone.
    Camera,
    /// A shared screen.
    Screenshare,
}

impl Index {
    /// Writes it into the folder: whole, or as it was before.
    ///
    /// # Errors
    /// The disk refuses.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let part = folder.join(".recording.json.part");
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&part, folder.join(INDEX))?;
        File::open(folder)?.sync_all()
    }

    /// Reads that of a folder.
    ///
    /// # Errors
    /// There is none, or it is not one.
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(folder.join(INDEX))?)?)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index {
            version: 1,
            room: "r".to_owned(),
            state: State::Recording,
            started_at: "2026-11-24T10:00:00Z".parse().unwrap(),
            ended_at: None,
            error: None,
            participants: Vec::new(),
            files: Vec::new(),
        };
        index.write(folder.path()).unwrap();
        index.write(folder.path()).unwrap();
        assert_eq!(Index::read(folder.path()).unwrap(), index);
        let file = folder.path().join(INDEX);
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
