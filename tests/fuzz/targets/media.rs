//! Session descriptions and candidates, as far as they are read and changed as text.

use roomd_media::{ice_servers, sdp};
use roomd_protocol::{
    client::{IceCandidate, SessionDescription},
    records::IceServer,
};

use super::text;

/// A description; the JSON around it, if there is some, is taken off first.
pub(crate) fn session_description(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let described = serde_json::from_str::<SessionDescription>(text).ok();
    let description = described
        .and_then(|one| one.sdp.or(one.sdp_u))
        .unwrap_or_else(|| text.to_owned());
    let sections = sdp::sections(&description);
    for section in &sections {
        assert!(!section.kind.contains(char::is_whitespace));
        for codec in [
            roomd_media::Codec::Opus,
            roomd_media::Codec::Vp8,
            roomd_media::Codec::H264,
        ] {
            if let Some(number) = section.payload_of(codec) {
                assert!(
                    section
                        .payloads
                        .iter()
                        .any(|payload| payload.number == number)
                );
            }
        }
    }
    let plain = sdp::without_sprop_stereo(&description);
    assert_eq!(sdp::without_sprop_stereo(&plain), plain);
    assert_eq!(sdp::sections(&plain).len(), sections.len());

    let tracks: Vec<_> = sections
        .iter()
        .map(|section| (None, section.kind == "video"))
        .collect();
    let places = sdp::assign_sections(&sections, 0, &tracks);
    let sent: Vec<_> = places
        .into_iter()
        .flatten()
        .map(|index| sdp::SentStream {
            index,
            stream: "stream".into(),
            track: format!("track{index}"),
        })
        .collect();
    let announced = sdp::with_msids(&plain, &sent);
    let read = sdp::sections(&announced);
    assert_eq!(read.len(), sections.len());
    for one in &sent {
        // Only a section with a mid has a place for it.
        if sections[one.index].mid.is_some() {
            assert_eq!(read[one.index].stream, Some("stream".into()), "{announced}");
        }
    }
    assert!(!sdp::restarts_ice(&sections, &sections));
}

/// A candidate as the peer sends it, or a list of servers as the room sends it.
pub(crate) fn ice(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let sections = sdp::sections(
        "m=audio 9 X 96\r\na=mid:0\r\na=ice-ufrag:u\r\nm=video 9 X 97\r\na=mid:v\r\n",
    );
    if let Ok(candidate) = serde_json::from_str::<IceCandidate>(text)
        && let Some((index, line)) = sdp::candidate_for_webrtcbin(&candidate, &sections)
    {
        assert!(index < 2);
        assert!(line.starts_with("candidate:"));
        assert!(!line.contains(char::is_control), "one line: {line:?}");
    }
    for index in [0, 1, 7] {
        let sent = sdp::candidate_for_peer(index, text, &sections);
        assert_eq!(sent.sdp_mid.is_some(), index < 2);
    }
    if let Ok(servers) = serde_json::from_str::<Vec<IceServer>>(text) {
        for address in ice_servers::addresses(&servers) {
            let (ice_servers::IceAddress::Stun(url) | ice_servers::IceAddress::Turn(url)) =
                &address;
            assert!(
                ["stun://", "turn://", "turns://"]
                    .iter()
                    .any(|scheme| url.starts_with(scheme))
            );
            assert!(
                !url.contains(|c: char| c.is_control() || c.is_whitespace()),
                "{url:?}"
            );
            assert!(!format!("{address:?}").contains("//"));
        }
    }
}
