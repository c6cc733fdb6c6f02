//! The connection with one peer: a webrtcbin in a pipeline of its own, owned by a task of its own.
//!
//! Negotiation is linear: one description at a time is made, set and sent before anything else of this
//! peer is looked at, so candidates of either side wait in their queues until they can be used.

mod error;
mod negotiation;
mod outgoing;
mod port;
mod signals;
mod streams;
mod webrtcbin;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_webrtc as gst_webrtc;
use roomd_protocol::{
    StreamId,
    client::{IceCandidate, SdpType},
};
use roomd_room::MediaEvent;
use tokio::{
    sync::{mpsc, watch},
    time::MissedTickBehavior,
};

use crate::{
    capture::Source,
    encoders::Codec,
    encoding::EncoderKey,
    pipeline::{self, BusEvent},
    receive::{DecoderNews, Incoming},
    sdp::{self, Section},
};
pub(crate) use error::NegotiationError;
use outgoing::{Outgoing, Plan};
use port::PeerSignal;
pub(crate) use port::{InputKey, PeerDemand, PeerHandle, PeerRequest, PeerSettings, PeerStart};
use streams::RemoteStreams;
pub(crate) use webrtcbin::WebRtcSettings;

/// How long webrtcbin may take for one step.
const PROMISE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connected peer from which nothing at all came for so long is dead: webrtcbin 1.22 does not notice.
const STALL_TIMEOUT: Duration = Duration::from_secs(17);
/// How often counters are looked at.
const TICK: Duration = Duration::from_millis(250);
/// Payload types of our own offers.
const OPUS_PAYLOAD: u8 = 111;
const VP8_PAYLOAD: u8 = 96;
const H264_PAYLOAD: u8 = 102;

