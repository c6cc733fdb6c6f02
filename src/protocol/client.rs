//! Every event that a client sends to the server.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    ids::{ClientId, DeviceId, Secret, StreamId},
    message::messages,
    records::{ChatFileShare, DeviceCredentials, KnockResponse, StickyReaction},
};

messages! {
    /// A client's event.
    ClientMessage
    with payload {
        /// First event of every connection: who this device is.
        IdentifyDevice(IdentifyDevice) = "identify_device",
        /// Asks to be let into a room.
        JoinRoom(Box<JoinRoom>) = "join_room",
        /// Knocks at a locked room.
        KnockRoom(Box<JoinRoom>) = "knock_room",
        /// A host's decision about a knocker.
        HandleKnock(HandleKnock) = "handle_knock",
        /// Own microphone on or off.
        EnableAudio(Enable) = "enable_audio",
        /// Own camera on or off.
        EnableVideo(Enable) = "enable_video",
        /// Asks others to mute or to speak.
        RequestAudioEnable(RequestEnable) = "request_audio_enable",
        /// Asks others to turn their camera off or on.
        RequestVideoEnable(RequestEnable) = "request_video_enable",
        /// Writes into the chat.
        ChatMessage(ChatMessageRequest) = "chat_message",
        /// Takes a chat message away.
        RemoveChatMessage(RemoveChatMessage) = "remove_chat_message",
        /// Own display name and raised hand.
        SendClientMetadata(SendClientMetadata) = "send_client_metadata",
        /// Announces an own screenshare.
        StartScreenshare(StartScreenshare) = "start_screenshare",
        /// Ends an own screenshare.
        StopScreenshare(StopScreenshare) = "stop_screenshare",
        /// Puts a stream in front of everybody.
        AddSpotlight(SpotlightRequest) = "add_spotlight",
        /// Takes it back.
        RemoveSpotlight(SpotlightRequest) = "remove_spotlight",
        /// Locks or unlocks the room.
        SetLock(SetLock) = "set_lock",
        /// Sends participants out.
        KickClient(KickClient) = "kick_client",
        /// Starts a recording.
        StartRecording(StartRecording) = "start_recording",
        /// Starts, changes or stops breakout groups.
        UpdateBreakoutSession(BreakoutPatch) = "update_breakout_session",
        /// Moves to a breakout group, `""` is the main room.
        JoinBreakoutGroup(JoinBreakoutGroup) = "join_breakout_group",
        /// Asks for upload addresses; the only event with an acknowledgement.
        RequestFileUploadUrl(RequestFileUploadUrl) = "request_file_upload_url",
        /// "Make me an offer."
        ReadyToReceiveOffer(Relay) = "ready_to_receive_offer",
        /// An offer for a peer.
        SdpOffer(RelayMessage) = "sdp_offer",
        /// An answer for a peer.
        SdpAnswer(RelayMessage) = "sdp_answer",
        /// An ICE candidate for a peer.
        IceCandidate(RelayMessage) = "ice_candidate",
        /// No more candidates for a peer.
        IceEndOfCandidates(Relay) = "ice_endofcandidates",
    }
    without payload {
        /// Leaves the room.
        LeaveRoom = "leave_room",
        /// Takes a knock back.
        CancelRoomKnock = "cancel_room_knock",
        /// Stops the recording.
        StopRecording = "stop_recording",
        /// Starts a transcription.
        StartLiveTranscription = "start_live_transcription",
        /// Stops it.
        StopLiveTranscription = "stop_live_transcription",
        /// Asks for captions.
        LiveCaptionsEnabled = "live_captions_enabled",
        /// Does without captions.
        LiveCaptionsDisabled = "live_captions_disabled",
        /// Asks for the ICE servers again.
        FetchMediaserverConfig = "fetch_mediaserver_config",
    }
}

/// Payload of `identify_device`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentifyDevice {
    /// What the API handed out, unchanged.
    pub device_credentials: DeviceCredentials,
}

