//! What becomes of messages on command topics: tables of good and bad ones, and any bytes at all.

use proptest::prelude::*;
use roomd_room::Action;

use super::*;

fn clock() -> Clock {
    Clock {
        now: "2026-11-23T10:00:00Z".parse().unwrap(),
        synchronised: true,
    }
}

fn parse_cmd(name: &str, payload: &[u8]) -> Parsed {
    parse(Kind::Cmd, name, payload, &Properties::default(), clock())
}

#[test]
fn every_command_takes_its_example_and_refuses_a_field_it_does_not_know() {
    for spec in commands::COMMANDS {
        let parsed = parse(
            spec.kind,
            spec.name,
            spec.example.as_bytes(),
            &Properties::default(),
            clock(),
        );
        match parsed.command {
            Ok(_) => assert!(spec.supported, "{}", spec.name),
            Err(error) => {
                assert!(!spec.supported, "{}: {error:?}", spec.name);
                assert_eq!(error.code, ErrorCode::NotSupported, "{}", spec.name);
            }
        }
        let mut wrong: Map<String, Value> = serde_json::from_str(spec.example).unwrap();
        wrong.insert("surprise".to_owned(), Value::Null);
        let payload = serde_json::to_vec(&wrong).unwrap();
        let error = parse(
            spec.kind,
            spec.name,
            &payload,
            &Properties::default(),
            clock(),
        )
        .command
        .unwrap_err();
        assert_eq!(
            error.code,
            ErrorCode::InvalidPayload,
            "{}: {error:?}",
            spec.name
        );
        assert_eq!(error.field.as_deref(), Some("surprise"), "{}", spec.name);
    }
}

#[test]
fn no_two_commands_share_a_name() {
    let names: std::collections::HashSet<_> =
        commands::COMMANDS.iter().map(|spec| spec.name).collect();
    assert_eq!(names.len(), commands::COMMANDS.len());
}

#[test]
fn switches_take_plain_texts() {
    for (name, text, expected) in [
        (
            "toggle_microphone",
            "ON",
            Action::ToggleMicrophone(Some(true)),
        ),
        (
            "toggle_microphone",
            "OFF",
            Action::ToggleMicrophone(Some(false)),
        ),
        ("toggle_camera", "TOGGLE\n", Action::ToggleCamera(None)),
        ("toggle_camera", "", Action::ToggleCamera(None)),
        ("toggle_raise_hand", "{}", Action::ToggleRaiseHand(None)),
        ("lock_room", "ON", Action::LockRoom(true)),
    ] {
        assert_eq!(
            parse_cmd(name, text.as_bytes()).command,
            Ok(Command::Room(expected)),
            "{name} {text}"
        );
    }
    assert_eq!(
        parse_cmd("mute_speaker", b"OFF").command,
        Ok(Command::MuteSpeaker(false))
    );
    let error = parse_cmd("lock_room", b"TOGGLE").command.unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidPayload);
}

