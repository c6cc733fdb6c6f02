//! TLS: a certificate from files, or a stable one of the server's own making.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use ring::digest;
use rustls::{
    ServerConfig as RustlsServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    config::TlsMode,
    store::{StoreError, make_directory},
};

/// The self-made certificate in the state directory, PEM.
pub(crate) const CHAIN_FILE: &str = "certificate.pem";

/// How long a self-made certificate is valid: what browsers take at most, 825 days, less a margin.
const VALID_SECONDS: i64 = 800 * 86_400;

/// A self-made certificate is replaced when less than this is left of it.
const RENEW_SECONDS: i64 = 30 * 86_400;

/// Why there is no certificate.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// A file cannot be read or written.
    #[error("cannot read or write {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds no PEM of the expected kind.
    #[error("{path} holds no {what} in PEM: {reason}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was expected.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// Certificate and key do not go together, or are of a kind that is not supported.
    #[error("the certificate cannot be used: {0}; check that key and certificate belong together")]
    Unusable(#[from] rustls::Error),
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}")]
    Generate(#[from] rcgen::Error),
    /// The state directory cannot be used.
    #[error(transparent)]
    Directory(#[from] StoreError),
}

/// A certificate that is ready for use.
pub(crate) struct Certificate {
    pub(crate) rustls: Arc<RustlsServerConfig>,
    /// SHA-256 of the first certificate, as browsers show it: `AB:CD:…`.
    pub(crate) fingerprint: String,
}

/// What a self-made certificate covers, kept beside it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Coverage {
    names: BTreeSet<String>,
    expires: Timestamp,
}

/// The certificate that `mode` asks for, `None` for no encryption.
///
/// # Errors
/// When a file is missing, unreadable or no certificate.
pub(crate) fn load(
    mode: &TlsMode,
    state_dir: Option<&Path>,
    names: BTreeSet<String>,
    now: Timestamp,
) -> Result<Option<Certificate>, CertificateError> {
    match mode {
        TlsMode::Off => Ok(None),
        TlsMode::Files { certificate, key } => {
            let pem = Pem {
                chain: read(certificate)?,
                key: read(key)?,
            };
            pem.into_certificate(certificate, key).map(Some)
        }
        TlsMode::SelfSigned => {
            let pem = match state_dir {
                Some(directory) => kept(directory, names, now)?,
                None => make(&KeyPair::generate()?, &names, now)?,
            };
            let place = Path::new("the self-made certificate");
            pem.into_certificate(place, place).map(Some)
        }
    }
}

/// The names and addresses under which this machine may be reached on its network.
pub(crate) fn own_names() -> BTreeSet<String> {
    let mut names = BTreeSet::from([
        "localhost".to_owned(),
        Ipv4Addr::LOCALHOST.to_string(),
        Ipv6Addr::LOCALHOST.to_string(),
    ]);
    if let Some(name) = hostname::get()
        .ok()
        .and_then(|name| name.into_string().ok())
    {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if !name.is_empty() && name.chars().all(is_name) {
            names.insert(format!("{name}.local"));
            names.insert(name);
        }
    }
    names.extend(lan_addresses().iter().map(IpAddr::to_string));
    names
}

/// The addresses of this machine that others may use, those of its network before those of
/// container bridges, IPv4 first.
pub(crate) fn lan_addresses() -> Vec<IpAddr> {
    let interfaces = match if_addrs::get_if_addrs() {
        Ok(interfaces) => interfaces,
        Err(error) => {
            tracing::warn!(%error, "cannot list the network addresses of this machine");
            Vec::new()
        }
    };
    let is_usable = |address: &IpAddr| match address {
        IpAddr::V4(v4) => !v4.is_loopback(),
        // A link-local address needs a zone, which no certificate can carry.
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
    };
    let mut addresses: Vec<(bool, IpAddr)> = interfaces
        .iter()
        .map(|interface| (is_bridge(&interface.name), interface.ip()))
        .filter(|(_, address)| is_usable(address))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.into_iter().map(|(_, address)| address).collect()
}

