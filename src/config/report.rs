//! What `roomd check-config` prints.

use serde::Serialize;
use toml::Value;

use super::{
    Loaded,
    problem::{ConfigError, Origin, Problem},
    reader::{Key, by_section},
};

/// The outcome for people: the configuration in effect with the origin of every value, or what is
/// wrong.
#[must_use]
pub fn report(outcome: &Result<Loaded, ConfigError>) -> String {
    match outcome {
        Ok(loaded) => effective(loaded),
        Err(error) => format!("{error}\n"),
    }
}

/// The same for programs: `{"ok":true,"files":[…],"keys":[…]}` or `{"ok":false,"problems":[…]}`.
#[must_use]
pub fn report_json(outcome: &Result<Loaded, ConfigError>) -> String {
    let json = match outcome {
        Ok(loaded) => Json {
            ok: true,
            files: loaded
                .files
                .iter()
                .map(|file| file.display().to_string())
                .collect(),
            keys: &loaded.keys,
            problems: &[],
        },
        Err(error) => Json {
            ok: false,
            files: Vec::new(),
            keys: &[],
            problems: &error.problems,
        },
    };
    match serde_json::to_string_pretty(&json) {
        Ok(text) => text + "\n",
        Err(error) => format!("{{\"ok\":false,\"error\":{:?}}}\n", error.to_string()),
    }
}

#[derive(Serialize)]
struct Json<'a> {
    ok: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    keys: &'a [Key],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    problems: &'a [Problem],
}

fn effective(loaded: &Loaded) -> String {
    let mut text = match loaded.files.as_slice() {
        [] => "# no configuration file: the defaults\n".to_owned(),
        files => files
            .iter()
            .map(|file| format!("# read {}\n", file.display()))
            .collect(),
    };
    for (section, keys) in by_section(&loaded.keys) {
        text.push_str(&format!("\n[{section}]\n"));
        for key in keys {
            text.push_str(&line(key));
        }
    }
    text
}

fn line(key: &Key) -> String {
    let name = key
        .key
        .rsplit_once('.')
        .map_or(key.key.as_str(), |(_, name)| name);
    let setting = match (&key.value, key.in_files) {
        (Some(value), true) => format!("{name} = {value}"),
        (Some(Value::String(hidden)), false) => format!("# {name}: {hidden}"),
        (_, _) => format!("# {name}: none"),
    };
    match key.origin {
        Origin::Default => format!("{setting}\n"),
        ref origin => format!("{setting:<50} # {origin}\n"),
    }
}
