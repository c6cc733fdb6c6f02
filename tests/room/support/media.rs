//! Media engines that agree with each other as real ones do: a connection comes about when an
//! answer meets the offer it was made for, and is noticed as dead when the other end has closed it.

use std::{collections::BTreeMap, time::Duration};

use roomd_protocol::{ClientId, StreamId, client::SdpType};
use roomd_room::{CaptureReport, MediaCommand, MediaEvent, RemoteTracks};
use serde::{Deserialize, Serialize};

/// How long a device takes to open or close.
const DEVICE: Duration = Duration::from_millis(60);
/// How long a description takes to be made.
const DESCRIPTION: Duration = Duration::from_millis(30);
/// From the answer to the first packet.
pub(crate) const HANDSHAKE: Duration = Duration::from_millis(80);
/// After so long without packets a connection is dead.
pub(crate) const STALL: Duration = Duration::from_secs(17);

/// The media engine of one participant.
#[derive(Debug, Default)]
pub(crate) struct Media {
    /// Counts restarts: sessions are numbered from one in each.
    life: u64,
    peers: BTreeMap<ClientId, Peer>,
    shares: u64,
    /// Descriptions made so far: their number makes them unique.
    descriptions: u64,
    presentation: Option<StreamId>,
}

/// One end of a connection.
#[derive(Debug)]
struct Peer {
    session: u64,
    presentation: Option<StreamId>,
    /// Our offer that waits for its answer.
    offer: Option<String>,
    /// The other end, once packets flow.
    other_end: Option<(u64, u64)>,
    remote_presentation: Option<StreamId>,
}

/// A description: enough to know what it belongs to and what it shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sdp {
    number: String,
    end: End,
    /// Of an answer: the offer.
    answers: Option<String>,
}

/// One end of a connection as its description says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct End {
    /// Which life of the engine, and which of its sessions.
    pub(crate) session: (u64, u64),
    pub(crate) camera: StreamId,
    pub(crate) presentation: Option<StreamId>,
}

/// What follows from a command.
#[derive(Debug)]
pub(crate) enum MediaEffect {
    /// The core hears of something.
    Tell(Duration, MediaEvent),
    /// This end of a connection is gone: its other end will notice that packets stopped.
    Closed { peer: ClientId, session: (u64, u64) },
    /// An answer met its offer: packets flow if both ends are still there.
    Established {
        peer: ClientId,
        own_end: End,
        peer_end: End,
    },
}

impl Media {
    /// Whether a connection with this peer stands.
    pub(crate) fn is_connected(&self, peer: &ClientId) -> bool {
        self.peers
            .get(peer)
            .is_some_and(|peer| peer.other_end.is_some())
    }

    /// Which connection with this peer there is.
    pub(crate) fn session(&self, peer: &ClientId) -> Option<(u64, u64)> {
        self.peers.get(peer).map(|peer| (self.life, peer.session))
    }

    /// Everything ends, as with the process, and begins anew.
    pub(crate) fn restart(&mut self) -> Vec<MediaEffect> {
        let ended = std::mem::take(&mut self.peers);
        let closed = ended.into_iter();
        let closed = closed.map(|(peer, old)| self.closed(peer, &old)).collect();
        self.life += 1;
        self.presentation = None;
        closed
    }

    /// Whether packets of that end arrive here.
    pub(crate) fn receives_from(&self, peer: &ClientId, session: (u64, u64)) -> bool {
        let known = self.peers.get(peer);
        known.is_some_and(|known| known.other_end == Some(session))
    }

    /// Packets flow; returns what the core is told.
    pub(crate) fn established(&mut self, peer: &ClientId, remote: End) -> Vec<MediaEvent> {
        let Some(known) = self.peers.get_mut(peer) else {
            return Vec::new();
        };
        let session = known.session;
        let shown = remote.presentation;
        let mut events = Vec::new();
        let stream = |stream| MediaEvent::RemoteStream {
            peer: peer.clone(),
            session,
            stream,
            tracks: RemoteTracks {
                video: true,
                audio: true,
                ..RemoteTracks::default()
            },
        };
        if known.other_end.is_none() {
            known.other_end = Some(remote.session);
            events.push(MediaEvent::PeerConnected {
                peer: peer.clone(),
                session,
            });
            events.push(stream(remote.camera));
        }
        if known.remote_presentation != shown {
            if let Some(old) = std::mem::replace(&mut known.remote_presentation, shown.clone()) {
                events.push(MediaEvent::RemoteStreamEnded {
                    peer: peer.clone(),
                    session,
                    stream: old,
                });
            }
            events.extend(shown.map(stream));
        }
        events
    }

