//! What the box is told by its configuration.

use std::time::Duration;

use roomd_protocol::Secret;

/// How the box behaves in rooms.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplianceSettings {
    /// The room to join when a command names none.
    pub room_url: Option<String>,
    /// Its key.
    pub room_key: Option<Secret>,
    /// Name that the others see.
    pub display_name: String,
    /// The integrator's id of this box.
    pub external_id: Option<String>,
    /// Join the configured room at start.
    pub auto_join: bool,
    /// Knock by itself at a locked room.
    pub auto_knock: bool,
    /// Join again after an error that may pass (`room_full` and the like).
    pub rejoin: bool,
    /// Microphone at the first join ever, and whether later joins follow what was chosen last.
    pub initial_microphone: InitialState,
    /// The same for the camera.
    pub initial_camera: InitialState,
    /// What to do when somebody asks the room to unmute.
    pub on_request_audio: RequestPolicy,
    /// What to do when somebody asks the room to turn its camera on.
    pub on_request_video: RequestPolicy,
    /// How long such a question stands.
    pub answer_within: Duration,
    /// How long a `join_room` command waits for its outcome (knocking excluded).
    pub join_timeout: Duration,
    /// Volume at the first start, 0 to 100.
    pub volume: u8,
}

impl Default for ApplianceSettings {
    fn default() -> Self {
        Self {
            room_url: None,
            room_key: None,
            display_name: "Room".to_owned(),
            external_id: None,
            auto_join: true,
            auto_knock: true,
            rejoin: true,
            initial_microphone: InitialState::Last,
            initial_camera: InitialState::Last,
            on_request_audio: RequestPolicy::Ask,
            on_request_video: RequestPolicy::Ask,
            answer_within: Duration::from_secs(30),
            join_timeout: Duration::from_secs(30),
            volume: 70,
        }
    }
}

/// How a device starts out in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InitialState {
    /// As the room last chose; off at the first join ever.
    #[default]
    Last,
    /// On at every join.
    On,
    /// Off at every join.
    Off,
}

/// What to do when somebody asks for microphone or camera.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestPolicy {
    /// Ask at the box.
    #[default]
    Ask,
    /// Do it.
    Accept,
    /// Do nothing.
    Refuse,
}
