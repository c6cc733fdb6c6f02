//! What we send to one peer: a payloader of its own behind the shared coded stream.

use std::{sync::Arc, time::Duration};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_video as gst_video;
use gstreamer_webrtc as gst_webrtc;
use roomd_protocol::StreamId;
use tokio::sync::{mpsc, watch};

use super::{NegotiationError, PeerSignal};
use crate::{
    encoders::{Codec, Table, is_present},
    encoding::EncoderKey,
    fanout::{Flow, Output, bounded_appsrc},
    launch::{self, LaunchError},
    sdp::SentStream,
    settings::VideoEncoding,
};

/// How long the caps of a payloader may take to reach webrtcbin. Without them the media-level `a=msid`
/// still makes a working offer.
const CAPS_TIMEOUT: Duration = Duration::from_millis(500);

/// One sending branch: appsrc, payloader, pad of webrtcbin.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) key: EncoderKey,
    pub(crate) output: Arc<Output>,
    pub(crate) stream: StreamId,
    track: String,
    appsrc: gst::Element,
    payloader: gst::Bin,
    pad: gst::Pad,
    transceiver: gst_webrtc::WebRTCRTPTransceiver,
    caps: watch::Receiver<bool>,
}

/// The coded stream as its appsrc announces it before the first sample.
pub(crate) fn coded_caps(codec: Codec, encoding: VideoEncoding) -> gst::Caps {
    let size = |caps: gst::caps::Builder<gst::caps::NoFeature>| {
        caps.field("width", i32::try_from(encoding.width).unwrap_or(i32::MAX))
            .field("height", i32::try_from(encoding.height).unwrap_or(i32::MAX))
    };
    match codec {
        Codec::Vp8 => size(gst::Caps::builder("video/x-vp8")).build(),
        Codec::H264 => size(gst::Caps::builder("video/x-h264"))
            .field("stream-format", "byte-stream")
            .field("alignment", "au")
            .field("profile", "constrained-baseline")
            .build(),
        Codec::Opus => gst::Caps::builder("audio/x-opus")
            .field("rate", 48_000i32)
            .field("channels", 2i32)
            .field("channel-mapping-family", 0i32)
            .build(),
    }
}

/// The one codec of a transceiver: with more than one, or none, webrtcbin picks something else.
pub(crate) fn codec_preferences(codec: Codec, payload: u8) -> gst::Caps {
    let rtp = gst::Caps::builder("application/x-rtp").field("payload", i32::from(payload));
    match codec {
        Codec::Vp8 => rtp
            .field("media", "video")
            .field("encoding-name", "VP8")
            .field("clock-rate", 90_000i32)
            .build(),
        Codec::H264 => rtp
            .field("media", "video")
            .field("encoding-name", "H264")
            .field("clock-rate", 90_000i32)
            .field("packetization-mode", "1")
            .field("profile-level-id", "42e01f")
            .build(),
        Codec::Opus => rtp
            .field("media", "audio")
            .field("encoding-name", "OPUS")
            .field("clock-rate", 48_000i32)
            .field("encoding-params", "2")
            .build(),
    }
}

/// What a branch is made of.
pub(crate) struct Plan<'a> {
    pub(crate) name: String,
    pub(crate) key: EncoderKey,
    pub(crate) payload: u8,
    pub(crate) stream: &'a StreamId,
    pub(crate) encoding: VideoEncoding,
}