    /// Carries a command of the core `own` out.
    pub(crate) fn command(&mut self, own: &str, command: MediaCommand) -> Vec<MediaEffect> {
        let report = |on| CaptureReport {
            device: "test".into(),
            open: on,
            flowing: on,
            error: None,
            returning: false,
        };
        match command {
            MediaCommand::Microphone { enabled } => {
                vec![MediaEffect::Tell(
                    DEVICE,
                    MediaEvent::Microphone(report(enabled)),
                )]
            }
            MediaCommand::Camera { enabled } => {
                vec![MediaEffect::Tell(
                    DEVICE,
                    MediaEvent::Camera(report(enabled)),
                )]
            }
            MediaCommand::StartScreenshare { .. } => {
                self.shares += 1;
                let stream = StreamId::from(format!("{own}-share-{}", self.shares));
                self.presentation = Some(stream.clone());
                let started = MediaEvent::ScreenshareStarted {
                    stream,
                    has_audio: false,
                };
                vec![MediaEffect::Tell(DEVICE, started)]
            }
            MediaCommand::StopScreenshare => {
                self.presentation = None;
                let ended = MediaEvent::ScreenshareEnded { error: None };
                vec![MediaEffect::Tell(DEVICE, ended)]
            }
            MediaCommand::OpenPeer {
                peer,
                session,
                offer,
                presentation,
            } => self.open(own, peer, session, offer, presentation),
            MediaCommand::RemoteDescription {
                peer,
                session,
                kind,
                sdp,
            } => self.described(own, peer, session, kind, &sdp),
            MediaCommand::SetPresentation {
                peer,
                session,
                stream,
            } => {
                match self.peers.get_mut(&peer) {
                    Some(known) if known.session == session => known.presentation = stream,
                    _ => return Vec::new(),
                }
                self.describe(own, peer, SdpType::Offer, None)
            }
            MediaCommand::ClosePeer { peer } => {
                let closed = self.peers.remove(&peer);
                closed
                    .map(|old| self.closed(peer, &old))
                    .into_iter()
                    .collect()
            }
            MediaCommand::IceServers(_)
            | MediaCommand::CaptureProfile(_)
            | MediaCommand::RemoteCandidate { .. }
            | MediaCommand::RequestKeyFrame { .. } => Vec::new(),
        }
    }

    fn closed(&self, peer: ClientId, old: &Peer) -> MediaEffect {
        let session = (self.life, old.session);
        MediaEffect::Closed { peer, session }
    }

    fn open(
        &mut self,
        own: &str,
        peer: ClientId,
        session: u64,
        offer: bool,
        presentation: Option<StreamId>,
    ) -> Vec<MediaEffect> {
        let new = Peer {
            session,
            presentation,
            offer: None,
            other_end: None,
            remote_presentation: None,
        };
        let mut effects = Vec::new();
        if let Some(old) = self.peers.insert(peer.clone(), new) {
            effects.push(self.closed(peer.clone(), &old));
        }
        if offer {
            effects.extend(self.describe(own, peer, SdpType::Offer, None));
        }
        effects
    }

    /// Makes an offer, or the answer to `answers`.
    fn describe(
        &mut self,
        own: &str,
        peer: ClientId,
        kind: SdpType,
        answers: Option<String>,
    ) -> Vec<MediaEffect> {
        self.descriptions += 1;
        let number = format!("{own}-{}", self.descriptions);
        let Some(known) = self.peers.get_mut(&peer) else {
            return Vec::new();
        };
        if kind == SdpType::Offer {
            known.offer = Some(number.clone());
        }
        let sdp = Sdp {
            number,
            end: known.end(self.life, own),
            answers,
        };
        let described = MediaEvent::LocalDescription {
            peer,
            session: known.session,
            kind,
            sdp: serde_json::to_string(&sdp).unwrap(),
        };
        vec![MediaEffect::Tell(DESCRIPTION, described)]
    }

    fn described(
        &mut self,
        own: &str,
        peer: ClientId,
        session: u64,
        kind: SdpType,
        text: &str,
    ) -> Vec<MediaEffect> {
        let Some(known) = self.peers.get_mut(&peer) else {
            return Vec::new();
        };
        if known.session != session {
            return Vec::new();
        }
        let sdp: Sdp = serde_json::from_str(text).unwrap();
        let failed = |reason: &str| {
            let failed = MediaEvent::PeerFailed {
                peer: peer.clone(),
                session,
                reason: reason.to_owned(),
            };
            vec![MediaEffect::Tell(DESCRIPTION, failed)]
        };
        match kind {
            SdpType::Offer if known.offer.is_some() => failed("an offer upon our own"),
            SdpType::Offer => self.describe(own, peer, SdpType::Answer, Some(sdp.number)),
            SdpType::Answer if known.offer.take() == sdp.answers => {
                vec![MediaEffect::Established {
                    peer,
                    own_end: known.end(self.life, own),
                    peer_end: sdp.end,
                }]
            }
            SdpType::Answer => failed("an answer to something else"),
        }
    }
}

impl Peer {
    fn end(&self, life: u64, own: &str) -> End {
        End {
            session: (life, self.session),
            camera: camera_of(own),
            presentation: self.presentation.clone(),
        }
    }
}

/// The stream of somebody's camera.
pub(crate) fn camera_of(name: &str) -> StreamId {
    format!("{name}-camera").into()
}
