//! Which addresses serve a room.

use roomd_protocol::{RoomUrl, SIGNAL_PATH};
use url::Url;

/// API of the public service (signal reference §2.1).
const PUBLIC_API: &str = "https://api.whereby.dev";
/// Signalling server of the public service.
const PUBLIC_SIGNAL: &str = "wss://signal.appearin.net";
/// Rooms below this domain belong to the public service.
const PUBLIC_DOMAIN: &str = "whereby.com";

/// Configured addresses. What is not configured follows from the room's URL: the public service's
/// for rooms on whereby.com, the room's own origin for all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Base of the HTTP API.
    pub api: Option<Url>,
    /// Base of the signalling server (`ws`, `wss`, `http` or `https`).
    pub signal: Option<Url>,
}

impl Endpoints {
    /// Base address of the API for this room, without a slash at its end.
    #[must_use]
    pub fn api_for(&self, room: &RoomUrl) -> String {
        match &self.api {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None if is_public(room) => PUBLIC_API.to_owned(),
            None => room.origin(),
        }
    }

    /// Address of the signalling WebSocket for this room.
    #[must_use]
    pub fn signal_for(&self, room: &RoomUrl) -> String {
        let base = match &self.signal {
            Some(url) => url.origin_text(),
            None if is_public(room) => PUBLIC_SIGNAL.to_owned(),
            None => room.origin(),
        };
        let base = base.replacen("http", "ws", 1);
        format!("{base}{SIGNAL_PATH}?EIO=4&transport=websocket")
    }
}

trait OriginText {
    fn origin_text(&self) -> String;
}

impl OriginText for Url {
    /// Only the origin of a signalling address counts, as in the SDK.
    fn origin_text(&self) -> String {
        let port = self
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        format!(
            "{}://{}{port}",
            self.scheme(),
            self.host_str().unwrap_or_default()
        )
    }
}

fn is_public(room: &RoomUrl) -> bool {
    room.host() == PUBLIC_DOMAIN || room.host().ends_with(&format!(".{PUBLIC_DOMAIN}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_on_whereby_com_is_served_by_the_public_service() {
        let room = RoomUrl::parse("https://acme.whereby.com/standup").unwrap();
        let endpoints = Endpoints::default();
        assert_eq!(endpoints.api_for(&room), "https://api.whereby.dev");
        assert_eq!(
            endpoints.signal_for(&room),
            "wss://signal.appearin.net/protocol/socket.io/v4/?EIO=4&transport=websocket"
        );
    }

    #[test]
    fn any_other_room_is_served_by_its_own_origin() {
        let room = RoomUrl::parse("http://192.0.2.1:8080/standup").unwrap();
        let endpoints = Endpoints::default();
        assert_eq!(endpoints.api_for(&room), "http://192.0.2.1:8080");
        assert!(
            endpoints
                .signal_for(&room)
                .starts_with("ws://192.0.2.1:8080/protocol/")
        );
        let evil = RoomUrl::parse("https://whereby.com.example.org/x").unwrap();
        assert_eq!(endpoints.api_for(&evil), "https://whereby.com.example.org");
    }

    #[test]
    fn configured_addresses_win() {
        let endpoints = Endpoints {
            api: Some("https://api.example.org/".parse().unwrap()),
            signal: Some("wss://signal.example.org:444/ignored".parse().unwrap()),
        };
        let room = RoomUrl::parse("https://acme.whereby.com/standup").unwrap();
        assert_eq!(endpoints.api_for(&room), "https://api.example.org");
        assert!(
            endpoints
                .signal_for(&room)
                .starts_with("wss://signal.example.org:444/protocol/")
        );
    }
}
