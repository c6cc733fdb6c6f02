//! Socket.IO protocol revision 5, text packets of the default namespace.
//!
//! A packet is `type[attachments-][/namespace,][ack id][JSON]`; binary packets (types 5 and 6) are
//! not part of the room protocol.

use serde_json::value::RawValue;
use thiserror::Error;

/// One Socket.IO packet of the default namespace.
#[derive(Clone, Debug)]
pub enum Packet {
    /// `0`: connect. From a server it carries `{"sid":…}`.
    Connect(Option<Box<RawValue>>),
    /// `1`: leave the namespace. From a server it means: do not come back.
    Disconnect,
    /// `2`: an event, with the number of the acknowledgement it asks for, if any.
    Event {
        /// Number of the acknowledgement that the sender waits for.
        ack: Option<u64>,
        /// Name of the event.
        name: String,
        /// First argument. Missing and `null` are both `None`; surplus arguments are dropped.
        payload: Option<Box<RawValue>>,
    },
    /// `3`: an acknowledgement.
    Ack {
        /// Number of the event that is acknowledged.
        id: u64,
        /// First argument.
        payload: Option<Box<RawValue>>,
    },
    /// `4`: the namespace was refused.
    ConnectError(Option<Box<RawValue>>),
}

/// Why a text is no Socket.IO packet that we take.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SocketIoError {
    /// No type character.
    #[error("an empty message is no Socket.IO packet")]
    Empty,
    /// A type character other than `0` to `4`.
    #[error("unknown or binary Socket.IO packet type {0:?}")]
    UnknownType(char),
    /// A packet for a namespace other than `/`.
    #[error("namespace {0:?} is not served, only /")]
    Namespace(String),
    /// The acknowledgement number is missing or does not fit 64 bits.
    #[error("malformed acknowledgement number")]
    AckNumber,
    /// What follows the type is not the JSON that the type asks for.
    #[error("malformed payload: {0}")]
    Payload(String),
    /// An event without a name.
    #[error("an event must be an array that begins with its name")]
    EventName,
}

impl Packet {
    /// Reads a packet from the text of an Engine.IO message.
    ///
    /// # Errors
    /// When the text is no packet of the default namespace.
    pub fn decode(text: &str) -> Result<Self, SocketIoError> {
        let kind = text.chars().next().ok_or(SocketIoError::Empty)?;
        let mut rest = &text[kind.len_utf8()..];
        if rest.starts_with('/') {
            let (namespace, after) = rest.split_once(',').unwrap_or((rest, ""));
            if namespace.split('?').next() != Some("/") {
                return Err(SocketIoError::Namespace(namespace.to_owned()));
            }
            rest = after;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, json) = rest.split_at(digits);
        let number = match number {
            "" => None,
            number => Some(number.parse().map_err(|_| SocketIoError::AckNumber)?),
        };
        match kind {
            '0' => Ok(Packet::Connect(object(json)?)),
            '1' => Ok(Packet::Disconnect),
            '2' => {
                let mut arguments = array(json)?.into_iter();
                let name = arguments.next().ok_or(SocketIoError::EventName)?;
                let name =
                    serde_json::from_str(name.get()).map_err(|_| SocketIoError::EventName)?;
                Ok(Packet::Event {
                    ack: number,
                    name,
                    payload: first(arguments),
                })
            }
            '3' => Ok(Packet::Ack {
                id: number.ok_or(SocketIoError::AckNumber)?,
                payload: first(array(json)?.into_iter()),
            }),
            '4' => Ok(Packet::ConnectError(object(json)?)),
            other => Err(SocketIoError::UnknownType(other)),
        }
    }

