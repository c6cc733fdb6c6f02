//! What a command of the interface is, and how its arguments are judged.

use roomd_protocol::ClientId;
use roomd_room::Action;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use super::command_table::COMMANDS;
use super::topics::Kind;
use crate::appliance::{Command, CommandError, ErrorCode};

/// One command of the interface.
#[derive(Debug)]
pub struct CommandSpec {
    /// Last level of its topic.
    pub name: &'static str,
    /// Which rights it needs.
    pub kind: Kind,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// A payload that it takes.
    pub example: &'static str,
    /// False when this version answers `not_supported`.
    pub supported: bool,
    pub(super) arguments: fn(Map<String, Value>) -> Result<Command, CommandError>,
    pub(super) schema: fn() -> Schema,
}

impl CommandSpec {
    /// The command that `arguments` (without `id`, `replyTo`, `sentAt`, `validForMs`) ask for.
    ///
    /// # Errors
    /// `invalid_payload` naming the field, or `not_supported`.
    pub fn command(&self, arguments: Map<String, Value>) -> Result<Command, CommandError> {
        (self.arguments)(arguments).map_err(|error| self.explain(error))
    }

    /// Names the command in an error, and an example where the error has no remedy of its own.
    pub(super) fn explain(&self, mut error: CommandError) -> CommandError {
        if error.remedy.is_empty() {
            error.remedy = format!("send for example {}", self.example);
        }
        error.message = format!("{}: {}", self.name, error.message);
        error
    }

    /// JSON Schema of its arguments.
    #[must_use]
    pub fn schema(&self) -> Schema {
        (self.schema)()
    }

    /// The argument that the plain texts `ON` and `OFF` stand for, if it is a switch.
    #[must_use]
    pub fn switch(&self) -> Option<&'static str> {
        match self.name {
            "lock_room" => Some("locked"),
            "mute_speaker" => Some("muted"),
            name if name.starts_with("toggle_") => Some("enabled"),
            _ => None,
        }
    }

    /// Whether it can be turned the other way round without saying which.
    #[must_use]
    pub fn toggles(&self) -> bool {
        self.name.starts_with("toggle_")
    }
}

/// The command of that name and kind.
#[must_use]
pub fn find(kind: Kind, name: &str) -> Option<&'static CommandSpec> {
    COMMANDS
        .iter()
        .find(|spec| spec.kind == kind && spec.name == name)
}

/// The command whose name is most like `name`, if one is like it at all.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static CommandSpec> {
    COMMANDS
        .iter()
        .map(|spec| (strsim::jaro_winkler(name, spec.name), spec))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, spec)| spec)
}

pub(super) fn schema<A: JsonSchema>() -> Schema {
    schemars::schema_for!(A)
}

pub(super) fn room(action: Action) -> Result<Command, CommandError> {
    Ok(Command::Room(action))
}

pub(super) fn not_supported() -> CommandError {
    CommandError::new(
        ErrorCode::NotSupported,
        "this version of roomd cannot do it",
        "see `capabilities` in info for what this box can do",
    )
}

pub(super) fn not_empty(field: &str, text: String) -> Result<String, CommandError> {
    if text.trim().is_empty() {
        return Err(invalid(field, "an empty text", "a text that is not empty"));
    }
    Ok(text)
}

pub(super) fn participant(id: ClientId) -> Result<ClientId, CommandError> {
    if id.is_empty() {
        let expected = "the client id of a participant";
        return Err(invalid("participantId", "an empty text", expected));
    }
    Ok(id)
}

pub(super) fn participants(ids: Vec<ClientId>) -> Result<Vec<ClientId>, CommandError> {
    if ids.is_empty() || ids.iter().any(ClientId::is_empty) {
        let expected = "client ids of participants, at least one, none empty";
        return Err(invalid("participantIds", "incomplete", expected));
    }
    Ok(ids)
}

pub(super) fn seconds(seconds: Option<f64>) -> Result<Option<f64>, CommandError> {
    match seconds {
        Some(value) if !(value > 0.0 && value <= 86_400.0) => {
            let expected = "more than 0 and at most 86400";
            Err(invalid("seconds", &value.to_string(), expected))
        }
        other => Ok(other),
    }
}

pub(super) fn level(level: i64) -> Result<u8, CommandError> {
    u8::try_from(level)
        .ok()
        .filter(|level| *level <= 100)
        .ok_or_else(|| invalid("level", &level.to_string(), "0 to 100"))
}

/// `invalid_payload` about one field, about the payload as a whole when `field` is empty. The
/// remedy is filled in where the command is known.
pub(super) fn invalid(field: &str, found: &str, expected: &str) -> CommandError {
    let what = if field.is_empty() {
        "the payload"
    } else {
        field
    };
    CommandError {
        code: ErrorCode::InvalidPayload,
        message: format!("{what} is {found}, expected {expected}"),
        field: (!field.is_empty()).then(|| field.to_owned()),
        remedy: String::new(),
    }
}

pub(super) fn parse<A: DeserializeOwned>(object: Map<String, Value>) -> Result<A, CommandError> {
    serde_path_to_error::deserialize(Value::Object(object)).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "" } else { &path };
        refusal(path, &error.inner().to_string())
    })
}

/// Turns serde's sentence into one that names field, found and expected.
fn refusal(path: &str, sentence: &str) -> CommandError {
    if let Some(rest) = sentence.strip_prefix("missing field ") {
        return invalid(&joined(path, quoted(rest)), "missing", "a value");
    }
    if let Some(rest) = sentence.strip_prefix("unknown field ") {
        return unknown_field(path, rest);
    }
    for start in ["invalid type: ", "invalid value: "] {
        let parts = sentence.strip_prefix(start);
        if let Some((found, expected)) = parts.and_then(|rest| rest.rsplit_once(", expected ")) {
            // What stands where a key belongs may be one.
            let secret = path.contains("Key");
            let found = if secret {
                "of a wrong type".to_owned()
            } else {
                shortened(found)
            };
            return invalid(path, &found, expected);
        }
    }
    invalid(path, "not usable", &shortened(sentence))
}

/// `rest` is serde's sentence after "unknown field": the name, then those that are known.
fn unknown_field(path: &str, rest: &str) -> CommandError {
    // The name may hold backticks itself; the names of the known ones do not.
    let (name, known) = match rest.rsplit_once(", expected ") {
        Some((name, known)) => (name.trim_matches('`'), known),
        None => (
            rest.split("`, ")
                .next()
                .unwrap_or_default()
                .trim_matches('`'),
            "",
        ),
    };
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let expected = if known.is_empty() {
        "no fields".to_owned()
    } else {
        known.join(", ")
    };
    let field = if path.ends_with(name) {
        path.to_owned()
    } else {
        joined(path, name)
    };
    let mut error = invalid(&shortened(&field), "an unknown field", &expected);
    let near = known
        .iter()
        .find(|known| strsim::jaro_winkler(known, name) > 0.8);
    if let Some(near) = near {
        error.remedy = format!("did you mean `{near}`?");
    }
    error
}

fn quoted(text: &str) -> &str {
    text.split('`').nth(1).unwrap_or_default()
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// At most 80 characters, so that an answer never repeats a whole payload.
pub(super) fn shortened(text: &str) -> String {
    if text.chars().count() <= 80 {
        return text.to_owned();
    }
    text.chars().take(79).chain(std::iter::once('…')).collect()
}
