//! Session descriptions, read and edited.

use proptest::prelude::*;

use super::*;

/// Cut down from what a browser sends.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n\
m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\na=mid:0\r\na=sendrecv\r\na=ice-ufrag:zsI6\r\na=msid:cam mic\r\n\
a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\n\
m=video 9 UDP/TLS/RTP/SAVPF 98 96 102 108\r\na=mid:1\r\na=sendrecv\r\na=ice-ufrag:zsI6\r\n\
a=rtpmap:98 VP9/90000\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:102 H264/90000\r\n\
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f\r\n\
a=rtpmap:108 H264/90000\r\na=fmtp:108 level-asymmetry-allowed=1; packetization-mode=1; profile-level-id=42E01F\r\n\
a=ssrc:11 cname:x\r\na=ssrc:11 msid:cam picture\r\n\
m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=recvonly\r\na=bundle-only\r\na=rtpmap:96 VP8/90000\r\n";

#[test]
fn payload_types_are_those_of_the_offer() {
    let sections = sections(OFFER);
    assert_eq!(sections.len(), 3);
    assert_eq!(sections[0].payload_of(Codec::Opus), Some(111));
    assert_eq!(sections[1].payload_of(Codec::Vp8), Some(96));
    assert_eq!(
        sections[1].payload_of(Codec::H264),
        Some(108),
        "packetization mode 1, not 0"
    );
    assert_eq!(sections[0].payload_of(Codec::Vp8), None);
}

#[test]
fn the_stream_of_a_section_is_read_from_msid_and_from_ssrc_lines() {
    let sections = sections(OFFER);
    assert_eq!(sections[0].stream, Some("cam".into()));
    assert_eq!(sections[1].stream, Some("cam".into()));
    assert_eq!(sections[2].stream, None);
    assert!(sections[1].is_sending() && !sections[2].is_sending());
    assert!(
        !sections[2].rejected,
        "port 0 with bundle-only is not refused"
    );
}

#[test]
fn a_stream_called_dash_is_none() {
    let sections = sections("m=audio 9 X 111\r\na=msid:- mic\r\n");
    assert_eq!(sections[0].stream, None);
}

#[test]
fn msid_lines_are_put_once_into_the_sections_that_send() {
    let sent = [
        SentStream {
            index: 0,
            stream: "s".into(),
            track: "a".into(),
        },
        SentStream {
            index: 2,
            stream: "share".into(),
            track: "v".into(),
        },
    ];
    let once = with_msids(OFFER, &sent);
    assert_eq!(with_msids(&once, &sent), once);
    let read = sections(&once);
    assert_eq!(read[0].stream, Some("s".into()));
    assert_eq!(read[1].stream, Some("cam".into()));
    assert_eq!(read[2].stream, Some("share".into()));
    assert_eq!(once.matches("a=msid:").count(), 2, "{once}");
}

#[test]
fn tracks_of_a_first_offer_stand_in_the_order_of_their_pads() {
    let local = sections(OFFER);
    assert_eq!(
        assign_sections(&local, 0, &[(None, false), (None, true), (None, true)]),
        [Some(0), Some(1), Some(2)]
    );
    assert_eq!(
        assign_sections(
            &local,
            2,
            &[(Some(0), false), (Some(1), true), (None, true)]
        ),
        [Some(0), Some(1), Some(2)]
    );
    assert_eq!(
        assign_sections(&local, 3, &[(Some(0), false), (None, true)]),
        [Some(0), None]
    );
}

#[test]
fn sprop_stereo_is_taken_out_and_other_parameters_stay() {
    let sdp = "m=audio 9 X 111\r\na=fmtp:111 minptime=10;sprop-stereo=1;useinbandfec=1\r\n\
        a=fmtp:97 sprop-stereo=1;sprop-maxcapturerate=48000\r\n\
        a=fmtp:102 packetization-mode=1;sprop-parameter-sets=Z0LAH9oB4AiflwFqAgICgAAB9IAAdTB4wZUA,aM48gA==\r\n";
    let stripped = without_sprop_stereo(sdp);
    assert!(
        stripped.contains("a=fmtp:111 minptime=10;useinbandfec=1\r\n"),
        "{stripped}"
    );
    assert!(!stripped.contains("a=fmtp:97"), "{stripped}");
    assert!(stripped.contains("sprop-parameter-sets=Z0"), "{stripped}");
}

