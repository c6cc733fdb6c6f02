//! Files that hold one secret: read only when nobody else may read them.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use roomd_protocol::Secret;
use thiserror::Error;

/// Why a secret cannot be had from its file.
#[derive(Debug, Error)]
pub(super) enum SecretError {
    /// The file does not open or read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Others than the owner may read or write it.
    #[error("{path} has the mode {mode:04o}, so that others than its owner may use it")]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to another user.
    #[error("{path} belongs to the user {owner}, roomd runs as {user}")]
    NotOwned {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who reads it.
        user: u32,
    },
    /// It is empty, too long, or no text.
    #[error("{path} does not hold one line of text of at most {MAX_BYTES} bytes")]
    NoLine {
        /// The file.
        path: PathBuf,
    },
}

/// The longest secret file, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

impl SecretError {
    /// What to do about it.
    #[must_use]
    pub(super) fn remedy(&self) -> String {
        match self {
            Self::Unreadable { path, source } if source.kind() == ErrorKind::PermissionDenied => {
                format!(
                    "run it as the service's user or as root, or chown roomd {0} && chmod 600 {0}",
                    path.display()
                )
            }
            Self::Unreadable { path, .. } => {
                format!(
                    "make it: install -m 600 -o roomd /dev/stdin {}",
                    path.display()
                )
            }
            Self::OpenToOthers { path, .. } => format!("chmod 600 {}", path.display()),
            Self::NotOwned { path, user, .. } => {
                format!("chown {user} {0} && chmod 600 {0}", path.display())
            }
            Self::NoLine { path } => format!("write the secret alone into {}", path.display()),
        }
    }
}

/// Reads a secret; white space around it is cut off.
///
/// With `user` given the file must belong to that user and be closed to everybody else; the
/// administrator (user 0) may check files of any owner. Credentials are read without, since
/// systemd sees to their protection.
///
/// # Errors
/// When the file cannot be read, is open to others, or holds no line of text.
pub(super) fn read(path: &Path, user: Option<u32>) -> Result<Secret, SecretError> {
    let unreadable = |source| unreadable(path, source);
    let file = match user {
        Some(user) => open_private(path, user)?,
        None => File::open(path).map_err(unreadable)?,
    };
    let metadata = file.metadata().map_err(unreadable)?;
    let no_line = || SecretError::NoLine {
        path: path.to_owned(),
    };
    if metadata.len() > MAX_BYTES || !metadata.is_file() {
        return Err(no_line());
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| no_line())?;
    let text = text.trim();
    if text.is_empty() || text.contains(['\n', '\r', '\0']) {
        return Err(no_line());
    }
    Ok(Secret::from(text))
}

/// Opens a file that belongs to `user` and that nobody else may read or write.
///
/// # Errors
/// When it does not open, belongs to somebody else, or is open to others.
pub(super) fn open_private(path: &Path, user: u32) -> Result<File, SecretError> {
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    // Of the open file, so that it cannot be exchanged in between.
    let metadata = file.metadata().map_err(|source| unreadable(path, source))?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretError::OpenToOthers {
            path: path.to_owned(),
            mode,
        });
    }
    if user != 0 && metadata.uid() != user {
        return Err(SecretError::NotOwned {
            path: path.to_owned(),
            owner: metadata.uid(),
            user,
        });
    }
    Ok(file)
}

fn unreadable(path: &Path, source: std::io::Error) -> SecretError {
    SecretError::Unreadable {
        path: path.to_owned(),
        source,
    }
}
