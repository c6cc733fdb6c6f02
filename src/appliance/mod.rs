//! The box: the room connection with the policy of an unattended device above it. Pure, as the room
//! core is: inputs in, outputs out, time with every call.
//!
//! | module | what it holds |
//! |---|---|
//! | [`command`] | what controllers may ask, and how they are answered |
//! | `obey` | commands carried out, or refused |
//! | [`controls`] | buttons pressed, switches set; what lights tell |
//! | `cause`, `opening` | who is behind a change; what the media graph has not answered yet |
//! | `outcomes` | when a command has come true |
//! | `policy` | what the box does by itself: join, knock, join again |
//! | [`requests`] | what others in the room ask of the box |
//! | [`memory`] | what survives a restart |
//! | `problems` | what is wrong now |
//! | [`state`], `show` | what is published, and how it is made |
//!
//! **Invariant:** nothing here says "muted" or "off" while the media graph lets samples through.

#[cfg(test)]
mod behaviour;
mod cause;
pub mod command;
pub mod controls;
pub mod events;
pub mod memory;
mod obey;
mod opening;
mod outcomes;
mod policy;
mod problems;
pub mod requests;
pub mod settings;
mod show;
pub mod state;

use std::time::{Duration, Instant};

use roomd_controls::{gesture::Gesture, switch::Bans};
use roomd_media::EngineStatus;
use roomd_protocol::StreamId;
use roomd_room::{
    Action, CaptureReport, ConnectionStatus, Effect, Input, MediaCommand, MediaEvent, Now,
    RoomConnection, RoomConnectionState, RoomEvent, SocketEvent,
};
use serde_json::{Value, json};

pub use command::{
    ChangeSource, ChangedBy, Command, CommandError, ErrorCode, InitialMuteStates, JoinRoom, Request,
};
pub use memory::{Memory, MemoryFile};
pub use problems::{ProblemCode, ProblemReport};
pub use requests::{PendingRequest, RequestKind};
pub use settings::ApplianceSettings;
pub use state::{ApplianceEvent, ApplianceState, ControlsPart};

use opening::{Opening, answered};
use outcomes::{Outcome, Pending};

/// Number of a command that awaits its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Something that happened to the box.
#[derive(Debug)]
pub enum ApplianceInput {
    /// The daemon is ready.
    Start,
    /// Somebody commands.
    Command {
        /// To be named in the reply.
        id: RequestId,
        /// What is wanted.
        command: Command,
        /// Who wants it.
        by: ChangedBy,
    },
    /// Something for the room connection.
    Room(Input),
    /// The service could not be reached.
    Retrying {
        /// How often in a row.
        attempt: u32,
        /// When it is tried next.
        delay: Duration,
        /// Why, in words for people.
        error: String,
    },
    /// The media engine's devices and encoders.
    Engine(EngineStatus),
    /// Something outside the room is wrong, or right again.
    Problem(ProblemReport),
    /// Somebody did something with a button; what follows comes as a command.
    Gesture {
        /// The button, as the configuration calls it.
        button: String,
        /// What was done.
        gesture: Gesture,
    },
    /// The hardware mute switches forbid this from now on, and nothing else.
    Switches(Bans),
    /// Buttons, switches and lights came, went or changed.
    Controls(ControlsPart),
    /// The machine was asleep for that long.
    Slept(Duration),
    /// A deadline has passed.
    Timeout,
    /// The daemon ends: leave the room.
    Shutdown,
}

/// Something that must be done outside.
#[derive(Debug)]
pub enum ApplianceOutput {
    /// For the signalling client.
    Signalling(roomd_signalling::Command),
    /// For the media engine.
    Media(MediaCommand),
    /// Volume (0 to 100) and mute of the speaker.
    Speaker {
        /// Volume.
        volume: u8,
        /// Muted.
        muted: bool,
    },
    /// A command's one reply.
    Reply {
        /// Which command.
        id: RequestId,
        /// How it ended.
        result: Result<Value, CommandError>,
    },
    /// To be published once.
    Event(ApplianceEvent),
    /// To be kept over a restart.
    Remember(Memory),
    /// The room is left; the daemon may end.
    Stopped,
}

/// The box.
#[derive(Debug)]
pub struct Appliance {
    settings: ApplianceSettings,
    room: RoomConnection,
    shown: ApplianceState,
    memory: Memory,
    remembered: Memory,
    /// The start is over; before it the room says nothing of what was chosen.
    has_started: bool,
    microphone: CaptureReport,
    camera: CaptureReport,
    /// Demands to open that the media graph has not answered yet: until it has, samples may flow.
    opening: Opening,
    engine: EngineStatus,
    /// What hardware switches forbid.
    bans: Bans,
    controls: ControlsPart,
    /// It shows which box it is until then.
    identify_until: Option<Instant>,
    volume: u8,
    speaker_muted: bool,
    room_url: Option<String>,
    pending: Vec<Pending>,
    problems: problems::Problems,
    policy: policy::Policy,
    requests: requests::Requests,
    /// Who switched microphone and camera last; the media graph confirms it later.
    microphone_cause: Option<ChangedBy>,
    camera_cause: Option<ChangedBy>,
    retry: Option<(u32, jiff::Timestamp)>,
    stopping: bool,
    /// The state was shown once: from then on its changes are events.
    was_shown: bool,
    outputs: Vec<ApplianceOutput>,
}

