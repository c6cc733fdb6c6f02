//! Every event that the server sends to a client.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    ids::{ClientId, Secret, StreamId},
    message::messages,
    records::{
        BreakoutConfig, ChatFileShare, IceServer, KnockResponse, RoomSession, SignalClient,
        SignalRoom, StickyReaction,
    },
};

messages! {
    /// A server's event.
    ServerMessage
    with payload {
        /// The answer to `join_room`, good or bad.
        RoomJoined(Box<RoomJoined>) = "room_joined",
        /// Somebody came.
        NewClient(Box<NewClient>) = "new_client",
        /// Somebody went.
        ClientLeft(ClientLeft) = "client_left",
        /// Somebody's connection is lost; only for front ends with glitch-free reconnection.
        PendingClientLeft(ClientLeft) = "pending_client_left",
        /// The meeting ended; the room stays joined.
        RoomSessionEnded(RoomSessionEnded) = "room_session_ended",
        /// Somebody could not be let in.
        ClientUnableToJoin(ClientUnableToJoin) = "client_unable_to_join",
        /// Somebody knocks; hosts only.
        RoomKnocked(RoomKnocked) = "room_knocked",
        /// A knock is over; hosts only.
        KnockerLeft(KnockerLeft) = "knocker_left",
        /// The decision about one's own knock.
        KnockHandled(KnockHandled) = "knock_handled",
        /// Somebody's microphone.
        AudioEnabled(AudioEnabled) = "audio_enabled",
        /// Somebody's camera.
        VideoEnabled(VideoEnabled) = "video_enabled",
        /// Somebody asks for one's microphone.
        AudioEnableRequested(EnableRequested) = "audio_enable_requested",
        /// Somebody asks for one's camera.
        VideoEnableRequested(EnableRequested) = "video_enable_requested",
        /// A chat message, one's own included, or the refusal of a file.
        ChatMessage(Box<ChatMessageEvent>) = "chat_message",
        /// A chat message was taken away.
        ChatMessageRemoved(ChatMessageRemoved) = "chat_message_removed",
        /// Somebody's name and hand.
        ClientMetadataReceived(ClientMetadataReceived) = "client_metadata_received",
        /// Somebody shares a screen.
        ScreenshareStarted(ScreenshareStarted) = "screenshare_started",
        /// Somebody stopped sharing.
        ScreenshareStopped(ScreenshareStopped) = "screenshare_stopped",
        /// A stream was put in front.
        SpotlightAdded(SpotlightChanged) = "spotlight_added",
        /// A stream was taken back.
        SpotlightRemoved(SpotlightChanged) = "spotlight_removed",
        /// The room was locked or unlocked.
        RoomLocked(RoomLocked) = "room_locked",
        /// One was sent out.
        ClientKicked(ClientKicked) = "client_kicked",
        /// A recording was asked for, or failed.
        CloudRecordingStarted(CloudRecordingStarted) = "cloud_recording_started",
        /// A transcription started, or failed.
        LiveTranscriptionStarted(LiveTranscriptionStarted) = "live_transcription_started",
        /// Captions started, or failed.
        LiveCaptionsStarted(LiveCaptionsStarted) = "live_captions_started",
        /// A caption, as far as it is known.
        LiveCaption(LiveCaption) = "live_caption",
        /// The breakout configuration, whole.
        BreakoutSessionUpdated(Box<BreakoutConfig>) = "breakout_session_updated",
        /// Somebody moved, oneself included.
        BreakoutGroupJoined(BreakoutGroupJoined) = "breakout_group_joined",
        /// New ICE servers.
        MediaserverConfig(MediaserverConfig) = "mediaserver_config",
        /// A peer asks for an offer.
        ReadyToReceiveOffer(Relay) = "ready_to_receive_offer",
        /// A peer's offer.
        SdpOffer(RelayMessage) = "sdp_offer",
        /// A peer's answer.
        SdpAnswer(RelayMessage) = "sdp_answer",
        /// A peer's ICE candidate.
        IceCandidate(RelayMessage) = "ice_candidate",
        /// A peer has no more candidates.
        IceEndOfCandidates(Relay) = "ice_endofcandidates",
    }
    without payload {
        /// The device is known; one may join.
        DeviceIdentified = "device_identified",
        /// One has left.
        RoomLeft = "room_left",
        /// The recording ended.
        CloudRecordingStopped = "cloud_recording_stopped",
        /// A live stream ended; nothing follows from it.
        StreamingStopped = "streaming_stopped",
        /// The transcription ended.
        LiveTranscriptionStopped = "live_transcription_stopped",
        /// The captions ended.
        LiveCaptionsStopped = "live_captions_stopped",
        /// Go to the assigned group now.
        BreakoutMoveToGroup = "breakout_move_to_group",
        /// Go to the main room now.
        BreakoutMoveToMain = "breakout_move_to_main",
        /// The timer ends soon.
        BreakoutEnding = "breakout_ending",
        /// The timer ended.
        BreakoutTimerEnded = "breakout_timer_ended",
        /// The timer was extended.
        BreakoutTimerExtended = "breakout_timer_extended",
    }
}

