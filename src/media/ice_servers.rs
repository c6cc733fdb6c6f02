//! STUN and TURN servers of a room as webrtcbin wants them. Pure.

use roomd_protocol::records::IceServer;

/// A server as an address that webrtcbin understands. Its text may hold a password: it is never logged.
#[derive(Clone, PartialEq, Eq)]
pub enum IceAddress {
    /// For the property `stun-server`; webrtcbin takes one.
    Stun(String),
    /// For the action `add-turn-server`.
    Turn(String),
}

impl std::fmt::Debug for IceAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stun(_) => "Stun(…)",
            Self::Turn(_) => "Turn(…)",
        })
    }
}

/// All addresses of a list; what is neither STUN nor TURN is passed over.
pub fn addresses(servers: &[IceServer]) -> Vec<IceAddress> {
    servers
        .iter()
        .flat_map(|server| {
            server
                .urls
                .as_slice()
                .iter()
                .filter_map(|url| address(url, server))
        })
        .collect()
}

fn address(url: &str, server: &IceServer) -> Option<IceAddress> {
    let (scheme, host) = url.trim().split_once(':')?;
    let host = host.trim_start_matches("//");
    let is_foreign = |c: char| c.is_control() || c.is_whitespace();
    if host.is_empty() || host.contains(is_foreign) {
        return None;
    }
    match scheme.to_ascii_lowercase().as_str() {
        "stun" => Some(IceAddress::Stun(format!(
            "stun://{}",
            with_port(host, 3478)
        ))),
        scheme @ ("turn" | "turns") => {
            let user = percent_encoded(server.username.as_deref()?);
            let password = percent_encoded(server.credential.as_ref()?.reveal());
            let port = if scheme == "turns" { 5349 } else { 3478 };
            Some(IceAddress::Turn(format!(
                "{scheme}://{user}:{password}@{}",
                with_port(host, port)
            )))
        }
        _ => None,
    }
}

fn with_port(host: &str, port: u16) -> String {
    let (address, query) = match host.split_once('?') {
        Some((address, query)) => (address, format!("?{query}")),
        None => (host, String::new()),
    };
    let has_port = match address.rsplit_once(']') {
        Some((_, after)) => after.starts_with(':'),
        None => address.contains(':'),
    };
    if has_port {
        format!("{address}{query}")
    } else {
        format!("{address}:{port}{query}")
    }
}

/// RFC 3986 §2.1: everything but unreserved characters.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
            encoded
        })
}

#[cfg(test)]
mod tests {
    use roomd_protocol::{Secret, records::OneOrMany};

    use super::*;

    #[test]
    fn servers_of_a_room_become_addresses_with_ports_and_escaped_passwords() {
        let servers = [
            IceServer {
                urls: OneOrMany::One("stun:stun.example".into()),
                ..IceServer::default()
            },
            IceServer {
                urls: OneOrMany::Many(vec![
                    "turn:turn.example:443?transport=tcp".into(),
                    "turns:[2001:db8::1]?transport=tcp".into(),
                    "http://nonsense".into(),
                    "turn:turn.example and more".into(),
                ]),
                username: Some("1700000000:room".into()),
                credential: Some(Secret::from("a/b+c=@")),
            },
        ];
        assert_eq!(
            addresses(&servers),
            [
                IceAddress::Stun("stun://stun.example:3478".into()),
                IceAddress::Turn(
                    "turn://1700000000%3Aroom:a%2Fb%2Bc%3D%40@turn.example:443?transport=tcp"
                        .into()
                ),
                IceAddress::Turn(
                    "turns://1700000000%3Aroom:a%2Fb%2Bc%3D%40@[2001:db8::1]:5349?transport=tcp"
                        .into()
                ),
            ]
        );
    }

    #[test]
    fn a_turn_server_without_a_password_is_passed_over_and_none_is_shown() {
        let server = IceServer {
            urls: OneOrMany::One("turn:turn.example".into()),
            ..IceServer::default()
        };
        assert!(addresses(&[server]).is_empty());
        assert_eq!(
            format!("{:?}", IceAddress::Turn("turn://u:secret@h".into())),
            "Turn(…)"
        );
    }
}
