//! What a controller (MQTT, a button, a key of the demo) may ask of the box, and how it is answered.

use roomd_protocol::{ClientId, Secret};
use roomd_room::Action;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;

/// A command on its way to the room loop.
#[derive(Debug)]
pub struct Request {
    /// What is wanted.
    pub command: Command,
    /// Who wants it.
    pub by: ChangedBy,
    /// Where the one reply goes, when the outcome is known.
    pub reply: oneshot::Sender<Result<Value, CommandError>>,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Joins a room; what is left out comes from the configuration.
    JoinRoom(JoinRoom),
    /// An action of the room connection other than joining.
    Room(Action),
    /// Somebody asked the room to unmute or to show itself; this is the answer.
    AnswerRequest {
        /// As published in the request's event.
        request_id: String,
        /// Yes or no.
        accept: bool,
    },
    /// Answers the request that has waited longest. For buttons, which know no ids.
    AnswerFirstRequest {
        /// Yes or no.
        accept: bool,
    },
    /// Sets the speaker's volume, 0 to 100.
    SetVolume(u8),
    /// Makes the speaker louder or softer by that much. For buttons.
    ChangeVolume(i8),
    /// Mutes the speaker.
    MuteSpeaker(bool),
    /// Shows which box this is: on its lights and its display, for a while.
    Identify,
}

/// Arguments of `join_room`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct JoinRoom {
    /// The room, `room.url` of the configuration when left out.
    pub room_url: Option<String>,
    /// Key of the room's link.
    pub room_key: Option<Secret>,
    /// Shown name.
    pub display_name: Option<String>,
    /// The integrator's id of this client.
    pub external_id: Option<String>,
    /// Key of a program: joins as an assistant, who is no participant and shows no tile.
    pub assistant_key: Option<Secret>,
    /// Joined by telephone.
    pub is_dial_in: Option<bool>,
    /// Records sound only.
    pub is_audio_recorder: Option<bool>,
    /// True means muted or off.
    pub initial_mute_states: Option<InitialMuteStates>,
}

/// How to join: true means muted or off, absent means as the room last chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InitialMuteStates {
    /// Camera off.
    pub camera: Option<bool>,
    /// Microphone muted.
    pub microphone: Option<bool>,
}

/// Who caused a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangedBy {
    /// The kind of cause.
    pub source: ChangeSource,
    /// Id of the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The participant, when the room caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<ClientId>,
}

impl ChangedBy {
    /// A cause without further particulars.
    #[must_use]
    pub fn source(source: ChangeSource) -> Self {
        Self {
            source,
            id: None,
            participant_id: None,
        }
    }
}

/// The kind of cause of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeSource {
    /// A button of the box.
    Button,
    /// A command over MQTT.
    Mqtt,
    /// A key or touch at the box.
    Panel,
    /// Somebody in the room.
    Room,
    /// A hardware mute switch.
    Switch,
    /// The configured policy.
    Policy,
    /// Something broke.
    Failure,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandError {
    /// One of the contract's words.
    pub code: ErrorCode,
    /// What happened, in a sentence.
    pub message: String,
    /// The argument that is wrong, if one is.
    pub field: Option<String>,
    /// What to do about it.
    pub remedy: String,
}

impl CommandError {
    /// An error that no single argument caused.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: None,
            remedy: remedy.into(),
        }
    }

    /// Names the argument that is wrong.
    #[must_use]
    pub fn in_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

/// The words for what can go wrong with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The payload is not what the command takes.
    InvalidPayload,
    /// There is no such command.
    UnknownCommand,
    /// The payload is longer than 64 KiB.
    TooLarge,
    /// The command was retained by the broker.
    RetainedCommand,
    /// The command came too late.
    Expired,
    /// The own role does not allow it.
    NotPermitted,
    /// One has to be in a room for it.
    NotInRoom,
    /// It makes no sense in the present state.
    WrongState,
    /// What it names is not there.
    NotFound,
    /// The device is missing or does not open.
    DeviceUnavailable,
    /// This box cannot do it.
    NotSupported,
    /// The room's server refused.
    RejectedByRoom,
    /// It did not become true in time.
    Timeout,
    /// Too many commands.
    RateLimited,
    /// A fault of roomd.
    Internal,
}