/// The answer to `join_room`. The mere presence of `error` makes it a refusal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(
    clippy::large_enum_variant,
    reason = "the whole is boxed in ServerMessage"
)]
pub enum RoomJoined {
    /// Refused.
    Refused(JoinRefused),
    /// Joined.
    Success(RoomJoinedSuccess),
}

/// A refused join.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinRefused {
    /// Why; unknown words are passed on. Null, which the protocol forbids, reads as `None`.
    #[serde(deserialize_with = "present")]
    pub error: Option<String>,
    /// Whether the room belongs to somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_claimed: Option<bool>,
    /// With `room_locked`: whether one may knock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_locked: Option<bool>,
    /// With `room_locked`: the id that `knock_handled` will name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_id: Option<ClientId>,
}

/// A member that must be there, though it may be null.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(from)
}

/// A successful join: the room as it is, whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomJoinedSuccess {
    /// One's own id.
    pub self_id: ClientId,
    /// Shown at the next join to get the same id back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_claim: Option<Secret>,
    /// Shown to a media server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_claim: Option<Secret>,
    /// One's own group; the SDK reads it from the own record instead.
    #[serde(default)]
    pub breakout_group: Option<String>,
    /// The breakout configuration; absent keeps what was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakout: Option<BreakoutConfig>,
    /// Length of the server's grace period in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disconnect_timeout: Option<u64>,
    /// The room.
    pub room: SignalRoom,
}

/// Payload of `new_client`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewClient {
    /// Who came.
    pub client: SignalClient,
    /// The meeting; absent or null means there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<NewClientRoom>,
}

/// The `room` member of `new_client`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewClientRoom {
    /// The meeting.
    #[serde(default)]
    pub session: Option<RoomSession>,
}

/// Payload of `client_left`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientLeft {
    /// Who went.
    pub client_id: ClientId,
    /// A fresh claim for the media server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_claim: Option<Secret>,
}

/// Payload of `room_session_ended`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomSessionEnded {
    /// The meeting.
    pub room_session_id: String,
}

/// Payload of `client_unable_to_join`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientUnableToJoin {
    /// Who wanted in.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Why not.
    #[serde(default)]
    pub error: String,
}

/// Payload of `room_knocked`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomKnocked {
    /// Who knocks.
    pub client_id: ClientId,
    /// Shown name.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Picture, not used.
    #[serde(default)]
    pub image_url: Option<String>,
    /// Live picture, not used.
    #[serde(default)]
    pub live_video: bool,
}

/// Payload of `knocker_left`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnockerLeft {
    /// Who went.
    pub client_id: ClientId,
}

/// Payload of `knock_handled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnockHandled {
    /// About whom.
    pub client_id: ClientId,
    /// The decision.
    pub resolution: KnockResolution,
    /// What the host says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knock_response: Option<KnockResponse>,
    /// With `accepted`: the key that opens the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<KnockMetadata>,
}

