//! Where secrets come from, and which files are refused.

use super::*;

#[test]
fn a_secret_comes_from_the_credential_then_the_environment_then_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = write_secret(&directory, "pass", "of-file\n", 0o600);
    let (_main, mut sources) = written(&format!(
        "[mqtt]\npassword_file = {:?}",
        file.display().to_string()
    ));
    let password = |sources: &Sources| {
        load(sources)
            .unwrap()
            .config
            .mqtt
            .password
            .unwrap()
            .reveal()
            .to_owned()
    };
    assert_eq!(password(&sources), "of-file");

    with_variables(&mut sources, &[("ROOMD_MQTT__PASSWORD", "of-environment")]);
    assert_eq!(password(&sources), "of-environment");

    let credentials = tempfile::tempdir().unwrap();
    write_secret(&credentials, "mqtt-password", "of-credential", 0o440);
    sources.credentials_directory = Some(credentials.path().to_owned());
    assert_eq!(password(&sources), "of-credential");
}

#[test]
fn a_secret_file_open_to_others_is_refused_with_chmod() {
    let directory = tempfile::tempdir().unwrap();
    for (mode, fits) in [
        (0o600, true),
        (0o400, true),
        (0o640, false),
        (0o604, false),
        (0o644, false),
        (0o660, false),
    ] {
        let file = write_secret(&directory, &format!("key-{mode:o}"), "hunter2", mode);
        let problems = problems_of(&format!(
            "[room]\nkey_file = {:?}",
            file.display().to_string()
        ));
        assert_eq!(problems.is_empty(), fits, "{mode:o}: {problems:?}");
        for problem in problems {
            assert_eq!(problem.key, "room.key_file");
            assert_eq!(problem.remedy, format!("chmod 600 {}", file.display()));
            assert!(problem.found.contains(&format!("{mode:04o}")), "{problem}");
        }
    }
}

#[test]
fn a_secret_file_of_another_user_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = write_secret(&directory, "key", "hunter2", 0o600);
    let (_main, mut sources) = written(&format!(
        "[room]\nkey_file = {:?}",
        file.display().to_string()
    ));
    sources.user_id = std::os::unix::fs::MetadataExt::uid(&fs::metadata(&file).unwrap()) + 1;
    let problem = load(&sources).unwrap_err().problems.remove(0);
    assert!(
        problem
            .remedy
            .starts_with(&format!("chown {} ", sources.user_id)),
        "{problem}"
    );
    // The room server does not read the appliance's secrets.
    sources.secrets = Secrets::OfRoomServer;
    assert!(load(&sources).unwrap().config.room.key.is_none());
}

#[test]
fn a_secret_file_without_a_line_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("empty", ""),
        ("blank", " \n"),
        ("lines", "a\nb\n"),
        ("nul", "a\0b"),
    ] {
        let file = write_secret(&directory, name, text, 0o600);
        let problems = problems_of(&format!(
            "[room]\nkey_file = {:?}",
            file.display().to_string()
        ));
        assert_eq!(problems.len(), 1, "{name}");
        assert!(
            problems[0].found.contains("one line"),
            "{name}: {problems:?}"
        );
    }
    let problems = problems_of("[room]\nkey_file = \"/nonexistent/key\"");
    assert!(problems[0].found.contains("No such file"), "{problems:?}");
}

#[test]
fn a_private_key_open_to_others_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let key = write_secret(&directory, "key.pem", "-", 0o644);
    let key = key.display();
    let of_client = format!("[mqtt.tls]\nclient_certificate = \"/c.pem\"\nclient_key = \"{key}\"");
    let of_server = format!(
        "[server]\ntls = {{ mode = \"files\", certificate = \"/c.pem\", key = \"{key}\" }}"
    );
    for text in [of_client, of_server] {
        let problems = problems_of(&text);
        let chmod = format!("chmod 600 {key}");
        let of_mode = problems.iter().filter(|problem| problem.remedy == chmod);
        assert_eq!(of_mode.count(), 1, "{text}: {problems:?}");
    }
}
