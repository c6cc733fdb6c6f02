//! A message on a command topic → a [`Command`] for the room loop, or the reason why not.
//!
//! Pure: the clock comes in, nothing goes out. Whatever bytes arrive, the answer is one of the two.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    commands::{self, CommandSpec, invalid, shortened},
    topics::Kind,
};
use crate::appliance::{Command, CommandError, ErrorCode};

/// Longest payload of a command, in bytes.
pub const MAX_PAYLOAD: usize = 64 * 1024;

/// Longest `id`, in characters.
pub const MAX_ID: usize = 64;

/// How long a command with `sentAt` is good for when it does not say.
pub const DEFAULT_VALIDITY: Duration = Duration::from_secs(10);

/// What the broker says about a message besides topic and payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// Delivered from the broker's memory, not just now.
    pub retain: bool,
    /// What is left of the message expiry interval (MQTT 5).
    pub expiry: Option<Duration>,
    /// Response topic (MQTT 5).
    pub response_topic: Option<String>,
    /// Correlation data (MQTT 5), returned as it came.
    pub correlation: Option<Vec<u8>>,
}

/// The device's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Now.
    pub now: Timestamp,
    /// Whether it can be compared with the clock of a sender.
    pub synchronised: bool,
}

/// A command as far as it was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// `id` of the payload.
    pub id: Option<String>,
    /// `replyTo` of the payload, else the response topic. Not checked.
    pub reply_to: Option<String>,
    /// How much longer it may wait before it is carried out.
    pub valid_for: Option<Duration>,
    /// What is wanted, or what is wrong.
    pub command: Result<Command, CommandError>,
}

/// Understands the message on `<kind>/<name>`.
#[must_use]
pub fn parse(
    kind: Kind,
    name: &str,
    payload: &[u8],
    properties: &Properties,
    clock: Clock,
) -> Parsed {
    let mut parsed = Parsed {
        id: None,
        reply_to: properties.response_topic.clone(),
        valid_for: properties.expiry,
        command: Err(CommandError::new(
            ErrorCode::Internal,
            "not judged",
            "report this as a bug",
        )),
    };
    parsed.command = judge(&mut parsed, kind, name, payload, properties, clock);
    parsed
}

/// Fills in what the envelope says, even when the command is refused, so that the answer finds
/// its way.
fn judge(
    parsed: &mut Parsed,
    kind: Kind,
    name: &str,
    payload: &[u8],
    properties: &Properties,
    clock: Clock,
) -> Result<Command, CommandError> {
    if payload.len() > MAX_PAYLOAD {
        return Err(CommandError::new(
            ErrorCode::TooLarge,
            format!(
                "the payload has {} bytes, allowed are {MAX_PAYLOAD}",
                payload.len()
            ),
            "send less, or put it where it can be fetched from",
        ));
    }
    let spec = commands::find(kind, name);
    let mut arguments = arguments(spec, payload);
    let envelope = match &mut arguments {
        Ok(arguments) => Envelope::take(arguments, parsed),
        Err(_) => Ok(Envelope::default()),
    };
    if properties.retain {
        return Err(CommandError::new(
            ErrorCode::RetainedCommand,
            format!("{name} came with the retain flag; it may be old"),
            "publish commands without retain; clear this one with an empty retained message",
        ));
    }
    let Some(spec) = spec else {
        return Err(unknown(kind, name));
    };
    let arguments = arguments.map_err(|error| spec.explain(error))?;
    let envelope = envelope.map_err(|error| spec.explain(error))?;
    parsed.valid_for = envelope.remaining(name, properties, clock)?;
    spec.command(arguments)
}

