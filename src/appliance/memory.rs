//! What survives a restart: the last choices of the room.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use roomd_protocol::Secret;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Appliance, ApplianceOutput};

/// Version of the file's format.
const VERSION: u32 = 1;

/// The last choices of the room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    pub(super) version: u32,
    /// Microphone on.
    pub microphone: bool,
    /// Camera on.
    pub camera: bool,
    /// Hand raised.
    #[serde(default)]
    pub hand_raised: bool,
    /// Volume of the speaker, if it was ever set.
    #[serde(default)]
    pub volume: Option<u8>,
    /// Was in a room, or on the way into one.
    #[serde(default)]
    pub in_room: bool,
    /// That room.
    #[serde(default)]
    pub room_url: Option<String>,
    /// Its key.
    #[serde(default)]
    pub room_key: Option<Secret>,
    /// Name there.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The integrator's id there.
    #[serde(default)]
    pub external_id: Option<String>,
    /// Gets the same id back in the room.
    #[serde(default)]
    pub client_claim: Option<Secret>,
}

impl Default for Memory {
    /// Muted, camera off, in no room.
    fn default() -> Self {
        Self {
            version: VERSION,
            microphone: false,
            camera: false,
            hand_raised: false,
            volume: None,
            in_room: false,
            room_url: None,
            room_key: None,
            display_name: None,
            external_id: None,
            client_claim: None,
        }
    }
}

/// Why the memory could not be read or written.
#[derive(Debug, Error)]
pub enum MemoryError {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not what was written.
    #[error("{path} is damaged ({reason}); starting muted and in no room")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Memory {
    /// Reads the memory; `Ok(None)` when there is none yet.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged. The caller then starts from the default, which is
    /// muted.
    pub fn load(path: &Path) -> Result<Option<Self>, MemoryError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(MemoryError::Io {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let damaged = |reason: String| MemoryError::Damaged {
            path: path.to_owned(),
            reason,
        };
        let memory: Self =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if memory.version != VERSION {
            return Err(damaged(format!(
                "version {} instead of {VERSION}",
                memory.version
            )));
        }
        Ok(Some(memory))
    }

    /// Writes the memory, atomically and for nobody else to read.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn store(&self, path: &Path) -> Result<(), MemoryError> {
        let io = |source| MemoryError::Io {
            path: path.to_owned(),
            source,
        };
        let temporary = path.with_extension("new");
        let text = serde_json::to_string_pretty(self).map_err(|error| io(error.into()))?;
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)
            .map_err(io)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(io)?;
        std::fs::rename(&temporary, path).map_err(io)
    }
}

impl Appliance {
    /// Keeps what the room chose, as soon as it changes.
    pub(super) fn remember(&mut self) {
        let room = self.room.state();
        self.memory.microphone = room.is_microphone_enabled;
        self.memory.camera = room.is_camera_enabled;
        self.memory.volume = Some(self.volume);
        if room.connection_status == roomd_room::ConnectionStatus::Connected {
            self.memory.hand_raised = room.local_participant.sticky_reaction.is_some();
            self.memory
                .client_claim
                .clone_from(&room.local_participant.client_claim);
        }
        if self.memory != self.remembered {
            self.remembered = self.memory.clone();
            self.outputs
                .push(ApplianceOutput::Remember(self.memory.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_written_is_read_and_nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        assert_eq!(Memory::load(&path).unwrap(), None);
        let memory = Memory {
            microphone: true,
            room_key: Some("k".into()),
            ..Memory::default()
        };
        memory.store(&path).unwrap();
        assert_eq!(Memory::load(&path).unwrap(), Some(memory));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_or_foreign_memory_is_an_error_and_the_default_is_muted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        for text in [
            "",
            "{",
            "[]",
            r#"{"version":1,"microphone":true}"#,
            r#"{"version":9,"microphone":true,"camera":true}"#,
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(
                matches!(Memory::load(&path), Err(MemoryError::Damaged { .. })),
                "{text}"
            );
        }
        assert!(!Memory::default().microphone && !Memory::default().camera);
    }

    proptest! {
        #[test]
        fn no_content_of_the_file_is_fatal(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("state.json");
            std::fs::write(&path, bytes).unwrap();
            let _ = Memory::load(&path);
        }
    }
}
