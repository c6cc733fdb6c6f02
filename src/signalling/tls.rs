//! Which certificates are trusted.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject};
use thiserror::Error;

/// Why the trusted certificates cannot be loaded.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The configured file cannot be read as PEM.
    #[error("cannot read the certificate authority {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::pki_types::pem::Error,
    },
    /// A certificate in it is not usable.
    #[error("{path} holds a certificate that cannot be used as an authority: {source}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// It holds none.
    #[error(
        "{0} holds no certificate; expected PEM blocks that begin with -----BEGIN CERTIFICATE-----"
    )]
    Empty(PathBuf),
    /// The TLS library refused its own defaults.
    #[error("cannot set TLS up: {0}")]
    Setup(#[from] rustls::Error),
}

/// The system's authorities and the configured one.
///
/// # Errors
/// When the configured file cannot be used. Unusable certificates of the system are skipped.
pub fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "a certificate of the system cannot be loaded");
    }
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = ca_file {
        let read = |source| TlsError::Read {
            path: path.to_owned(),
            source,
        };
        let mut count = 0;
        for certificate in CertificateDer::pem_file_iter(path).map_err(read)? {
            roots
                .add(certificate.map_err(read)?)
                .map_err(|source| TlsError::Certificate {
                    path: path.to_owned(),
                    source,
                })?;
            count += 1;
        }
        if count == 0 {
            return Err(TlsError::Empty(path.to_owned()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