async fn run(start: PeerStart, inbox: mpsc::UnboundedReceiver<PeerRequest>) {
    let (peer, session, events) = (start.peer.clone(), start.session, start.events.clone());
    match PeerConnection::new(start, inbox) {
        Ok(connection) => connection.run().await,
        Err(error) => {
            // The core is gone when the engine stops.
            let _ = events.send(MediaEvent::PeerFailed {
                peer,
                session,
                reason: error.to_string(),
            });
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Negotiation {
    Nothing,
    HaveLocalOffer,
    Stable,
}

/// Payload types agreed with this peer, for the sections that it adds.
#[derive(Clone, Copy, Debug)]
struct Agreed {
    video: Codec,
    video_payload: u8,
    audio_payload: u8,
}

struct PeerConnection {
    start: PeerStart,
    inbox: mpsc::UnboundedReceiver<PeerRequest>,
    backlog: std::collections::VecDeque<PeerRequest>,
    pipeline: gst::Pipeline,
    webrtcbin: gst::Element,
    signals: mpsc::UnboundedReceiver<PeerSignal>,
    tell: mpsc::UnboundedSender<PeerSignal>,
    decoder_news: mpsc::UnboundedReceiver<(gst::Pad, DecoderNews)>,
    tell_decoder: mpsc::UnboundedSender<(gst::Pad, DecoderNews)>,
    negotiation: Negotiation,
    agreed: watch::Sender<Agreed>,
    /// Ours, once the first exchange has decided it.
    dtls_role: Option<sdp::Setup>,
    remote: Vec<Section>,
    local: Vec<Section>,
    /// Indexes of the sections in which we send or once did.
    own_sections: BTreeSet<usize>,
    early_candidates: Vec<IceCandidate>,
    outgoing: Vec<Outgoing>,
    retired: Vec<Outgoing>,
    incoming: Vec<Incoming>,
    streams: RemoteStreams,
    wanted_presentation: Option<StreamId>,
    shares: u32,
    needs_offer: bool,
    connected: bool,
    failed: bool,
    datagrams: Arc<AtomicU64>,
    heard: (u64, Instant),
}

impl PeerConnection {
    fn new(
        start: PeerStart,
        inbox: mpsc::UnboundedReceiver<PeerRequest>,
    ) -> Result<Self, NegotiationError> {
        let webrtcbin = webrtcbin::make(&start.webrtc)?;
        let pipeline = gst::Pipeline::new();
        pipeline
            .add(&webrtcbin)
            .map_err(|error| NegotiationError::NoWebRtc(error.to_string()))?;
        start.settings.timing.apply(&pipeline);
        let (tell, signals) = mpsc::unbounded_channel();
        let (tell_decoder, decoder_news) = mpsc::unbounded_channel();
        let video = start.settings.codecs.first().copied().unwrap_or(Codec::Vp8);
        let agreed = Agreed {
            video,
            video_payload: own_payload(video),
            audio_payload: OPUS_PAYLOAD,
        };
        let (agreed, _) = watch::channel(agreed);
        let datagrams = Arc::new(AtomicU64::new(0));
        signals::connect(&pipeline, &webrtcbin, &tell, &agreed, &datagrams);
        Ok(Self {
            wanted_presentation: start.presentation.clone(),
            start,
            inbox,
            backlog: std::collections::VecDeque::new(),
            pipeline,
            webrtcbin,
            signals,
            tell,
            decoder_news,
            tell_decoder,
            negotiation: Negotiation::Nothing,
            agreed,
            dtls_role: None,
            remote: Vec::new(),
            local: Vec::new(),
            own_sections: BTreeSet::new(),
            early_candidates: Vec::new(),
            outgoing: Vec::new(),
            retired: Vec::new(),
            incoming: Vec::new(),
            streams: RemoteStreams::default(),
            shares: 0,
            needs_offer: false,
            connected: false,
            failed: false,
            datagrams,
            heard: (0, Instant::now()),
        })
    }

    async fn run(mut self) {
        let begun = self.begin().await;
        self.check(begun);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if let Some(request) = self.backlog.pop_front() {
                if !self.carry_out(request).await {
                    break;
                }
                continue;
            }
            tokio::select! {
                biased;
                request = self.inbox.recv() => {
                    let Some(request) = request else { break };
                    if !self.carry_out(request).await {
                        break;
                    }
                }
                Some(signal) = self.signals.recv() => {
                    let outcome = self.hear(signal).await;
                    self.check(outcome);
                }
                Some((pad, news)) = self.decoder_news.recv() => self.hear_decoder(&pad, news).await,
                _ = ticks.tick() => {
                    let outcome = self.tick(Instant::now());
                    self.check(outcome);
                }
            }
        }
        self.close().await;
    }

    async fn begin(&mut self) -> Result<(), NegotiationError> {
        pipeline::set_state(&self.pipeline, gst::State::Playing, PROMISE_TIMEOUT).await?;
        if self.start.offer {
            self.add_camera_and_microphone()?;
            self.add_wanted_presentation()?;
            self.offer().await?;
        }
        Ok(())
    }

    /// False: close.
    async fn carry_out(&mut self, request: PeerRequest) -> bool {
        let outcome = match request {
            PeerRequest::Close => return false,
            _ if self.failed => Ok(()),
            PeerRequest::Describe(SdpType::Offer, sdp) => self.answer(&sdp).await,
            PeerRequest::Describe(SdpType::Answer, sdp) => self.take_answer(&sdp).await,
            PeerRequest::Candidate(candidate) => {
                self.take_candidate(candidate);
                Ok(())
            }
            PeerRequest::Present(stream) => {
                self.wanted_presentation = stream;
                self.follow_presentation().await
            }
            PeerRequest::KeyFrame => {
                self.incoming.iter_mut().for_each(Incoming::want_key_frame);
                Ok(())
            }
            PeerRequest::Reattach { video } => {
                self.reattach(video).await;
                Ok(())
            }
        };
        self.check(outcome);
        true
    }

    fn check(&mut self, outcome: Result<(), NegotiationError>) {
        if let Err(error) = outcome
            && !self.failed
        {
            self.failed = true;
            tracing::warn!(peer = %self.start.peer, session = self.start.session, %error, "a peer connection failed");
            self.report(MediaEvent::PeerFailed {
                peer: self.start.peer.clone(),
                session: self.start.session,
                reason: error.to_string(),
            });
        }
    }

    fn report(&self, event: MediaEvent) {
        // The core is gone when the engine stops.
        let _ = self.start.events.send(event);
    }

    fn demand(&self, demand: PeerDemand) {
        // The graph is gone when the engine stops.
        let _ = self.start.demands.send(demand);
    }

    // Sending branches.

    fn add_camera_and_microphone(&mut self) -> Result<(), NegotiationError> {
        let agreed = *self.agreed.borrow();
        let stream = self.start.settings.camera_stream.clone();
        let microphone = EncoderKey {
            source: Source::Microphone,
            codec: Codec::Opus,
        };
        self.add_outgoing(
            "audio".to_owned(),
            microphone,
            agreed.audio_payload,
            &stream,
        )?;
        let camera = EncoderKey {
            source: Source::Camera,
            codec: agreed.video,
        };
        self.add_outgoing("video".to_owned(), camera, agreed.video_payload, &stream)
    }

    fn add_wanted_presentation(&mut self) -> Result<(), NegotiationError> {
        let Some(stream) = self.wanted_presentation.clone() else {
            return Ok(());
        };
        let agreed = *self.agreed.borrow();
        let key = EncoderKey {
            source: Source::Presentation,
            codec: agreed.video,
        };
        self.shares += 1;
        self.add_outgoing(
            format!("presentation{}", self.shares),
            key,
            agreed.video_payload,
            &stream,
        )
    }

    fn add_outgoing(
        &mut self,
        name: String,
        key: EncoderKey,
        payload: u8,
        stream: &StreamId,
    ) -> Result<(), NegotiationError> {
        let rates = &self.start.settings.rates;
        let encoding = if key.source == Source::Presentation {
            rates.presentation
        } else {
            rates.camera
        };
        let plan = Plan {
            name,
            key,
            payload,
            stream,
            encoding,
        };
        let payloaders = &self.start.settings.tables.payloaders;
        let branch = Outgoing::add(
            &self.pipeline,
            &self.webrtcbin,
            payloaders,
            &plan,
            &self.tell,
        )?;
        self.demand(PeerDemand::Attach(key, Arc::clone(&branch.output)));
        self.outgoing.push(branch);
        Ok(())
    }

    /// Lets coded samples into every branch whose section is agreed and wanted by the peer.
    fn open_outputs(&self) {
        if !self.connected || self.negotiation != Negotiation::Stable {
            return;
        }
        for branch in &self.outgoing {
            let section = branch.section().and_then(|index| self.remote.get(index));
            if !section.is_some_and(Section::is_receiving) {
                branch.output.shut();
            } else if branch.output.open() && branch.key.codec.is_video() {
                self.demand(PeerDemand::KeyFrame(branch.key));
            }
        }
    }

    fn presented(&self) -> Option<&StreamId> {
        self.outgoing
            .iter()
            .find(|branch| branch.key.source == Source::Presentation)
            .map(|branch| &branch.stream)
    }

    /// Makes the offer that brings the presentation to what is wanted, as soon as the state is stable.
    async fn follow_presentation(&mut self) -> Result<(), NegotiationError> {
        if self.negotiation != Negotiation::Stable {
            return Ok(());
        }
        if self.presented() != self.wanted_presentation.as_ref() {
            self.change_presentation()?;
            self.needs_offer = true;
        }
        if self.needs_offer {
            self.offer().await
        } else {
            Ok(())
        }
    }

    fn change_presentation(&mut self) -> Result<(), NegotiationError> {
        if let Some(place) = self
            .outgoing
            .iter()
            .position(|branch| branch.key.source == Source::Presentation)
        {
            let branch = self.outgoing.remove(place);
            branch.retire(&self.webrtcbin);
            self.demand(PeerDemand::Detach(branch.key, Arc::clone(&branch.output)));
            self.retired.push(branch);
        }
        self.add_wanted_presentation()
    }

    // What GStreamer tells.

    async fn hear(&mut self, signal: PeerSignal) -> Result<(), NegotiationError> {
        match signal {
            PeerSignal::LocalCandidate(index, text) => {
                let candidate = sdp::candidate_for_peer(index, &text, &self.local);
                self.report(MediaEvent::LocalCandidate {
                    peer: self.start.peer.clone(),
                    session: self.start.session,
                    candidate,
                });
            }
            PeerSignal::ConnectionState(gst_webrtc::WebRTCPeerConnectionState::Connected) => {
                if !self.connected {
                    self.connected = true;
                    self.start.was_connected.store(true, Ordering::Relaxed);
                    self.heard = (self.datagrams.load(Ordering::Relaxed), Instant::now());
                    self.report(MediaEvent::PeerConnected {
                        peer: self.start.peer.clone(),
                        session: self.start.session,
                    });
                    self.open_outputs();
                }
            }
            PeerSignal::ConnectionState(gst_webrtc::WebRTCPeerConnectionState::Failed) => {
                return Err(NegotiationError::Failed);
            }
            PeerSignal::ConnectionState(_) => {}
            PeerSignal::PadAdded(pad, tap) => self.pad_added(pad, tap).await,
            PeerSignal::PadRemoved(pad) => self.pad_removed(&pad).await,
            PeerSignal::KeyFrameWanted(key) => self.demand(PeerDemand::KeyFrame(key)),
            PeerSignal::Bus(BusEvent::Failed(failure)) => {
                let is_dead = self
                    .retired
                    .iter()
                    .any(|branch| branch.is_called(&failure.element))
                    || failure.element.starts_with("presentation");
                if !is_dead {
                    return Err(NegotiationError::Element(failure));
                }
                tracing::warn!(%failure, "a presentation's branch failed");
            }
            PeerSignal::Bus(BusEvent::Ended) => {}
        }
        Ok(())
    }

    fn tick(&mut self, now: Instant) -> Result<(), NegotiationError> {
        for track in &mut self.incoming {
            track.ask_for_key_frame(now);
        }
        self.report_streams(now);
        let datagrams = self.datagrams.load(Ordering::Relaxed);
        if datagrams != self.heard.0 {
            self.heard = (datagrams, now);
        }
        if self.connected && !self.failed && now > self.heard.1 + STALL_TIMEOUT {
            return Err(NegotiationError::Stalled);
        }
        Ok(())
    }

    async fn close(mut self) {
        for branch in self.outgoing.drain(..).chain(self.retired.drain(..)) {
            branch.output.shut();
            // The graph is gone when the engine stops.
            let _ = self
                .start
                .demands
                .send(PeerDemand::Detach(branch.key, branch.output));
        }
        for mut track in std::mem::take(&mut self.incoming) {
            track.stop_decoding().await;
            self.remove_input(&track);
        }
        pipeline::close(self.pipeline, "peer connection").await;
    }
}

fn own_payload(codec: Codec) -> u8 {
    match codec {
        Codec::H264 => H264_PAYLOAD,
        Codec::Vp8 => VP8_PAYLOAD,
        Codec::Opus => OPUS_PAYLOAD,
    }
}

#[cfg(test)]
mod tests;
