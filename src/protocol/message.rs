//! The macro behind [`crate::client`] and [`crate::server`]: one enum per direction, a variant per
//! event, the event's name beside it.

use thiserror::Error;

/// Why a known event could not be read.
#[derive(Debug, Error)]
#[error("event {name}: {source}")]
pub struct MessageError {
    /// Name of the event.
    pub name: String,
    /// What is wrong with its payload.
    pub source: serde_json::Error,
}

macro_rules! messages {
    (
        $(#[$doc:meta])* $enum:ident
        with payload { $($(#[$vdoc:meta])* $variant:ident($payload:ty) = $name:literal,)* }
        without payload { $($(#[$ndoc:meta])* $bare:ident = $bare_name:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $enum {
            $($(#[$vdoc])* $variant($payload),)*
            $($(#[$ndoc])* $bare,)*
        }

        impl $enum {
            /// Every event name of this direction.
            pub const NAMES: &[&str] = &[$($name,)* $($bare_name,)*];

            /// The name of the event on the wire.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                    $(Self::$bare => $bare_name,)*
                }
            }

            /// The payload as JSON text, `None` for events that carry nothing.
            #[must_use]
            pub fn payload(&self) -> Option<Box<serde_json::value::RawValue>> {
                match self {
                    // Strings, numbers, lists and maps with string keys always have a JSON form.
                    $(Self::$variant(payload) => serde_json::value::to_raw_value(payload).ok(),)*
                    $(Self::$bare => None,)*
                }
            }

            /// Reads an event. `Ok(None)` stands for an event that this protocol does not know.
            ///
            /// # Errors
            /// When the event is known and its payload is missing or malformed.
            pub fn decode(
                name: &str,
                payload: Option<&serde_json::value::RawValue>,
            ) -> Result<Option<Self>, crate::MessageError> {
                let text = payload.map_or("null", |raw| raw.get());
                match name {
                    $($name => serde_json::from_str(text)
                        .map(|payload| Some(Self::$variant(payload)))
                        .map_err(|source| crate::MessageError { name: name.to_owned(), source }),)*
                    $($bare_name => Ok(Some(Self::$bare)),)*
                    _ => Ok(None),
                }
            }

            /// The Socket.IO packet of this event.
            #[must_use]
            pub fn to_packet(&self) -> crate::socket_io::Packet {
                crate::socket_io::Packet::Event {
                    ack: None,
                    name: self.name().to_owned(),
                    payload: self.payload(),
                }
            }
        }
    };
}

pub(crate) use messages;
