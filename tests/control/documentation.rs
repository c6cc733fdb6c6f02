//! docs/mqtt.md and the JSON Schemas say what the code does. `UPDATE=1` writes what is generated.

use std::{fs, path::PathBuf};

use roomd::mqtt::{
    commands::COMMANDS, info::PublishedInfo, reply::Reply, status::PARTS, topics::PATTERNS,
};
use schemars::{JsonSchema, Schema, generate::SchemaSettings, schema_for};
use serde_json::Value;

const BEGIN: &str = "<!-- commands: generated, see tests/control/documentation.rs -->";
const END: &str = "<!-- end of commands -->";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// Compares a generated file with the one in the repository, or writes it.
pub(crate) fn check(file: &str, generated: &str) {
    let path = root().join(file);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/{file} is not up to date; run UPDATE=1 cargo test --test control documentation"
    );
}

pub(crate) fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

/// The schema of something that is written, not read: what is always there is required.
pub(crate) fn published<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::default().for_serialize();
    settings.into_generator().into_root_schema_for::<T>()
}

#[test]
fn the_table_of_commands_is_the_one_of_the_code() {
    let mut table =
        format!("{BEGIN}\n\n| topic | payload, for example | what it does |\n|---|---|---|\n");
    for spec in COMMANDS {
        let later = if spec.supported {
            ""
        } else {
            " *Answers `not_supported` in this version.*"
        };
        table += &format!(
            "| `{}/{}` | `{}` | {}{later} |\n",
            spec.kind.level(),
            spec.name,
            spec.example,
            spec.summary
        );
    }
    table += &format!("\n{END}");
    let text = fs::read_to_string(root().join("mqtt.md")).unwrap();
    let (before, rest) = text
        .split_once(BEGIN)
        .expect("the table's beginning is marked");
    let (_, after) = rest.split_once(END).expect("the table's end is marked");
    check("mqtt.md", &format!("{before}{table}{after}"));
}

#[test]
fn every_topic_and_every_state_part_is_documented_and_none_that_does_not_exist() {
    let text = fs::read_to_string(root().join("mqtt.md")).unwrap();
    for pattern in PATTERNS {
        assert!(text.contains(&format!("`{pattern}`")), "{pattern}");
    }
    for part in PARTS {
        assert!(
            text.contains(&format!("| `{}` |", part.name)),
            "{}",
            part.name
        );
        if let Some(member) = part.member {
            assert!(text.contains(&format!("`{member}`")), "{member}");
        }
    }
    let prose: String = text.split("```").step_by(2).collect();
    let topics = prose.split('`').skip(1).step_by(2).filter(|code| {
        code.starts_with("<base>/")
            || (code.starts_with("<prefix>/") && *code != "<prefix>/<device>")
    });
    for topic in topics {
        assert!(
            PATTERNS.contains(&topic),
            "{topic} is documented, but there is none"
        );
    }
}

#[test]
fn the_schemas_are_those_of_the_types() {
    let mut commands = serde_json::Map::new();
    let mut definitions = serde_json::Map::new();
    for spec in COMMANDS {
        let mut schema = spec.schema().to_value();
        // References of all schemas lead to the definitions of the file.
        if let Some(Value::Object(own)) = schema.as_object_mut().unwrap().remove("$defs") {
            definitions.extend(own);
        }
        commands.insert(format!("{}/{}", spec.kind.level(), spec.name), schema);
    }
    commands.insert("$defs".to_owned(), Value::Object(definitions));
    check("schemas/commands.json", &pretty(&commands));
    check("schemas/reply.json", &pretty(&schema_for!(Reply)));
    check("schemas/info.json", &pretty(&schema_for!(PublishedInfo)));
    for part in PARTS {
        check(
            &format!("schemas/state.{}.json", part.name),
            &pretty(&part.schema()),
        );
    }
}
