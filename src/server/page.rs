//! The room page: the files of `page/dist`, which are part of the program.
//!
//! `/` and every `/<room-name>` deliver `index.html`; its script reads the room from the address.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use ring::digest;

/// Name and content of every file.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

const INDEX: &str = "index.html";

/// What the page may use: its own camera, microphone and screen.
const PERMISSIONS: &str = "camera=(self), microphone=(self), display-capture=(self), \
     speaker-selection=(self), fullscreen=(self), autoplay=(self), screen-wake-lock=(self), \
     picture-in-picture=(self), geolocation=(), payment=(), usb=(), serial=(), bluetooth=(), midi=()";

struct File {
    content: &'static [u8],
    etag: String,
}

static PAGE: LazyLock<HashMap<&str, File>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(name, content)| {
            let hash = digest::digest(&digest::SHA256, content);
            let hex: String = hash.as_ref()[..16]
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            let etag = format!("\"{hex}\"");
            (*name, File { content, etag })
        })
        .collect()
});

/// Answers every address that is no call of the API.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, "only GET\n").into_response();
    }
    let path = uri.path().trim_start_matches('/');
    let name = if PAGE.contains_key(path) {
        path
    } else if path.trim_end_matches('/').contains('/') {
        return (
            StatusCode::NOT_FOUND,
            "there is nothing here; rooms are at /<room-name>\n",
        )
            .into_response();
    } else {
        INDEX
    };
    let Some(file) = PAGE.get(name) else {
        let text = "this program was built without the room page; join with another client\n";
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == file.etag));
    let (status, body) = if known {
        (StatusCode::NOT_MODIFIED, Body::empty())
    } else {
        (StatusCode::OK, Body::from(Bytes::from_static(file.content)))
    };
    let mut response = (status, body).into_response();
    let answer = response.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, content_type(name)),
        // Asked for again each time, answered with 304 as long as the program is the same.
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The address may carry a room key.
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        answer.insert(name, HeaderValue::from_static(value));
    }
    answer.insert("permissions-policy", HeaderValue::from_static(PERMISSIONS));
    if let Ok(etag) = HeaderValue::from_str(&file.etag) {
        answer.insert(header::ETAG, etag);
    }
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy(&headers)) {
        answer.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Everything from the page's own origin alone, WebSockets included.
fn content_security_policy(headers: &HeaderMap) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .filter(|host| {
            // Nothing that could end the directive.
            let is_part = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
            !host.is_empty() && host.chars().all(is_part)
        });
    let sockets = host.map_or_else(String::new, |host| format!(" ws://{host} wss://{host}"));
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
         media-src 'self' blob: mediastream:; font-src 'self'; worker-src 'self' blob:; \
         manifest-src 'self'; connect-src 'self'{sockets}; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    )
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(host: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        content_security_policy(&headers)
    }

    #[test]
    fn the_policy_names_the_own_host_and_no_other() {
        let policy = policy("rooms.example.org:8443");
        assert!(policy.contains(
            "connect-src 'self' ws://rooms.example.org:8443 wss://rooms.example.org:8443;"
        ));
        assert!(!policy.contains('*'));
    }

    #[test]
    fn a_host_cannot_smuggle_a_directive() {
        assert!(!policy("x; script-src *").contains("script-src *"));
    }
}
