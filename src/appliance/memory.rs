//! What survives a restart: the last choices of the room.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use roomd_protocol::{Secret, StreamId};
use roomd_room::{Action, CaptureProfile};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Appliance, ApplianceOutput, ProblemCode, ProblemReport};

/// Version of the file's format. 2 added `capture_profile`; what an older one lacks has its default.
const VERSION: u32 = 2;
/// The oldest that can be read.
const OLDEST: u32 = 1;

/// The last choices of the room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Version of the format.
    pub(crate) version: u32,
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
    /// HD, low data and widescreen.
    #[serde(default)]
    pub capture_profile: CaptureProfile,
    /// Was in a room, or on the way into one.
    #[serde(default)]
    pub in_room: bool,
    /// That room, when it was a command that named it; else it is the configuration's, which may have
    /// changed since.
    #[serde(default)]
    pub room_url: Option<String>,
    /// Its key, when a command brought it.
    #[serde(default)]
    pub room_key: Option<Secret>,
    /// Name there, when a command gave it.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The integrator's id there, when a command gave it.
    #[serde(default)]
    pub external_id: Option<String>,
    /// Key of a program, when a command brought one.
    #[serde(default)]
    pub assistant_key: Option<Secret>,
    /// Joined by telephone.
    #[serde(default)]
    pub is_dial_in: bool,
    /// Joined to record sound only.
    #[serde(default)]
    pub is_audio_recorder: bool,
    /// The room that `client_claim` is good for.
    #[serde(default)]
    pub claimed_room: Option<String>,
    /// Gets the same id back in the room.
    #[serde(default)]
    pub client_claim: Option<Secret>,
    /// Id of the camera's stream there, without which a returning camera looks like a screenshare.
    #[serde(default)]
    pub camera_stream: Option<StreamId>,
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
            capture_profile: CaptureProfile::default(),
            in_room: false,
            room_url: None,
            room_key: None,
            display_name: None,
            external_id: None,
            assistant_key: None,
            is_dial_in: false,
            is_audio_recorder: false,
            claimed_room: None,
            client_claim: None,
            camera_stream: None,
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
    #[error("{path} is damaged ({reason})")]
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
        if !(OLDEST..=VERSION).contains(&memory.version) {
            return Err(damaged(format!(
                "version {} instead of {OLDEST} to {VERSION}",
                memory.version
            )));
        }
        Ok(Some(Self {
            version: VERSION,
            ..memory
        }))
    }

    /// What the box knows of its life before, and what is wrong with that. In doubt it begins muted,
    /// and what cannot be understood is kept beside it for whoever looks into it.
    #[must_use]
    pub fn recall(path: &Path) -> (Option<Self>, Option<ProblemReport>) {
        let error = match Self::load(path) {
            Ok(memory) => return (memory, None),
            Err(error) => error,
        };
        tracing::error!(%error, "starting muted, with the camera off");
        if matches!(error, MemoryError::Damaged { .. })
            && let Err(error) = std::fs::rename(path, path.with_extension("damaged"))
        {
            tracing::warn!(%error, "the damaged state is not kept");
        }
        let report = ProblemReport::Own(ProblemCode::MemoryLost, Some(error.to_string()));
        (Some(Self::default()), Some(report))
    }

    /// Writes the memory, atomically and for nobody else to read.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn store(&self, path: &Path) -> Result<(), MemoryError> {
        self.try_store(path).map_err(|source| MemoryError::Io {
            path: path.to_owned(),
            source,
        })
    }

    fn try_store(&self, path: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        let draft = path.with_extension("new");
        // Whatever a power cut left, with whatever mode.
        match std::fs::remove_file(&draft) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, path)?;
        // The new name has to survive a power cut as well.
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::File::open(folder)?.sync_all()
    }
}

/// The file of the memory, and what could not be written to it yet.
#[derive(Debug)]
pub struct MemoryFile {
    path: PathBuf,
    unsaved: Option<Memory>,
}

