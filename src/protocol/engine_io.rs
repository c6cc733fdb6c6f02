//! Engine.IO protocol revision 4 over WebSocket: one character before each text frame.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The first packet of a connection, sent by the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    /// Session id of the transport; unrelated to any client id.
    pub sid: String,
    /// Transports one may upgrade to: empty where WebSocket is all there is.
    #[serde(default)]
    pub upgrades: Vec<String>,
    /// How often the server pings, in milliseconds.
    pub ping_interval: u64,
    /// How long either side waits beyond the interval, in milliseconds.
    pub ping_timeout: u64,
    /// Largest message that the server takes, in bytes.
    #[serde(default = "default_max_payload")]
    pub max_payload: u64,
}

fn default_max_payload() -> u64 {
    1_000_000
}

/// One Engine.IO packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `0{…}`: the handshake, server to client.
    Open(Open),
    /// `1`: the sender is about to close.
    Close,
    /// `2`: heartbeat of the server. The text must come back in the pong.
    Ping(&'a str),
    /// `3`: answer to a ping.
    Pong(&'a str),
    /// `4…`: a Socket.IO packet.
    Message(&'a str),
    /// `5`: end of a transport upgrade; does not occur over WebSocket alone.
    Upgrade,
    /// `6`: nothing. The official SDK sends one every two seconds.
    Noop,
}

/// Why a frame is no Engine.IO packet.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EngineIoError {
    /// A frame without the leading type character.
    #[error("an empty frame is no Engine.IO packet")]
    Empty,
    /// The leading character is none of `0` to `6`.
    #[error("unknown Engine.IO packet type {0:?}")]
    UnknownType(char),
    /// The handshake is not the expected JSON object.
    #[error("malformed Engine.IO handshake: {0}")]
    Handshake(String),
}

impl<'a> Packet<'a> {
    /// Reads the one packet of a WebSocket text frame.
    ///
    /// # Errors
    /// When the frame is empty, its type is unknown or its handshake is malformed.
    pub fn decode(frame: &'a str) -> Result<Self, EngineIoError> {
        let kind = frame.chars().next().ok_or(EngineIoError::Empty)?;
        let rest = &frame[kind.len_utf8()..];
        match kind {
            '0' => serde_json::from_str(rest)
                .map(Packet::Open)
                .map_err(|error| EngineIoError::Handshake(error.to_string())),
            '1' => Ok(Packet::Close),
            '2' => Ok(Packet::Ping(rest)),
            '3' => Ok(Packet::Pong(rest)),
            '4' => Ok(Packet::Message(rest)),
            '5' => Ok(Packet::Upgrade),
            '6' => Ok(Packet::Noop),
            other => Err(EngineIoError::UnknownType(other)),
        }
    }

    /// The text frame of this packet.
    #[must_use]
    pub fn encode(&self) -> String {
        match self {
            Packet::Open(open) => format!("0{}", serde_json::json!(open)),
            Packet::Close => "1".to_owned(),
            Packet::Ping(text) => format!("2{text}"),
            Packet::Pong(text) => format!("3{text}"),
            Packet::Message(text) => format!("4{text}"),
            Packet::Upgrade => "5".to_owned(),
            Packet::Noop => "6".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_handshake_of_a_server_is_read() {
        let frame = r#"0{"sid":"abc","upgrades":[],"pingInterval":2000,"pingTimeout":5000,"maxPayload":1000000}"#;
        let Packet::Open(open) = Packet::decode(frame).unwrap() else {
            panic!("expected a handshake")
        };
        assert_eq!((open.ping_interval, open.ping_timeout), (2000, 5000));
        assert_eq!(Packet::Open(open).encode(), frame);
    }

    #[test]
    fn what_is_no_packet_is_an_error() {
        assert_eq!(Packet::decode(""), Err(EngineIoError::Empty));
        assert_eq!(Packet::decode("é"), Err(EngineIoError::UnknownType('é')));
        assert!(matches!(
            Packet::decode("0nonsense"),
            Err(EngineIoError::Handshake(_))
        ));
    }

    proptest! {
        #[test]
        fn decoding_never_panics_and_encoding_round_trips(frame in ".*") {
            if let Ok(packet) = Packet::decode(&frame) {
                let encoded = packet.encode();
                prop_assert_eq!(Packet::decode(&encoded).unwrap(), packet);
            }
        }
    }
}
