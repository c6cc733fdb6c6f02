//! Room URLs, bodies of HTTP calls in both directions, keys and claims.

use std::{sync::LazyLock, time::Instant};

use roomd_protocol::{
    RoomUrl, Secret,
    records::DeviceCredentials,
    rest::{CreateMeeting, DeviceResponse, Meeting, Organization},
};
use roomd_server::{
    clock::Now,
    keys::{Keys, SIGNING_KEY_LENGTH},
    meetings,
};
use roomd_signalling::Endpoints;

use super::text;

pub(crate) fn room_url(bytes: &[u8]) {
    let Some(Ok(url)) = text(bytes).map(RoomUrl::parse) else {
        return;
    };
    assert!(url.room_name().starts_with('/'));
    assert!(
        !url.host().contains('/') && !url.subdomain().contains('.'),
        "{url}"
    );
    let shown = url.as_str();
    assert!(!shown.contains(['?', '#']), "{shown}");
    // What is shown is the same room, and carries nothing that opens it.
    let again = RoomUrl::parse(shown).expect("what is shown is a room URL");
    assert_eq!((again.as_str(), again.room_key()), (shown, None));
    let authority = shown.split('/').nth(2).unwrap_or_default();
    assert!(!authority.contains('@'), "{shown}");
    let endpoints = Endpoints::default();
    assert!(endpoints.api_for(&url).starts_with("http"));
    assert!(endpoints.signal_for(&url).starts_with("ws"));
}

/// One body as every answer that the client reads and every request that the server reads.
pub(crate) fn rest_bodies(bytes: &[u8]) {
    let _ = serde_json::from_slice::<DeviceResponse>(bytes);
    let _ = serde_json::from_slice::<Organization>(bytes);
    let _ = serde_json::from_slice::<Meeting>(bytes);
    let _ = serde_json::from_slice::<CreateMeeting>(bytes);
    let now = Now {
        monotonic: *BEGAN,
        wall: "2026-11-23T12:00:00Z".parse().unwrap(),
    };
    match meetings::read_request(bytes, now) {
        Ok((_, end, _)) => assert!(end > now.wall),
        Err(error) => {
            let shown = error.to_string();
            assert!(shown.chars().count() < 1000, "{shown}");
        }
    }
    if let Some(text) = text(bytes) {
        let _ = meetings::read_fields(text);
    }
}

/// Keys, claims and credentials that somebody shows to the server.
pub(crate) fn keys(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let token = Secret::from(text.trim());
    // Whatever is read was signed here, so it comes out the same when it is signed again.
    if let Some(key) = KEYS.read_room_key(&token) {
        assert!(KEYS.read_room_key(&KEYS.room_key(key.clone())) == Some(key));
    }
    if let Some(claim) = KEYS.read_client_claim(&token) {
        assert!(KEYS.read_client_claim(&KEYS.client_claim(claim.clone())) == Some(claim));
    }
    if let Ok(shown) = serde_json::from_str::<DeviceCredentials>(text)
        && KEYS.is_genuine(&shown)
    {
        let own = KEYS.device_credentials(shown.credentials.uuid.clone());
        assert!(own.hmac.reveal().eq_ignore_ascii_case(shown.hmac.reveal()));
    }
}

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::new(&[7; SIGNING_KEY_LENGTH]));
