//! Every command in the order of the documentation: name, meaning, a payload it takes, its
//! arguments, and what it becomes for the room loop.

use roomd_room::Action;

use super::{
    arguments as args,
    commands::{
        CommandSpec, level, not_empty, not_supported, parse, participant, participants, room,
        schema, seconds,
    },
    topics::Kind,
};
use crate::appliance::{Command, JoinRoom};

macro_rules! command {
    ($kind:ident $name:literal, $summary:literal, $example:literal, $arguments:ty, |$a:pat_param| $convert:expr) => {
        CommandSpec {
            name: $name,
            kind: Kind::$kind,
            summary: $summary,
            example: $example,
            supported: true,
            arguments: |object| {
                let $a: $arguments = parse(object)?;
                $convert
            },
            schema: schema::<$arguments>,
        }
    };
    ($kind:ident $name:literal, $summary:literal, $example:literal, $arguments:ty) => {
        CommandSpec {
            name: $name,
            kind: Kind::$kind,
            summary: $summary,
            example: $example,
            supported: false,
            arguments: |object| {
                parse::<$arguments>(object)?;
                Err(not_supported())
            },
            schema: schema::<$arguments>,
        }
    };
}

/// Every command, in the order of the documentation.
pub static COMMANDS: &[CommandSpec] = &[
    command!(Cmd "join_room", "Joins a room; what is left out comes from the configuration.", r#"{"roomUrl":"https://example.whereby.com/meeting","displayName":"Wall"}"#, JoinRoom, |a| Ok(Command::JoinRoom(a))),
    command!(Cmd "leave_room", "Leaves the room.", "{}", args::None, |_| room(Action::LeaveRoom)),
    command!(Cmd "knock", "Knocks at a locked room.", "{}", args::None, |_| room(Action::Knock)),
    command!(Cmd "cancel_knock", "Takes the knock back.", "{}", args::None, |_| room(Action::CancelKnock)),
    command!(Cmd "set_display_name", "Changes the name that others see.", r#"{"displayName":"Wall"}"#, args::DisplayName, |a| room(Action::SetDisplayName(not_empty("displayName", a.display_name)?))),
    command!(Cmd "toggle_microphone", "Microphone on or muted.", r#"{"enabled":false}"#, args::Switch, |a| room(Action::ToggleMicrophone(a.enabled))),
    command!(Cmd "toggle_camera", "Camera on or off.", r#"{"enabled":false}"#, args::Switch, |a| room(Action::ToggleCamera(a.enabled))),
    command!(Cmd "toggle_raise_hand", "Hand up or down.", r#"{"enabled":true}"#, args::Switch, |a| room(Action::ToggleRaiseHand(a.enabled))),
    command!(Cmd "toggle_low_data_mode", "Low data mode on or off.", r#"{"enabled":true}"#, args::Switch, |a| room(Action::ToggleLowDataMode(a.enabled))),
    command!(Cmd "toggle_hd_mode", "HD on or off.", r#"{"enabled":true}"#, args::Switch, |a| room(Action::ToggleHdMode(a.enabled))),
    command!(Cmd "toggle_widescreen_mode", "16:9 on or off.", r#"{"enabled":true}"#, args::Switch, |a| room(Action::ToggleWidescreenMode(a.enabled))),
    command!(Cmd "start_screenshare", "Shares a configured source, the first when none is named.", r#"{"source":"hdmi"}"#, args::ScreenshareSource, |a| room(Action::StartScreenshare { source: a.source })),
    command!(Cmd "stop_screenshare", "Ends the own screenshare.", "{}", args::None, |_| room(Action::StopScreenshare)),
    command!(Cmd "switch_camera_effect", "Puts a configured effect on the camera picture.", r#"{"effectId":"blur"}"#, args::Effect),
    command!(Cmd "clear_camera_effect", "Takes the effect away.", "{}", args::None),
    command!(Cmd "enable_audio_denoiser", "Noise suppression on.", "{}", args::None),
    command!(Cmd "disable_audio_denoiser", "Noise suppression off.", "{}", args::None),
    command!(Cmd "send_chat_message", "Writes into the chat.", r#"{"text":"Hello"}"#, args::ChatMessage, |a| room(Action::SendChatMessage { text: not_empty("text", a.text)?, parent_id: a.parent_id, is_broadcast: a.is_broadcast.unwrap_or(false) })),
    command!(Cmd "remove_chat_message", "Takes a chat message away.", r#"{"messageId":"5f0c"}"#, args::MessageId, |a| room(Action::RemoveChatMessage { message_id: not_empty("messageId", a.message_id)? })),
    command!(Cmd "accept_waiting_participant", "Lets a knocker in.", r#"{"participantId":"c0ffee"}"#, args::Participant, |a| room(Action::AcceptWaitingParticipant(participant(a.participant_id)?))),
    command!(Cmd "hold_waiting_participant", "Asks a knocker to wait.", r#"{"participantId":"c0ffee","response":"Two minutes"}"#, args::ParticipantAndResponse, |a| room(Action::HoldWaitingParticipant(participant(a.participant_id)?, a.response))),
    command!(Cmd "reject_waiting_participant", "Turns a knocker away.", r#"{"participantId":"c0ffee"}"#, args::ParticipantAndResponse, |a| room(Action::RejectWaitingParticipant(participant(a.participant_id)?, a.response))),
    command!(Cmd "lock_room", "Locks or opens the room.", r#"{"locked":true}"#, args::Locked, |a| room(Action::LockRoom(a.locked))),
    command!(Cmd "ask_to_speak", "Asks somebody to unmute.", r#"{"participantId":"c0ffee"}"#, args::Participant, |a| room(Action::AskToSpeak(participant(a.participant_id)?))),
    command!(Cmd "ask_to_turn_on_camera", "Asks somebody to turn the camera on.", r#"{"participantId":"c0ffee"}"#, args::Participant, |a| room(Action::AskToTurnOnCamera(participant(a.participant_id)?))),
    command!(Cmd "mute_participants", "Mutes others.", r#"{"participantIds":["c0ffee"]}"#, args::Participants, |a| room(Action::MuteParticipants(participants(a.participant_ids)?))),
    command!(Cmd "turn_off_participant_cameras", "Turns the cameras of others off.", r#"{"participantIds":["c0ffee"]}"#, args::Participants, |a| room(Action::TurnOffParticipantCameras(participants(a.participant_ids)?))),
    command!(Cmd "spotlight_participant", "Puts somebody in front.", r#"{"participantId":"c0ffee"}"#, args::Participant, |a| room(Action::SpotlightParticipant(participant(a.participant_id)?))),
    command!(Cmd "remove_spotlight", "Takes somebody back.", r#"{"participantId":"c0ffee"}"#, args::Participant, |a| room(Action::RemoveSpotlight(participant(a.participant_id)?))),
    command!(Cmd "kick_participant", "Sends somebody out.", r#"{"participantId":"c0ffee"}"#, args::Participant, |a| room(Action::KickParticipant(participant(a.participant_id)?))),
    command!(Cmd "end_meeting", "Sends everybody out, and leaves unless told to stay.", r#"{"stayBehind":false}"#, args::StayBehind, |a| room(Action::EndMeeting { stay_behind: a.stay_behind.unwrap_or(false) })),
    command!(Cmd "start_cloud_recording", "Starts a recording.", "{}", args::None, |_| room(Action::StartCloudRecording)),
    command!(Cmd "stop_cloud_recording", "Ends the recording.", "{}", args::None, |_| room(Action::StopCloudRecording)),
    command!(Cmd "start_live_transcription", "Starts a transcription.", "{}", args::None, |_| room(Action::StartLiveTranscription)),
    command!(Cmd "stop_live_transcription", "Ends the transcription.", "{}", args::None, |_| room(Action::StopLiveTranscription)),
    command!(Cmd "start_live_captions", "Asks for captions.", "{}", args::None, |_| room(Action::StartLiveCaptions)),
    command!(Cmd "stop_live_captions", "Does without captions.", "{}", args::None, |_| room(Action::StopLiveCaptions)),
    command!(Cmd "join_breakout_group", "Moves to a breakout group.", r#"{"group":"a"}"#, args::BreakoutGroup, |a| room(Action::JoinBreakoutGroup(not_empty("group", a.group)?))),
    command!(Cmd "join_breakout_main_room", "Moves back to the main room.", "{}", args::None, |_| room(Action::JoinBreakoutMainRoom)),
    command!(Cmd "start_breakout_session", "Starts breakout groups.", r#"{"groups":{"a":"Group A"},"assignments":{"c0ffee":"a"},"breakoutTimerDuration":600}"#, args::StartBreakoutSession, |a| room(Action::StartBreakoutSession { settings: a.settings(), groups: a.groups, assignments: a.assignments })),
    command!(Cmd "update_breakout_session", "Changes breakout groups.", r#"{"groups":{"a":"Group A","b":"Group B"}}"#, args::UpdateBreakoutSession, |a| room(Action::UpdateBreakoutSession { settings: a.settings(), groups: a.groups, assignments: a.assignments })),
    command!(Cmd "stop_breakout_session", "Ends breakout groups.", "{}", args::None, |_| room(Action::StopBreakoutSession)),
    command!(Cmd "assign_breakout_participants", "Assigns participants to groups; an empty group id takes out.", r#"{"assignments":{"c0ffee":"a"}}"#, args::Assignments, |a| room(Action::AssignBreakoutParticipants(a.assignments))),
    command!(Cmd "assign_all_breakout_participants", "Deals all others to the groups at random.", "{}", args::None, |_| room(Action::AssignAllBreakoutParticipants)),
    command!(Cmd "unassign_all_breakout_participants", "Takes everybody out of the groups.", "{}", args::None, |_| room(Action::UnassignAllBreakoutParticipants)),
    command!(Cmd "shuffle_breakout_participants", "Deals the assigned anew.", "{}", args::None, |_| room(Action::ShuffleBreakoutParticipants)),
    command!(Cmd "extend_breakout_timer", "Makes the timer longer, by a minute when not said otherwise.", r#"{"seconds":60}"#, args::Seconds, |a| room(Action::ExtendBreakoutTimer(seconds(a.seconds)?))),
    command!(Cmd "stop_breakout_timer", "Stops the timer.", "{}", args::None, |_| room(Action::StopBreakoutTimer)),
    command!(Cmd "broadcast_to_groups", "Lets somebody be heard in all groups.", r#"{"participantId":"c0ffee"}"#, args::Participant, |a| room(Action::BroadcastToGroups(participant(a.participant_id)?))),
    command!(Cmd "stop_broadcast_to_groups", "Ends the broadcast of somebody.", r#"{"participantId":"c0ffee"}"#, args::Participant, |a| room(Action::StopBroadcastToGroups(participant(a.participant_id)?))),
    command!(Cmd "answer_request", "Answers somebody's request to unmute or to turn the camera on.", r#"{"requestId":"19ab2c3d4e5-1","accept":true}"#, args::Answer, |a| Ok(Command::AnswerRequest { request_id: not_empty("requestId", a.request_id)?, accept: a.accept })),
    command!(Cmd "set_volume", "Sets the volume of the speaker, 0 to 100.", r#"{"level":40}"#, args::Volume, |a| Ok(Command::SetVolume(level(a.level)?))),
    command!(Cmd "mute_speaker", "Mutes the speaker.", r#"{"muted":true}"#, args::Muted, |a| Ok(Command::MuteSpeaker(a.muted))),
    command!(Cmd "select_device", "Uses another device.", r#"{"kind":"camera","device":"front"}"#, args::SelectDevice),
    command!(Cmd "set_layout", "Changes the layout of the display.", r#"{"layout":"grid"}"#, args::Layout),
    command!(Cmd "move_camera", "Moves the camera.", r#"{"pan":0.1}"#, args::MoveCamera),
    command!(Cmd "store_camera_preset", "Keeps the camera's position.", r#"{"name":"table"}"#, args::PresetName),
    command!(Cmd "recall_camera_preset", "Goes to a kept position.", r#"{"name":"table"}"#, args::PresetName),
    command!(Cmd "standby", "Display and devices off.", "{}", args::None),
    command!(Cmd "wake", "Display and devices on.", "{}", args::None),
    command!(Cmd "identify", "Lights blink and the display says which box it is, for ten seconds.", "{}", args::None, |_| Ok(Command::Identify)),
    command!(Cmd "play_test_sound", "Plays a sound on the speaker.", "{}", args::None),
    command!(Cmd "snapshot", "Takes a picture.", r#"{"source":"camera"}"#, args::SnapshotSource),
    command!(Admin "config_get", "Tells the configuration.", "{}", args::None),
    command!(Admin "config_set", "Changes the configuration.", r#"{"patch":{"room":{"auto_knock":true}},"confirmWithinMs":60000}"#, args::ConfigSet),
    command!(Admin "update", "Installs another version.", r#"{"url":"https://example.com/roomd.raucb","version":"1.2.3"}"#, args::Update),
    command!(Admin "rollback", "Goes back to the version before.", "{}", args::None),
    command!(Admin "restart", "Restarts the service.", "{}", args::None),
    command!(Admin "reboot", "Restarts the box.", "{}", args::None),
    command!(Admin "support_bundle", "Collects what support needs.", "{}", args::SupportBundle),
    command!(Admin "set_log_level", "Logs more or less for a while.", r#"{"directive":"debug","forMs":600000}"#, args::LogLevel),
    command!(Admin "factory_reset", "Forgets everything.", r#"{"confirm":"wall"}"#, args::FactoryReset),
];