/// A decision about a knock, as told to the knocker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnockResolution {
    /// Come in.
    Accepted,
    /// Wait.
    OnHold,
    /// Go away.
    Rejected,
    /// A decision that this protocol does not know.
    #[serde(other)]
    Unknown,
}

/// What an accepted knocker needs to enter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnockMetadata {
    /// To be used in every further join.
    pub room_key: Secret,
    /// The room.
    #[serde(default)]
    pub room_name: String,
}

/// Payload of `audio_enabled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioEnabled {
    /// Whose microphone.
    pub client_id: ClientId,
    /// Whether it is on.
    pub is_audio_enabled: bool,
}

/// Payload of `video_enabled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoEnabled {
    /// Whose camera.
    pub client_id: ClientId,
    /// Whether it is on.
    pub is_video_enabled: bool,
}

/// Payload of `audio_enable_requested` and `video_enable_requested`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnableRequested {
    /// Who asks.
    #[serde(default)]
    pub requested_by_client_id: ClientId,
    /// False orders off, true asks for on.
    pub enable: bool,
}

/// Payload of `chat_message`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(
    clippy::large_enum_variant,
    reason = "the whole is boxed in ServerMessage"
)]
pub enum ChatMessageEvent {
    /// A message.
    Message(ChatMessage),
    /// A file was refused.
    Refused(ChatRefused),
}

/// A refused upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatRefused {
    /// Why.
    pub error: String,
}

/// A chat message on the wire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatMessage {
    /// Chosen by the server.
    pub id: String,
    /// Always `text`.
    #[serde(default)]
    pub message_type: String,
    /// The room.
    #[serde(default)]
    pub room_name: String,
    /// Who wrote it.
    #[serde(default)]
    pub sender_id: ClientId,
    /// The writer's user, if any.
    #[serde(default)]
    pub user_id: Option<String>,
    /// Needed to take the message away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
    /// The text, empty for files.
    #[serde(default)]
    pub text: String,
    /// Time by the server's clock (ISO 8601).
    #[serde(default)]
    pub timestamp: String,
    /// The message this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The group it was written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakout_group: Option<String>,
    /// For all groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<bool>,
    /// A file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ChatFileShare>,
}

/// Payload of `chat_message_removed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatMessageRemoved {
    /// The message.
    pub id: String,
    /// Who took it away.
    #[serde(default)]
    pub requested_by_client_id: ClientId,
}

/// Payload of `client_metadata_received`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientMetadataReceived {
    /// Always `UserData`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Name and hand; missing together with `error`.
    #[serde(default)]
    pub payload: Option<ClientMetadata>,
    /// Set when the server could not do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Somebody's name and hand; both replace what was known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientMetadata {
    /// Whose.
    pub client_id: ClientId,
    /// Shown name.
    #[serde(default)]
    pub display_name: String,
    /// The raised hand; absent and null both mean none.
    #[serde(default)]
    pub sticky_reaction: Option<StickyReaction>,
}

/// Payload of `screenshare_started`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScreenshareStarted {
    /// Who shares.
    pub client_id: ClientId,
    /// The stream, as in the SDP.
    pub stream_id: StreamId,
    /// Whether it has sound.
    #[serde(default)]
    pub has_audio_track: bool,
}

/// Payload of `screenshare_stopped`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScreenshareStopped {
    /// Who shared.
    pub client_id: ClientId,
    /// The stream.
    pub stream_id: StreamId,
}

/// Payload of `spotlight_added` and `spotlight_removed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpotlightChanged {
    /// Whose stream.
    pub client_id: ClientId,
    /// Which one.
    pub stream_id: StreamId,
    /// Who did it.
    #[serde(default)]
    pub requested_by_client_id: ClientId,
}

/// Payload of the event `room_locked`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomLocked {
    /// Whether one has to knock.
    pub is_locked: bool,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
}

/// Payload of `client_kicked`; whoever receives it is out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientKicked {
    /// The receiver.
    #[serde(default)]
    pub client_id: ClientId,
    /// `kick` or `end-meeting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_id: Option<String>,
}

/// Payload of `cloud_recording_started`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CloudRecordingStarted {
    /// Set when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Start (ISO 8601).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
}

