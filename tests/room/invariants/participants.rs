//! The others.

use std::collections::BTreeSet;

use roomd_protocol::{ServerMessage, records::RoleName};

use super::{Turn, Verdict, holds};

// conformance: field.RemoteParticipantState.id field.RoomConnectionState.remoteParticipants [client]
/// Room-connection reference §7, invariant 14.
pub(super) fn ids_are_unique_and_not_ones_own(turn: &Turn) -> Verdict {
    let others = &turn.after.remote_participants;
    let ids: BTreeSet<_> = others.iter().map(|one| &one.id).collect();
    holds!(ids.len() == others.len(), "an id twice: {ids:?}");
    let own = &turn.after.local_participant.id;
    // A refusal gives an id while what was known before the loss is still shown.
    let is_in = turn.after.connection_status == roomd_room::ConnectionStatus::Connected;
    holds!(!is_in || !ids.contains(own), "oneself among the others");
    Ok(())
}

/// Room-connection reference §7, invariant 15.
pub(super) fn programs_are_no_participants(turn: &Turn) -> Verdict {
    for one in &turn.after.remote_participants {
        holds!(one.role_name.is_person(), "{:?}", one.role_name);
    }
    Ok(())
}

/// Room-connection reference §7, invariant 16.
pub(super) fn the_list_of_a_join_is_the_whole_truth(turn: &Turn) -> Verdict {
    let Some(success) = turn.joined() else {
        return Ok(());
    };
    let mut seen = BTreeSet::from([&success.self_id]);
    let expected: Vec<_> = success
        .room
        .clients
        .iter()
        .filter(|one| seen.insert(&one.id) && one.role.role_name.is_person())
        .map(|one| {
            let flags = (one.is_audio_enabled, one.is_video_enabled);
            (&one.id, &one.display_name, one.role.role_name, flags)
        })
        .collect();
    let others = turn.after.remote_participants.iter();
    let shown: Vec<_> = others
        .map(|one| {
            let flags = (one.is_audio_enabled, one.is_video_enabled);
            (&one.id, &one.display_name, one.role_name, flags)
        })
        .collect();
    holds!(shown == expected, "{shown:?} instead of {expected:?}");
    Ok(())
}

/// Room-connection reference §7, invariant 17.
pub(super) fn who_is_known_stays_as_it_is(turn: &Turn) -> Verdict {
    if let Some(ServerMessage::NewClient(new)) = turn.signal() {
        let known = |one: &&roomd_room::state::RemoteParticipant| one.id == new.client.id;
        let before = turn.before.remote_participants.iter().find(known);
        let after = turn.after.remote_participants.iter().find(known);
        holds!(before.is_none() || before == after, "{after:?}");
    }
    Ok(())
}

/// Room-connection reference §7, invariant 18.
pub(super) fn who_is_unknown_cannot_leave(turn: &Turn) -> Verdict {
    if let Some(ServerMessage::ClientLeft(left)) = turn.signal() {
        let others = &turn.before.remote_participants;
        let is_known = others.iter().any(|one| one.id == left.client_id)
            || turn.before.remote_client_count > others.len()
            || turn
                .before
                .spotlights
                .iter()
                .any(|one| one.client_id == left.client_id);
        holds!(is_known || turn.before == turn.after, "the state changed");
    }
    Ok(())
}

// conformance: field.RemoteParticipantState.isAudioEnabled field.RemoteParticipantState.isVideoEnabled [client]
/// Room-connection reference §7, invariant 19.
pub(super) fn a_switch_changes_one_flag_of_one_participant(turn: &Turn) -> Verdict {
    let mut expected = turn.before.remote_participants.clone();
    match turn.signal() {
        Some(ServerMessage::AudioEnabled(event)) => {
            for one in expected.iter_mut().filter(|one| one.id == event.client_id) {
                one.is_audio_enabled = event.is_audio_enabled;
            }
        }
        Some(ServerMessage::VideoEnabled(event)) => {
            for one in expected.iter_mut().filter(|one| one.id == event.client_id) {
                one.is_video_enabled = event.is_video_enabled;
            }
        }
        _ => return Ok(()),
    }
    holds!(turn.after.remote_participants == expected, "more changed");
    let (before, after) = (turn.before, turn.after);
    holds!(
        before.local_participant == after.local_participant,
        "oneself changed"
    );
    Ok(())
}

/// Room-connection reference §7, invariant 20.
pub(super) fn metadata_without_a_hand_lowers_it(turn: &Turn) -> Verdict {
    if let Some(ServerMessage::ClientMetadataReceived(received)) = turn.signal()
        && let (None, Some(metadata)) = (&received.error, &received.payload)
        && metadata.sticky_reaction.is_none()
    {
        let others = &turn.after.remote_participants;
        let one = others.iter().find(|one| one.id == metadata.client_id);
        let hand = one.and_then(|one| one.sticky_reaction.as_ref());
        holds!(hand.is_none(), "{hand:?}");
    }
    Ok(())
}

// conformance: field.LocalParticipantState.roleName role.none role.viewer [client]
/// Room-connection reference §7, invariant 21.
pub(super) fn the_role_is_that_of_the_own_record(turn: &Turn) -> Verdict {
    let role = turn.after.local_participant.role_name;
    let expected = match turn.joined() {
        Some(success) => {
            let clients = &success.room.clients;
            let own = clients.iter().find(|one| one.id == success.self_id);
            own.map(|own| own.role.role_name).or(turn.past.role)
        }
        None if turn.is_join() => None,
        None => turn.past.role,
    };
    let expected = expected.unwrap_or(RoleName::None);
    holds!(role == expected, "{role:?} instead of {expected:?}");
    Ok(())
}

// conformance: field.RemoteParticipantState.breakoutGroupAssigned field.RemoteParticipantState.deviceId [client]
/// Room-connection reference §7, invariant 22.
pub(super) fn assignments_follow_the_devices(turn: &Turn) -> Verdict {
    let assignments = &turn.after.breakout_assignments;
    for one in &turn.after.remote_participants {
        let expected = assignments.get(&one.device_id).map_or("", String::as_str);
        holds!(
            one.breakout_group_assigned == expected,
            "{} is assigned {:?} instead of {expected:?}",
            one.id,
            one.breakout_group_assigned
        );
    }
    let told = match (turn.signal(), turn.joined()) {
        (Some(ServerMessage::BreakoutSessionUpdated(config)), _) => config.assignments.clone(),
        (_, Some(success)) if success.breakout.is_some() => {
            let config = success.breakout.as_ref();
            config.and_then(|config| config.assignments.clone())
        }
        _ if turn.is_join() => None,
        _ => Some(turn.past.assignments.clone()),
    };
    let told = told.unwrap_or_default();
    holds!(*assignments == told, "{assignments:?} instead of {told:?}");
    Ok(())
}