    /// The text of this packet, to be sent as an Engine.IO message.
    #[must_use]
    pub fn encode(&self) -> String {
        let json =
            |value: &Option<Box<RawValue>>| value.as_ref().map_or("", |v| v.get()).to_owned();
        match self {
            Packet::Connect(value) => format!("0{}", json(value)),
            Packet::Disconnect => "1".to_owned(),
            Packet::Event { ack, name, payload } => {
                let ack = ack.map(|n| n.to_string()).unwrap_or_default();
                let name = serde_json::Value::from(name.as_str());
                match payload {
                    Some(payload) => format!("2{ack}[{name},{}]", payload.get()),
                    None => format!("2{ack}[{name}]"),
                }
            }
            Packet::Ack { id, payload } => format!("3{id}[{}]", json(payload)),
            Packet::ConnectError(value) => format!("4{}", json(value)),
        }
    }
}

fn object(json: &str) -> Result<Option<Box<RawValue>>, SocketIoError> {
    if json.is_empty() {
        return Ok(None);
    }
    // A number would become part of the packet's own number when it is written.
    if !json.trim_start().starts_with(['{', '"']) {
        let reason = "a connection carries an object".to_owned();
        return Err(SocketIoError::Payload(reason));
    }
    serde_json::from_str(json)
        .map(Some)
        .map_err(|error| SocketIoError::Payload(error.to_string()))
}

fn array(json: &str) -> Result<Vec<Box<RawValue>>, SocketIoError> {
    serde_json::from_str(json).map_err(|error| SocketIoError::Payload(error.to_string()))
}

fn first(mut arguments: impl Iterator<Item = Box<RawValue>>) -> Option<Box<RawValue>> {
    arguments.next().filter(|value| value.get() != "null")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_frames_of_the_sdk_are_read() {
        for (text, name, payload) in [
            (r#"2["leave_room"]"#, "leave_room", None),
            (
                r#"2["fetch_mediaserver_config",null,null]"#,
                "fetch_mediaserver_config",
                None,
            ),
            (
                r#"2["enable_audio",{"enabled":true}]"#,
                "enable_audio",
                Some(r#"{"enabled":true}"#),
            ),
            (
                r#"2["stop_screenshare",{"streamId":"x"},null]"#,
                "stop_screenshare",
                Some(r#"{"streamId":"x"}"#),
            ),
        ] {
            let Packet::Event {
                ack: None,
                name: got,
                payload: value,
            } = Packet::decode(text).unwrap()
            else {
                panic!("{text} is an event")
            };
            assert_eq!(
                (got.as_str(), value.as_ref().map(|v| v.get())),
                (name, payload)
            );
        }
    }

    #[test]
    fn acknowledgement_numbers_are_kept() {
        let text = r#"212["request_file_upload_url",{"files":[]}]"#;
        let packet = Packet::decode(text).unwrap();
        assert!(matches!(packet, Packet::Event { ack: Some(12), .. }));
        assert_eq!(packet.encode(), text);
    }

    #[test]
    fn other_namespaces_and_binary_packets_are_refused() {
        assert_eq!(
            Packet::decode("0/admin,").unwrap_err(),
            SocketIoError::Namespace("/admin".into())
        );
        assert_eq!(
            Packet::decode(r#"51-["x"]"#).unwrap_err(),
            SocketIoError::UnknownType('5')
        );
        assert_eq!(Packet::decode("2[]").unwrap_err(), SocketIoError::EventName);
        assert_eq!(
            Packet::decode("2[7]").unwrap_err(),
            SocketIoError::EventName
        );
        assert!(matches!(
            Packet::decode("4\n4"),
            Err(SocketIoError::Payload(_))
        ));
        assert!(matches!(
            Packet::decode("2{"),
            Err(SocketIoError::Payload(_))
        ));
    }

    proptest! {
        #[test]
        fn decoding_never_panics(text in ".*") {
            let _ = Packet::decode(&text);
        }

        #[test]
        fn an_event_round_trips(name in "[ -~]{0,20}", ack in proptest::option::of(any::<u64>()), number in any::<i32>()) {
            let payload = serde_json::value::to_raw_value(&serde_json::json!({ "n": number })).ok();
            let text = Packet::Event { ack, name, payload }.encode();
            prop_assert_eq!(Packet::decode(&text).unwrap().encode(), text);
        }
    }
}
