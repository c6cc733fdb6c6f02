//! Carries descriptions and candidates from one engine to the other, as a room server would.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use roomd_media::{Command, MediaEngine, settings::MediaSettings};
use roomd_protocol::{ClientId, StreamId, client::SdpType};
use roomd_room::{CaptureReport, MediaCommand, MediaEvent, RemoteTracks};
use tokio::sync::mpsc;

use super::outputs::Observed;

/// One engine and what it said.
pub struct Party {
    pub name: ClientId,
    pub engine: MediaEngine,
    pub seen: Observed,
    pub log: Vec<(Instant, MediaEvent)>,
    pub streams: HashMap<(ClientId, StreamId), RemoteTracks>,
    pub connected: Vec<(ClientId, u64)>,
    pub failures: Vec<String>,
    pub shares: Vec<Option<StreamId>>,
}

impl Party {
    pub fn command(&self, command: MediaCommand) {
        self.engine.send(Command::Room(command));
    }

    /// The camera stream of the other party, once it is announced.
    pub fn stream_of(&self, peer: &str) -> Option<StreamId> {
        let sound = self
            .streams
            .iter()
            .find(|((id, _), tracks)| id.as_str() == peer && tracks.audio);
        sound.map(|((_, stream), _)| stream.clone())
    }

    pub fn microphone_reports(&self) -> Vec<CaptureReport> {
        self.log
            .iter()
            .filter_map(|(_, event)| match event {
                MediaEvent::Microphone(report) => Some(report.clone()),
                _ => None,
            })
            .collect()
    }

    pub fn camera_reports(&self) -> Vec<CaptureReport> {
        self.log
            .iter()
            .filter_map(|(_, event)| match event {
                MediaEvent::Camera(report) => Some(report.clone()),
                _ => None,
            })
            .collect()
    }
}

/// Some engines in one room.
pub struct Room {
    pub parties: Vec<Party>,
    inbox: mpsc::UnboundedReceiver<(usize, MediaEvent)>,
    tell: mpsc::UnboundedSender<(usize, MediaEvent)>,
    session: u64,
    /// Messages from these are lost.
    pub silent: Vec<ClientId>,
    /// Offers that wait until their number is two.
    crossing: Option<Vec<(ClientId, MediaCommand)>>,
}

impl Room {
    pub fn new() -> Self {
        let (tell, inbox) = mpsc::unbounded_channel();
        Self {
            parties: Vec::new(),
            inbox,
            tell,
            session: 0,
            silent: Vec::new(),
            crossing: None,
        }
    }

    pub fn join(&mut self, name: &str, settings: MediaSettings) -> usize {
        let place = self.parties.len();
        let (events, mut heard) = mpsc::unbounded_channel();
        let seen = Observed::default();
        let engine = MediaEngine::start_with(settings, events, seen.clone()).unwrap();
        let tell = self.tell.clone();
        tokio::spawn(async move {
            while let Some(event) = heard.recv().await {
                if tell.send((place, event)).is_err() {
                    return;
                }
            }
        });
        self.parties.push(Party {
            name: ClientId::from(name),
            engine,
            seen,
            log: Vec::new(),
            streams: HashMap::new(),
            connected: Vec::new(),
            failures: Vec::new(),
            shares: Vec::new(),
        });
        place
    }

    /// `from` offers, `to` answers.
    pub fn connect(&mut self, from: usize, to: usize, presentation: Option<StreamId>) -> u64 {
        self.session += 1;
        let session = self.session;
        let (caller, called) = (
            self.parties[from].name.clone(),
            self.parties[to].name.clone(),
        );
        self.parties[to].command(MediaCommand::OpenPeer {
            peer: caller,
            session,
            offer: false,
            presentation: None,
        });
        self.parties[from].command(MediaCommand::OpenPeer {
            peer: called,
            session,
            offer: true,
            presentation,
        });
        session
    }