#[test]
fn a_candidate_finds_its_section_by_index_or_by_mid() {
    let remote = sections(OFFER);
    let mut candidate = IceCandidate {
        candidate: "candidate:1 1 udp 2122260223 10.77.0.1 57604 typ host".into(),
        sdp_mid: Some("1".into()),
        ..IceCandidate::default()
    };
    assert_eq!(
        candidate_for_webrtcbin(&candidate, &remote).map(|(index, _)| index),
        Some(1)
    );
    candidate.sdp_m_line_index = Some(0);
    assert_eq!(
        candidate_for_webrtcbin(&candidate, &remote).map(|(index, _)| index),
        Some(0)
    );
    let line = candidate.candidate.clone();
    candidate.candidate.push_str("\r\na=rtcp-mux");
    assert_eq!(candidate_for_webrtcbin(&candidate, &remote), None);
    candidate.candidate = line;
    candidate.sdp_m_line_index = Some(7);
    assert_eq!(candidate_for_webrtcbin(&candidate, &remote), None);
    candidate.candidate.clear();
    assert_eq!(candidate_for_webrtcbin(&candidate, &remote), None);
}

#[test]
fn a_candidate_for_the_peer_names_mid_and_user_fragment() {
    let candidate = candidate_for_peer(
        0,
        "a=candidate:1 1 UDP 1 10.0.0.1 9 typ host",
        &sections(OFFER),
    );
    assert_eq!(
        candidate.candidate,
        "candidate:1 1 UDP 1 10.0.0.1 9 typ host"
    );
    assert_eq!(candidate.sdp_mid.as_deref(), Some("0"));
    assert_eq!(candidate.username_fragment.as_deref(), Some("zsI6"));
}

#[test]
fn a_new_user_fragment_is_an_ice_restart() {
    let before = sections(OFFER);
    let after = sections(&OFFER.replace("zsI6", "other"));
    assert!(restarts_ice(&before, &after) && !restarts_ice(&before, &before));
}

proptest! {
    #[test]
    fn no_text_of_a_peer_is_a_panic(text in "(m=|a=|rtpmap:|fmtp:|msid:|ssrc:|mid:|[0-9]{1,4}|[ -~é]{0,9}|\r?\n){0,60}") {
        let read = sections(&text);
        let sent: Vec<_> = (0..read.len())
            .map(|index| SentStream { index, stream: "s".into(), track: "t".into() })
            .collect();
        let edited = with_msids(&without_sprop_stereo(&text), &sent);
        prop_assert_eq!(sections(&edited).len(), read.len());
        for section in &read {
            let _ = (section.payload_of(Codec::H264), section.payload_of(Codec::Opus), section.is_sending());
        }
    }

    #[test]
    fn candidates_that_are_accepted_have_a_section(index in proptest::option::of(0u32..9), mid in "[0-3]{1}", text in "(candidate:|a=candidate:|)[ -~]{0,20}") {
        let candidate = IceCandidate { candidate: text, sdp_mid: Some(mid), sdp_m_line_index: index, username_fragment: None };
        if let Some((index, text)) = candidate_for_webrtcbin(&candidate, &sections(OFFER)) {
            prop_assert!(index < 3);
            prop_assert!(text.starts_with("candidate:"));
        }
    }
}

#[test]
fn the_dtls_role_of_an_answer_is_its_writers_choice() {
    assert_eq!(
        setup_of("m=audio 9 X 111\r\na=setup:active\r\n"),
        Some(Setup::Active)
    );
    assert_eq!(
        setup_of("m=audio 9 X 111\r\na=setup:passive\r\n").map(Setup::opposite),
        Some(Setup::Active)
    );
    assert_eq!(setup_of("m=audio 9 X 111\r\na=setup:actpass\r\n"), None);
}

#[test]
fn the_dtls_role_is_the_same_in_every_section() {
    let answer = "v=0\r\nm=audio 9 X 111\r\na=mid:0\r\na=setup:active\r\na=sendrecv\r\nm=video 9 X 96\r\na=setup:actpass\r\n";
    let uniform = |setup: &str| answer.replace("actpass", "active").replace("active", setup);
    assert_eq!(with_setup(answer, Setup::Passive), uniform("passive"));
    assert_eq!(with_setup(answer, Setup::Active), uniform("active"));
    assert_eq!(with_setup(answer, Setup::ActPass), uniform("actpass"));
}
