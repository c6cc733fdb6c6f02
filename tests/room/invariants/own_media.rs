//! The own microphone, camera, name and hand.

use roomd_protocol::{ClientMessage, ServerMessage, records::RoleName};
use roomd_room::{Action, ConnectionStatus as Status, RoomEvent};

use super::{Turn, Verdict, holds};

// conformance: action.toggleCamera rule.ownMediaNameAndHand field.RoomConnectionState.isCameraEnabled [client]
// conformance: field.RoomConnectionState.isMicrophoneEnabled [client]
/// Room-connection reference §7, invariant 23.
pub(super) fn each_switch_is_told_once(turn: &Turn) -> Verdict {
    let expected = usize::from(turn.before.connection_status == Status::Connected);
    let (name, wish) = match turn.act() {
        Some(Action::ToggleMicrophone(_)) => ("enable_audio", turn.after.is_microphone_enabled),
        Some(Action::ToggleCamera(_)) => ("enable_video", turn.after.is_camera_enabled),
        _ => return Ok(()),
    };
    let told: Vec<_> = turn
        .sent()
        .filter_map(|message| match message {
            ClientMessage::EnableAudio(enable) if name == "enable_audio" => Some(enable.enabled),
            ClientMessage::EnableVideo(enable) if name == "enable_video" => Some(enable.enabled),
            _ => None,
        })
        .collect();
    holds!(
        told == vec![wish; expected],
        "{name} {told:?}, wished {wish}"
    );
    Ok(())
}

// conformance: field.LocalParticipantState.isAudioEnabled field.LocalParticipantState.isVideoEnabled [client]
/// Room-connection reference §7, invariant 24.
pub(super) fn the_room_knows_what_was_told_last(turn: &Turn) -> Verdict {
    if turn.after.connection_status != Status::Connected {
        return Ok(());
    }
    let (mut audio, mut video) = (turn.past.audio, turn.past.video);
    if let Some(success) = turn.joined() {
        let clients = &success.room.clients;
        let own = clients.iter().find(|one| one.id == success.self_id);
        audio = own.map(|own| own.is_audio_enabled).or(audio);
        video = own.map(|own| own.is_video_enabled).or(video);
    }
    for message in turn.sent() {
        match message {
            ClientMessage::EnableAudio(enable) => audio = Some(enable.enabled),
            ClientMessage::EnableVideo(enable) => video = Some(enable.enabled),
            _ => {}
        }
    }
    let local = &turn.after.local_participant;
    let audio = audio.unwrap_or(local.is_audio_enabled);
    let video = video.unwrap_or(local.is_video_enabled);
    holds!(local.is_audio_enabled == audio, "microphone is not {audio}");
    holds!(local.is_video_enabled == video, "camera is not {video}");
    Ok(())
}

/// Room-connection reference §7, invariant 25.
pub(super) fn who_speaks_has_no_hand_up(turn: &Turn) -> Verdict {
    let speaks = turn
        .sent()
        .any(|message| matches!(message, ClientMessage::EnableAudio(on) if on.enabled));
    let hand = &turn.after.local_participant.sticky_reaction;
    holds!(!speaks || hand.is_none(), "{hand:?}");
    Ok(())
}

// conformance: action.setDisplayName field.LocalParticipantState.displayName [client]
/// Room-connection reference §7, invariant 26.
pub(super) fn name_and_hand_are_told_once_for_each_change(turn: &Turn) -> Verdict {
    let told = turn.sends("send_client_metadata");
    let (before, after) = (turn.before, turn.after);
    let is_in = after.connection_status == Status::Connected;
    let entered = before.connection_status != Status::Connected;
    let changed = (
        &before.local_participant.display_name,
        &before.local_participant.sticky_reaction,
    ) != (
        &after.local_participant.display_name,
        &after.local_participant.sticky_reaction,
    );
    let expected = usize::from(is_in && (entered || changed) && !turn.past.is_assistant);
    holds!(told == expected, "{told} times instead of {expected}");
    Ok(())
}

/// Room-connection reference §7, invariant 27.
pub(super) fn a_hand_goes_up_once(turn: &Turn) -> Verdict {
    let Some(Action::ToggleRaiseHand(wish)) = turn.act() else {
        return Ok(());
    };
    let before = &turn.before.local_participant.sticky_reaction;
    let after = &turn.after.local_participant.sticky_reaction;
    let expected = wish.unwrap_or(before.is_none());
    holds!(after.is_some() == expected, "{after:?}");
    holds!(
        before.is_some() != expected || before == after,
        "another time: {before:?}, {after:?}"
    );
    Ok(())
}

/// Room-connection reference §7, invariant 28.
pub(super) fn a_host_can_mute_but_not_unmute(turn: &Turn) -> Verdict {
    let (before, after) = (turn.before, turn.after);
    let (request, was, is) = match turn.signal() {
        Some(ServerMessage::AudioEnableRequested(request)) => {
            let flags = (before.is_microphone_enabled, after.is_microphone_enabled);
            (request, flags.0, flags.1)
        }
        Some(ServerMessage::VideoEnableRequested(request)) => {
            (request, before.is_camera_enabled, after.is_camera_enabled)
        }
        _ => return Ok(()),
    };
    if request.enable {
        holds!(was == is, "switched on by somebody else");
        holds!(before == after, "a request alone changed the state");
    } else {
        holds!(!is, "still on");
    }
    Ok(())
}

/// Room-connection reference §7, invariant 29.
pub(super) fn requests_come_from_participants(turn: &Turn) -> Verdict {
    for event in turn.events() {
        if let RoomEvent::RequestAudio { client, .. } | RoomEvent::RequestVideo { client, .. } =
            event
        {
            let others = &turn.after.remote_participants;
            holds!(
                others.iter().any(|one| one.id == client.id),
                "from {}",
                client.id
            );
        }
    }
    Ok(())
}

/// Room-connection reference §7, invariant 30.
pub(super) fn hands_are_told_to_hosts_in_turns(turn: &Turn) -> Verdict {
    let hands: Vec<_> = turn
        .events()
        .filter_map(|event| match event {
            RoomEvent::RemoteHand { client } => Some(client),
            _ => None,
        })
        .collect();
    holds!(hands.len() <= 1, "{} hands at once", hands.len());
    for client in hands {
        let role = turn.after.local_participant.role_name;
        holds!(role == RoleName::Host, "told to a {role:?}");
        let was_up = turn.past.hands.get(&client.id);
        let is_up = client.sticky_reaction.is_some();
        holds!(
            is_up || was_up != Some(&false),
            "{} lowered twice",
            client.id
        );
    }
    Ok(())
}
