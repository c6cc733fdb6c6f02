//! What is read from the disk at the start.

use std::{
    cell::OnceCell,
    path::{Path, PathBuf},
};

use roomd::{
    appliance::Memory,
    config::{self, Secrets, Sources},
};
use roomd_signalling::credentials::CredentialsFile;
use tempfile::TempDir;

use super::text;

/// The memory of the box, and its credentials.
pub(crate) fn state_file(bytes: &[u8]) {
    with_file(bytes, |path| {
        if let Ok(Some(memory)) = Memory::load(path) {
            memory.store(path).expect("a folder of its own");
            assert_eq!(
                Memory::load(path).expect("what was written is read"),
                Some(memory)
            );
        }
        std::fs::write(path, bytes).expect("a folder of its own");
        let credentials = CredentialsFile::at(path.to_owned());
        let _ = credentials.load("https://api.example.org");
    });
}

/// A configuration file; behind a line `---` stand variables of the environment.
pub(crate) fn configuration(bytes: &[u8]) {
    let all = text(bytes).unwrap_or_default();
    let (file, environment) = all.split_once("\n---\n").unwrap_or((all, ""));
    // What is no text comes as it is.
    let file = text(bytes).map_or(bytes, |_| file.as_bytes());
    with_file(file, |path| {
        let sources = Sources {
            file: path.to_owned(),
            file_required: true,
            environment: environment
                .lines()
                .filter_map(|line| line.split_once('='))
                .filter(|(name, _)| name.starts_with("ROOMD_"))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            secrets: Secrets::All,
            ..Sources::none()
        };
        let outcome = config::load(&sources);
        // Good or bad, it can be shown.
        assert!(!config::report(&outcome).is_empty());
        let shown = config::report_json(&outcome);
        assert!(
            serde_json::from_str::<serde_json::Value>(&shown).is_ok(),
            "{shown}"
        );
        match outcome {
            Ok(loaded) => {
                let _ = loaded.config.appliance();
                let _ = loaded.config.signalling();
            }
            Err(error) => {
                assert!(!error.problems.is_empty());
                for problem in &error.problems {
                    assert!(!problem.remedy.is_empty(), "{problem:?}");
                }
            }
        }
    });
}

thread_local! {
    static FOLDER: OnceCell<(TempDir, PathBuf)> = const { OnceCell::new() };
}

/// Runs `test` with a file of this content, in memory where there is a file system for that.
fn with_file(content: &[u8], test: impl FnOnce(&Path)) {
    FOLDER.with(|folder| {
        let (_, path) = folder.get_or_init(|| {
            let in_memory = Path::new("/dev/shm");
            let folder = if in_memory.is_dir() {
                tempfile::tempdir_in(in_memory)
            } else {
                tempfile::tempdir()
            };
            let folder = folder.expect("a temporary folder");
            let path = folder.path().join("file");
            (folder, path)
        });
        std::fs::write(path, content).expect("a folder of its own");
        test(path);
    });
}