    /// The next two offers are delivered when both are there.
    pub fn cross_offers(&mut self) {
        self.crossing = Some(Vec::new());
    }

    /// Relays until `reached` holds. Panics with the logs when it does not within `limit`.
    pub async fn until(
        &mut self,
        what: &str,
        limit: Duration,
        reached: impl Fn(&Self) -> bool,
    ) -> Duration {
        let start = Instant::now();
        while !reached(self) {
            if start.elapsed() >= limit {
                for party in &self.parties {
                    eprintln!(
                        "{}: {:#?}",
                        party.name,
                        party
                            .log
                            .iter()
                            .map(|(_, event)| shortened(event))
                            .collect::<Vec<_>>()
                    );
                    eprintln!("{:?}", party.engine.report());
                }
                panic!("not reached within {limit:?}: {what}");
            }
            // Conditions on pictures change without an event, so they are looked at every 10 ms.
            let event = tokio::time::timeout(Duration::from_millis(10), self.inbox.recv()).await;
            if let Ok(Some((from, event))) = event {
                self.relay(from, event);
            }
        }
        start.elapsed()
    }

    /// Relays for a given time.
    pub async fn during(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(Some((from, event))) =
            tokio::time::timeout_at(end.into(), self.inbox.recv()).await
        {
            self.relay(from, event);
        }
    }

    fn relay(&mut self, from: usize, event: MediaEvent) {
        let sender = self.parties[from].name.clone();
        let lost = self.silent.contains(&sender);
        match &event {
            MediaEvent::LocalDescription {
                peer,
                session,
                kind,
                sdp,
            } if !lost => {
                let command = MediaCommand::RemoteDescription {
                    peer: sender,
                    session: *session,
                    kind: *kind,
                    sdp: sdp.clone(),
                };
                match self.crossing.as_mut() {
                    Some(kept) if *kind == SdpType::Offer => {
                        kept.push((peer.clone(), command));
                    }
                    _ => self.to(peer, command),
                }
                if let Some(both) = self.crossing.take_if(|kept| kept.len() == 2) {
                    for (peer, command) in both {
                        self.to(&peer, command);
                    }
                }
            }
            MediaEvent::LocalCandidate {
                peer,
                session,
                candidate,
            } if !lost => {
                self.to(
                    peer,
                    MediaCommand::RemoteCandidate {
                        peer: sender,
                        session: *session,
                        candidate: candidate.clone(),
                    },
                );
            }
            _ => {}
        }
        let party = &mut self.parties[from];
        match &event {
            MediaEvent::PeerConnected { peer, session } => {
                party.connected.push((peer.clone(), *session))
            }
            MediaEvent::PeerFailed { reason, .. } => party.failures.push(reason.clone()),
            MediaEvent::RemoteStream {
                peer,
                stream,
                tracks,
                ..
            } => {
                party
                    .streams
                    .insert((peer.clone(), stream.clone()), tracks.clone());
            }
            MediaEvent::RemoteStreamEnded { peer, stream, .. } => {
                party.streams.remove(&(peer.clone(), stream.clone()));
            }
            MediaEvent::ScreenshareStarted { stream, .. } => {
                party.shares.push(Some(stream.clone()))
            }
            MediaEvent::ScreenshareEnded { .. } => party.shares.push(None),
            _ => {}
        }
        party.log.push((Instant::now(), event));
    }

    fn to(&self, peer: &ClientId, command: MediaCommand) {
        if let Some(party) = self.parties.iter().find(|party| party.name == *peer) {
            party.command(command);
        }
    }

    pub async fn close(self) {
        for party in self.parties {
            party.engine.shutdown().await;
        }
    }
}

/// An event for people to read.
pub fn shortened(event: &MediaEvent) -> String {
    let mut text = format!("{event:?}");
    text.truncate(std::env::var("ROOMD_TEST_SDP").map_or(300, |_| 6000));
    text
}
