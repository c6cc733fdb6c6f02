//! Certificates and keys that a configuration names.

use super::*;

/// A self-signed certificate and its key, as PEM.
fn identity(name: &str) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec![name.to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// The one problem of a configuration, which names `key` in line 2.
fn problem_of(text: &str, key: &str) -> Problem {
    let [problem] = <[Problem; 1]>::try_from(problems_of(text)).unwrap();
    assert_eq!(problem.key, key);
    assert!(
        matches!(problem.origin, Origin::File { line: 2, .. }),
        "{problem}"
    );
    assert!(!problem.remedy.is_empty() && !problem.allowed.is_empty());
    problem
}

#[test]
fn certificates_and_keys_that_can_be_used_are_taken() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = identity("wall.example.org");
    let certificate = write_secret(&directory, "cert.pem", &certificate, 0o644);
    let key = write_secret(&directory, "key.pem", &key, 0o600);
    let (_main, sources) = written(&format!(
        "[room.service]\nca_file = {certificate:?}\n[mqtt.tls]\nca = {certificate:?}\n\
         client_certificate = {certificate:?}\nclient_key = {key:?}\n[server]\n\
         tls = {{ mode = \"files\", certificate = {certificate:?}, key = {key:?} }}"
    ));
    load(&sources).unwrap();
}

#[test]
fn a_file_of_authorities_that_is_missing_or_no_certificate_is_named_with_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = identity("wall.example.org");
    let no_authority = certificate.replace("-----BEGIN CERTIFICATE-----\n", "");
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let file = |name: &str, text: &str| write_secret(&directory, name, text, 0o600);
    for (file, found) in [
        (PathBuf::from("/nonexistent/ca.pem"), "No such file"),
        (directory.path().to_owned(), "Is a directory"),
        (file("empty.pem", ""), "holds no certificate"),
        (file("headless.pem", &no_authority), "holds no certificate"),
        (file("key.pem", &key), "but a key"),
        (file("nonsense.pem", nonsense), "certificate 1 cannot be"),
        (
            file(
                "broken.pem",
                "-----BEGIN CERTIFICATE-----\n***\n-----END CERTIFICATE-----\n",
            ),
            "is no PEM",
        ),
    ] {
        for (section, name) in [("room.service", "ca_file"), ("mqtt.tls", "ca")] {
            let text = format!("[{section}]\n{name} = {file:?}");
            let problem = problem_of(&text, &format!("{section}.{name}"));
            assert!(problem.found.contains(found), "{problem}");
            assert!(
                problem.found.contains(&file.display().to_string()),
                "{problem}"
            );
        }
    }
}

#[test]
fn a_certificate_and_a_key_that_do_not_belong_together_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, _) = identity("wall.example.org");
    let (_, key) = identity("wall.example.org");
    let certificate = write_secret(&directory, "cert.pem", &certificate, 0o644);
    let key = write_secret(&directory, "key.pem", &key, 0o600);
    let text = format!("[mqtt.tls]\nclient_certificate = {certificate:?}\nclient_key = {key:?}");
    let problem = problem_of(&text, "mqtt.tls.client_certificate");
    assert!(problem.found.contains("key.pem"), "{problem}");
    assert!(problem.remedy.contains("belong together"), "{problem}");
    let text = format!(
        "[server]\ntls = {{ mode = \"files\", certificate = {certificate:?}, key = {key:?} }}"
    );
    problem_of(&text, "server.tls");
}

#[test]
fn a_key_file_without_a_key_is_refused_and_the_key_is_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, _) = identity("wall.example.org");
    let certificate = write_secret(&directory, "cert.pem", &certificate, 0o600);
    let text = format!(
        "[server]\ntls = {{ mode = \"files\", certificate = {certificate:?}, key = {certificate:?} }}"
    );
    let problem = problem_of(&text, "server.tls");
    assert!(problem.found.contains("holds no private key"), "{problem}");
}

#[test]
fn each_service_opens_only_the_files_that_it_will_use() {
    let (_directory, mut sources) = written(
        "[room.service]\nca_file = \"/nonexistent/a.pem\"\n[server]\n\
         tls = { mode = \"files\", certificate = \"/nonexistent/b.pem\", key = \"/nonexistent/c.pem\" }",
    );
    for (secrets, key) in [
        (Secrets::OfAppliance, "room.service.ca_file"),
        (Secrets::OfRoomServer, "server.tls"),
    ] {
        sources.secrets = secrets;
        let problems = load(&sources).unwrap_err().problems;
        assert!(
            problems.iter().all(|problem| problem.key == key),
            "{problems:?}"
        );
    }
}
