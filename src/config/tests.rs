//! Good and bad configuration through the whole loader.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use proptest::prelude::*;

use super::*;

mod documents;

/// Writes a main file into a directory of its own.
fn written(text: &str) -> (tempfile::TempDir, Sources) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("roomd.toml");
    fs::write(&file, text).unwrap();
    let sources = Sources {
        file,
        file_required: true,
        ..Sources::none()
    };
    (directory, sources)
}

fn problems_of(text: &str) -> Vec<Problem> {
    let (_directory, sources) = written(text);
    load(&sources)
        .map(|_| Vec::new())
        .unwrap_or_else(|error| error.problems)
}

fn with_variables(sources: &mut Sources, variables: &[(&str, &str)]) {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    sources.environment = variables.iter().map(owned).collect();
}

fn write_secret(directory: &tempfile::TempDir, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn key<'a>(loaded: &'a Loaded, name: &str) -> &'a Key {
    loaded.keys.iter().find(|key| key.key == name).unwrap()
}

#[test]
fn nothing_configured_gives_the_defaults_of_every_part() {
    let loaded = load(&Sources::none()).unwrap();
    assert!(loaded.files.is_empty());
    assert!(loaded.keys.iter().all(|key| key.origin == Origin::Default));
    let config = &loaded.config;
    assert_eq!(
        config.media.settings,
        roomd_media::settings::MediaSettings::default()
    );
    assert_eq!(config.mqtt, MqttConfig::default());
    let appliance = ApplianceSettings {
        display_name: "roomd".to_owned(),
        ..ApplianceSettings::default()
    };
    assert_eq!(config.appliance(), appliance);
    let server = ServerConfig {
        state_dir: Some("/var/lib/roomd/room-server".into()),
        ..ServerConfig::default()
    };
    assert_eq!(format!("{:?}", config.server), format!("{server:?}"));
}