/// Payload of `join_room` and `knock_room`. A reader should need no more than `room_name`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinRoom {
    /// Picture, always null.
    #[serde(default)]
    pub avatar_url: Option<String>,
    /// Whether microphone and camera are on.
    #[serde(default)]
    pub config: MediaConfig,
    /// What the device can do.
    #[serde(default)]
    pub device_capabilities: DeviceCapabilities,
    /// Shown name.
    #[serde(default)]
    pub display_name: String,
    /// Several devices in one physical room, always false.
    #[serde(default)]
    pub is_co_located: bool,
    /// Joined by telephone.
    #[serde(default)]
    pub is_dial_in: bool,
    /// Records sound only.
    #[serde(default)]
    pub is_audio_recorder: bool,
    /// Always false.
    #[serde(default)]
    pub is_device_permission_denied: bool,
    /// Always false.
    #[serde(default)]
    pub kick_from_other_rooms: bool,
    /// The tenant, from the organization call.
    #[serde(default)]
    pub organization_id: String,
    /// Key of the room's link, or of an accepted knock.
    #[serde(default)]
    pub room_key: Option<Secret>,
    /// Key of a program; present (null for persons) in `join_room`, absent in `knock_room`.
    #[serde(
        default,
        with = "absent_or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub assistant_key: Option<Option<Secret>>,
    /// The room, with the leading slash.
    pub room_name: String,
    /// Which program this is.
    #[serde(default)]
    pub user_agent: String,
    /// The integrator's id of this client.
    #[serde(default)]
    pub external_id: Option<String>,
    /// Asks for the id of an earlier participation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_claim: Option<Secret>,
}

mod absent_or_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Secret;

    #[expect(clippy::option_option, reason = "absent and null differ on the wire")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Option<Secret>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(to)
    }

    #[expect(clippy::option_option, reason = "absent and null differ on the wire")]
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Option<Secret>>, D::Error> {
        Option::<Secret>::deserialize(from).map(Some)
    }
}

/// Microphone and camera at the moment of joining.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaConfig {
    /// Whether the microphone is on.
    #[serde(default)]
    pub is_audio_enabled: bool,
    /// Whether the camera is on.
    #[serde(default)]
    pub is_video_enabled: bool,
}

/// What a device can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceCapabilities {
    /// Always true in the SDK.
    #[serde(default)]
    pub can_screenshare: bool,
}

/// Payload of `handle_knock`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandleKnock {
    /// The decision.
    pub action: KnockAction,
    /// About whom.
    pub client_id: ClientId,
    /// What to tell the knocker.
    #[serde(default)]
    pub knock_response: KnockResponse,
}

/// A host's decision about a knocker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KnockAction {
    /// Let in.
    Accept,
    /// Ask to wait.
    Hold,
    /// Turn away.
    Reject,
}

/// Payload of `enable_audio` and `enable_video`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enable {
    /// The new state.
    pub enabled: bool,
}

/// Payload of `request_audio_enable` and `request_video_enable`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestEnable {
    /// Who is asked.
    pub client_ids: Vec<ClientId>,
    /// False orders off, true asks for on.
    pub enable: bool,
}

/// Payload of `chat_message`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatMessageRequest {
    /// The text, empty for files.
    #[serde(default)]
    pub text: String,
    /// The message this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The sender's breakout group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakout_group: Option<String>,
    /// For all groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<bool>,
    /// A file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ChatFileShare>,
}

/// Payload of `remove_chat_message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveChatMessage {
    /// The message.
    pub id: String,
    /// Its signature, as received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
}

/// Payload of `send_client_metadata`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SendClientMetadata {
    /// Always `UserData`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Name and hand.
    pub payload: UserData,
}

/// Display name and raised hand; both are replaced by every message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserData {
    /// Shown name.
    #[serde(default)]
    pub display_name: String,
    /// Absent: never raised; null: lowered.
    #[serde(
        default,
        with = "absent_or_null_reaction",
        skip_serializing_if = "Option::is_none"
    )]
    pub sticky_reaction: Option<Option<StickyReaction>>,
}

mod absent_or_null_reaction {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::StickyReaction;

