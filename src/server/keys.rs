//! Everything that the server signs: device proofs, room keys, claims, chat signatures.
//!
//! All of it hangs on one key. As long as the key is kept, what was handed out before a restart
//! is honoured after it.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::hmac;
use roomd_protocol::{
    ClientId, DeviceId, Secret,
    records::{DeviceCredentials, DeviceUuid, RoleName},
};
use serde::{Deserialize, Serialize};

/// Length of the signing key in bytes.
pub const SIGNING_KEY_LENGTH: usize = 32;

/// Signs and checks. `Debug` shows nothing of the key.
pub struct Keys {
    mac: hmac::Key,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

/// What a room key says: who holds it has a role in one room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomKey {
    /// The room, with the leading slash.
    pub room: String,
    /// The meeting the room was made for, if any: the key goes with it.
    pub meeting: Option<String>,
    /// The role of whoever shows the key.
    pub role: RoleName,
    /// Set on keys of accepted knocks: they open the door to one device only.
    pub device: Option<DeviceId>,
    /// Set on keys of accepted knocks: whose knock it was.
    pub client: Option<ClientId>,
}

/// What a client claim says: this device was that client of this room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientClaim {
    /// The room, with the leading slash.
    pub room: String,
    /// The meeting the room was made for, if any.
    pub meeting: Option<String>,
    /// The client's id, to be given again.
    pub client: ClientId,
    /// The device that may ask for it.
    pub device: DeviceId,
    /// The role to be given again.
    pub role: RoleName,
    /// When the claim was handed out.
    pub issued: Timestamp,
}

/// The tokens, told apart by a member, so that none can be shown in place of another.
#[derive(Serialize, Deserialize)]
#[serde(tag = "use", rename_all = "camelCase")]
enum Token {
    RoomKey(RoomKey),
    ClientClaim(ClientClaim),
    EventClaim {
        room: String,
        client: ClientId,
        issued: Timestamp,
    },
}

