//! The task that owns the media graph: sources, encoders, outputs and the handles of all connections.
//! It alone changes them; everybody else sends.

mod connections;
mod outputs;
mod returning;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use roomd_protocol::{ClientId, StreamId};
use roomd_room::{CaptureProfile, CaptureReport, MediaCommand, MediaEvent};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::MissedTickBehavior,
};

use self::{outputs::Outputs, returning::Returning};
use crate::{
    capture::{
        Capture, CaptureLine, CaptureNews, CaptureRequest, Source, camera, microphone, screenshare,
        test_picture::TestPicture,
    },
    devices::{self, Device},
    encoders::{Codec, Tables},
    encoding::{EncoderNews, Encoders, Rates},
    engine::{Command, EngineStatus},
    fanout::Fanout,
    ice_servers::{self, IceAddress},
    outputs::OutputSource,
    peer_connection::{PeerDemand, PeerHandle, PeerRequest, PeerSettings},
    pipeline::Timing,
    settings::MediaSettings,
};

/// The heartbeat's interval.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long connections and devices may take to close when the engine stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(8);

/// The presentation of this engine.
#[derive(Clone, Debug, PartialEq)]
enum Screenshare {
    Off,
    Starting,
    On(StreamId),
}

pub(crate) struct Graph {
    settings: MediaSettings,
    peer_settings: PeerSettings,
    events: mpsc::UnboundedSender<MediaEvent>,
    shown: watch::Sender<EngineStatus>,
    encoders: Encoders,
    encoder_news: mpsc::UnboundedReceiver<EncoderNews>,
    captures: HashMap<Source, mpsc::UnboundedSender<CaptureRequest>>,
    capture_tasks: JoinSet<()>,
    capture_news: mpsc::UnboundedReceiver<CaptureNews>,
    demands: mpsc::UnboundedReceiver<PeerDemand>,
    demand: mpsc::UnboundedSender<PeerDemand>,
    peers: HashMap<ClientId, PeerHandle>,
    closing: VecDeque<JoinHandle<()>>,
    outputs: Outputs,
    devices: Vec<Device>,
    returning: Returning,
    ice_addresses: Vec<IceAddress>,
    screenshare: Screenshare,
    profile: CaptureProfile,
    /// Closings of the presentation that were asked for and are not done yet.
    screenshare_closings: u32,
    /// For an engine that records: the peers with the codec that was offered, and whether that led to a
    /// connection.
    offered: Vec<(ClientId, usize, Arc<AtomicBool>)>,
}

impl Graph {
    /// A graph with everything closed. Must be made on a tokio runtime.
    pub(crate) fn new(
        settings: MediaSettings,
        tables: Tables,
        timing: Timing,
        outputs: Arc<dyn OutputSource>,
        events: mpsc::UnboundedSender<MediaEvent>,
        shown: watch::Sender<EngineStatus>,
    ) -> Self {
        let rates = Rates {
            camera: settings.camera_encoding,
            presentation: settings.screenshare_encoding,
            audio_bitrate: settings.audio_bitrate.0,
        };
        let (tell_capture, capture_news) = mpsc::unbounded_channel();
        let (tell_encoder, encoder_news) = mpsc::unbounded_channel();
        let (demand, demands) = mpsc::unbounded_channel();
        let mut sources = HashMap::new();
        let mut captures = HashMap::new();
        let mut capture_tasks = JoinSet::new();
        for source in [Source::Camera, Source::Microphone, Source::Presentation] {
            let raw = Fanout::new();
            let (ask, requests) = mpsc::unbounded_channel();
            let capture = Capture::new(source, raw.clone(), timing.clone(), tell_capture.clone());
            capture_tasks.spawn(capture.run(requests));
            captures.insert(source, ask);
            sources.insert(source, raw);
        }
        let encoders = Encoders::new(tables.clone(), timing.clone(), rates, sources, tell_encoder);
        let outputs = Outputs::new(outputs, settings.clone(), timing.clone());
        let peer_settings = PeerSettings {
            tables,
            timing,
            rates,
            codecs: settings
                .video_codecs
                .0
                .iter()
                .copied()
                .map(Codec::from)
                .collect(),
            camera_stream: settings
                .camera_stream
                .clone()
                .unwrap_or_else(|| uuid::Uuid::new_v4().to_string().into()),
        };
        Self {
            settings,
            peer_settings,
            events,
            shown,
            encoders,
            encoder_news,
            captures,
            capture_tasks,
            capture_news,
            demands,
            demand,
            peers: HashMap::new(),
            closing: VecDeque::new(),
            outputs,
            devices: Vec::new(),
            returning: Returning::new(),
            ice_addresses: Vec::new(),
            screenshare: Screenshare::Off,
            profile: CaptureProfile::default(),
            screenshare_closings: 0,
            offered: Vec::new(),
        }
    }

