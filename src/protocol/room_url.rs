//! A room's URL and what is read from it.

use std::fmt;

use thiserror::Error;
use url::{Host, Url};

use crate::ids::Secret;

/// The address of a room: `https://<subdomain>.<domain>/<room-name>[?roomKey=<key>]`.
#[derive(Clone, PartialEq, Eq)]
pub struct RoomUrl {
    url: Url,
    room_key: Option<Secret>,
}

/// Why a text is no room URL.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RoomUrlError {
    /// No URL at all.
    #[error("not a URL: {0} (expected for example https://example.whereby.com/room)")]
    Syntax(#[from] url::ParseError),
    /// Neither http nor https.
    #[error("the scheme {0:?} is not supported, use https (or http on one's own network)")]
    Scheme(String),
    /// A name or a password before the host, which must not be shown.
    #[error("it carries credentials: leave out what stands before the @")]
    Credentials,
    /// The URL names a host alone.
    #[error("the URL names no room: add the room's name behind the host, as in https://{0}/room")]
    NoRoom(String),
}

impl RoomUrl {
    /// Reads a room's URL. A `roomKey` in the query is taken out and kept apart.
    ///
    /// # Errors
    /// When the text is no `http` or `https` URL with a path, or carries credentials.
    pub fn parse(text: &str) -> Result<Self, RoomUrlError> {
        let mut url = Url::parse(text.trim())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(RoomUrlError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RoomUrlError::Credentials);
        }
        if url.path().trim_matches('/').is_empty() {
            return Err(RoomUrlError::NoRoom(
                url.host_str().unwrap_or_default().to_owned(),
            ));
        }
        let room_key = url
            .query_pairs()
            .find(|(name, value)| name == "roomKey" && !value.is_empty())
            .map(|(_, value)| Secret::from(value.into_owned()));
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self { url, room_key })
    }

    /// The path, percent-decoded where that works: `"/standup"`.
    #[must_use]
    pub fn room_name(&self) -> String {
        percent_decode(self.url.path()).unwrap_or_else(|| self.url.path().to_owned())
    }

    /// The key that the URL carried.
    #[must_use]
    pub fn room_key(&self) -> Option<&Secret> {
        self.room_key.as_ref()
    }

    /// The URL without its key, fit to be shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Host without port, `None` never for the schemes that are taken.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The subdomain that the organization is looked up by, by the SDK's rules (first match wins).
    #[must_use]
    pub fn subdomain(&self) -> String {
        let host = self.host();
        let labels: Vec<&str> = host.split('.').collect();
        for local in ["server", "localhost"] {
            if labels[0].starts_with(local) {
                return String::new();
            }
            if labels.get(1).is_some_and(|label| label.starts_with(local)) {
                return labels[0].to_owned();
            }
        }
        // An IPv4 address with a port is split into labels by the SDK; a server has to answer for
        // whatever comes, so the sane reading is taken here: an address has no subdomain.
        let is_address = !matches!(self.url.host(), Some(Host::Domain(_)));
        if is_address || labels.len() < 3 {
            String::new()
        } else {
            labels[0].to_owned()
        }
    }
}

impl fmt::Debug for RoomUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoomUrl({})", self.as_str())
    }
}

impl fmt::Display for RoomUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_subdomain_follows_the_rules_of_the_sdk() {
        for (url, subdomain) in [
            ("https://acme.whereby.com/r", "acme"),
            ("https://a.b.example.com/r", "a"),
            ("https://whereby.com/r", ""),
            ("http://acme.localhost:3000/r", "acme"),
            ("http://localhost:3000/r", ""),
            ("http://127.0.0.1/r", ""),
            ("http://127.0.0.1:8080/r", ""),
            ("http://[::1]:8080/r", ""),
            ("http://box/r", ""),
            ("https://acme.server.example.com/r", "acme"),
            ("https://server.example.com/r", ""),
        ] {
            assert_eq!(RoomUrl::parse(url).unwrap().subdomain(), subdomain, "{url}");
        }
    }

    #[test]
    fn name_and_key_are_taken_apart() {
        let url = RoomUrl::parse("https://acme.whereby.com/my%20room?roomKey=abc&x=1#top").unwrap();
        assert_eq!(url.room_name(), "/my room");
        assert_eq!(url.room_key().unwrap().reveal(), "abc");
        assert_eq!(url.as_str(), "https://acme.whereby.com/my%20room");
        let refused = RoomUrl::parse("https://me:secret@acme.whereby.com/room");
        assert_eq!(refused, Err(RoomUrlError::Credentials));
        assert_eq!(
            RoomUrl::parse("https://acme.whereby.com/%ff")
                .unwrap()
                .room_name(),
            "/%ff"
        );
    }

    #[test]
    fn what_is_no_room_url_says_what_is_missing() {
        for (text, hint) in [
            ("", "not a URL"),
            ("ftp://x/r", "ftp"),
            ("https://acme.whereby.com", "names no room"),
        ] {
            let message = RoomUrl::parse(text).unwrap_err().to_string();
            assert!(message.contains(hint), "{text}: {message}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".*") {
            if let Ok(url) = RoomUrl::parse(&text) {
                let _ = (url.room_name(), url.subdomain());
            }
        }

        #[test]
        fn any_path_gives_a_name(path in "[a-z%0-9 ]{1,20}") {
            if let Ok(url) = RoomUrl::parse(&format!("https://acme.whereby.com/{path}")) {
                prop_assert!(url.room_name().starts_with('/'));
            }
        }
    }
}
