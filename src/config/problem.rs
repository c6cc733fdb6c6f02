//! What can be wrong with a configuration: where it stands, what was found, what is allowed, the remedy.

use std::{fmt, path::PathBuf};

use serde::Serialize;
use thiserror::Error;

/// The exit code of a program whose configuration is wrong: `EX_CONFIG` of `sysexits.h`. The unit
/// has `RestartPreventExitStatus=78`, because starting again does not mend it.
pub const EX_CONFIG: u8 = 78;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1; 0 when the file as a whole is meant.
        line: usize,
    },
    /// A variable of the environment.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A systemd credential.
    Credential {
        /// The credential's file.
        path: PathBuf,
    },
    /// A file that holds one secret.
    SecretFile {
        /// The file.
        path: PathBuf,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment { variable } => write!(f, "environment {variable}"),
            Self::Credential { path } => write!(f, "credential {}", path.display()),
            Self::SecretFile { path } => write!(f, "file {}", path.display()),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where it was written.
    pub origin: Origin,
    /// The key, with its section: `media.camera_encoding.fps`. Empty when a file cannot be read.
    pub key: String,
    /// What is there, secrets hidden.
    pub found: String,
    /// What may be there.
    pub allowed: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            writeln!(f, "{}", self.origin)?;
        } else {
            writeln!(f, "{}: {}", self.origin, self.key)?;
        }
        writeln!(f, "  found    {}", self.found)?;
        writeln!(f, "  allowed  {}", self.allowed)?;
        write!(f, "  remedy   {}", self.remedy)
    }
}

/// Everything that is wrong with a configuration, in the order of files and keys.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => write!(f, "the configuration has a mistake")?,
            n => write!(f, "the configuration has {n} mistakes")?,
        }
        for problem in &self.problems {
            write!(f, "\n\n{problem}")?;
        }
        Ok(())
    }
}
