//! One connection alone: what it tells, asks and answers without a peer.

use gstreamer as gst;

use super::*;
use crate::{
    fanout::{Flow, Output},
    settings::VideoEncoding,
};

fn start(
    offer: bool,
) -> (
    PeerStart,
    mpsc::UnboundedReceiver<MediaEvent>,
    mpsc::UnboundedReceiver<PeerDemand>,
) {
    gst::init().unwrap();
    let (events, heard) = mpsc::unbounded_channel();
    let (demands, asked) = mpsc::unbounded_channel();
    let encoding = VideoEncoding::default();
    let rates = crate::encoding::Rates {
        camera: encoding,
        presentation: encoding,
        audio_bitrate: 48_000,
    };
    let start = PeerStart {
        peer: "peer".into(),
        session: 1,
        offer,
        presentation: None,
        settings: PeerSettings {
            tables: crate::encoders::Tables::built_in().unwrap(),
            timing: crate::pipeline::Timing::start(),
            rates,
            codecs: vec![Codec::Vp8],
            camera_stream: "camera".into(),
        },
        webrtc: WebRtcSettings {
            latency_ms: 60,
            allow_loopback: false,
            ice_addresses: Vec::new(),
        },
        events,
        demands,
        was_connected: Arc::default(),
    };
    (start, heard, asked)
}

#[tokio::test]
async fn a_closed_connection_leaves_no_webrtcbin_and_no_agent() {
    for offer in [true, false] {
        let (start, mut heard, asked) = start(offer);
        let (requests, inbox) = mpsc::unbounded_channel();
        let connection = PeerConnection::new(start, inbox).unwrap();
        let weak = connection.webrtcbin.downgrade();
        let agent = connection
            .webrtcbin
            .property::<gst::Object>("ice-agent")
            .downgrade();
        let task = tokio::spawn(connection.run());
        if offer {
            let event = heard.recv().await.unwrap();
            let MediaEvent::LocalDescription { sdp, .. } = event else {
                panic!("{event:?}")
            };
            let sections = sdp::sections(&sdp);
            assert_eq!(sections.len(), 2);
            assert!(
                sections
                    .iter()
                    .all(|section| section.stream == Some("camera".into())),
                "{sdp}"
            );
            assert!(
                !sdp.contains("a=rtcp-fb:111 nack"),
                "no nack for sound: {sdp}"
            );
            assert!(sdp.contains("a=rtcp-fb:96 nack pli"), "{sdp}");
        }
        requests.send(PeerRequest::Close).unwrap();
        task.await.unwrap();
        drop(asked);
        assert!(weak.upgrade().is_none(), "webrtcbin is still held");
        assert!(agent.upgrade().is_none(), "its ICE agent is still held");
    }
}

#[tokio::test]
async fn a_description_that_is_none_fails_the_connection_with_a_reason() {
    let (start, mut heard, _asked) = start(false);
    let peer = PeerHandle::open(start);
    peer.ask(PeerRequest::Describe(SdpType::Offer, "nonsense".into()));
    let event = heard.recv().await.unwrap();
    assert!(
        matches!(&event, MediaEvent::PeerFailed { reason, .. } if reason.contains("codec")),
        "{event:?}"
    );
    peer.close().await.unwrap();
}

#[test]
fn an_output_that_is_opened_twice_tells_so() {
    gst::init().unwrap();
    let output = Output::new(crate::fanout::bounded_appsrc(None, 1), Flow::Loose, 1);
    assert!(output.open());
    assert!(!output.open());
}
