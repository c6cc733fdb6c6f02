//! Trust and identity on encrypted connections with brokers.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
};

use super::settings::MqttTls;

/// Why no encrypted connection can be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A PEM file.
    #[error("{file}: {source}; it must be a readable PEM file")]
    Pem {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// A certificate authority.
    #[error("{file}: {source}; it must hold certificates of authorities")]
    Authority {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// One of certificate and key is missing.
    #[error("tls.client_certificate and tls.client_key belong together; set both or neither")]
    HalfAnIdentity,
    /// Nobody to trust.
    #[error("no certificate authority is known; install ca-certificates or set tls.ca")]
    NobodyToTrust,
    /// Versions, or an unusable key.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// Reads the files and puts a client configuration together.
///
/// # Errors
/// When a file cannot be used, or nobody is to be trusted.
pub(super) fn client_config(settings: &MqttTls) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    // Some of the system's certificates may be unusable; the others do.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = &settings.ca {
        for certificate in certificates(file)? {
            roots
                .add(certificate)
                .map_err(|source| TlsError::Authority {
                    file: file.clone(),
                    source,
                })?;
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NobodyToTrust);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let mut config = match (&settings.client_certificate, &settings.client_key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let private_key =
                PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::Pem {
                    file: key.clone(),
                    source,
                })?;
            builder.with_client_auth_cert(certificates(certificate)?, private_key)?
        }
        _ => return Err(TlsError::HalfAnIdentity),
    };
    config.alpn_protocols = settings
        .alpn
        .iter()
        .map(|protocol| protocol.as_bytes().to_vec())
        .collect();
    Ok(Arc::new(config))
}

fn certificates(file: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|source| TlsError::Pem {
            file: file.clone(),
            source,
        })
}
