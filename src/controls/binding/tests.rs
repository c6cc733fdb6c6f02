//! Rows that stand and rows that do not: every mistake has its place, value and remedy.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const TIMING: Timing = Timing {
    debounce: Duration::from_millis(5),
    long_press: Duration::from_millis(600),
    double_press: Duration::from_millis(300),
};

/// Rows as JSON, which serde reads as it reads TOML.
fn table(buttons: &str, switches: &str, lights: &str) -> Result<Table, Vec<Mistake>> {
    Table::new(
        &serde_json::from_str::<Vec<ButtonRow>>(buttons).unwrap(),
        &serde_json::from_str::<Vec<SwitchRow>>(switches).unwrap(),
        &serde_json::from_str::<Vec<LightRow>>(lights).unwrap(),
        TIMING,
    )
}

#[test]
fn rows_become_a_table() {
    let table = table(
        r#"[{"key":"KEY_MICMUTE","press":"toggle_microphone","long_press":"leave_room"},
            {"name":"cough","gpio":"MUTE","chip":"room-panel","active_low":true,"bias":"pull_up","hold_to_talk":true}]"#,
        r#"[{"switch":"SW_MUTE_DEVICE","mutes":"microphone"},{"gpio":"4","chip":"gpiochip0","mutes":"camera"}]"#,
        r#"[{"led":"room:red:mute","shows":["muted",{"when":"request","pattern":"double"}]}]"#,
    )
    .unwrap();
    assert_eq!(table.buttons[0].name, "KEY_MICMUTE");
    assert_eq!(
        table.buttons[0].used_for(),
        Use {
            long_press: true,
            double_press: false,
            talk: false
        }
    );
    assert!(table.buttons[1].used_for().talk);
    let ButtonSource::Gpio(line) = &table.buttons[1].source else {
        panic!("{:?}", table.buttons[1]);
    };
    assert_eq!(line.to_string(), "room-panel/MUTE");
    assert!(line.active_low);
    assert!(!table.switches[0].is_expected());
    assert!(table.switches[1].is_expected());
    assert_eq!(table.lights[0].percent, 100);
}

