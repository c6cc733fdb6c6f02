//! The documents against the code: no key without its description, no description without a key.

use std::path::Path;

use super::*;

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The example with the lines uncommented that hold a key which has no default.
fn example_with_optional_keys() -> String {
    let is_setting = |line: &str| {
        let name = line.split(" = ").next().unwrap_or_default();
        line.contains(" = ")
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(setting) if is_setting(setting) => format!("{setting}\n"),
        _ => format!("{line}\n"),
    };
    document("roomd.example.toml")
        .lines()
        .map(uncomment)
        .collect()
}

#[test]
fn the_example_gives_the_defaults() {
    let (_directory, sources) = written(&document("roomd.example.toml"));
    let example = load(&sources).unwrap();
    let defaults = load(&Sources::none()).unwrap();
    for (written, default) in example.keys.iter().zip(&defaults.keys) {
        assert_eq!(
            (&written.key, &written.value),
            (&default.key, &default.value)
        );
    }
    assert_eq!(
        format!("{:?}", example.config),
        format!("{:?}", defaults.config)
    );
}

#[test]
fn the_example_names_every_key_and_explains_each() {
    let text = example_with_optional_keys();
    let (_directory, sources) = written(&text);
    let (layers, _, problems) = sources.layers();
    assert!(problems.is_empty(), "{problems:?}");
    let document = document("roomd.example.toml");
    let lines: Vec<&str> = document.lines().collect();
    for key in load(&Sources::none())
        .unwrap()
        .keys
        .iter()
        .filter(|key| key.in_files)
    {
        assert!(
            layer::lookup(&layers[0], &key.key).is_some(),
            "{} is not in the example",
            key.key
        );
        let (_, name) = key.key.rsplit_once('.').unwrap();
        let is_of_key = |line: &&str| {
            line.trim_start_matches('#')
                .starts_with(&format!("{name} = "))
        };
        for at in lines
            .iter()
            .enumerate()
            .filter(|(_, line)| is_of_key(line))
            .map(|(at, _)| at)
        {
            assert!(
                lines[at - 1].starts_with("# "),
                "line {}: {name} has no comment",
                at + 1
            );
        }
    }
}

#[test]
fn every_optional_line_of_the_example_may_be_uncommented() {
    let (_directory, sources) = written(&example_with_optional_keys());
    // Files that the example names are not there; nothing else may be wrong.
    let problems = load(&sources)
        .map(|_| Vec::new())
        .unwrap_or_else(|error| error.problems);
    for problem in problems {
        assert!(problem.found.contains("No such file"), "{problem}");
    }
}

#[test]
fn the_description_has_every_key_with_its_default_and_no_other() {
    let text = document("configuration.md");
    let keys = load(&Sources::none()).unwrap().keys;
    for key in &keys {
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", key.key)));
        let row = row.unwrap_or_else(|| panic!("{} is not described", key.key));
        let machine = [
            "device.id",
            "device.name",
            "room.display_name",
            "state.dir",
            "server.state_dir",
        ];
        if let Some(value) = key
            .value
            .as_ref()
            .filter(|_| !machine.contains(&key.key.as_str()))
        {
            assert!(
                row.contains(&format!("`{value}`")),
                "the default of {} is {value}: {row}",
                key.key
            );
        }
        assert!(row.matches(" | ").count() >= 3, "{row}");
    }
    for line in text.lines().filter_map(|line| line.strip_prefix("| `")) {
        let (name, _) = line.split_once('`').unwrap();
        let section_of_keys = keys
            .iter()
            .any(|key| key.key.split('.').next() == name.split('.').next());
        if name.contains('.') && section_of_keys {
            assert!(
                keys.iter().any(|key| key.key == name),
                "{name} is described and not known"
            );
        }
    }
}

#[test]
fn the_description_names_the_rules_for_variables_and_credentials() {
    let text = document("configuration.md");
    for words in [
        variable_of("room.url").as_str(),
        variable_of("media.camera_encoding.fps").as_str(),
        DEFAULT_FILE,
        "`room-key`",
        "`mqtt-password`",
        "`server-api-key`",
        "`server-assistant-key`",
        "`mqtt-tls-client-key`",
        "chmod 600",
        "78",
    ] {
        assert!(text.contains(words), "{words}");
    }
}