impl Appliance {
    /// A box that remembers `memory` of its life before and sends its camera as `camera_stream`.
    #[must_use]
    pub fn new(
        settings: ApplianceSettings,
        memory: Option<Memory>,
        camera_stream: StreamId,
    ) -> Self {
        let first = memory.is_none();
        let mut memory = memory.unwrap_or_default();
        memory.camera_stream = Some(camera_stream);
        let volume = memory.volume.unwrap_or(settings.volume);
        let mut appliance = Self {
            room: RoomConnection::new(concat!("roomd:", env!("CARGO_PKG_VERSION"))),
            shown: ApplianceState::default(),
            remembered: memory.clone(),
            has_started: false,
            memory,
            microphone: CaptureReport::default(),
            camera: CaptureReport::default(),
            opening: Opening::default(),
            engine: EngineStatus::default(),
            bans: Bans::default(),
            controls: ControlsPart::default(),
            identify_until: None,
            volume,
            speaker_muted: false,
            room_url: None,
            pending: Vec::new(),
            problems: problems::Problems::default(),
            policy: policy::Policy::default(),
            requests: requests::Requests::default(),
            microphone_cause: None,
            camera_cause: None,
            retry: None,
            stopping: false,
            was_shown: false,
            outputs: Vec::new(),
            settings,
        };
        if first {
            appliance.memory.microphone =
                appliance.settings.initial_microphone == settings::InitialState::On;
            appliance.memory.camera =
                appliance.settings.initial_camera == settings::InitialState::On;
        }
        appliance
    }

    /// What is published.
    #[must_use]
    pub fn state(&self) -> &ApplianceState {
        &self.shown
    }

    /// The room connection underneath.
    #[must_use]
    pub fn room(&self) -> &RoomConnectionState {
        self.room.state()
    }