impl MemoryFile {
    /// The file at `path`, which need not exist.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self {
            path,
            unsaved: None,
        }
    }

    /// Writes a memory. What is returned is news for the box: it cannot be kept, or can be again.
    #[must_use]
    pub fn keep(&mut self, memory: Memory) -> Option<ProblemReport> {
        let failed_before = self.unsaved.take().is_some();
        let message = match memory.store(&self.path) {
            Ok(()) if failed_before => None,
            Ok(()) => return None,
            Err(error) => {
                self.unsaved = Some(memory);
                if failed_before {
                    return None;
                }
                tracing::error!(%error, "the state cannot be kept");
                Some(error.to_string())
            }
        };
        Some(ProblemReport::Own(ProblemCode::MemoryFailed, message))
    }

    /// Tries again what could not be written.
    #[must_use]
    pub fn keep_again(&mut self) -> Option<ProblemReport> {
        let memory = self.unsaved.clone()?;
        self.keep(memory)
    }
}

impl Appliance {
    /// An action was carried out by command: what of it outlives the connection.
    pub(super) fn chosen(&mut self, action: &Action) {
        match action {
            Action::LeaveRoom => self.forget_room(),
            Action::SetDisplayName(name) if self.memory.in_room => {
                self.memory.display_name = Some(name.clone());
            }
            _ => {}
        }
    }

    /// Keeps what the room chose, as soon as it changes.
    pub(super) fn remember(&mut self) {
        let room = self.room.state();
        self.memory.microphone = room.is_microphone_enabled;
        self.memory.camera = room.is_camera_enabled;
        self.memory.volume = Some(self.volume);
        self.memory.capture_profile = room.capture_profile;
        if room.connection_status == roomd_room::ConnectionStatus::Connected {
            self.memory.hand_raised = room.local_participant.sticky_reaction.is_some();
            self.memory
                .client_claim
                .clone_from(&room.local_participant.client_claim);
            self.memory.claimed_room.clone_from(&self.room_url);
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
    fn a_draft_that_a_power_cut_left_open_to_others_does_not_open_the_memory() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let draft = folder.path().join("state.new");
        std::fs::write(&draft, "{\"vers").unwrap();
        std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o666)).unwrap();
        Memory::default().store(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!draft.exists());
        assert_eq!(Memory::load(&path).unwrap(), Some(Memory::default()));
    }

    #[test]
    fn a_damaged_memory_is_replaced_by_the_muted_default_with_a_problem_and_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        assert!(matches!(Memory::recall(&path), (None, None)));
        std::fs::write(&path, "{\"version\":1,").unwrap();
        let (memory, report) = Memory::recall(&path);
        assert_eq!(memory, Some(Memory::default()));
        let Some(ProblemReport::Own(ProblemCode::MemoryLost, Some(message))) = report else {
            panic!("{report:?}");
        };
        assert!(message.contains("state.json"), "{message}");
        assert!(folder.path().join("state.damaged").exists() && !path.exists());
    }

    #[test]
    fn what_cannot_be_written_is_told_once_and_written_as_soon_as_it_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later").join("state.json");
        let mut file = MemoryFile::at(path.clone());
        let memory = |volume| Memory {
            volume: Some(volume),
            ..Memory::default()
        };
        let is_failure = |report| {
            matches!(
                report,
                Some(ProblemReport::Own(ProblemCode::MemoryFailed, Some(_)))
            )
        };
        assert!(is_failure(file.keep(memory(1))));
        assert!(file.keep(memory(2)).is_none(), "known already");
        assert!(file.keep_again().is_none());
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        assert!(matches!(
            file.keep_again(),
            Some(ProblemReport::Own(ProblemCode::MemoryFailed, None))
        ));
        assert_eq!(Memory::load(&path).unwrap(), Some(memory(2)));
        assert!(file.keep_again().is_none() && file.keep(memory(3)).is_none());
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

    #[test]
    fn a_memory_of_the_first_version_is_read_and_written_as_the_present_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let text = r#"{"version":1,"microphone":true,"camera":false,"hand_raised":true,"volume":30,"in_room":true,
            "room_url":"https://acme.whereby.com/standup","room_key":null,"display_name":null,"external_id":null,
            "claimed_room":null,"client_claim":"claim","camera_stream":"s"}"#;
        std::fs::write(&path, text).unwrap();
        let memory = Memory::load(&path).unwrap().unwrap();
        assert!(memory.microphone && memory.hand_raised && memory.in_room);
        assert_eq!(memory.volume, Some(30));
        assert_eq!(memory.client_claim, Some("claim".into()));
        assert_eq!(memory.capture_profile, CaptureProfile::default());
        memory.store(&path).unwrap();
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(written.contains("\"version\": 2"), "{written}");
        assert_eq!(Memory::load(&path).unwrap(), Some(memory));
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