/// Every row: the text, then words that the one problem has to contain: its key and line, what was
/// found, what is allowed or the remedy.
#[test]
fn what_is_wrong_is_named_with_place_key_value_allowed_and_remedy() {
    let table: &[(&str, &[&str])] = &[
        // Names.
        (
            "[device]\nid = \"room 4\"",
            &[":2: device.id", "\"room 4\"", "letters"],
        ),
        ("[device]\nid = \"all\"", &["device.id", "not \"all\""]),
        ("[device]\nid = \"\"", &["device.id", "1 to 64"]),
        (
            "[device]\nid = 4",
            &["device.id", "found    4", "expected a string"],
        ),
        ("[device]\nname = \"a\\nb\"", &["device.name", "one line"]),
        (
            "[device]\ngroups = \"floor-4\"",
            &["device.groups", "a list of names"],
        ),
        ("[device]\ngroups = [\"a/b\"]", &["device.groups", "a/b"]),
        // Rooms.
        (
            "[room]\nurl = \"acme\"",
            &["room.url", "not a URL", "https"],
        ),
        (
            "[room]\nurl = \"https://acme.whereby.com\"",
            &["room.url", "names no room"],
        ),
        (
            "[room]\nurl = \"ftp://acme.whereby.com/r\"",
            &["room.url", "ftp"],
        ),
        (
            "[room]\nurl = \"https://u:hunter2@acme.whereby.com/r\"",
            &["room.url", "credentials"],
        ),
        (
            "[room]\nurl = \"https://acme.whereby.com/r?roomKey=hunter2\"",
            &["room.url", "room-key"],
        ),
        (
            "[room]\nauto_join = \"yes\"",
            &[
                "room.auto_join",
                "\"yes\"",
                "true or false",
                "auto_join = true",
            ],
        ),
        (
            "[room]\ninitial_camera = \"offf\"",
            &["initial_camera", "did you mean \"off\"?"],
        ),
        (
            "[room]\ninitial_camera = false",
            &["initial_camera", "found    false", "\"last\""],
        ),
        (
            "[room]\njoin_timeout_ms = 10",
            &["join_timeout_ms", "1000 to 120000", "= 30000"],
        ),
        (
            "[room.requests]\nunmute = \"always\"",
            &[":2: room.requests.unmute", "\"accept\""],
        ),
        (
            "[room.service]\napi_url = \"wss://a.example\"",
            &["api_url", "http or https"],
        ),
        (
            "[room.service]\nsignal_url = \"wss://u@a.example\"",
            &["signal_url", "credentials"],
        ),
        (
            "[room.service]\nca_file = \"ca.pem\"",
            &["ca_file", "begin with /"],
        ),
        // Media.
        (
            "[media.camera_encoding]\nwidth = 1281",
            &[":2: media.camera_encoding.width", "1281 is odd"],
        ),
        ("[media.camera_encoding]\nwidth = 3842", &["160 to 3840"]),
        (
            "[media.camera_encoding]\nheight = -2",
            &["height", "found    -2"],
        ),
        (
            "[media.camera_encoding]\nfps = 90",
            &["fps", "found    90", "1 to 60", "fps = 30"],
        ),
        (
            "[media.camera_encoding]\nfps = 29.97",
            &["fps", "29.97", "a whole number"],
        ),
        (
            "[media.screenshare_encoding]\nbitrate = 1",
            &["bitrate", "50000 to 20000000"],
        ),
        (
            "[media]\ncamera_encoding = 5",
            &["media.camera_encoding", "a section"],
        ),
        (
            "[media]\ncamera = \"tset\"",
            &["media.camera", "did you mean \"test\"?"],
        ),
        (
            "[media]\ncamera = { v4l = \"/dev/video0\" }",
            &["media.camera", "v4l2"],
        ),
        ("[media]\naudio_bitrate = 5999", &["6000 to 510000"]),
        ("[media]\nlatency_ms = 1001", &["latency_ms", "0 to 1000"]),
        ("[media]\nvolume = 101", &["volume", "0 to 100"]),
        ("[media]\nvideo_codecs = []", &["video_codecs", "no codec"]),
        (
            "[media]\nvideo_codecs = [\"vp8\", \"vp8\"]",
            &["video_codecs", "twice"],
        ),
        (
            "[media]\nvideo_codecs = [\"av1\"]",
            &["video_codecs", "av1"],
        ),
        (
            "[media]\nscreenshare = [{ name = \"a\", source = \"test\" }, { name = \"a\", source = \"test\" }]",
            &["media.screenshare", "twice"],
        ),
        // MQTT.
        (
            "[mqtt]\nbrokers = [\"http://b\"]",
            &["mqtt.brokers", "mqtt, mqtts, ws"],
        ),
        (
            "[mqtt]\nbrokers = [\"mqtt://u:hunter2@b\"]",
            &["mqtt.brokers", "username"],
        ),
        (
            "[mqtt]\nbrokers = \"mqtt://b\"",
            &["mqtt.brokers", "a list of addresses"],
        ),
        ("[mqtt]\nversion = 5", &["mqtt.version", "\"5\""]),
        ("[mqtt]\nprefix = \"a//b\"", &["mqtt.prefix", "none empty"]),
        ("[mqtt]\nkeep_alive = 1", &["mqtt.keep_alive", "5 to 600"]),
        (
            "[mqtt]\npassword = \"hunter2\"",
            &["mqtt.password", "chmod 600", "mqtt-password"],
        ),
        ("[mqtt]\nclient_id = \"\"", &["mqtt.client_id", "1 to 256"]),
        (
            "[mqtt.tls]\nclient_certificate = \"/c.pem\"",
            &["client_certificate", "without client_key"],
        ),
        // The server.
        (
            "[server]\nlisten = \"8443\"",
            &["server.listen", "an address with a port"],
        ),
        (
            "[server]\ngrace_seconds = 301",
            &["server.grace_seconds", "found    301", "0 to 300"],
        ),
        (
            "[server]\nclaim_hours = 0",
            &["server.claim_hours", "1 to 720"],
        ),
        (
            "[server]\npublic_url = \"https://a.example/x\"",
            &["server.public_url", "without a path"],
        ),
        (
            "[server]\ntls = { mode = \"none\" }",
            &["server.tls", "none"],
        ),
        (
            "[server]\napi_key = \"hunter2\"",
            &["server.api_key", "server-api-key"],
        ),
        (
            "[server]\nice_servers = [{ urls = \"http://a\" }]",
            &["ice_servers", "stun:"],
        ),
        (
            "[server]\nice_servers = [{ urls = \"turn:a\", credential = \"hunter2\" }]",
            &["ice_servers", "go together"],
        ),
        (
            "[server.limits]\nsockets = 0",
            &["server.limits.sockets", "1 or more"],
        ),
        (
            "[server.limits]\nping_timeout_seconds = 1",
            &["ping_timeout_seconds", "5 to 20"],
        ),
        // The rest.
        ("[state]\ndir = \"state\"", &["state.dir", "begin with /"]),
        (
            "[log]\nlevel = \"inof\"",
            &["log.level", "did you mean \"info\"?"],
        ),
        (
            "[log]\nlevel = \"roomd=loud\"",
            &["log.level", "directives"],
        ),
        ("[log]\nformat = \"xml\"", &["log.format", "\"json\""]),
        // Keys and sections that there are not.
        ("[rooms]\nurl = \"x\"", &[":1: rooms", "did you mean room?"]),
        (
            "[room]\ndispaly_name = \"x\"",
            &[":2: room.dispaly_name", "did you mean room.display_name?"],
        ),
        (
            "[room]\nvolume = 5",
            &["room.volume", "did you mean media.volume?"],
        ),
        ("colour = \"red\"", &["colour", "at the top", "remove it"]),
        ("room = 5", &["room", "a section", "[room]"]),
        ("[room]\npasswrd = \"hunter2\"", &["room.passwrd"]),
        // Syntax.
        ("[room\nurl = 1", &[":1", "TOML"]),
        ("[room]\nauto_join = yes", &[":2", "TOML"]),
        (
            "[room]\nauto_join = true\nauto_join = true",
            &[":3", "duplicate"],
        ),
        (
            "[room]\njoin_timeout_ms = 99999999999999999999",
            &[":2", "TOML"],
        ),
    ];
    for (text, words) in table {
        let problems = problems_of(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        let shown = problems[0].to_string();
        for word in *words {
            assert!(shown.contains(word), "{text}: {word:?} is not in\n{shown}");
        }
        assert!(
            !shown.contains("hunter2"),
            "{text} tells a secret:\n{shown}"
        );
        for part in [
            &problems[0].found,
            &problems[0].allowed,
            &problems[0].remedy,
        ] {
            assert!(
                !part.is_empty() && !part.contains('\n'),
                "{text}: {problems:?}"
            );
        }
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let (directory, mut sources) =
        written("[room]\nauto_join = 1\nurll = \"x\"\n[media]\nvolume = 101");
    fs::create_dir(directory.path().join("roomd.toml.d")).unwrap();
    fs::write(
        directory.path().join("roomd.toml.d/90-bad.toml"),
        "[log]\nlevel = 7",
    )
    .unwrap();
    with_variables(
        &mut sources,
        &[("ROOMD_MQTT__KEEP_ALIVE", "1"), ("ROOMD_ROOM_URL", "x")],
    );
    let error = load(&sources).unwrap_err();
    let mut keys: Vec<&str> = error
        .problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "log.level",
            "media.volume",
            "mqtt.keep_alive",
            "room.auto_join",
            "room.url",
            "room.urll"
        ]
    );
    let text = error.to_string();
    for words in [
        "6 mistakes",
        "90-bad.toml:2",
        "environment ROOMD_MQTT__KEEP_ALIVE",
        "call it ROOMD_ROOM__URL",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn drop_ins_overrule_the_file_in_the_order_of_their_names_and_the_environment_overrules_all() {
    let (directory, mut sources) = written(
        "[media]\nvolume = 10\nlatency_ms = 10\naudio_bitrate = 10000\nmicrophone = { alsa = \"hw:1\" }",
    );
    let drop_ins = directory.path().join("roomd.toml.d");
    fs::create_dir(&drop_ins).unwrap();
    fs::write(
        drop_ins.join("10-a.toml"),
        "[media]\nlatency_ms = 11\naudio_bitrate = 11000",
    )
    .unwrap();
    fs::write(
        drop_ins.join("20-b.toml"),
        "[media]\naudio_bitrate = 12000\nmicrophone = \"none\"",
    )
    .unwrap();
    fs::write(drop_ins.join("30-c.toml.off"), "[media]\nvolume = 99").unwrap();
    with_variables(&mut sources, &[("ROOMD_MEDIA__CAMERA_ENCODING__FPS", "15")]);

    let loaded = load(&sources).unwrap();
    let media = &loaded.config.media;
    assert_eq!(media.volume.get(), 10);
    assert_eq!(media.settings.latency_ms.0, 11);
    assert_eq!(media.settings.audio_bitrate.0, 12_000);
    assert_eq!(media.settings.camera_encoding.fps, 15);
    assert_eq!(
        media.settings.microphone,
        roomd_media::settings::AudioSource::None
    );
    assert_eq!(loaded.files.len(), 3);
    assert_eq!(
        key(&loaded, "media.audio_bitrate").origin,
        Origin::File {
            path: drop_ins.join("20-b.toml"),
            line: 2
        }
    );
}

#[test]
fn a_variable_is_read_as_toml_where_the_key_takes_it_and_as_text_otherwise() {
    let mut sources = Sources::none();
    with_variables(
        &mut sources,
        &[
            ("ROOMD_DEVICE__ID", "404"),
            ("ROOMD_DEVICE__NAME", "\"quoted\""),
            ("ROOMD_DEVICE__GROUPS", "[\"a\", \"b\"]"),
            ("ROOMD_ROOM__URL", "https://acme.whereby.com/r"),
            ("ROOMD_ROOM__AUTO_JOIN", "false"),
            ("ROOMD_MEDIA__MICROPHONE", "{ alsa = \"hw:1,0\" }"),
            ("ROOMD_MQTT__VERSION", "5"),
            ("ROOMD_CONFIG", "/elsewhere.toml"),
            ("ROOMDIE__X", "1"),
        ],
    );
    let config = load(&sources).unwrap().config;
    assert_eq!(config.device.id.as_str(), "404");
    assert_eq!(config.device.name.as_str(), "quoted");
    assert_eq!(config.device.groups.len(), 2);
    assert!(!config.room.auto_join);
    assert_eq!(
        config.room.url.unwrap().as_str(),
        "https://acme.whereby.com/r"
    );
    assert_eq!(
        config.media.settings.microphone,
        roomd_media::settings::AudioSource::Alsa("hw:1,0".to_owned())
    );
}

#[test]
fn wrong_variables_are_named_with_their_remedy() {
    for (variable, value, words) in [
        ("ROOMD_ROOM__ULR", "x", "did you mean room.url?"),
        ("ROOMD_MEDIA__VOLUME", "loud", "set ROOMD_MEDIA__VOLUME=70"),
        ("ROOMD_MEDIA__VOLUME", "", "found    \"\""),
        ("ROOMD_MEDIA__VOLUME__X", "1", "media.volume"),
        (
            "ROOMD_MEDIA_CAMERA_ENCODING_FPS",
            "1",
            "call it ROOMD_MEDIA__CAMERA_ENCODING__FPS",
        ),
        ("ROOMD___", "1", "remove it"),
    ] {
        let mut sources = Sources::none();
        with_variables(&mut sources, &[(variable, value)]);
        let text = load(&sources).unwrap_err().to_string();
        assert!(
            text.contains(words) && text.contains(variable),
            "{variable}={value}: {text}"
        );
    }
}

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
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert_eq!(problems[0].remedy, format!("chmod 600 {key}"));
    }
}

