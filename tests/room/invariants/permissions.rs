//! What may be sent by whom and when, and what events tell.

use roomd_protocol::records::RoleName;
use roomd_room::{Action, ConnectionStatus as Status, Effect, RoomEvent};

use super::{Cause, Turn, Verdict, holds};

/// Events that only hosts send.
const ONLY_HOSTS: &[&str] = &[
    "set_lock",
    "kick_client",
    "request_audio_enable",
    "request_video_enable",
    "add_spotlight",
    "remove_spotlight",
    "update_breakout_session",
    "handle_knock",
    "start_recording",
    "stop_recording",
    "start_live_transcription",
    "stop_live_transcription",
];

/// Events that no action sends outside of a room.
const ONLY_CONNECTED: &[&str] = &[
    "chat_message",
    "remove_chat_message",
    "handle_knock",
    "start_recording",
    "stop_recording",
    "start_live_transcription",
    "stop_live_transcription",
    "live_captions_enabled",
    "live_captions_disabled",
    "enable_audio",
    "enable_video",
    "send_client_metadata",
    "request_audio_enable",
    "request_video_enable",
    "start_screenshare",
];

/// Room-connection reference §7, invariant 50.
pub(super) fn only_hosts_moderate(turn: &Turn) -> Verdict {
    let role = turn.before.local_participant.role_name;
    for name in ONLY_HOSTS {
        holds!(
            role == RoleName::Host || turn.sends(name) == 0,
            "{name} of a {role:?}"
        );
    }
    Ok(())
}

// conformance: rule.removeChatMessage rule.cloudRecording rule.liveTranscription rule.liveCaptions [client]
// conformance: rule.screenshare [client]
/// Room-connection reference §7, invariant 51; and an action that is refused sends nothing at all.
pub(super) fn nothing_is_sent_outside_of_the_room(turn: &Turn) -> Verdict {
    let before = turn.before.connection_status;
    match turn.cause {
        Cause::Refused(action) => {
            let is_told = |effect: &Effect| {
                matches!(action, Action::StartBreakoutSession { .. })
                    && matches!(effect, Effect::Event(RoomEvent::BreakoutConfigChanged(_)))
            };
            holds!(
                turn.effects.iter().all(is_told),
                "{action:?} was refused and did {:?}",
                turn.effects
            );
        }
        Cause::Act(_) if before != Status::Connected => {
            for name in ONLY_CONNECTED {
                holds!(turn.sends(name) == 0, "{name} in {before:?}");
            }
        }
        _ => {}
    }
    Ok(())
}

// conformance: event.camera:state-changed [client]
/// Room-connection reference §7, invariant 54.
pub(super) fn events_tell_the_state(turn: &Turn) -> Verdict {
    let after = turn.after;
    let statuses = |event: &&RoomEvent| matches!(event, RoomEvent::ConnectionStatusChanged(_));
    let last_status = turn.events().filter(statuses).last();
    for event in turn.events() {
        let is_true = match event {
            // A knock that is taken back is ready for a moment, until it is joined again.
            RoomEvent::ConnectionStatusChanged(Status::Ready)
                if last_status != Some(&RoomEvent::ConnectionStatusChanged(Status::Ready)) =>
            {
                after.connection_status == Status::Connecting
            }
            RoomEvent::CloudRecordingStatusChanged(told) => *told == after.cloud_recording,
            RoomEvent::LiveCaptionsStatusChanged(told) => *told == after.live_captions,
            RoomEvent::LiveTranscriptionStatusChanged(told) => *told == after.live_transcription,
            RoomEvent::BreakoutConfigChanged(told) => **told == after.breakout,
            RoomEvent::ConnectionStatusChanged(told) => *told == after.connection_status,
            RoomEvent::ConnectionErrorChanged(told) => *told == after.connection_error,
            RoomEvent::CameraStateChanged(told) => *told == after.is_camera_enabled,
            RoomEvent::MicrophoneStateChanged(told) => *told == after.is_microphone_enabled,
            RoomEvent::LocalScreenshareStatusChanged(told) => {
                *told == after.local_screenshare_status
            }
            RoomEvent::LocalParticipantChanged(told) => **told == after.local_participant,
            RoomEvent::RemoteParticipantsChanged(told) => *told == after.remote_participants,
            _ => true,
        };
        holds!(is_true, "{event:?} is not the state");
    }
    Ok(())
}