/// Whether an interface leads to containers or virtual machines of this machine.
fn is_bridge(name: &str) -> bool {
    let prefixes = ["docker", "br-", "veth", "virbr", "podman", "cni", "lxc"];
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// The certificate in the state directory. It stays the same as long as it covers every name and
/// is not about to expire; its key stays the same in any case.
fn kept(
    directory: &Path,
    mut names: BTreeSet<String>,
    now: Timestamp,
) -> Result<Pem, CertificateError> {
    make_directory(directory)?;
    let key_path = directory.join("certificate-key.pem");
    let chain_path = directory.join(CHAIN_FILE);
    let coverage_path = directory.join("certificate.json");
    let key = if key_path.exists() {
        let text = String::from_utf8_lossy(&read(&key_path)?).into_owned();
        KeyPair::from_pem(&text)?
    } else {
        let key = KeyPair::generate()?;
        write(&key_path, key.serialize_pem().as_bytes())?;
        key
    };
    if chain_path.exists() && coverage_path.exists() {
        // Unreadable coverage means a new certificate, nothing worse.
        let coverage = serde_json::from_slice::<Coverage>(&read(&coverage_path)?).ok();
        if let Some(coverage) = coverage
            && coverage.expires.as_second() - now.as_second() > RENEW_SECONDS
        {
            if names.is_subset(&coverage.names) {
                let chain = read(&chain_path)?;
                let key = key.serialize_pem().into_bytes();
                return Ok(Pem { chain, key });
            }
            tracing::info!("this machine has new names or addresses: making a new certificate");
            names.extend(coverage.names);
        }
    }
    let pem = make(&key, &names, now)?;
    let coverage = Coverage {
        names,
        expires: expiry(now),
    };
    write(&chain_path, &pem.chain)?;
    write(
        &coverage_path,
        serde_json::json!(coverage).to_string().as_bytes(),
    )?;
    Ok(pem)
}

fn make(key: &KeyPair, names: &BTreeSet<String>, now: Timestamp) -> Result<Pem, CertificateError> {
    let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>())?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "roomd room server");
    params.distinguished_name = subject;
    params.not_before = system_time(now).into();
    params.not_after = system_time(expiry(now)).into();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(key)?;
    Ok(Pem {
        chain: certificate.pem().into_bytes(),
        key: key.serialize_pem().into_bytes(),
    })
}

fn expiry(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second() + VALID_SECONDS).unwrap_or(Timestamp::MAX)
}

fn system_time(moment: Timestamp) -> SystemTime {
    let seconds = u64::try_from(moment.as_second()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Certificate chain and key as text.
struct Pem {
    chain: Vec<u8>,
    key: Vec<u8>,
}

impl Pem {
    fn into_certificate(
        self,
        chain_path: &Path,
        key_path: &Path,
    ) -> Result<Certificate, CertificateError> {
        let no_chain = |reason| pem_error(chain_path, "certificate", reason);
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&self.chain)
            .collect::<Result<_, _>>()
            .map_err(|error| no_chain(error.to_string()))?;
        let first = chain
            .first()
            .ok_or_else(|| no_chain("it is empty".to_owned()))?;
        let fingerprint = fingerprint(first);
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| pem_error(key_path, "private key", error.to_string()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut rustls = RustlsServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        // WebSockets upgrade from HTTP/1.1.
        rustls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Certificate {
            rustls: Arc::new(rustls),
            fingerprint,
        })
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let hash = digest::digest(&digest::SHA256, certificate);
    let bytes: Vec<String> = hash.as_ref().iter().map(|b| format!("{b:02X}")).collect();
    bytes.join(":")
}

fn pem_error(path: &Path, what: &'static str, reason: String) -> CertificateError {
    CertificateError::Pem {
        path: path.to_owned(),
        what,
        reason,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(path).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file for this user alone, whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), CertificateError> {
    let draft = path.with_extension("new");
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&draft, path));
    written.map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(extra: &str) -> BTreeSet<String> {
        BTreeSet::from(["localhost".to_owned(), extra.to_owned()])
    }

    fn load_in(directory: &Path, extra: &str, day: i64) -> String {
        let now = Timestamp::from_second(1_800_000_000 + day * 86_400).unwrap();
        load(&TlsMode::SelfSigned, Some(directory), names(extra), now)
            .unwrap()
            .unwrap()
            .fingerprint
    }

    #[test]
    fn a_self_made_certificate_stays_until_a_name_is_new_or_it_expires() {
        let directory = tempfile::tempdir().unwrap();
        let first = load_in(directory.path(), "192.0.2.1", 0);
        assert_eq!(load_in(directory.path(), "192.0.2.1", 700), first);
        let second = load_in(directory.path(), "192.0.2.2", 1);
        assert_ne!(second, first);
        // The new one covers the old name as well.
        assert_eq!(load_in(directory.path(), "192.0.2.1", 2), second);
        assert_ne!(load_in(directory.path(), "192.0.2.1", 790), second);
    }

    #[test]
    fn wrong_files_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.pem");
        let mode = TlsMode::Files {
            certificate: path.clone(),
            key: path.clone(),
        };
        let attempt = || {
            let error = load(&mode, None, BTreeSet::new(), Timestamp::UNIX_EPOCH);
            error.err().unwrap().to_string()
        };
        assert!(attempt().contains("x.pem"));
        fs::write(&path, "no certificate").unwrap();
        assert!(attempt().contains("holds no certificate"), "{}", attempt());
    }
}