#[test]
fn a_named_file_must_exist_and_the_usual_one_need_not() {
    let mut sources = Sources::none();
    load(&sources).unwrap();
    sources.file_required = true;
    let error = load(&sources).unwrap_err().to_string();
    assert!(
        error.contains("/nonexistent/roomd.toml") && error.contains("--config"),
        "{error}"
    );
}

#[test]
fn the_report_tells_values_and_origins_but_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let file = write_secret(&directory, "key", "hunter2", 0o600);
    let text = format!(
        "[room]\nurl = \"https://acme.whereby.com/r\"\nkey_file = {:?}\n[server]\nice_servers = \
         [{{ urls = \"turn:a\", username = \"u\", credential = \"hunter2\" }}]",
        file.display().to_string()
    );
    let (_main, mut sources) = written(&text);
    with_variables(
        &mut sources,
        &[("ROOMD_SERVER__API_KEY", "hunter2-hunter2-hunter2")],
    );
    let outcome = load(&sources);
    let (people, programs) = (report(&outcome), report_json(&outcome));
    for text in [&people, &programs] {
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("https://acme.whereby.com/r"), "{text}");
    }
    assert!(people.contains("roomd.toml:2"), "{people}");
    assert!(people.contains("# key: (secret)"), "{people}");

    let json: serde_json::Value = serde_json::from_str(&programs).unwrap();
    assert_eq!(json["ok"], true);
    let url = json["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["key"] == "room.url")
        .unwrap();
    assert_eq!(url["origin"]["line"], 2);
    assert!(!format!("{outcome:?}").contains("hunter2"));
}

