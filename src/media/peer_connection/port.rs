//! The words between a connection, the graph and GStreamer's callbacks.

use std::sync::{Arc, atomic::AtomicBool};

use gstreamer as gst;
use gstreamer_webrtc as gst_webrtc;
use roomd_protocol::{
    ClientId, StreamId,
    client::{IceCandidate, SdpType},
};
use roomd_room::MediaEvent;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{WebRtcSettings, run};
use crate::{
    encoders::{Codec, Tables},
    encoding::{EncoderKey, Rates},
    fanout::Output,
    pipeline::{BusEvent, Timing},
    receive::{RtpTap, Target},
};

/// What callbacks of GStreamer send.
#[derive(Debug)]
pub(crate) enum PeerSignal {
    LocalCandidate(u32, String),
    ConnectionState(gst_webrtc::WebRTCPeerConnectionState),
    PadAdded(gst::Pad, RtpTap),
    PadRemoved(gst::Pad),
    KeyFrameWanted(EncoderKey),
    Bus(BusEvent),
}

/// What the graph asks of a connection.
#[derive(Debug)]
pub(crate) enum PeerRequest {
    Describe(SdpType, String),
    Candidate(IceCandidate),
    Present(Option<StreamId>),
    KeyFrame,
    /// The display (video) or the speaker was lost or opened: its inputs are not what they were.
    Reattach {
        video: bool,
    },
    Close,
}

/// What a connection asks of the graph.
#[derive(Debug)]
pub(crate) enum PeerDemand {
    /// A coded stream into this output.
    Attach(EncoderKey, Arc<Output>),
    /// No more of it.
    Detach(EncoderKey, Arc<Output>),
    /// A key frame from an encoder.
    KeyFrame(EncoderKey),
    /// An input of the display, the speaker or the recording, if there is one.
    Input(InputKey, oneshot::Sender<Option<Target>>),
    /// The input is not used any more.
    RemoveInput(InputKey),
}

/// Which input of the display (video) or the speaker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct InputKey {
    pub(crate) peer: ClientId,
    pub(crate) stream: StreamId,
    pub(crate) video: bool,
}

/// What all connections of an engine have in common.
#[derive(Clone, Debug)]
pub(crate) struct PeerSettings {
    pub(crate) tables: Tables,
    pub(crate) timing: Timing,
    pub(crate) rates: Rates,
    /// Preferred first, never empty.
    pub(crate) codecs: Vec<Codec>,
    /// Stream id of camera and microphone.
    pub(crate) camera_stream: StreamId,
}

/// Everything that opens a connection.
#[derive(Debug)]
pub(crate) struct PeerStart {
    pub(crate) peer: ClientId,
    pub(crate) session: u64,
    pub(crate) offer: bool,
    pub(crate) presentation: Option<StreamId>,
    pub(crate) settings: PeerSettings,
    pub(crate) webrtc: WebRtcSettings,
    pub(crate) events: mpsc::UnboundedSender<MediaEvent>,
    pub(crate) demands: mpsc::UnboundedSender<PeerDemand>,
    /// Set when ICE and DTLS are through.
    pub(crate) was_connected: Arc<AtomicBool>,
}

/// The graph's end of a connection.
#[derive(Debug)]
pub(crate) struct PeerHandle {
    pub(crate) session: u64,
    requests: mpsc::UnboundedSender<PeerRequest>,
    task: JoinHandle<()>,
}

impl PeerHandle {
    /// Opens a connection.
    pub(crate) fn open(start: PeerStart) -> Self {
        let (requests, inbox) = mpsc::unbounded_channel();
        let session = start.session;
        Self {
            session,
            requests,
            task: tokio::spawn(run(start, inbox)),
        }
    }

    /// Asks something of it; one that has ended hears nothing.
    pub(crate) fn ask(&self, request: PeerRequest) {
        let _ended = self.requests.send(request);
    }

    /// Closes it; the task ends when its pipeline has stopped.
    pub(crate) fn close(self) -> JoinHandle<()> {
        self.ask(PeerRequest::Close);
        self.task
    }
}
