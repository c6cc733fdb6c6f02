//! The device's credentials on disk: handed out once by each service, shown ever after.

use std::{
    collections::BTreeMap,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use roomd_protocol::records::DeviceCredentials;

/// A file of mode 0600 that maps a service's address to this device's credentials there.
#[derive(Clone, Debug)]
pub struct CredentialsFile(PathBuf);

impl CredentialsFile {
    /// The file at this path; it need not exist.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The credentials for a service. A file that cannot be read counts as empty: the service then
    /// hands out new ones.
    #[must_use]
    pub fn load(&self, api: &str) -> Option<DeviceCredentials> {
        self.read().remove(api)
    }

    /// Keeps the credentials for a service, atomically.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn store(&self, api: &str, credentials: &DeviceCredentials) -> std::io::Result<()> {
        let mut all = self.read();
        all.insert(api.to_owned(), credentials.clone());
        write_atomically(&self.0, serde_json::to_string_pretty(&all)?.as_bytes())
    }

    fn read(&self) -> BTreeMap<String, DeviceCredentials> {
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return BTreeMap::new(),
            Err(error) => {
                tracing::warn!(path = %self.0.display(), %error, "cannot read the device credentials");
                return BTreeMap::new();
            }
        };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(path = %self.0.display(), %error, "the device credentials are damaged; asking for new ones");
            BTreeMap::new()
        })
    }
}

fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use roomd_protocol::records::DeviceUuid;

    use super::*;

    fn credentials(uuid: &str) -> DeviceCredentials {
        DeviceCredentials {
            credentials: DeviceUuid { uuid: uuid.into() },
            hmac: "h".into(),
            user_id: None,
        }
    }

    #[test]
    fn each_service_has_its_own_credentials_in_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("devices.json");
        let file = CredentialsFile::at(path.clone());
        assert_eq!(file.load("https://a"), None);
        file.store("https://a", &credentials("1")).unwrap();
        file.store("https://b", &credentials("2")).unwrap();
        assert_eq!(file.load("https://a"), Some(credentials("1")));
        assert_eq!(file.load("https://b"), Some(credentials("2")));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_counts_as_empty_and_can_be_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("devices.json");
        std::fs::write(&path, "{ not json").unwrap();
        let file = CredentialsFile::at(path);
        assert_eq!(file.load("https://a"), None);
        file.store("https://a", &credentials("1")).unwrap();
        assert_eq!(file.load("https://a"), Some(credentials("1")));
    }
}