#[test]
fn the_report_for_people_is_a_configuration_that_gives_the_same() {
    let (_directory, sources) =
        written("[room]\nurl = \"https://acme.whereby.com/r\"\n[media]\nvolume = 5");
    let first = load(&sources).unwrap();
    let (_other, again) = written(&report(&Ok(first.clone())));
    let second = load(&again).unwrap();
    assert_eq!(
        format!("{:?}", first.config),
        format!("{:?}", second.config)
    );
}

#[test]
fn the_report_of_mistakes_is_json_too() {
    let (_directory, sources) = written("[media]\nvolume = 101");
    let json: serde_json::Value = serde_json::from_str(&report_json(&load(&sources))).unwrap();
    assert_eq!(json["ok"], false);
    assert_eq!(json["problems"][0]["key"], "media.volume");
    assert_eq!(json["problems"][0]["origin"]["line"], 2);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in "(?s).{0,400}") {
        let (_directory, sources) = written(&text);
        let outcome = load(&sources);
        let _ = (report(&outcome), report_json(&outcome));
    }

    #[test]
    fn text_that_resembles_configuration_is_read_or_refused_without_a_panic(
        text in "((\\[{1,2}[a-z_.]{0,12}\\]{1,2}|(url|id|tls|camera|brokers|listen|fps|x\\.y) ?= ?([0-9-]{1,20}|\"[^\"]{0,9}\"|\\[.{0,5}\\]|\\{ ?[a-z0-9]{1,5} ?= ?.{0,5}\\}))\n){0,8}"
    ) {
        let (_directory, sources) = written(&text);
        let outcome = load(&sources);
        let _ = (report(&outcome), report_json(&outcome));
    }

    #[test]
    fn any_value_behind_any_key_is_read_or_refused_at_that_key(index in 0usize..200, value in prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<bool>().prop_map(|truth| truth.to_string()),
        "[ -!#-\\[\\]-~]{0,30}".prop_map(|text| format!("\"{text}\"")),
        Just("[]".to_owned()), Just("[[]]".to_owned()), Just("{}".to_owned()), Just("1.5".to_owned()),
        Just("1979-05-27".to_owned()), Just("{ test = { frequency = nan, level_dbfs = inf } }".to_owned()),
    ]) {
        let keys = load(&Sources::none()).unwrap().keys;
        let key = &keys[index % keys.len()].key;
        let (_directory, sources) = written(&format!("{key} = {value}"));
        if let Err(error) = load(&sources) {
            for problem in &error.problems {
                prop_assert!(problem.key.starts_with(key.as_str()), "{}", problem);
            }
        }
    }
}
