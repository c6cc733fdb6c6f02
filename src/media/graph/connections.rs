//! The graph's side of the peer connections.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use roomd_protocol::{ClientId, StreamId};

use super::{Graph, outputs::OutputNews};
use crate::{
    capture::Source,
    encoders::camera_bitrate,
    peer_connection::{InputKey, PeerDemand, PeerHandle, PeerRequest, PeerStart, WebRtcSettings},
};

/// How many peers are remembered with the codec that they were offered.
const OFFERED: usize = 64;

impl Graph {
    pub(super) fn open_peer(
        &mut self,
        peer: ClientId,
        session: u64,
        offer: bool,
        presentation: Option<StreamId>,
    ) {
        self.close_peer(&peer);
        let was_connected = Arc::new(AtomicBool::new(false));
        let mut settings = self.peer_settings.clone();
        if offer && self.outputs.are_recorded() {
            let next = self.next_codec(&peer, &was_connected) % settings.codecs.len().max(1);
            settings.codecs.rotate_left(next);
        }
        let handle = PeerHandle::open(PeerStart {
            peer: peer.clone(),
            session,
            offer,
            presentation,
            settings,
            webrtc: WebRtcSettings {
                latency_ms: self.settings.latency_ms.0.min(1000),
                allow_loopback: self.settings.allow_loopback,
                ice_addresses: self.ice_addresses.clone(),
            },
            events: self.events.clone(),
            demands: self.demand.clone(),
            was_connected,
        });
        self.peers.insert(peer, handle);
        self.follow_peer_count();
    }

    /// Which codec an engine that records offers: an offer holds one, and the peer may not speak it. It
    /// sends nothing, so each is as good; after an offer that led to nothing it is the next one's turn.
    fn next_codec(&mut self, peer: &ClientId, was_connected: &Arc<AtomicBool>) -> usize {
        let offered = &mut self.offered;
        let next = match offered.iter().position(|(known, ..)| known == peer) {
            Some(place) => {
                let (_, codec, connected) = offered.remove(place);
                codec + usize::from(!connected.load(Ordering::Relaxed))
            }
            None => 0,
        };
        if offered.len() >= OFFERED {
            offered.remove(0);
        }
        offered.push((peer.clone(), next, Arc::clone(was_connected)));
        next
    }

    pub(super) fn close_peer(&mut self, peer: &ClientId) {
        if let Some(handle) = self.peers.remove(peer) {
            self.closing.push_back(handle.close());
            self.follow_peer_count();
        }
    }

    pub(super) fn follow_peer_count(&mut self) {
        let bitrate = camera_bitrate(self.settings.camera_encoding.bitrate, self.peers.len());
        self.encoders.set_bitrate(Source::Camera, bitrate);
    }

    /// Asks something of a connection, unless it has been replaced or closed.
    pub(super) fn ask_session(&self, peer: &ClientId, session: u64, request: PeerRequest) {
        match self.peers.get(peer) {
            Some(handle) if handle.session == session => handle.ask(request),
            _ => tracing::debug!(%peer, session, "a request for a connection that is no more"),
        }
    }

    pub(super) fn serve(&mut self, demand: PeerDemand) {
        match demand {
            PeerDemand::Attach(key, output) => self.encoders.attach(key, &output),
            PeerDemand::Detach(key, output) => self.encoders.detach(key, &output),
            PeerDemand::KeyFrame(key) => self.encoders.request_key_frame(key),
            PeerDemand::Input(
                InputKey {
                    peer,
                    stream,
                    video,
                },
                reply,
            ) => {
                let input = self.outputs.input(&peer, &stream, video);
                if reply.send(input).is_err() {
                    tracing::debug!(%peer, "a connection closed while it asked for an input");
                }
            }
            PeerDemand::RemoveInput(InputKey {
                peer,
                stream,
                video,
            }) => self.outputs.remove_input(&peer, &stream, video),
        }
    }

    /// After a loss, or when an output is there again, the streams ask for their inputs anew.
    pub(super) fn hear_output(&mut self, news: OutputNews) {
        let Some(changed) = self.outputs.hear(news) else {
            return;
        };
        let concerned = |peer: &ClientId| changed.of.as_ref().is_none_or(|of| of == peer);
        for (_, handle) in self.peers.iter().filter(|(peer, _)| concerned(peer)) {
            handle.ask(PeerRequest::Reattach {
                video: changed.video,
            });
        }
    }
}