/// Payload of `live_transcription_started`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveTranscriptionStarted {
    /// Id of the transcription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcription_id: Option<String>,
    /// Start (ISO 8601).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// Set when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Payload of `live_captions_started`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCaptionsStarted {
    /// Set when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Payload of `live_caption`: the whole text of a result so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveCaption {
    /// Who speaks.
    #[serde(default)]
    pub sender_id: ClientId,
    /// Which result.
    pub result_id: String,
    /// Its text.
    #[serde(default)]
    pub text: String,
}

/// Payload of `breakout_group_joined`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakoutGroupJoined {
    /// Who moved.
    pub client_id: ClientId,
    /// Where to, `""` is the main room.
    #[serde(default)]
    pub group: String,
}

/// Payload of `mediaserver_config`; here the list is not nested.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaserverConfig {
    /// STUN and TURN servers.
    #[serde(default)]
    pub ice_servers: Vec<IceServer>,
    /// TURN servers of other front ends, not used.
    #[serde(default)]
    pub turn_servers: Vec<serde_json::Value>,
    /// Seconds until one should ask again; 0 is never.
    #[serde(default)]
    pub mediaserver_config_ttl_seconds: u64,
    /// The media server, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sfu_server: Option<serde_json::Value>,
    /// Set when the server could not do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A relayed event without a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relay {
    /// From whom.
    pub client_id: ClientId,
}

/// A relayed event.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RelayMessage {
    /// From whom.
    pub client_id: ClientId,
    /// As the sender wrote it.
    pub message: Box<RawValue>,
}

impl PartialEq for RelayMessage {
    fn eq(&self, other: &Self) -> bool {
        self.client_id == other.client_id && self.message.get() == other.message.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(name: &str, json: &str) -> ServerMessage {
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        ServerMessage::decode(name, Some(&raw)).unwrap().unwrap()
    }

    #[test]
    fn the_smallest_room_joined_of_the_protocol_is_a_success() {
        let json = r#"{"selfId":"a","room":{"name":"/r","knockers":[],
            "clients":[{"id":"a","deviceId":"d","displayName":"","streams":["0"],"role":{"roleName":"host"}}]}}"#;
        let ServerMessage::RoomJoined(joined) = decode("room_joined", json) else {
            panic!("room_joined")
        };
        let RoomJoined::Success(success) = *joined else {
            panic!("a success")
        };
        assert_eq!(
            success.room.clients[0].role.role_name,
            crate::records::RoleName::Host
        );
    }

    #[test]
    fn the_key_error_makes_a_refusal_even_when_it_is_null() {
        for (json, error) in [
            (
                r#"{"error":"room_locked","isLocked":true,"selfId":"k"}"#,
                Some("room_locked"),
            ),
            (
                r#"{"error":null,"selfId":"a","room":{"name":"/r","clients":[],"knockers":[]}}"#,
                None,
            ),
        ] {
            let ServerMessage::RoomJoined(joined) = decode("room_joined", json) else {
                panic!("room_joined")
            };
            let RoomJoined::Refused(refused) = *joined else {
                panic!("{json} is a refusal")
            };
            assert_eq!(refused.error.as_deref(), error);
        }
    }

    #[test]
    fn unknown_events_are_skipped_and_malformed_ones_name_themselves() {
        assert!(
            ServerMessage::decode("room_mode_changed", None)
                .unwrap()
                .is_none()
        );
        let error = ServerMessage::decode("client_left", None).unwrap_err();
        assert!(
            error.to_string().starts_with("event client_left:"),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_role_or_resolution_does_not_lose_the_event() {
        let ServerMessage::KnockHandled(handled) =
            decode("knock_handled", r#"{"clientId":"k","resolution":"later"}"#)
        else {
            panic!("knock_handled")
        };
        assert_eq!(handled.resolution, KnockResolution::Unknown);
    }

    #[test]
    fn both_directions_together_have_the_events_of_the_reference() {
        assert_eq!(ServerMessage::NAMES.len(), 45);
        assert_eq!(crate::ClientMessage::NAMES.len(), 34);
    }
}