/// Each row: buttons, switches, lights, then words that the mistake has to contain.
#[test]
fn what_cannot_stand_is_refused_with_place_value_and_remedy() {
    let rows: &[(&str, &str, &str, &[&str])] = &[
        (
            r#"[{"key":"KEY_MICMUT","press":"a"}]"#,
            "[]",
            "[]",
            &["row 1", "\"KEY_MICMUT\"", "did you mean \"KEY_MICMUTE\"?"],
        ),
        (
            r#"[{"key":"unknown key: 4","press":"a"}]"#,
            "[]",
            "[]",
            &["unknown key", "KEY_MICMUTE"],
        ),
        (
            r#"[{"key":"KEY_A","press":"a","hold_to_talk":true}]"#,
            "[]",
            "[]",
            &["press and hold_to_talk", "remove hold_to_talk or press"],
        ),
        (
            r#"[{"key":"KEY_A","gpio":"B","press":"a"}]"#,
            "[]",
            "[]",
            &["key and gpio"],
        ),
        (r#"[{"press":"a"}]"#, "[]", "[]", &["neither key nor gpio"]),
        (
            r#"[{"name":"top","key":"KEY_A"}]"#,
            "[]",
            "[]",
            &["row 1 (top)", "does nothing", "press ="],
        ),
        (
            r#"[{"key":"KEY_A","press":"a"},{"name":"again","key":"KEY_A","device":"Remote","press":"b"}]"#,
            "[]",
            "[]",
            &["KEY_A in two rows", "one row"],
        ),
        (
            r#"[{"gpio":"3","press":"a"}]"#,
            "[]",
            "[]",
            &["\"3\" without chip", "chip ="],
        ),
        (
            r#"[{"key":"KEY_A","bias":"pull_up","press":"a"}]"#,
            "[]",
            "[]",
            &["bias without gpio"],
        ),
        (
            r#"[{"key":"KEY_A","device":" ","press":"a"}]"#,
            "[]",
            "[]",
            &["device is empty"],
        ),
        (
            r#"[{"gpio":"A","device":"x","press":"a"}]"#,
            "[]",
            "[]",
            &["device without key"],
        ),
        (
            r#"[{"name":"","key":"KEY_A","press":"a"}]"#,
            "[]",
            "[]",
            &["name = \"\""],
        ),
        (
            r#"[{"name":"x","key":"KEY_A","press":"a"},{"name":"x","key":"KEY_B","press":"a"}]"#,
            "[]",
            "[]",
            &["the name x in two rows"],
        ),
        (
            r#"[{"gpio":"A","press":"a"}]"#,
            r#"[{"gpio":"A","chip":"c","mutes":"camera"}]"#,
            "[]",
            &["GPIO line c/A in two rows"],
        ),
        (
            "[]",
            r#"[{"switch":"SW_MUTE_DEVIC","mutes":"microphone"}]"#,
            "[]",
            &["SW_MUTE_DEVIC", "did you mean \"SW_MUTE_DEVICE\"?"],
        ),
        (
            "[]",
            r#"[{"mutes":"microphone"}]"#,
            "[]",
            &["neither switch nor gpio"],
        ),
        (
            "[]",
            r#"[{"switch":"SW_LID","mutes":"camera"},{"name":"b","switch":"SW_LID","mutes":"camera"}]"#,
            "[]",
            &["SW_LID in two rows"],
        ),
        (
            "[]",
            "[]",
            r#"[{"led":"a","shows":["mutet"]}]"#,
            &["\"mutet\"", "did you mean \"muted\"?"],
        ),
        (
            "[]",
            "[]",
            r#"[{"led":"a","shows":[]}]"#,
            &["shows is empty"],
        ),
        (
            "[]",
            "[]",
            r#"[{"led":"a","shows":["muted","muted"]}]"#,
            &["\"muted\" twice"],
        ),
        (
            "[]",
            "[]",
            r#"[{"led":"a/b","shows":["muted"]}]"#,
            &["\"a/b\"", "/sys/class/leds"],
        ),
        (
            "[]",
            "[]",
            r#"[{"led":"a","brightness":0,"shows":["muted"]}]"#,
            &["brightness = 0", "1 to 100"],
        ),
        (
            "[]",
            "[]",
            r#"[{"led":"a","shows":["muted","live"]}]"#,
            &["\"muted\" and \"live\" look alike", "multicolour = true"],
        ),
        (
            "[]",
            "[]",
            r#"[{"led":"a","shows":[{"when":"muted","pattern":"blink"}]}]"#,
            &["\"muted\" and \"pending\" look alike"],
        ),
        (
            "[]",
            "[]",
            r#"[{"led":"a","shows":[{"when":"muted","pattern":"fault"}]}]"#,
            &["\"fault\"", "\"on\", \"blink\" or \"double\""],
        ),
        (
            "[]",
            "[]",
            r#"[{"led":"a","shows":[{"when":"muted","colour":"pink"}]}]"#,
            &["\"pink\"", "\"red\""],
        ),
        (
            "[]",
            "[]",
            r#"[{"led":"a","shows":["muted"]},{"name":"b","led":"a","shows":["live"]}]"#,
            &["the LED a in two rows", "one row"],
        ),
        (
            "[]",
            "[]",
            r#"[{"led":"input*::mute","shows":["muted"]},{"led":"input3::mute","shows":["live"]}]"#,
            &["in two rows"],
        ),
        (
            "[]",
            "[]",
            r#"[{"gpio":"A","multicolour":true,"shows":["muted"]}]"#,
            &["multicolour with gpio"],
        ),
    ];
    for (buttons, switches, lights, words) in rows {
        let mistakes = table(buttons, switches, lights)
            .expect_err(&format!("{buttons} {switches} {lights} was taken"));
        let [mistake] = mistakes.as_slice() else {
            panic!("{mistakes:?}");
        };
        let text = format!(
            "{} · {} · {}",
            mistake.found, mistake.allowed, mistake.remedy
        );
        for word in *words {
            assert!(text.contains(word), "{word} is not in: {text}");
        }
    }
}

#[test]
fn a_key_may_mean_different_things_on_different_devices_and_one_light_many() {
    table(
        r#"[{"name":"a","key":"KEY_A","device":"Remote","press":"x"},{"name":"b","key":"KEY_A","device":"046d:0001","press":"y"}]"#,
        r#"[{"name":"both","switch":"SW_MUTE_DEVICE","mutes":"microphone"},{"switch":"SW_MUTE_DEVICE","mutes":"camera"}]"#,
        r#"[{"led":"rgb","multicolour":true,"shows":["request","live","muted","hand_raised"]}]"#,
    )
    .unwrap();
}

proptest! {
    /// Whatever a light is asked to show: it is refused, or "muted" looks like nothing else on it.
    #[test]
    fn a_light_that_is_taken_says_muted_unmistakably(
        whens in prop::collection::vec(prop::sample::select(crate::light::Condition::ALL), 1..6),
        patterns in prop::collection::vec(prop::sample::select(crate::pattern::Pattern::CHOICES), 6),
        multicolour in any::<bool>(),
    ) {
        let shows: Vec<serde_json::Value> = whens.iter().zip(patterns).map(|(when, pattern)| {
            serde_json::json!({ "when": when, "pattern": pattern })
        }).collect();
        let rows = serde_json::json!([{ "led": "a", "multicolour": multicolour, "shows": shows }]);
        let Ok(table) = table("[]", "[]", &rows.to_string()) else { return Ok(()) };
        let list = table.lights[0].shows.as_slice();
        if let Some(muted) = list.iter().find(|shown| shown.when == crate::light::Condition::Muted) {
            for other in list.iter().filter(|other| other.when != muted.when) {
                prop_assert!(other.look != muted.look);
                prop_assert!(multicolour || other.look.pattern != muted.look.pattern);
            }
        }
    }

    #[test]
    fn any_names_are_judged_without_a_panic(key in ".*", device in ".*", line in ".*", led in ".*", word in ".*") {
        let buttons = [
            ButtonRow { key: Some(key.clone()), device: Some(device), hold_to_talk: true, ..ButtonRow::default() },
            ButtonRow { gpio: Some(line), chip: Some(key), hold_to_talk: true, ..ButtonRow::default() },
        ];
        let lights = [serde_json::from_value::<LightRow>(serde_json::json!({ "led": led, "shows": [word] })).unwrap()];
        if let Err(mistakes) = Table::new(&buttons, &[], &lights, TIMING) {
            prop_assert!(mistakes.iter().all(|mistake| !mistake.remedy.is_empty()));
        }
    }
}