/// The payload as an object.
fn arguments(
    spec: Option<&CommandSpec>,
    payload: &[u8],
) -> Result<Map<String, Value>, CommandError> {
    let text = std::str::from_utf8(payload).map_err(|error| {
        let found = format!("not UTF-8 from byte {} on", error.valid_up_to());
        invalid("", &found, "UTF-8 JSON")
    })?;
    let text = text.trim();
    if text.is_empty() {
        return Ok(Map::new());
    }
    if let Some((spec, field)) = spec.and_then(|spec| Some((spec, spec.switch()?))) {
        match text {
            "ON" | "OFF" => {
                return Ok(Map::from_iter([(
                    field.to_owned(),
                    Value::Bool(text == "ON"),
                )]));
            }
            "TOGGLE" if spec.toggles() => return Ok(Map::new()),
            "TOGGLE" => return Err(invalid("", "TOGGLE", "ON or OFF, it cannot be toggled")),
            _ => {}
        }
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(invalid("", &kind_of(&other), "a JSON object, or nothing")),
        Err(error) => Err(invalid(
            "",
            &format!("not JSON ({error})"),
            "a JSON object, or nothing",
        )),
    }
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => shortened(&value.to_string()),
        Value::String(_) => shortened(&format!("the text {value}")),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// The optional fields that every command has.
#[derive(Default)]
struct Envelope {
    sent_at: Option<Timestamp>,
    valid_for: Option<Duration>,
}

impl Envelope {
    /// Takes them out of the arguments.
    fn take(arguments: &mut Map<String, Value>, parsed: &mut Parsed) -> Result<Self, CommandError> {
        let [id, reply_to, sent_at, valid_for] =
            ["id", "replyTo", "sentAt", "validForMs"].map(|field| arguments.shift_remove(field));
        let mut envelope = Self::default();
        let mut wrong = Ok(());
        match id {
            None | Some(Value::Null) => {}
            Some(Value::String(id)) if (1..=MAX_ID).contains(&id.chars().count()) => {
                parsed.id = Some(id);
            }
            Some(other) => {
                wrong = Err(invalid(
                    "id",
                    &kind_of(&other),
                    "a text of 1 to 64 characters",
                ));
            }
        }
        match reply_to {
            None | Some(Value::Null) => {}
            Some(Value::String(topic)) => parsed.reply_to = Some(topic),
            Some(other) => wrong = wrong.and(Err(invalid("replyTo", &kind_of(&other), "a topic"))),
        }
        wrong?;
        match sent_at {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => {
                envelope.sent_at = Some(text.parse().map_err(|_| {
                    let found = shortened(&format!("the text {text:?}"));
                    invalid("sentAt", &found, "a time as 2026-11-23T10:00:00.000Z")
                })?);
            }
            Some(other) => {
                let expected = "a time as \"2026-11-23T10:00:00.000Z\"";
                return Err(invalid("sentAt", &kind_of(&other), expected));
            }
        }
        match valid_for {
            None | Some(Value::Null) => {}
            Some(value) => {
                let Some(milliseconds) = value.as_u64().filter(|ms| *ms <= 86_400_000) else {
                    let expected = "milliseconds, 0 to 86400000";
                    return Err(invalid("validForMs", &kind_of(&value), expected));
                };
                if envelope.sent_at.is_none() {
                    return Err(invalid(
                        "sentAt",
                        "missing",
                        "the time from which validForMs counts",
                    ));
                }
                envelope.valid_for = Some(Duration::from_millis(milliseconds));
            }
        }
        Ok(envelope)
    }

    /// How much longer the command may wait.
    fn remaining(
        &self,
        name: &str,
        properties: &Properties,
        clock: Clock,
    ) -> Result<Option<Duration>, CommandError> {
        if properties.expiry.is_some_and(|left| left.is_zero()) {
            return Err(expired(format!("the message expiry of {name} has passed")));
        }
        let Some(sent_at) = self.sent_at.filter(|_| clock.synchronised) else {
            return Ok(properties.expiry);
        };
        let valid_for = self.valid_for.unwrap_or(DEFAULT_VALIDITY);
        // A sender whose clock is ahead gets the whole validity, not more.
        let age = Duration::try_from(clock.now.duration_since(sent_at)).unwrap_or_default();
        if age > valid_for {
            return Err(expired(format!(
                "{name} was sent {} ms ago and was good for {} ms",
                age.as_millis(),
                valid_for.as_millis()
            )));
        }
        let left = valid_for - age;
        Ok(Some(
            properties.expiry.map_or(left, |expiry| expiry.min(left)),
        ))
    }
}

/// The error of a command that came too late.
pub(super) fn expired(message: String) -> CommandError {
    CommandError::new(
        ErrorCode::Expired,
        message,
        "send it again if it is still wanted; compare the clocks if this happens often",
    )
}

fn unknown(kind: Kind, name: &str) -> CommandError {
    let remedy = match commands::nearest(name) {
        Some(near) if near.name == name => {
            format!("{name} is published below {}/", near.kind.level())
        }
        Some(near) => format!("did you mean {}/{}?", near.kind.level(), near.name),
        None => "see docs/mqtt.md for all commands".to_owned(),
    };
    CommandError::new(
        ErrorCode::UnknownCommand,
        format!("there is no command {}/{}", kind.level(), shortened(name)),
        remedy,
    )
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
