//! Named events and notifications of the SDK.

use roomd_protocol::{ClientId, StreamId, server::ChatMessage as WireChatMessage};
use schemars::JsonSchema;
use serde::Serialize;

use crate::state::{
    BreakoutState, ClientView, CloudRecording, ConnectionStatus, LiveCaptions, LiveStream,
    LiveTranscription, LocalParticipant, LocalScreenshareStatus, RemoteParticipant, Screenshare,
    WaitingParticipant,
};

/// Something that happened. The first part are the 22 named events, in the order in which one step
/// tells them; the second part are the 14 notifications, never for one's own actions.
#[derive(Clone, Debug, PartialEq)]
pub enum RoomEvent {
    /// `cloud-recording:status-changed`.
    CloudRecordingStatusChanged(Option<CloudRecording>),
    /// `live-captions:status-changed`.
    LiveCaptionsStatusChanged(Option<LiveCaptions>),
    /// `live-transcription:status-changed`.
    LiveTranscriptionStatusChanged(Option<LiveTranscription>),
    /// `breakout:config-changed`.
    BreakoutConfigChanged(Box<BreakoutState>),
    /// `connection:status-changed`.
    ConnectionStatusChanged(ConnectionStatus),
    /// `connection:error-changed`.
    ConnectionErrorChanged(Option<String>),
    /// `camera:state-changed`: the wish, not what the room was told.
    CameraStateChanged(bool),
    /// `microphone:state-changed`: the wish, not what the room was told.
    MicrophoneStateChanged(bool),
    /// `streaming:started`.
    StreamingStarted(LiveStream),
    /// `streaming:stopped`.
    StreamingStopped,
    /// `local-screenshare:status-changed`.
    LocalScreenshareStatusChanged(Option<LocalScreenshareStatus>),
    /// `local-participant:changed`.
    LocalParticipantChanged(Box<LocalParticipant>),
    /// `remote-participants:changed`; sizes and rates of streams alone are no change.
    RemoteParticipantsChanged(Vec<RemoteParticipant>),
    /// `screenshare:started`.
    ScreenshareStarted(Screenshare),
    /// `screenshare:stopped`, with the stream's id.
    ScreenshareStopped(StreamId),
    /// `waiting-participant:joined`.
    WaitingParticipantJoined(WaitingParticipant),
    /// `waiting-participant:left`.
    WaitingParticipantLeft(ClientId),
    /// `spotlight:participant-added`.
    SpotlightParticipantAdded(Box<ClientView>),
    /// `spotlight:participant-removed`, with the tile's id.
    SpotlightParticipantRemoved(String),
    /// `room:joined`: every successful join, repeated ones too.
    RoomJoined(RoomJoinedEvent),
    /// `room:joined:error`.
    RoomJoinedError(String),
    /// `chat:new-message`: every message, one's own included.
    ChatNewMessage(WireChatMessage),

    /// `requestAudioEnable` or `requestAudioDisable`.
    RequestAudio {
        /// Who asks.
        client: Box<RemoteParticipant>,
        /// False: was muted.
        enable: bool,
    },
    /// `requestVideoEnable` or `requestVideoDisable`.
    RequestVideo {
        /// Who asks.
        client: Box<RemoteParticipant>,
        /// False: the camera was turned off.
        enable: bool,
    },
    /// `chatMessageReceived`: a message of somebody else.
    ChatMessageReceived {
        /// Who wrote.
        client: Box<RemoteParticipant>,
        /// What.
        message: WireChatMessage,
    },
    /// `remoteHandRaised` or `remoteHandLowered`; hosts only.
    RemoteHand {
        /// Whose hand; `sticky_reaction` says which way.
        client: Box<RemoteParticipant>,
    },
    /// `signalTrouble`.
    SignalTrouble,
    /// `signalOk`.
    SignalOk,
    /// `clientUnableToJoinFullRoom`.
    ClientUnableToJoinFullRoom,
    /// `breakoutTimerEnding`.
    BreakoutTimerEnding,
    /// `breakoutTimerEnded`.
    BreakoutTimerEnded,
    /// `breakoutTimerExtended`.
    BreakoutTimerExtended,
    /// `breakoutGroupAssigned`: oneself, while a session goes on.
    BreakoutGroupAssigned {
        /// Id of the group.
        group: String,
        /// Its name, if it has one.
        group_name: Option<String>,
    },
}

/// Payload of `room:joined`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomJoinedEvent {
    /// One has to knock.
    pub is_locked: bool,
    /// One's own id.
    pub self_id: ClientId,
}
