//! Frames and events of the signalling connection.

use roomd_protocol::{ClientMessage, ServerMessage, engine_io, socket_io};
use serde_json::{Value, value::RawValue};

use super::{payload, text};

pub(crate) fn engine_io_frame(bytes: &[u8]) {
    if let Some(Ok(packet)) = text(bytes).map(engine_io::Packet::decode) {
        let written = packet.encode();
        assert_eq!(engine_io::Packet::decode(&written), Ok(packet));
    }
}

pub(crate) fn socket_io_packet(bytes: &[u8]) {
    let Some(Ok(packet)) = text(bytes).map(socket_io::Packet::decode) else {
        return;
    };
    let written = packet.encode();
    let again = socket_io::Packet::decode(&written).expect("what was written is read");
    assert_eq!(again.encode(), written);
    if let socket_io::Packet::Event { name, payload, .. } = packet {
        // An event is understood, skipped or refused with its name.
        if let Err(error) = ClientMessage::decode(&name, payload.as_deref()) {
            assert_eq!(error.name, name);
        }
        if let Err(error) = ServerMessage::decode(&name, payload.as_deref()) {
            assert_eq!(error.name, name);
        }
    }
}

/// One payload under the name of every event of a client.
pub(crate) fn client_messages(bytes: &[u8]) {
    let Some(payload) = payload(bytes) else {
        return;
    };
    for name in ClientMessage::NAMES {
        if let Ok(message) = ClientMessage::decode(name, Some(&payload)) {
            let message = message.expect("a known name");
            assert_eq!(message.name(), *name);
            let written = message.payload();
            let again = ClientMessage::decode(name, written.as_deref());
            let again = again
                .expect("what was written is read")
                .expect("a known name");
            assert!(
                again == message || has_fractions(&payload),
                "{message:?} {again:?}"
            );
        }
    }
}

/// One payload under the name of every event of the server.
pub(crate) fn server_messages(bytes: &[u8]) {
    let Some(payload) = payload(bytes) else {
        return;
    };
    for name in ServerMessage::NAMES {
        if let Ok(message) = ServerMessage::decode(name, Some(&payload)) {
            let message = message.expect("a known name");
            assert_eq!(message.name(), *name);
            let written = message.payload();
            let again = ServerMessage::decode(name, written.as_deref());
            let again = again
                .expect("what was written is read")
                .expect("a known name");
            assert!(
                again == message || has_fractions(&payload),
                "{message:?} {again:?}"
            );
        }
    }
}

/// Whether a number in it may change in its last digit when it is written and read: it has a fraction, or more digits
/// than a double.
fn has_fractions(payload: &RawValue) -> bool {
    fn any(value: &Value) -> bool {
        match value {
            Value::Number(number) => number
                .as_f64()
                .is_none_or(|n| n.fract() != 0.0 || n.abs() > 9e15),
            Value::Array(items) => items.iter().any(any),
            Value::Object(members) => members.values().any(any),
            _ => false,
        }
    }
    serde_json::from_str(payload.get()).is_ok_and(|value| any(&value))
}

/// What a trace shows of a frame.
pub(crate) fn signal_trace(bytes: &[u8]) {
    let Some(frame) = text(bytes) else { return };
    let shown = roomd_signalling::trace::redact_frame(frame);
    let body = shown.find(['[', '{']).map_or("", |at| &shown[at..]);
    if let Ok(value) = serde_json::from_str::<Value>(body) {
        assert_hidden(&value, frame);
    }
}

fn assert_hidden(value: &Value, frame: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if [
                    "hmac",
                    "roomKey",
                    "assistantKey",
                    "clientClaim",
                    "credential",
                ]
                .contains(&name.as_str())
                {
                    assert!(member.is_null() || member == "…", "{name} of {frame}");
                }
                assert_hidden(member, frame);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| assert_hidden(item, frame)),
        _ => {}
    }
}
