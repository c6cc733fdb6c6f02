//! Every mistake is named with its place, key, value, what is allowed and the remedy; nothing panics.

use proptest::prelude::*;

use super::*;

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
        // Buttons, switches, lights.
        (
            "[controls]\nbuttons = [{ key = \"KEY_MICMUT\", press = \"knock\" }]",
            &[
                ":2: controls.buttons",
                "row 1",
                "did you mean \"KEY_MICMUTE\"?",
            ],
        ),
        (
            "[controls]\nbuttons = [{ key = \"KEY_A\", press = \"toggle_microfone\" }]",
            &[
                "controls.buttons",
                "press of KEY_A",
                "did you mean \"toggle_microphone\"?",
            ],
        ),
        (
            "[controls]\nbuttons = [{ key = \"KEY_A\", press = { command = \"set_volume\", level = 101 } }]",
            &["controls.buttons", "level", "set_volume"],
        ),
        (
            "[controls]\nbuttons = [{ key = \"KEY_A\", press = \"restart\" }]",
            &["controls.buttons", "no command \"restart\""],
        ),
        (
            "[controls]\nbuttons = [{ key = \"KEY_A\", press = { command = \"volume_up\", level = 1 } }]",
            &["level with volume_up", "no arguments"],
        ),
        (
            "[controls]\nbuttons = [{ key = \"KEY_A\", press = \"knock\", hold_to_talk = true }]",
            &["press and hold_to_talk", "remove hold_to_talk or press"],
        ),
        (
            "[controls]\nbuttons = [{ kay = \"KEY_A\" }]",
            &["controls.buttons", "unknown field `kay`"],
        ),
        (
            "[controls]\nlights = [{ led = \"a\", shows = [\"mute\"] }]",
            &["controls.lights", "did you mean \"muted\"?"],
        ),
        (
            "[controls]\nlong_press_ms = 1",
            &["controls.long_press_ms", "200 to 10000"],
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
