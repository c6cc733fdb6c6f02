//! Files of certificates and keys: opened while the configuration is read, so that `check-config` says
//! what is wrong with them and not the log of a service that does not start.

use std::{io::ErrorKind, path::Path};

use rustls::{
    RootCertStore,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject, SectionKind},
    },
    sign::CertifiedKey,
};

use super::reader::Section;

/// What is wrong with a file, and the remedy.
struct Mistake {
    found: String,
    remedy: String,
}

const CERTIFICATES: &str =
    "a file that roomd may read, with certificates in PEM (-----BEGIN CERTIFICATE-----)";
const KEY: &str = "a file that roomd may read, with a private key in PEM and without a passphrase";

/// Reports what keeps the certificates in `file` from being trusted.
pub(super) fn check_authorities(section: &mut Section<'_, '_>, name: &str, file: &Path) {
    if !section.reads_files() {
        return;
    }
    let usable = certificates(file).and_then(|all| {
        let mut roots = RootCertStore::empty();
        all.into_iter().enumerate().try_for_each(|(at, one)| {
            roots.add(one).map_err(|error| Mistake {
                found: format!(
                    "{}: certificate {} cannot be an authority ({error})",
                    file.display(),
                    at + 1
                ),
                remedy: "write the certificate of the server or of its authority into it, as PEM"
                    .to_owned(),
            })
        })
    });
    if let Err(mistake) = usable {
        section.refuse(name, mistake.found, CERTIFICATES, mistake.remedy);
    }
}

/// Reports what keeps a certificate and its key, each a key's name and a file, from being used.
pub(super) fn check_identity(
    section: &mut Section<'_, '_>,
    certificate: (&str, &Path),
    key: (&str, &Path),
) {
    if !section.reads_files() {
        return;
    }
    let chain = certificates(certificate.1)
        .map_err(|wrong| section.refuse(certificate.0, wrong.found, CERTIFICATES, wrong.remedy));
    let private =
        private_key(key.1).map_err(|wrong| section.refuse(key.0, wrong.found, KEY, wrong.remedy));
    let (Ok(chain), Ok(private)) = (chain, private) else {
        return;
    };
    let provider = rustls::crypto::ring::default_provider();
    if let Err(error) = CertifiedKey::from_der(chain, private, &provider) {
        section.refuse(
            certificate.0,
            format!(
                "{} with the key {}: {error}",
                certificate.1.display(),
                key.1.display()
            ),
            "a certificate and the private key that it was made for",
            "name the two files that belong together, the server's or client's own certificate first in its file"
                .to_owned(),
        );
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Mistake> {
    let all: Vec<(SectionKind, Vec<u8>)> = PemObject::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(file, &error))?;
    let found: Vec<_> = all
        .iter()
        .filter(|(kind, _)| *kind == SectionKind::Certificate)
        .map(|(_, bytes)| CertificateDer::from(bytes.clone()))
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let instead = match all.first() {
        Some((SectionKind::Crl, _)) => ", but a list of revoked ones",
        Some((SectionKind::Csr, _)) => ", but a request for one",
        Some(_) => ", but a key",
        None => "",
    };
    Err(Mistake {
        found: format!("{} holds no certificate in PEM{instead}", file.display()),
        remedy: "name the file with the certificate; `openssl x509 -inform der -in FILE` turns DER into PEM"
            .to_owned(),
    })
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, Mistake> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| match error {
        pem::Error::NoItemsFound => Mistake {
            found: format!("{} holds no private key that can be used", file.display()),
            remedy: "name the file with the key; `openssl pkey -in FILE` takes a passphrase off"
                .to_owned(),
        },
        other => unusable(file, &other),
    })
}

fn unusable(file: &Path, error: &pem::Error) -> Mistake {
    let remedy = match error {
        pem::Error::Io(source) if source.kind() == ErrorKind::NotFound => {
            format!("put it there, or name another file: {}", file.display())
        }
        pem::Error::Io(source) if source.kind() == ErrorKind::PermissionDenied => {
            format!(
                "let the service's user read it: chgrp roomd {0} && chmod 640 {0}",
                file.display()
            )
        }
        pem::Error::Io(_) => "name a file that can be read".to_owned(),
        _ => format!("write {} anew, as PEM", file.display()),
    };
    let found = match error {
        pem::Error::Io(source) => format!("{}: {source}", file.display()),
        other => format!("{} is no PEM: {other}", file.display()),
    };
    Mistake { found, remedy }
}