    /// Goes round until nobody can send commands any more, then closes everything.
    pub(crate) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        self.outputs.open();
        self.devices = tokio::task::spawn_blocking(devices::find)
            .await
            .unwrap_or_default();
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = [
                self.encoders.next_deadline(),
                self.returning.next_deadline(),
            ]
            .into_iter()
            .flatten()
            .min();
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(Command::Room(command)) => self.carry_out(command),
                    Some(Command::Show(scene)) => self.outputs.show(scene),
                    Some(Command::Speaker { volume, muted }) => self.outputs.set_volume(volume, muted),
                    None => break,
                },
                Some(news) = self.capture_news.recv() => self.hear_capture(news),
                Some(demand) = self.demands.recv() => self.serve(demand),
                Some(news) = self.encoder_news.recv() => self.encoders.hear(news),
                news = self.outputs.next() => self.hear_output(news),
                devices = self.returning.found() => self.hear_devices(devices),
                () = sleep_until(deadline) => {
                    let now = Instant::now();
                    self.encoders.expire(now);
                    self.returning.expire(now);
                }
                _ = heartbeat.tick() => {
                    self.closing.retain(|task| !task.is_finished());
                    self.shown.send_modify(|status| status.heartbeat += 1);
                }
            }
            self.show_status();
        }
        self.close().await;
    }

    fn report(&self, event: MediaEvent) {
        // The core is gone when the daemon stops.
        let _ = self.events.send(event);
    }

    fn show_status(&self) {
        let now = EngineStatus {
            encoders: self.encoders.in_use(),
            connections: self.peers.len(),
            display: self.outputs.display_name(),
            speaker: self.outputs.speaker_name(),
            problems: self.outputs.problems(),
            devices: self.devices.clone(),
            ..self.shown.borrow().clone()
        };
        self.shown.send_if_modified(|status| {
            let changed = *status != now;
            *status = now;
            changed
        });
    }

    fn carry_out(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::Microphone { enabled } => self.switch(Source::Microphone, enabled),
            MediaCommand::Camera { enabled } => self.switch(Source::Camera, enabled),
            MediaCommand::CaptureProfile(profile) => self.change_profile(profile),
            MediaCommand::StartScreenshare { source } => self.start_screenshare(source.as_deref()),
            MediaCommand::StopScreenshare => {
                self.screenshare = Screenshare::Off;
                self.screenshare_closings += 1;
                self.encoders.switch(Source::Presentation, false);
                self.capture(Source::Presentation, CaptureRequest::Close);
            }
            MediaCommand::IceServers(servers) => {
                self.ice_addresses = ice_servers::addresses(&servers)
            }
            MediaCommand::OpenPeer {
                peer,
                session,
                offer,
                presentation,
            } => {
                self.open_peer(peer, session, offer, presentation);
            }
            MediaCommand::RemoteDescription {
                peer,
                session,
                kind,
                sdp,
            } => {
                self.ask_session(&peer, session, PeerRequest::Describe(kind, sdp));
            }
            MediaCommand::RemoteCandidate {
                peer,
                session,
                candidate,
            } => {
                self.ask_session(&peer, session, PeerRequest::Candidate(candidate));
            }
            MediaCommand::SetPresentation {
                peer,
                session,
                stream,
            } => {
                self.ask_session(&peer, session, PeerRequest::Present(stream));
            }
            MediaCommand::RequestKeyFrame { peer } => {
                if let Some(handle) = self.peers.get(&peer) {
                    handle.ask(PeerRequest::KeyFrame);
                }
            }
            MediaCommand::ClosePeer { peer } => self.close_peer(&peer),
        }
    }

    // Sources.

    fn capture(&self, source: Source, request: CaptureRequest) {
        let asked = self
            .captures
            .get(&source)
            .is_some_and(|capture| capture.send(request).is_ok());
        if !asked {
            tracing::error!(?source, "a capture task has ended");
        }
    }

    fn switch(&mut self, source: Source, enabled: bool) {
        if !enabled {
            // At once: nothing coded leaves from here on, whatever the device still gives.
            self.encoders.switch(source, false);
            self.returning.forget(source);
            return self.capture(source, CaptureRequest::Close);
        }
        match self.line(source) {
            Ok(Some(line)) if line.is_test && self.returning.had_device(source) => {
                self.refuse(source, format!("the {} is not connected", what(source)));
            }
            Ok(Some(line)) => {
                if !line.is_test {
                    self.returning.remember(source);
                }
                self.encoders.switch(source, true);
                self.capture(source, CaptureRequest::Open(line));
            }
            Ok(None) => self.refuse(source, format!("no {} is configured", what(source))),
            Err(error) => self.refuse(source, error),
        }
    }

    /// The line of the camera or the microphone with the devices that are known now.
    fn line(&self, source: Source) -> Result<Option<CaptureLine>, String> {
        let line = match source {
            Source::Microphone => microphone::line(&self.settings.microphone, &self.devices),
            Source::Camera | Source::Presentation => {
                let encoding = self.settings.camera_encoding.under(self.profile);
                let picture = TestPicture::Camera;
                camera::line(&self.settings.camera, encoding, picture, &self.devices)
            }
        };
        line.map_err(|error| error.to_string())
    }

    /// An open camera is opened anew with the new size; one that is closed stays closed.
    fn change_profile(&mut self, profile: CaptureProfile) {
        let configured = self.settings.camera_encoding;
        let changes = configured.under(profile) != configured.under(self.profile);
        self.profile = profile;
        let on = self.encoders.is_on(Source::Camera);
        if changes {
            self.encoders.set_camera(configured.under(profile));
        }
        if on {
            if self.line(Source::Camera).is_err() {
                self.capture(Source::Camera, CaptureRequest::Close);
            }
            self.switch(Source::Camera, true);
        }
    }

    fn refuse(&mut self, source: Source, error: String) {
        let report = CaptureReport {
            error: Some(error),
            ..CaptureReport::default()
        };
        self.hear_capture(CaptureNews { source, report });
    }

    fn start_screenshare(&mut self, name: Option<&str>) {
        if let Screenshare::On(stream) = &self.screenshare {
            return self.report(MediaEvent::ScreenshareStarted {
                stream: stream.clone(),
                has_audio: false,
            });
        }
        match screenshare::line(
            name,
            &self.settings.screenshare,
            self.settings.screenshare_encoding,
            &self.devices,
        ) {
            Ok(line) => {
                self.screenshare = Screenshare::Starting;
                self.encoders.switch(Source::Presentation, true);
                self.capture(Source::Presentation, CaptureRequest::Open(line));
            }
            Err(error) => self.report(MediaEvent::ScreenshareEnded {
                error: Some(error.to_string()),
            }),
        }
    }

    fn hear_capture(&mut self, CaptureNews { source, mut report }: CaptureNews) {
        let is_wanted = self.encoders.is_on(source);
        self.returning
            .hear(source, is_wanted, &report, Instant::now());
        if report.error.is_some() && !report.flowing && !report.returning {
            self.encoders.switch(source, false);
        }
        match source {
            Source::Presentation => self.hear_screenshare(report),
            Source::Camera | Source::Microphone => {
                let is_camera = source == Source::Camera;
                self.shown.send_modify(|status| {
                    let known = if is_camera {
                        &mut status.camera
                    } else {
                        &mut status.microphone
                    };
                    if report.device.is_empty() {
                        report.device.clone_from(&known.device);
                    }
                    known.clone_from(&report);
                });
                self.report(if is_camera {
                    MediaEvent::Camera(report)
                } else {
                    MediaEvent::Microphone(report)
                });
            }
        }
    }

    fn hear_screenshare(&mut self, report: CaptureReport) {
        if report.flowing {
            if self.screenshare == Screenshare::Starting {
                let stream = StreamId::from(uuid::Uuid::new_v4().to_string());
                self.screenshare = Screenshare::On(stream.clone());
                self.report(MediaEvent::ScreenshareStarted {
                    stream,
                    has_audio: false,
                });
            }
        } else if !report.open && report.error.is_none() && self.screenshare_closings > 0 {
            // Asked for; by now the next one may be starting.
            self.screenshare_closings -= 1;
        } else if !report.open {
            self.screenshare = Screenshare::Off;
            self.report(MediaEvent::ScreenshareEnded {
                error: report.error,
            });
        }
    }

    async fn close(mut self) {
        for (_, handle) in self.peers.drain() {
            self.closing.push_back(handle.close());
        }
        for source in [Source::Camera, Source::Microphone, Source::Presentation] {
            self.encoders.switch(source, false);
        }
        // Without requests to come the capture tasks close their devices and end.
        self.captures.clear();
        let all = async {
            for task in self.closing.drain(..) {
                if let Err(error) = task.await {
                    tracing::error!(%error, "a peer connection ended with a bug");
                }
            }
            while self.capture_tasks.join_next().await.is_some() {}
        };
        // Meanwhile connections may ask for inputs: there are none any more.
        self.demands.close();
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, all).await.is_err() {
            tracing::error!("not everything closed within {SHUTDOWN_TIMEOUT:?}");
        }
        self.outputs.close().await;
    }
}

/// What people call it.
fn what(source: Source) -> &'static str {
    match source {
        Source::Camera => "camera",
        Source::Microphone => "microphone",
        Source::Presentation => "presentation",
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