#[test]
fn what_is_wrong_is_named_with_field_found_expected_and_remedy() {
    for (name, payload, code, field, message, remedy) in [
        (
            "toggle_microphone",
            "{\"enabled\":\"yes\"}",
            ErrorCode::InvalidPayload,
            Some("enabled"),
            "string \"yes\", expected a boolean",
            "{\"enabled\":false}",
        ),
        (
            "toggle_microphone",
            "{\"enabeld\":true}",
            ErrorCode::InvalidPayload,
            Some("enabeld"),
            "unknown field, expected enabled",
            "did you mean `enabled`?",
        ),
        (
            "knock",
            "{\"loud\":true}",
            ErrorCode::InvalidPayload,
            Some("loud"),
            "unknown field, expected no fields",
            "{}",
        ),
        (
            "lock_room",
            "",
            ErrorCode::InvalidPayload,
            Some("locked"),
            "missing",
            "{\"locked\":true}",
        ),
        (
            "set_volume",
            "{\"level\":300}",
            ErrorCode::InvalidPayload,
            Some("level"),
            "300, expected 0 to 100",
            "level",
        ),
        (
            "set_volume",
            "{\"level\":1e999}",
            ErrorCode::InvalidPayload,
            None,
            "not JSON",
            "level",
        ),
        (
            "set_volume",
            "{\"level\":NaN}",
            ErrorCode::InvalidPayload,
            None,
            "not JSON",
            "level",
        ),
        (
            "send_chat_message",
            "{\"text\":\" \"}",
            ErrorCode::InvalidPayload,
            Some("text"),
            "empty",
            "Hello",
        ),
        (
            "mute_participants",
            "{\"participantIds\":[1]}",
            ErrorCode::InvalidPayload,
            Some("participantIds[0]"),
            "integer `1`, expected a string",
            "c0ffee",
        ),
        (
            "mute_participants",
            "{\"participantIds\":[]}",
            ErrorCode::InvalidPayload,
            Some("participantIds"),
            "at least one",
            "c0ffee",
        ),
        (
            "join_room",
            "{\"initialMuteStates\":{\"cam\":true}}",
            ErrorCode::InvalidPayload,
            Some("initialMuteStates.cam"),
            "camera, microphone",
            "did you mean",
        ),
        (
            "extend_breakout_timer",
            "{\"seconds\":-1}",
            ErrorCode::InvalidPayload,
            Some("seconds"),
            "-1, expected more than 0",
            "60",
        ),
        (
            "knock",
            "[1]",
            ErrorCode::InvalidPayload,
            None,
            "an array, expected a JSON object",
            "{}",
        ),
        (
            "knock",
            "{",
            ErrorCode::InvalidPayload,
            None,
            "not JSON",
            "{}",
        ),
        (
            "knock",
            "ON",
            ErrorCode::InvalidPayload,
            None,
            "not JSON",
            "{}",
        ),
        (
            "knock",
            "{\"id\":7}",
            ErrorCode::InvalidPayload,
            Some("id"),
            "7, expected a text",
            "{}",
        ),
        (
            "knock",
            "{\"id\":\"\"}",
            ErrorCode::InvalidPayload,
            Some("id"),
            "1 to 64",
            "{}",
        ),
        (
            "knock",
            "{\"replyTo\":7}",
            ErrorCode::InvalidPayload,
            Some("replyTo"),
            "a topic",
            "{}",
        ),
        (
            "knock",
            "{\"sentAt\":\"today\"}",
            ErrorCode::InvalidPayload,
            Some("sentAt"),
            "today",
            "{}",
        ),
        (
            "knock",
            "{\"validForMs\":5}",
            ErrorCode::InvalidPayload,
            Some("sentAt"),
            "validForMs counts",
            "{}",
        ),
        (
            "knock",
            "{\"sentAt\":\"2026-11-23T10:00:00Z\",\"validForMs\":-5}",
            ErrorCode::InvalidPayload,
            Some("validForMs"),
            "-5",
            "{}",
        ),
        (
            "toggle_micro",
            "",
            ErrorCode::UnknownCommand,
            None,
            "cmd/toggle_micro",
            "toggle_microphone",
        ),
        (
            "reboot",
            "",
            ErrorCode::UnknownCommand,
            None,
            "cmd/reboot",
            "admin/",
        ),
        (
            "xyzzy",
            "",
            ErrorCode::UnknownCommand,
            None,
            "xyzzy",
            "docs/mqtt.md",
        ),
        (
            "snapshot",
            "{}",
            ErrorCode::InvalidPayload,
            Some("source"),
            "missing",
            "camera",
        ),
        (
            "standby",
            "{}",
            ErrorCode::NotSupported,
            None,
            "cannot",
            "capabilities",
        ),
    ] {
        let error = parse_cmd(name, payload.as_bytes()).command.unwrap_err();
        let told = format!("{name} {payload}: {error:?}");
        assert_eq!(error.code, code, "{told}");
        assert_eq!(error.field.as_deref(), field, "{told}");
        assert!(error.message.contains(message), "{told}");
        assert!(error.remedy.contains(remedy), "{told}");
    }
}

#[test]
fn a_key_of_a_wrong_type_is_not_repeated() {
    let error = parse_cmd("join_room", b"{\"roomKey\":123456}")
        .command
        .unwrap_err();
    assert!(!error.message.contains("123456"), "{error:?}");
}

#[test]
fn bytes_that_are_not_utf8_and_payloads_that_are_too_long_are_refused() {
    let error = parse_cmd("knock", b"{\"id\":\"\xff\"}")
        .command
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidPayload);
    assert!(error.message.contains("not UTF-8 from byte 7"), "{error:?}");
    let longest = format!("{{\"text\":\"{}\"}}", "x".repeat(MAX_PAYLOAD - 11));
    assert_eq!(longest.len(), MAX_PAYLOAD);
    assert!(
        parse_cmd("send_chat_message", longest.as_bytes())
            .command
            .is_ok()
    );
    let error = parse_cmd("send_chat_message", &vec![b'x'; MAX_PAYLOAD + 1])
        .command
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::TooLarge);
}

