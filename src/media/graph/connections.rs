//! The graph's side of the peer connections.

use roomd_protocol::{ClientId, StreamId};

use super::{Graph, outputs::OutputNews};
use crate::{
    capture::Source,
    encoders::camera_bitrate,
    peer_connection::{InputKey, PeerDemand, PeerHandle, PeerRequest, PeerStart, WebRtcSettings},
};

impl Graph {
    pub(super) fn open_peer(
        &mut self,
        peer: ClientId,
        session: u64,
        offer: bool,
        presentation: Option<StreamId>,
    ) {
        self.close_peer(&peer);
        let handle = PeerHandle::open(PeerStart {
            peer: peer.clone(),
            session,
            offer,
            presentation,
            settings: self.peer_settings.clone(),
            webrtc: WebRtcSettings {
                latency_ms: self.settings.latency_ms.0.min(1000),
                allow_loopback: self.settings.allow_loopback,
                ice_addresses: self.ice_addresses.clone(),
            },
            events: self.events.clone(),
            demands: self.demand.clone(),
        });
        self.peers.insert(peer, handle);
        self.follow_peer_count();
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
        for handle in self.peers.values() {
            handle.ask(PeerRequest::Reattach {
                video: changed.video,
            });
        }
    }
}
