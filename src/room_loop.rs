//! The room loop: one inbox in, the box's decisions out. It never waits for anybody; whoever cannot
//! keep up is what the watchdog is for.

use std::{collections::HashMap, time::Instant};

use roomd_media::{Command as MediaEngineCommand, EngineStatus, MediaEngine, scene::Scene};
use roomd_room::{Input, MediaEvent, Now};
use roomd_signalling as signalling;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    appliance::{
        Appliance, ApplianceEvent, ApplianceInput, ApplianceOutput, ApplianceState, CommandError,
        MemoryFile, ProblemReport, Request, RequestId,
    },
    display,
    suspend::{Clocks, SuspendWatch},
};

/// Everything that the loop hears.
#[derive(Debug)]
pub struct Ears {
    /// Commands of controllers.
    pub requests: mpsc::Receiver<Request>,
    /// The signalling client.
    pub signalling: mpsc::UnboundedReceiver<signalling::Event>,
    /// The media engine's events.
    pub media: mpsc::UnboundedReceiver<MediaEvent>,
    /// The media engine's devices and encoders.
    pub engine: watch::Receiver<EngineStatus>,
    /// What is wrong elsewhere.
    pub problems: mpsc::UnboundedReceiver<ProblemReport>,
    /// The daemon is to end.
    pub shutdown: CancellationToken,
}

/// Everything that the loop speaks to.
#[derive(Debug)]
pub struct Mouths {
    /// The signalling client.
    pub signalling: mpsc::UnboundedSender<signalling::Command>,
    /// What is published.
    pub state: watch::Sender<ApplianceState>,
    /// What happened.
    pub events: broadcast::Sender<ApplianceEvent>,
    /// Counts the loop's rounds, for the watchdog.
    pub heartbeat: watch::Sender<u64>,
    /// Where the memory is kept, if anywhere.
    pub memory: Option<MemoryFile>,
}

/// How often the loop shows that it is alive when nothing happens.
const IDLE_ROUND: std::time::Duration = std::time::Duration::from_secs(1);

/// Runs the box until it has left the room after `shutdown`.
pub async fn run(appliance: Appliance, mut ears: Ears, mouths: Mouths, media: &MediaEngine) {
    let mut room = RoomLoop {
        appliance,
        mouths,
        media,
        waiting: HashMap::new(),
        count: 0,
        scene: None,
        stopped: false,
    };
    room.step(ApplianceInput::Start);
    let mut suspend = SuspendWatch::new(Clocks::now());
    let mut shutting_down = false;
    while !room.stopped {
        let idle = Instant::now() + IDLE_ROUND;
        let deadline = room
            .appliance
            .next_deadline()
            .map_or(idle, |at| at.min(idle));
        let input = tokio::select! {
            () = ears.shutdown.cancelled(), if !shutting_down => {
                shutting_down = true;
                ApplianceInput::Shutdown
            }
            Some(request) = ears.requests.recv() => room.requested(request),
            Some(event) = ears.signalling.recv() => from_signalling(event),
            Some(event) = ears.media.recv() => ApplianceInput::Room(Input::Media(event)),
            Ok(()) = ears.engine.changed() => ApplianceInput::Engine(ears.engine.borrow_and_update().clone()),
            Some(report) = ears.problems.recv() => ApplianceInput::Problem(report),
            () = tokio::time::sleep_until(deadline.into()) => ApplianceInput::Timeout,
        };
        if let Some(asleep) = suspend.asleep(Clocks::now()) {
            room.step(ApplianceInput::Slept(asleep));
        }
        if matches!(input, ApplianceInput::Timeout) {
            room.remember_again();
        }
        room.step(input);
    }
}

struct RoomLoop<'a> {
    appliance: Appliance,
    mouths: Mouths,
    media: &'a MediaEngine,
    waiting: HashMap<RequestId, oneshot::Sender<Result<serde_json::Value, CommandError>>>,
    count: u64,
    scene: Option<Scene>,
    stopped: bool,
}

impl RoomLoop<'_> {
    fn requested(&mut self, request: Request) -> ApplianceInput {
        self.count += 1;
        let id = RequestId(self.count);
        self.waiting.insert(id, request.reply);
        ApplianceInput::Command {
            id,
            command: request.command,
            by: request.by,
        }
    }

    fn step(&mut self, input: ApplianceInput) {
        let outputs = self.appliance.handle(now(), input);
        // The state first: whoever gets a reply finds it true.
        self.mouths.state.send_if_modified(|shown| {
            let changed = shown != self.appliance.state();
            if changed {
                shown.clone_from(self.appliance.state());
            }
            changed
        });
        for output in outputs {
            self.carry_out(output);
        }
        let scene = display::scene(self.appliance.room(), self.appliance.state());
        if self.scene.as_ref() != Some(&scene) {
            self.media.send(MediaEngineCommand::Show(scene.clone()));
            self.scene = Some(scene);
        }
        self.mouths
            .heartbeat
            .send_modify(|round| *round = round.wrapping_add(1));
    }

    fn carry_out(&mut self, output: ApplianceOutput) {
        match output {
            ApplianceOutput::Signalling(command) => {
                if self.mouths.signalling.send(command).is_err() {
                    tracing::error!("the signalling client has ended");
                }
            }
            ApplianceOutput::Media(command) => self.media.send(MediaEngineCommand::Room(command)),
            ApplianceOutput::Speaker { volume, muted } => {
                self.media
                    .send(MediaEngineCommand::Speaker { volume, muted });
            }
            ApplianceOutput::Reply { id, result } => {
                // Whoever asked may have gone.
                let _ = self.waiting.remove(&id).map(|reply| reply.send(result));
            }
            ApplianceOutput::Event(event) => {
                // What follows from the state is seen there.
                if event.name.ends_with("_changed") {
                    tracing::debug!(event = event.name, "room event");
                } else {
                    tracing::info!(event = event.name, "room event");
                }
                let _ = self.mouths.events.send(event);
            }
            ApplianceOutput::Remember(memory) => {
                let file = self.mouths.memory.as_mut();
                if let Some(report) = file.and_then(|file| file.keep(memory)) {
                    self.step(ApplianceInput::Problem(report));
                }
            }
            ApplianceOutput::Stopped => self.stopped = true,
        }
    }

    fn remember_again(&mut self) {
        let file = self.mouths.memory.as_mut();
        if let Some(report) = file.and_then(MemoryFile::keep_again) {
            self.step(ApplianceInput::Problem(report));
        }
    }
}

fn now() -> Now {
    Now {
        instant: Instant::now(),
        wall: jiff::Timestamp::now(),
    }
}

fn from_signalling(event: signalling::Event) -> ApplianceInput {
    match event {
        signalling::Event::Credentials(credentials) => {
            ApplianceInput::Room(Input::Credentials(credentials))
        }
        signalling::Event::Organization(id) => ApplianceInput::Room(Input::Organization(id)),
        signalling::Event::OrganizationNotFound => {
            ApplianceInput::Room(Input::OrganizationNotFound)
        }
        signalling::Event::Socket(event) => ApplianceInput::Room(Input::Socket(event)),
        signalling::Event::Message(message) => ApplianceInput::Room(Input::Signal(message)),
        signalling::Event::Retrying {
            attempt,
            delay,
            error,
        } => ApplianceInput::Retrying {
            attempt,
            delay,
            error,
        },
    }
}