impl Keys {
    /// Keys that hang on `signing_key`.
    #[must_use]
    pub fn new(signing_key: &[u8; SIGNING_KEY_LENGTH]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // Tokens carry their own times, and the time that counts is an input.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        Self {
            mac: hmac::Key::new(hmac::HMAC_SHA256, signing_key),
            encoding: EncodingKey::from_secret(signing_key),
            decoding: DecodingKey::from_secret(signing_key),
            validation,
        }
    }

    /// The credentials of a device: its id and the proof that it was handed out here.
    #[must_use]
    pub fn device_credentials(&self, uuid: DeviceId) -> DeviceCredentials {
        let hmac = self.hash(&["device", uuid.as_str()]);
        DeviceCredentials {
            credentials: DeviceUuid { uuid },
            hmac: Secret::from(hmac),
            user_id: None,
        }
    }

    /// Whether credentials were handed out with this key. Nothing is stored per device.
    #[must_use]
    pub fn is_genuine(&self, shown: &DeviceCredentials) -> bool {
        let uuid = shown.credentials.uuid.as_str();
        !uuid.is_empty() && self.is_hash(&["device", uuid], shown.hmac.reveal())
    }

    /// The token of a room key.
    #[must_use]
    pub fn room_key(&self, key: RoomKey) -> Secret {
        self.token(&Token::RoomKey(key))
    }

    /// What a room key says, `None` if it was not signed here.
    #[must_use]
    pub fn read_room_key(&self, token: &Secret) -> Option<RoomKey> {
        match self.read(token)? {
            Token::RoomKey(key) => Some(key),
            _ => None,
        }
    }

    /// The token of a client claim.
    #[must_use]
    pub fn client_claim(&self, claim: ClientClaim) -> Secret {
        self.token(&Token::ClientClaim(claim))
    }

    /// What a client claim says, `None` if it was not signed here.
    #[must_use]
    pub fn read_client_claim(&self, token: &Secret) -> Option<ClientClaim> {
        match self.read(token)? {
            Token::ClientClaim(claim) => Some(claim),
            _ => None,
        }
    }

    /// The token that a client would show to a media server.
    #[must_use]
    pub fn event_claim(&self, room: &str, client: &ClientId, issued: Timestamp) -> Secret {
        self.token(&Token::EventClaim {
            room: room.to_owned(),
            client: client.clone(),
            issued,
        })
    }

    /// The signature of a chat message, which binds it to its room and writer.
    #[must_use]
    pub fn chat_signature(&self, room: &str, message: &str, sender: &ClientId) -> String {
        self.hash(&["chat", room, message, sender.as_str()])
    }

    /// Whether `shown` is the signature of that message.
    #[must_use]
    pub fn is_chat_signature(
        &self,
        room: &str,
        message: &str,
        sender: &ClientId,
        shown: &str,
    ) -> bool {
        self.is_hash(&["chat", room, message, sender.as_str()], shown)
    }

    fn hash(&self, parts: &[&str]) -> String {
        hex(hmac::sign(&self.mac, &framed(parts)).as_ref())
    }

    fn is_hash(&self, parts: &[&str], shown: &str) -> bool {
        unhex(shown).is_some_and(|bytes| hmac::verify(&self.mac, &framed(parts), &bytes).is_ok())
    }

    #[expect(
        clippy::expect_used,
        reason = "HS256 with strings and times cannot fail"
    )]
    fn token(&self, token: &Token) -> Secret {
        let text = jsonwebtoken::encode(&Header::new(Algorithm::HS256), token, &self.encoding);
        Secret::from(text.expect("a token of strings has a JSON form"))
    }

    fn read(&self, token: &Secret) -> Option<Token> {
        jsonwebtoken::decode(token.reveal(), &self.decoding, &self.validation)
            .ok()
            .map(|data| data.claims)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// Parts with their lengths, so that no two lists of parts give the same bytes.
fn framed(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(byte: u8) -> Keys {
        Keys::new(&[byte; SIGNING_KEY_LENGTH])
    }

    fn claim() -> ClientClaim {
        ClientClaim {
            room: "/standup".into(),
            meeting: None,
            client: "c".into(),
            device: "d".into(),
            role: RoleName::GrantedVisitor,
            issued: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_device_proof_holds_for_its_device_and_key_alone() {
        let genuine = keys(1).device_credentials("d-1".into());
        assert!(keys(1).is_genuine(&genuine));
        assert!(!keys(2).is_genuine(&genuine));
        let mut stolen = genuine;
        stolen.credentials.uuid = "d-2".into();
        assert!(!keys(1).is_genuine(&stolen));
    }

    #[test]
    fn tokens_round_trip_and_cannot_be_shown_in_place_of_another() {
        let keys = keys(1);
        let token = keys.client_claim(claim());
        assert_eq!(keys.read_client_claim(&token), Some(claim()));
        assert_eq!(keys.read_room_key(&token), None);
        let event = keys.event_claim("/standup", &"c".into(), Timestamp::UNIX_EPOCH);
        assert_eq!(keys.read_client_claim(&event), None);
        assert_eq!(self::keys(2).read_client_claim(&token), None);
    }

    #[test]
    fn a_token_without_signature_is_refused() {
        let keys = keys(1);
        let token = keys.client_claim(claim());
        let body = token.reveal().split('.').nth(1).unwrap();
        // {"alg":"none"}
        let unsigned = Secret::from(format!("eyJhbGciOiJub25lIn0.{body}."));
        assert_eq!(keys.read_client_claim(&unsigned), None);
    }

    #[test]
    fn a_chat_signature_binds_room_message_and_writer() {
        let keys = keys(1);
        let sig = keys.chat_signature("/r", "m", &"a".into());
        assert!(keys.is_chat_signature("/r", "m", &"a".into(), &sig));
        for (room, message, sender) in [("/x", "m", "a"), ("/r", "n", "a"), ("/r", "m", "b")] {
            assert!(!keys.is_chat_signature(room, message, &sender.into(), &sig));
        }
    }

    proptest! {
        #[test]
        fn reading_what_was_not_signed_here_never_panics(text in ".*") {
            let keys = keys(1);
            let token = Secret::from(text.as_str());
            prop_assert!(keys.read_room_key(&token).is_none());
            prop_assert!(keys.read_client_claim(&token).is_none());
            prop_assert!(!keys.is_chat_signature("/r", "m", &"a".into(), &text));
        }
    }
}
