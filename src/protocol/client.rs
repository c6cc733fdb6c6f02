//! Every event that a client sends to the server.

mod meeting;
mod membership;
mod negotiation;

pub use meeting::*;
pub use membership::*;
pub use negotiation::*;

use crate::message::messages;

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
        /// A caption. Not among the reference's events: the way in for writers of captions of one's
        /// own, taken from clients of role `captioner` alone.
        LiveCaption(crate::server::LiveCaption) = "live_caption",
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