impl Outgoing {
    /// Adds a branch to a running pipeline; its output is shut.
    pub(crate) fn add(
        pipeline: &gst::Pipeline,
        webrtcbin: &gst::Element,
        payloaders: &Table,
        plan: &Plan<'_>,
        signals: &mpsc::UnboundedSender<PeerSignal>,
    ) -> Result<Self, NegotiationError> {
        let codec = plan.key.codec;
        let choice = payloaders.choose(codec, &[], is_present)?;
        let ssrc: u32 = uuid::Uuid::new_v4().as_fields().0.max(1);
        let line = choice.entry.line(&[
            ("payload", plan.payload.to_string()),
            ("ssrc", ssrc.to_string()),
        ])?;
        let payloader = launch::bin(&line)?;
        let limit = if codec.is_video() { 60 } else { 25 };
        let appsrc = bounded_appsrc(Some(&coded_caps(codec, plan.encoding)), limit);
        appsrc.set_property("name", &plan.name);
        let flow = if codec.is_video() {
            Flow::CodedVideo
        } else {
            Flow::Loose
        };
        let output = Output::new(appsrc.clone(), flow, limit);
        forward_key_frame_requests(&appsrc, plan.key, signals.clone());

        let missing = |name| {
            NegotiationError::from(LaunchError::MissingElement {
                line: line.clone(),
                name,
            })
        };
        let pad = webrtcbin
            .request_pad_simple("sink_%u")
            .ok_or_else(|| missing("webrtcbin sink"))?;
        let (caps_known, caps) = watch::channel(false);
        pad.connect_notify(Some("caps"), move |pad, _| {
            caps_known.send_replace(pad.current_caps().is_some());
        });
        pad.set_property("msid", plan.stream.as_str());
        let transceiver = pad.property::<gst_webrtc::WebRTCRTPTransceiver>("transceiver");
        transceiver.set_direction(gst_webrtc::WebRTCRTPTransceiverDirection::Sendrecv);
        transceiver.set_codec_preferences(Some(&codec_preferences(codec, plan.payload)));
        transceiver.set_property("do-nack", codec.is_video());

        let appsrc: gst::Element = appsrc.upcast();
        let linked = pipeline.add_many([&appsrc, payloader.upcast_ref()]).is_ok()
            && appsrc.link(&payloader).is_ok()
            && payloader
                .static_pad("src")
                .is_some_and(|src| src.link(&pad).is_ok());
        if !linked {
            return Err(missing("payloader"));
        }
        if payloader.sync_state_with_parent().is_err() || appsrc.sync_state_with_parent().is_err() {
            return Err(missing("running payloader"));
        }
        if codec == Codec::H264 {
            // rtph264pay tells no caps before its first picture, and without them webrtcbin writes no SSRC.
            let mut caps = codec_preferences(codec, plan.payload);
            caps.make_mut().set("ssrc", ssrc);
            if let Some(src) = payloader.static_pad("src") {
                src.push_event(gst::event::StreamStart::new(&plan.name));
                src.push_event(gst::event::Caps::new(&caps));
            }
        }
        Ok(Self {
            key: plan.key,
            output,
            stream: plan.stream.clone(),
            track: uuid::Uuid::new_v4().to_string(),
            appsrc,
            payloader,
            pad,
            transceiver,
            caps,
        })
    }

    /// Waits until webrtcbin knows the caps.
    pub(crate) async fn caps_known(&mut self) {
        let known = self.caps.wait_for(|known| *known);
        if !matches!(tokio::time::timeout(CAPS_TIMEOUT, known).await, Ok(Ok(_))) {
            tracing::debug!(key = ?self.key, "offering before the caps are known");
        }
    }

    /// The index of its section, once both descriptions are in force.
    pub(crate) fn section(&self) -> Option<usize> {
        let index = self.transceiver.mlineindex();
        (index != u32::MAX).then(|| usize::try_from(index).ok())?
    }

    /// Its stream, as a section of `index` announces it.
    pub(crate) fn sent_in(&self, index: usize) -> SentStream {
        SentStream {
            index,
            stream: self.stream.to_string(),
            track: self.track.clone(),
        }
    }

    /// Ends it before the next offer: the section stays, for the peer to send in. Not `inactive`: a
    /// peer may put its own presentation into this section.
    pub(crate) fn retire(&self, webrtcbin: &gst::Element) {
        self.output.shut();
        self.transceiver
            .set_direction(gst_webrtc::WebRTCRTPTransceiverDirection::Recvonly);
        if let Some(src) = self.payloader.static_pad("src")
            && let Err(error) = src.unlink(&self.pad)
        {
            tracing::warn!(%error, "a presentation's payloader was not linked");
        }
        webrtcbin.release_request_pad(&self.pad);
    }

    /// Stops the elements of a retired branch and takes them out of the pipeline.
    pub(crate) async fn remove(self, pipeline: &gst::Pipeline) -> Result<(), NegotiationError> {
        let pipeline = pipeline.clone();
        let stopping = tokio::task::spawn_blocking(move || {
            let elements = [self.appsrc, self.payloader.upcast()];
            for element in &elements {
                // Refused only by an element that is stopped already.
                let _ = element.set_state(gst::State::Null);
            }
            let _ = pipeline.remove_many(&elements);
        });
        match tokio::time::timeout(super::PROMISE_TIMEOUT, stopping).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(NegotiationError::Unanswered {
                signal: "removal of a presentation",
            }),
        }
    }

    /// Whether an element of the pipeline belongs to this branch.
    pub(crate) fn is_called(&self, element: &str) -> bool {
        self.appsrc.name() == element || self.payloader.by_name(element).is_some()
    }
}

/// The peer's requests for key frames end at the appsrc and become signals.
fn forward_key_frame_requests(
    appsrc: &gstreamer_app::AppSrc,
    key: EncoderKey,
    signals: mpsc::UnboundedSender<PeerSignal>,
) {
    let Some(pad) = appsrc.static_pad("src") else {
        return;
    };
    pad.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
        if info
            .event()
            .is_some_and(|event| gst_video::ForceKeyUnitEvent::is(event))
        {
            // The peer is closing: nobody needs the key frame.
            let _ = signals.send(PeerSignal::KeyFrameWanted(key));
            // Not `Drop`: the binding has taken the event, and 1.22 would unref nothing.
            return gst::PadProbeReturn::Handled;
        }
        gst::PadProbeReturn::Ok
    });
}
