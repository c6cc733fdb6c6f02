//! Every event that the server sends to a client.

mod meeting;
mod membership;

pub use meeting::*;
pub use membership::*;

use crate::{message::messages, records::BreakoutConfig};

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

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

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
        let own = ["live_caption"];
        assert_eq!(crate::ClientMessage::NAMES.len() - own.len(), 34);
    }
}
