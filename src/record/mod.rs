//! `roomd record`: the recorder of the room server, a participant that only listens.
//!
//! | module | what it holds |
//! |---|---|
//! | `session` | the room, signalling and media of the recorder, from its join to its end |
//! | `writer` | the files: which frame goes where, and when there is no room for more |
//! | `track_file`, `matroska` | one file; the form of its bytes |
//! | `storage`, `quota` | the directory; what may be written and what is deleted for it |
//! | `index`, `names` | `recording.json`; names of files and folders |
//!
//! **Invariant:** no byte is written unless this program is in the room with the role `recorder`: then
//! the room shows everybody that it is recorded.
//!
//! **Invariant:** nothing is decoded and nothing is sent: frames are kept as they came.

mod index;
mod matroska;
mod names;
mod quota;
mod session;
mod storage;
mod track_file;
mod writer;

use std::{io, path::PathBuf};

use roomd_media::{MediaError, settings::LatencyMs};
use roomd_protocol::RoomUrl;
use roomd_server::recorder::EXIT_FULL;
use roomd_signalling::SignallingError;
use thiserror::Error;

pub use index::{Index, Kind, Recorded, State, Stay};
pub use quota::Limits;
pub use session::{run, stop_with_input};
pub use storage::{Storage, StorageError};
pub use writer::WriteError;

/// What the recorder is told.
#[derive(Clone, Debug)]
pub struct RecordSettings {
    /// The room, with the key that makes this program its recorder.
    pub room: RoomUrl,
    /// Where recordings are kept.
    pub storage: Storage,
    /// Certificates (PEM) to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Gather loopback candidates too: for tests and the demo only.
    pub allow_loopback: bool,
}

/// Packets that are lost may come again for so long before a frame is given up, in milliseconds. Nobody
/// waits for a recording, so it is more than in a call.
const JITTER_BUFFER: LatencyMs = LatencyMs(300);

/// Why a recording failed.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The media engine.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The signalling client.
    #[error(transparent)]
    Signalling(#[from] SignallingError),
    /// The files.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The thread that writes.
    #[error("cannot start the thread that writes: {0}")]
    Thread(io::Error),
    /// The room does not let it in.
    #[error("the room does not let its recorder in ({0}); a key is good for one recording only")]
    Refused(String),
    /// It would listen without anybody being told.
    #[error(
        "this key does not make its bearer the recorder of the room, but {0}: nothing is recorded"
    )]
    NotRecorder(&'static str),
    /// No join in time.
    #[error(
        "the room was not joined within {0} s: does its server answer under the given address?"
    )]
    NotJoined(u64),
    /// The connection was lost and did not come back.
    #[error("the room server was away for {0} s: the recording has ended")]
    Lost(u64),
}

impl RecordError {
    /// The exit code of the program, by which the room server knows what to tell the room.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Write(WriteError::Full(_)) => EXIT_FULL,
            _ => 1,
        }
    }
}
