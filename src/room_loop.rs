//! The room loop: one inbox in, the box's decisions out. It never waits for anybody; whoever cannot
//! keep up is what the watchdog is for.

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use roomd_controls::{
    gesture::Gesture,
    lamp::LightPart,
    light::Indications,
    panel::{PanelEvent, Report},
};
use roomd_media::{Command as MediaEngineCommand, EngineStatus, MediaEngine, scene::Scene};
use roomd_room::{Input, MediaCommand, MediaEvent, Now};
use roomd_signalling as signalling;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    appliance::{
        Appliance, ApplianceEvent, ApplianceInput, ApplianceOutput, ApplianceState, ChangeSource,
        ChangedBy, Command, CommandError, ControlsPart, MemoryFile, ProblemReport, Request,
        RequestId,
    },
    display,
    lights_first::LightsFirst,
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
    /// Buttons and switches.
    pub panel: mpsc::Receiver<PanelEvent>,
    /// What became of the lights.
    pub lights: mpsc::UnboundedReceiver<Vec<LightPart>>,
    /// What the lights show; absent where there are none.
    pub shown: Option<watch::Receiver<Indications>>,
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
    /// What lights show.
    pub lights: watch::Sender<Indications>,
    /// Counts the loop's rounds, for the watchdog and the lights.
    pub heartbeat: watch::Sender<u64>,
    /// Where the memory is kept, if anywhere.
    pub memory: Option<MemoryFile>,
}

/// What the rows of buttons are called, and what their gestures do.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    /// Names of the buttons, by row.
    pub buttons: Vec<String>,
    /// Commands of gestures, by row.
    pub commands: BTreeMap<(usize, Gesture), Command>,
    /// What was known of buttons and switches at the start.
    pub report: Report,
}

/// How often the loop shows that it is alive when nothing happens.
const IDLE_ROUND: std::time::Duration = std::time::Duration::from_secs(1);

/// Runs the box until it has left the room after `shutdown`.
pub async fn run(
    appliance: Appliance,
    bindings: Bindings,
    mut ears: Ears,
    mouths: Mouths,
    media: &MediaEngine,
) {
    let mut room = RoomLoop {
        appliance,
        controls: ControlsPart {
            buttons: bindings.report.buttons.clone(),
            switches: bindings.report.switches.clone(),
            lights: Vec::new(),
        },
        bindings,
        pressed: HashMap::new(),
        shown: ears.shown.take(),
        lights_first: LightsFirst::default(),
        mouths,
        media,
        waiting: HashMap::new(),
        count: 0,
        scene: None,
        stopped: false,
    };
    room.step(ApplianceInput::Controls(room.controls.clone()));
    room.step(ApplianceInput::Start);
    let mut suspend = SuspendWatch::new(Clocks::now());
    let mut shutting_down = false;
    while !room.stopped {
        let idle = Instant::now() + IDLE_ROUND;
        let deadline = (room.appliance.next_deadline())
            .into_iter()
            .chain(room.lights_first.deadline())
            .fold(idle, Instant::min);
        let input = tokio::select! {
            () = ears.shutdown.cancelled(), if !shutting_down => {
                shutting_down = true;
                ApplianceInput::Shutdown
            }
            Some(request) = ears.requests.recv() => room.requested(request),
            Some(event) = ears.signalling.recv() => from_signalling(event),
            Some(event) = ears.media.recv() => ApplianceInput::Room(Input::Media(event)),
            Ok(()) = ears.engine.changed() => ApplianceInput::Engine(ears.engine.borrow_and_update().clone()),
            Some(event) = ears.panel.recv() => room.on_panel(event),
            Some(lights) = ears.lights.recv() => room.lights_changed(lights),
            () = lights_change(&mut room.shown) => {
                room.open_what_waits();
                continue;
            }
            Some(report) = ears.problems.recv() => ApplianceInput::Problem(report),
            () = tokio::time::sleep_until(deadline.into()) => ApplianceInput::Timeout,
        };
        if let Some(asleep) = suspend.asleep(Clocks::now()) {
            room.step(ApplianceInput::Slept(asleep));
        }
        if matches!(input, ApplianceInput::Timeout) {
            room.remember_again();
            room.open_what_waits();
        }
        room.step(input);
    }
}

