//! The actions of the SDK's `RoomConnection`, by their names.

use indexmap::IndexMap;
use roomd_protocol::{ClientId, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Options of a join, the SDK's `WherebyClientOptions` as far as they mean something to a device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinOptions {
    /// The room; without one the join is refused.
    pub room_url: Option<roomd_protocol::RoomUrl>,
    /// Key of the room's link; wins over one in the URL's query.
    pub room_key: Option<Secret>,
    /// Shown name, "Guest" when empty.
    pub display_name: String,
    /// The integrator's id of this client.
    pub external_id: Option<String>,
    /// Organization-level key of a program; makes this client an assistant.
    pub assistant_key: Option<Secret>,
    /// Joined by telephone.
    pub is_dial_in: bool,
    /// Records sound only.
    pub is_audio_recorder: bool,
    /// Exchange media with all breakout groups, as a recorder of the whole meeting does.
    pub ignore_breakout_groups: bool,
    /// Claim of a participation that a restart interrupted: gets the same id back.
    pub client_claim: Option<Secret>,
}

impl JoinOptions {
    /// A program, not a person: it tells nobody its name and hand.
    #[must_use]
    pub fn is_assistant(&self) -> bool {
        let key = self.assistant_key.as_ref();
        key.is_some_and(|key| !key.reveal().is_empty())
    }
}

/// Settings of a breakout session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BreakoutSessionSettings {
    /// Participants may only enter the group they are assigned to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce_assignment: Option<bool>,
    /// The server moves assigned participants into their groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_move_to_group: Option<bool>,
    /// The server moves everybody back at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_move_to_main: Option<bool>,
    /// Seconds until the move into the groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub move_to_group_grace_period: Option<f64>,
    /// Seconds until the move back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub move_to_main_grace_period: Option<f64>,
    /// Whether a timer runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breakout_timer_setting: Option<bool>,
    /// Its length in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breakout_timer_duration: Option<f64>,
}

/// What somebody wants of the room connection. Nothing is queued: an action that the status or the
/// role does not allow is refused at once.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Joins a room.
    JoinRoom(Box<JoinOptions>),
    /// Leaves it.
    LeaveRoom,
    /// Knocks at a locked room.
    Knock,
    /// Takes the knock back.
    CancelKnock,
    /// Changes the shown name.
    SetDisplayName(String),
    /// Microphone on, off, or the other way round.
    ToggleMicrophone(Option<bool>),
    /// Camera on, off, or the other way round.
    ToggleCamera(Option<bool>),
    /// Hand up, down, or the other way round.
    ToggleRaiseHand(Option<bool>),
    /// Low data mode on, off, or the other way round.
    ToggleLowDataMode(Option<bool>),
    /// HD on, off, or the other way round.
    ToggleHdMode(Option<bool>),
    /// 16:9 on, off, or the other way round.
    ToggleWidescreenMode(Option<bool>),
    /// Shares a configured source.
    StartScreenshare {
        /// Name of the source, `None` for the first one.
        source: Option<String>,
    },
    /// Ends the own screenshare.
    StopScreenshare,
    /// Writes into the chat.
    SendChatMessage {
        /// The text.
        text: String,
        /// The message it answers.
        parent_id: Option<String>,
        /// For all breakout groups.
        is_broadcast: bool,
    },
    /// Takes a chat message away.
    RemoveChatMessage {
        /// The message.
        message_id: String,
    },
    /// Lets a knocker in.
    AcceptWaitingParticipant(ClientId),
    /// Asks a knocker to wait.
    HoldWaitingParticipant(ClientId, Option<String>),
    /// Turns a knocker away.
    RejectWaitingParticipant(ClientId, Option<String>),
    /// Locks or unlocks the room.
    LockRoom(bool),
    /// Asks somebody to unmute.
    AskToSpeak(ClientId),
    /// Asks somebody to turn the camera on.
    AskToTurnOnCamera(ClientId),
    /// Mutes others.
    MuteParticipants(Vec<ClientId>),
    /// Turns others' cameras off.
    TurnOffParticipantCameras(Vec<ClientId>),
    /// Puts somebody in front.
    SpotlightParticipant(ClientId),
    /// Takes somebody back.
    RemoveSpotlight(ClientId),
    /// Sends somebody out.
    KickParticipant(ClientId),
    /// Sends everybody out, and leaves unless told to stay.
    EndMeeting {
        /// Stay in the empty room.
        stay_behind: bool,
    },
    /// Starts a recording.
    StartCloudRecording,
    /// Ends it.
    StopCloudRecording,
    /// Starts a transcription.
    StartLiveTranscription,
    /// Ends it.
    StopLiveTranscription,
    /// Asks for captions.
    StartLiveCaptions,
    /// Does without.
    StopLiveCaptions,
    /// Moves to a breakout group.
    JoinBreakoutGroup(String),
    /// Moves to the main room.
    JoinBreakoutMainRoom,
    /// Starts breakout groups.
    StartBreakoutSession {
        /// Group id → name.
        groups: IndexMap<String, String>,
        /// Client id → group id.
        assignments: Option<IndexMap<ClientId, String>>,
        /// Everything else.
        settings: BreakoutSessionSettings,
    },
    /// Changes breakout groups.
    UpdateBreakoutSession {
        /// Group id → name.
        groups: Option<IndexMap<String, String>>,
        /// Client id → group id.
        assignments: Option<IndexMap<ClientId, String>>,
        /// Everything else.
        settings: BreakoutSessionSettings,
    },
    /// Ends breakout groups.
    StopBreakoutSession,
    /// Assigns some; `""` takes out of a group.
    AssignBreakoutParticipants(IndexMap<ClientId, String>),
    /// Assigns all others at random; the time of the call is the seed.
    AssignAllBreakoutParticipants,
    /// Takes everybody out of their groups.
    UnassignAllBreakoutParticipants,
    /// Deals the assigned anew, likewise.
    ShuffleBreakoutParticipants,
    /// Makes the timer longer, by 60 seconds when not said otherwise.
    ExtendBreakoutTimer(Option<f64>),
    /// Stops the timer.
    StopBreakoutTimer,
    /// Lets somebody in the main room be heard in all groups.
    BroadcastToGroups(ClientId),
    /// Ends that.
    StopBroadcastToGroups(ClientId),
}
