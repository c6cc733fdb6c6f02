//! What one webrtcbin and its pipeline tell: callbacks that only send.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_webrtc as gst_webrtc;
use tokio::sync::{mpsc, watch};

use super::{Agreed, PeerSignal, outgoing::codec_preferences};
use crate::{encoders::Codec, pipeline, receive::RtpTap};

/// Callbacks only send, and hold nothing that holds the element they hang on.
pub(super) fn connect(
    pipeline: &gst::Pipeline,
    webrtcbin: &gst::Element,
    tell: &mpsc::UnboundedSender<PeerSignal>,
    agreed: &watch::Sender<Agreed>,
    datagrams: &Arc<AtomicU64>,
) {
    // In all of them: the receiver is gone when the connection closes, and then there is nothing to tell.
    let signals = tell.clone();
    webrtcbin.connect("on-ice-candidate", false, move |values| {
        if let (Some(Ok(index)), Some(Ok(candidate))) = (
            values.get(1).map(gst::glib::Value::get::<u32>),
            values.get(2).map(gst::glib::Value::get::<String>),
        ) {
            let _ = signals.send(PeerSignal::LocalCandidate(index, candidate));
        }
        None
    });
    let signals = tell.clone();
    webrtcbin.connect_notify(Some("connection-state"), move |webrtcbin, _| {
        let state = webrtcbin.property::<gst_webrtc::WebRTCPeerConnectionState>("connection-state");
        let _ = signals.send(PeerSignal::ConnectionState(state));
    });
    // Sections that the peer adds would take its first codec, whatever that is, and could never be
    // offered again: each gets the codec that was agreed.
    let agreed = agreed.subscribe();
    webrtcbin.connect("on-new-transceiver", false, move |values| {
        if let Some(Ok(transceiver)) = values
            .get(1)
            .map(gst::glib::Value::get::<gst_webrtc::WebRTCRTPTransceiver>)
        {
            let agreed = *agreed.borrow();
            match transceiver.kind() {
                gst_webrtc::WebRTCKind::Audio => {
                    transceiver.set_codec_preferences(Some(&codec_preferences(
                        Codec::Opus,
                        agreed.audio_payload,
                    )));
                }
                gst_webrtc::WebRTCKind::Video => {
                    transceiver.set_codec_preferences(Some(&codec_preferences(
                        agreed.video,
                        agreed.video_payload,
                    )));
                    transceiver.set_property("do-nack", true);
                }
                _ => {}
            }
        }
        None
    });
    let signals = tell.clone();
    let weak = pipeline.downgrade();
    webrtcbin.connect_pad_added(move |_, pad| {
        let Some(pipeline) = weak.upgrade() else {
            return;
        };
        if pad.direction() != gst::PadDirection::Src {
            return;
        }
        match RtpTap::link(&pipeline, pad) {
            Ok(tap) => {
                let _ = signals.send(PeerSignal::PadAdded(pad.clone(), tap));
            }
            Err(error) => tracing::error!(%error, "a stream of a peer cannot be received"),
        }
    });
    let signals = tell.clone();
    webrtcbin.connect_pad_removed(move |_, pad| {
        let _ = signals.send(PeerSignal::PadRemoved(pad.clone()));
    });
    let counter = Arc::clone(datagrams);
    if let Some(bin) = webrtcbin.downcast_ref::<gst::Bin>() {
        bin.connect_deep_element_added(move |_, _, element| {
            let is_transport = element
                .factory()
                .is_some_and(|factory| factory.name() == "nicesrc");
            if let Some(pad) = element.static_pad("src").filter(|_| is_transport) {
                let counter = Arc::clone(&counter);
                pad.add_probe(
                    gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST,
                    move |_, _| {
                        counter.fetch_add(1, Ordering::Relaxed);
                        gst::PadProbeReturn::Ok
                    },
                );
            }
        });
    }
    let signals = tell.clone();
    pipeline::watch_bus(pipeline, move |event| {
        let _ = signals.send(PeerSignal::Bus(event));
    });
}