struct RoomLoop<'a> {
    appliance: Appliance,
    bindings: Bindings,
    controls: ControlsPart,
    shown: Option<watch::Receiver<Indications>>,
    lights_first: LightsFirst,
    /// Buttons whose command was not answered yet.
    pressed: HashMap<RequestId, String>,
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

    /// A gesture is told first, then it is obeyed.
    fn on_panel(&mut self, event: PanelEvent) -> ApplianceInput {
        let (row, gesture) = match event {
            PanelEvent::Bans(bans) => return ApplianceInput::Switches(bans),
            PanelEvent::Report(report) => {
                self.controls.buttons = report.buttons;
                self.controls.switches = report.switches;
                return ApplianceInput::Controls(self.controls.clone());
            }
            PanelEvent::Gesture { button, gesture } => (button, gesture),
        };
        let button = self.bindings.buttons.get(row).cloned().unwrap_or_default();
        let told = ApplianceInput::Gesture {
            button: button.clone(),
            gesture,
        };
        let Some(command) = self.bindings.commands.get(&(row, gesture)).cloned() else {
            return told;
        };
        self.step(told);
        self.count += 1;
        let id = RequestId(self.count);
        self.pressed.insert(id, button.clone());
        ApplianceInput::Command {
            id,
            command,
            by: ChangedBy {
                id: Some(button),
                ..ChangedBy::source(ChangeSource::Button)
            },
        }
    }

    fn lights_changed(&mut self, lights: Vec<LightPart>) -> ApplianceInput {
        self.controls.lights = lights;
        ApplianceInput::Controls(self.controls.clone())
    }

    /// Nobody reads the reply to a button, so a refusal is an event.
    fn answered(&self, button: String, result: Result<serde_json::Value, CommandError>) {
        let Err(error) = result else {
            return;
        };
        tracing::warn!(
            button,
            message = error.message,
            remedy = error.remedy,
            "a button was refused"
        );
        // Nobody may listen.
        let _ = self.mouths.events.send(ApplianceEvent {
            name: "button_refused".to_owned(),
            payload: serde_json::json!({ "button": button, "error": error }),
        });
    }

    fn step(&mut self, input: ApplianceInput) {
        let outputs = self.appliance.handle(now(), input);
        // Before the outputs: what opens a device waits for the lights.
        let indications = self.appliance.indications();
        self.mouths.lights.send_if_modified(|shown| {
            let changed = *shown != indications;
            *shown = indications;
            changed
        });
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
            ApplianceOutput::Media(command) => {
                let shown = self.shown.as_ref().map(|shown| *shown.borrow());
                let ready = self
                    .lights_first
                    .pass(Instant::now(), command, shown.as_ref());
                self.send_to_media(ready);
            }
            ApplianceOutput::Speaker { volume, muted } => {
                self.media
                    .send(MediaEngineCommand::Speaker { volume, muted });
            }
            ApplianceOutput::Reply { id, result } => {
                if let Some(button) = self.pressed.remove(&id) {
                    self.answered(button, result);
                    return;
                }
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

    fn open_what_waits(&mut self) {
        let shown = self.shown.as_ref().map(|shown| *shown.borrow());
        let ready = self.lights_first.released(Instant::now(), shown.as_ref());
        self.send_to_media(ready);
    }

    fn send_to_media(&self, commands: Vec<MediaCommand>) {
        for command in commands {
            self.media.send(MediaEngineCommand::Room(command));
        }
    }

    fn remember_again(&mut self) {
        let file = self.mouths.memory.as_mut();
        if let Some(report) = file.and_then(MemoryFile::keep_again) {
            self.step(ApplianceInput::Problem(report));
        }
    }
}

/// Waits until the lights show something else; for ever where there are none, or their thread has ended.
async fn lights_change(shown: &mut Option<watch::Receiver<Indications>>) {
    if let Some(lights) = shown {
        if lights.changed().await.is_ok() {
            return;
        }
        *shown = None;
    }
    std::future::pending().await
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