    /// When to call [`Self::handle`] with [`ApplianceInput::Timeout`] if nothing happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let pending = self.pending.iter().map(|pending| pending.deadline);
        pending
            .chain(self.room.next_deadline())
            .chain(self.policy.next_deadline())
            .chain(self.requests.next_deadline())
            .chain(self.problems.next_deadline())
            .chain(self.identify_until)
            .min()
    }

    /// Applies one input and returns everything that follows from it.
    pub fn handle(&mut self, now: Now, input: ApplianceInput) -> Vec<ApplianceOutput> {
        let cause = self.cause_of(&input);
        self.note_switch(&input, &cause);
        match input {
            ApplianceInput::Start => {
                self.started(now);
                self.has_started = true;
            }
            ApplianceInput::Command { id, command, by } => self.command(now, id, command, by),
            ApplianceInput::Room(input) => self.room_input(now, input),
            ApplianceInput::Retrying {
                attempt,
                delay,
                error,
            } => self.retrying(now, attempt, delay, &error),
            ApplianceInput::Engine(status) => self.engine_changed(now, status),
            ApplianceInput::Problem(report) => self.problems.report(now, report),
            ApplianceInput::Gesture { button, gesture } => self.gesture(&button, gesture),
            ApplianceInput::Switches(bans) => self.switched(now, bans),
            ApplianceInput::Controls(controls) => self.controls_changed(now, controls),
            ApplianceInput::Slept(asleep) => self.slept(now, asleep),
            ApplianceInput::Timeout => self.timeout(now),
            ApplianceInput::Shutdown => self.shut_down(now),
        }
        self.policy_after(now);
        self.settle(now, cause);
        std::mem::take(&mut self.outputs)
    }

    fn room_input(&mut self, now: Now, input: Input) {
        match &input {
            Input::Media(MediaEvent::Microphone(report)) => {
                self.microphone = report.clone();
                answered(&mut self.opening.microphone, report);
            }
            Input::Media(MediaEvent::Camera(report)) => {
                self.camera = report.clone();
                answered(&mut self.opening.camera, report);
            }
            Input::Socket(SocketEvent::Connected { .. }) => {
                self.retry = None;
                self.problems.clear(ProblemCode::RoomUnreachable);
            }
            Input::Organization(_) => self.problems.clear(ProblemCode::RoomUnreachable),
            _ => {}
        }
        let dismissed = matches!(
            input,
            Input::Socket(SocketEvent::Disconnected { will_retry: false })
        );
        let effects = self.room.handle(now, input);
        self.carry_out(now, effects);
        if dismissed {
            self.dismissed(now);
        }
    }

    /// Acts on the room connection; a refusal is told in the contract's words.
    fn act(&mut self, now: Now, action: Action) -> Result<(), CommandError> {
        self.check_switches(&action)?;
        let (effects, result) = match self.room.act(now, action) {
            Ok(effects) => (effects, Ok(())),
            Err(refusal) => (
                self.room.after_refusal(now),
                Err(outcomes::refused(refusal)),
            ),
        };
        self.carry_out(now, effects);
        result
    }

    fn carry_out(&mut self, now: Now, effects: Vec<Effect>) {
        use roomd_signalling::Command as Signalling;
        for effect in effects {
            let output = match effect {
                Effect::FetchDeviceCredentials(room) => {
                    ApplianceOutput::Signalling(Signalling::FetchDeviceCredentials(room))
                }
                Effect::FetchOrganization { room, credentials } => {
                    ApplianceOutput::Signalling(Signalling::FetchOrganization { room, credentials })
                }
                Effect::OpenSocket(room) => ApplianceOutput::Signalling(Signalling::Open(room)),
                Effect::CloseSocket => ApplianceOutput::Signalling(Signalling::Close),
                Effect::RestartSocket => ApplianceOutput::Signalling(Signalling::Restart),
                Effect::Send(message) => ApplianceOutput::Signalling(Signalling::Send(message)),
                Effect::Media(command) => {
                    let Some(command) = self.allowed(command) else {
                        continue;
                    };
                    match &command {
                        MediaCommand::Microphone { enabled: true } => self.opening.microphone += 1,
                        MediaCommand::Camera { enabled: true } => self.opening.camera += 1,
                        // An open camera is opened anew.
                        MediaCommand::CaptureProfile(_) if self.camera_is_on() => {
                            self.opening.camera += 1;
                        }
                        _ => {}
                    }
                    ApplianceOutput::Media(command)
                }
                Effect::Event(event) => {
                    self.room_event(now, event);
                    continue;
                }
            };
            self.outputs.push(output);
        }
    }

    /// The engine was told to open the camera and not to close it since.
    fn camera_is_on(&self) -> bool {
        self.room.is_active() && self.room.state().is_camera_enabled
    }

    fn room_event(&mut self, now: Now, event: RoomEvent) {
        let request_id = match &event {
            RoomEvent::RequestAudio {
                client,
                enable: true,
            } => self.requested(now, RequestKind::Unmute, client),
            RoomEvent::RequestVideo {
                client,
                enable: true,
            } => self.requested(now, RequestKind::CameraOn, client),
            _ => None,
        };
        let event = self.truthful(event);
        let event = events::published(event, request_id).map(ApplianceOutput::Event);
        self.outputs.extend(event);
    }

    fn engine_changed(&mut self, now: Now, status: EngineStatus) {
        self.problems.engine(now, &status);
        self.engine = status;
    }

    fn retrying(&mut self, now: Now, attempt: u32, delay: Duration, error: &str) {
        let at = now.wall.checked_add(delay).unwrap_or(now.wall);
        self.retry = Some((attempt, at));
        self.problems.raise(
            now,
            ProblemCode::RoomUnreachable,
            format!("the room service cannot be reached: {error}"),
        );
    }

    fn timeout(&mut self, now: Now) {
        if self
            .room
            .next_deadline()
            .is_some_and(|at| at <= now.instant)
        {
            let effects = self.room.handle(now, Input::Timeout);
            self.carry_out(now, effects);
        }
    }

    fn shut_down(&mut self, now: Now) {
        self.stopping = true;
        // What a restart should find is what was chosen before this leave.
        let in_room = self.memory.in_room;
        if self.act(now, Action::LeaveRoom).is_ok() {
            self.memory.in_room = in_room;
        }
    }

    /// After every input: replies that are due, the parts of the state, the memory, the end.
    fn settle(&mut self, now: Now, cause: ChangedBy) {
        self.problems
            .watch_muted(now, self.room.state(), &self.microphone, &self.camera);
        self.answer_pending(now);
        self.identify_until = self.identify_until.filter(|at| *at > now.instant);
        self.show(&cause);
        for (name, problem) in self.problems.take_news() {
            self.outputs.push(ApplianceOutput::Event(ApplianceEvent {
                name: name.to_owned(),
                payload: json!(problem),
            }));
        }
        if self.has_started {
            self.remember();
        }
        if self.stopping && policy::is_out(self.room.state().connection_status) {
            self.stopping = false;
            self.outputs.push(ApplianceOutput::Stopped);
        }
    }

    fn answer_pending(&mut self, now: Now) {
        let knocks = matches!(
            self.room.state().connection_status,
            ConnectionStatus::Knocking | ConnectionStatus::KnockOnHold
        );
        let mut waiting = Vec::with_capacity(self.pending.len());
        for mut pending in std::mem::take(&mut self.pending) {
            if knocks && pending.outcome == Outcome::Joined {
                // A host takes the time that a host takes.
                pending.deadline = now.instant + self.settings.join_timeout;
            }
            let seen = outcomes::Seen {
                room: self.room.state(),
                active: self.room.is_active(),
                microphone: &self.microphone,
                camera: &self.camera,
                camera_opens: self.opening.camera > 0,
                auto_knock: self.settings.auto_knock,
                last_error: self.problems.message(ProblemCode::RoomUnreachable),
            };
            match pending
                .outcome
                .check(&seen, pending.deadline <= now.instant)
            {
                Some(result) => self.outputs.push(ApplianceOutput::Reply {
                    id: pending.id,
                    result,
                }),
                None => waiting.push(pending),
            }
        }
        self.pending = waiting;
    }
}
