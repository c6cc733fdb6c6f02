//! Good and bad configuration through the whole loader.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use super::*;

mod documents;
mod mistakes;
mod secrets;
mod tls;

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
