//! Every frame as a JSON line, with keys and claims left out.

use std::{
    fs::File,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use crate::SignallingError;

/// Members whose values open rooms or speak for a device.
const SECRET_MEMBERS: &[&str] = &[
    "hmac",
    "roomKey",
    "assistantKey",
    "clientClaim",
    "eventClaim",
    "credential",
    "sig",
];

/// Where frames are written, if anywhere.
#[derive(Debug)]
pub struct Trace(Option<File>);

impl Trace {
    /// Opens the file, mode 0600, or a trace that goes nowhere.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn open(path: Option<&Path>) -> Result<Self, SignallingError> {
        let Some(path) = path else {
            return Ok(Self(None));
        };
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map(|file| Self(Some(file)))
            .map_err(|source| SignallingError::Trace {
                path: path.to_owned(),
                source,
            })
    }

    /// Writes a frame. `direction` is `>` for frames that we send, `<` for those that we receive.
    pub fn frame(&mut self, direction: &str, frame: &str) {
        let Some(file) = &mut self.0 else { return };
        let at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        let line =
            serde_json::json!({ "at": at, "direction": direction, "frame": redact_frame(frame) });
        if let Err(error) = writeln!(file, "{line}") {
            tracing::warn!(%error, "the signal trace ends: the file cannot be written");
            self.0 = None;
        }
    }
}

/// The frame without the values of keys and claims; what cannot be read is left out whole.
#[must_use]
pub fn redact_frame(frame: &str) -> String {
    let json = frame.find(['[', '{']).unwrap_or(frame.len());
    let (head, body) = frame.split_at(json);
    match serde_json::from_str::<Value>(body) {
        Ok(mut value) => {
            redact(&mut value);
            format!("{head}{value}")
        }
        Err(_) if body.is_empty() => head.to_owned(),
        // What cannot be read cannot be freed of secrets either.
        Err(_) => format!("{head}(unreadable, {} bytes)", body.len()),
    }
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if SECRET_MEMBERS.contains(&name.as_str()) && !member.is_null() {
                    *member = Value::from("…");
                } else {
                    redact(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_left_out_of_a_trace_and_everything_else_stays() {
        let frame = r#"42["join_room",{"roomName":"/r","roomKey":"open-sesame","externalId":null,"assistantKey":null}]"#;
        assert_eq!(
            redact_frame(frame),
            r#"42["join_room",{"roomName":"/r","roomKey":"…","externalId":null,"assistantKey":null}]"#
        );
        assert_eq!(redact_frame("2"), "2");
        assert!(!redact_frame(r#"42["x",{"hmac":"secret""#).contains("secret"));
    }
}
