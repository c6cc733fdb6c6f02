//! Which certificates are trusted.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject};
use thiserror::Error;

use crate::SignallingError;

/// Why the configured authorities cannot be used.
#[derive(Debug, Error)]
pub enum CaFileError {
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
}

/// The system's authorities and the configured one.
///
/// # Errors
/// When the configured file cannot be used. Unusable certificates of the system are skipped.
pub fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, SignallingError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "a certificate of the system cannot be loaded");
    }
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = ca_file {
        let read = |source| CaFileError::Read {
            path: path.to_owned(),
            source,
        };
        let mut count = 0;
        for certificate in CertificateDer::pem_file_iter(path).map_err(read)? {
            roots
                .add(certificate.map_err(read)?)
                .map_err(|source| CaFileError::Certificate {
                    path: path.to_owned(),
                    source,
                })?;
            count += 1;
        }
        if count == 0 {
            return Err(CaFileError::Empty(path.to_owned()).into());
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(SignallingError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// What to say of a server whose certificate is not trusted; `None` when that is not the reason.
pub(crate) fn untrusted(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(rustls::Error::InvalidCertificate(reason)) = cause.downcast_ref() {
            return Some(format!(
                "its certificate is not trusted here ({reason}); have room.service.ca_file name it or its authority"
            ));
        }
        // An I/O error's source is that of the error inside it.
        next = match cause.downcast_ref::<std::io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as _),
            None => cause.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn an_untrusted_certificate_is_found_inside_other_errors_and_the_remedy_is_named() {
        let reason = rustls::CertificateError::UnknownIssuer;
        let inner = io::Error::other(rustls::Error::InvalidCertificate(reason));
        let error = tokio_tungstenite::tungstenite::Error::Io(io::Error::other(inner));
        let text = untrusted(&error).unwrap();
        assert!(text.contains("room.service.ca_file"), "{text}");
        assert_eq!(untrusted(&io::Error::other("refused")), None);
    }

    #[test]
    fn a_missing_or_empty_file_of_authorities_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        for make in [false, true] {
            if make {
                std::fs::write(&path, "no certificate").unwrap();
            }
            let error = client_config(Some(&path)).unwrap_err();
            assert!(matches!(error, SignallingError::CaFile(_)), "{error}");
            assert!(error.to_string().contains("ca.pem"), "{error}");
        }
    }
}