    #[expect(clippy::option_option, reason = "absent and null differ on the wire")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Option<StickyReaction>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(to)
    }

    #[expect(clippy::option_option, reason = "absent and null differ on the wire")]
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Option<StickyReaction>>, D::Error> {
        Option::<StickyReaction>::deserialize(from).map(Some)
    }
}

/// Payload of `start_screenshare`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartScreenshare {
    /// Id of the stream, as in the SDP.
    pub stream_id: StreamId,
    /// Whether it has sound.
    #[serde(default)]
    pub has_audio_track: bool,
    /// Tell only this client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver_id: Option<ClientId>,
}

/// Payload of `stop_screenshare`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StopScreenshare {
    /// Id of the stream.
    pub stream_id: StreamId,
}

/// Payload of `add_spotlight` and `remove_spotlight`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpotlightRequest {
    /// Whose stream.
    pub client_id: ClientId,
    /// Which one.
    pub stream_id: StreamId,
}

/// Payload of `set_lock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetLock {
    /// Whether one has to knock.
    pub locked: bool,
}

/// Payload of `kick_client`; one of the two targets is present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KickClient {
    /// One client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Several clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ids: Option<Vec<ClientId>>,
    /// `kick` or `end-meeting`.
    #[serde(default)]
    pub reason_id: String,
}

/// Payload of `start_recording`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRecording {
    /// Always `cloud`.
    #[serde(default)]
    pub recording: String,
}

/// Payload of `update_breakout_session`: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakoutPatch {
    /// Start or stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Group id → name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<IndexMap<String, String>>,
    /// Device id → group id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignments: Option<IndexMap<DeviceId, String>>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforce_assignment: Option<bool>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_move_to_group: Option<bool>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub move_to_group_grace_period: Option<f64>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_move_to_main: Option<bool>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub move_to_main_grace_period: Option<f64>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakout_timer_setting: Option<bool>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakout_timer_duration: Option<f64>,
    /// See [`crate::records::BreakoutConfig`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakout_notification: Option<String>,
}

/// Payload of `join_breakout_group`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinBreakoutGroup {
    /// Group id, `""` is the main room.
    #[serde(default)]
    pub group: String,
}

/// Payload of `request_file_upload_url`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFileUploadUrl {
    /// The files to come.
    pub files: Vec<FileToUpload>,
}

/// A file to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileToUpload {
    /// File name.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// MIME type.
    #[serde(rename = "type")]
    pub mime_type: String,
}

/// A relayed event without a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relay {
    /// For whom.
    pub receiver_id: ClientId,
}

/// A relayed event; the server hands `message` on as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RelayMessage {
    /// For whom.
    pub receiver_id: ClientId,
    /// Left as it was written.
    pub message: Box<RawValue>,
}

impl PartialEq for RelayMessage {
    fn eq(&self, other: &Self) -> bool {
        self.receiver_id == other.receiver_id && self.message.get() == other.message.get()
    }
}

/// `message` of offers and answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionDescription {
    /// `offer` or `answer`.
    #[serde(rename = "type")]
    pub kind: SdpType,
    /// The text, RFC 8866.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp: Option<String>,
    /// The same text again; a reader takes it when `sdp` is missing.
    #[serde(rename = "sdpU", default, skip_serializing_if = "Option::is_none")]
    pub sdp_u: Option<String>,
    /// In offers: false for a renegotiation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_initial_offer: Option<bool>,
}

/// Kind of a session description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SdpType {
    /// An offer.
    Offer,
    /// An answer.
    Answer,
}

/// `message` of `ice_candidate`: a browser's candidate as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IceCandidate {
    /// `candidate:…`, RFC 8839 §5.1, without `a=`.
    #[serde(default)]
    pub candidate: String,
    /// The section's mid.
    #[serde(default)]
    pub sdp_mid: Option<String>,
    /// The section's index.
    #[serde(default, rename = "sdpMLineIndex")]
    pub sdp_m_line_index: Option<u32>,
    /// The ICE user name fragment it belongs to.
    #[serde(default)]
    pub username_fragment: Option<String>,
}