#[test]
fn a_retained_command_is_refused_whatever_it_says_and_its_id_is_answered() {
    let retained = Properties {
        retain: true,
        ..Properties::default()
    };
    for (name, payload) in [
        ("knock", "{\"id\":\"a\"}"),
        ("no_such", "{\"id\":\"a\"}"),
        ("knock", "{"),
    ] {
        let parsed = parse(Kind::Cmd, name, payload.as_bytes(), &retained, clock());
        assert_eq!(parsed.command.unwrap_err().code, ErrorCode::RetainedCommand);
        assert_eq!(parsed.id.is_some(), payload.len() > 1);
    }
}

#[test]
fn a_command_is_good_for_its_validity_and_no_longer() {
    for (sent_at, valid_for, left) in [
        ("10:00:00", None, Some(10_000)),
        ("09:59:50", None, Some(0)),
        ("09:59:49.999", None, None),
        ("09:59:40", Some(30_000), Some(10_000)),
        ("09:59:59", Some(500), None),
        ("10:05:00", None, Some(10_000)), // a sender whose clock is ahead
    ] {
        let mut payload = serde_json::json!({ "sentAt": format!("2026-11-23T{sent_at}Z") });
        if let Some(valid_for) = valid_for {
            payload["validForMs"] = Value::from(valid_for);
        }
        let bytes = payload.to_string();
        let parsed = parse_cmd("knock", bytes.as_bytes());
        match left {
            Some(left) => {
                assert_eq!(parsed.command, Ok(Command::Room(Action::Knock)), "{bytes}");
                assert_eq!(
                    parsed.valid_for,
                    Some(Duration::from_millis(left)),
                    "{bytes}"
                );
            }
            None => assert_eq!(
                parsed.command.unwrap_err().code,
                ErrorCode::Expired,
                "{bytes}"
            ),
        }
    }
}

#[test]
fn a_clock_that_is_not_synchronised_expires_nothing() {
    let clock = Clock {
        synchronised: false,
        ..clock()
    };
    let payload = b"{\"sentAt\":\"2020-01-01T00:00:00Z\"}";
    let parsed = parse(Kind::Cmd, "knock", payload, &Properties::default(), clock);
    assert_eq!(parsed.command, Ok(Command::Room(Action::Knock)));
}

#[test]
fn the_properties_of_mqtt_5_do_the_same() {
    let properties = Properties {
        expiry: Some(Duration::from_secs(3)),
        response_topic: Some("roomd/panel/reply".to_owned()),
        ..Properties::default()
    };
    let parsed = parse(Kind::Cmd, "knock", b"", &properties, clock());
    assert_eq!(parsed.reply_to.as_deref(), Some("roomd/panel/reply"));
    assert_eq!(parsed.valid_for, Some(Duration::from_secs(3)));
    let late = Properties {
        expiry: Some(Duration::ZERO),
        ..Properties::default()
    };
    let error = parse(Kind::Cmd, "knock", b"", &late, clock())
        .command
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::Expired);
}

fn command_name() -> impl Strategy<Value = String> {
    let known: Vec<String> = commands::COMMANDS
        .iter()
        .map(|spec| spec.name.to_owned())
        .collect();
    prop_oneof![proptest::sample::select(known), ".{0,30}"]
}

/// Objects made of the words that commands know, with values of any kind.
fn likely_payload() -> impl Strategy<Value = Vec<u8>> {
    let words = vec![
        "id",
        "replyTo",
        "sentAt",
        "validForMs",
        "enabled",
        "level",
        "participantId",
        "participantIds",
        "groups",
        "assignments",
        "roomUrl",
        "initialMuteStates",
        "text",
        "seconds",
    ];
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(serde_json::json!([1, "a"])),
        Just(serde_json::json!({"camera": true, "a": "b"})),
    ];
    proptest::collection::vec((proptest::sample::select(words), value), 0..5).prop_map(|fields| {
        let object: Map<String, Value> = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        serde_json::to_vec(&object).unwrap()
    })
}

proptest! {
    #[test]
    fn any_bytes_give_a_command_or_a_full_error(
        name in command_name(),
        payload in prop_oneof![proptest::collection::vec(any::<u8>(), 0..200), likely_payload()],
        retain in any::<bool>(),
    ) {
        let properties = Properties { retain, ..Properties::default() };
        let parsed = parse(Kind::Cmd, &name, &payload, &properties, clock());
        match parsed.command {
            Ok(_) => prop_assert!(!retain),
            Err(error) => {
                prop_assert!(error.code != ErrorCode::Internal);
                prop_assert!(!error.message.is_empty() && !error.remedy.is_empty());
            }
        }
        if let Some(id) = parsed.id {
            prop_assert!(id.chars().count() <= MAX_ID);
        }
    }
}
