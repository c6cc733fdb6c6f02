//! Joining, knocking, leaving, losing the connection.

use roomd_protocol::{
    ClientMessage, ServerMessage,
    server::{KnockResolution, RoomJoined},
};
use roomd_room::{
    Action, ConnectionStatus as Status, Input, RoomConnectionState, SocketEvent,
    state::LocalParticipant,
};

use super::{Cause, Turn, Verdict, holds};

/// Room-connection reference §7, invariant 1: every change is an edge of the transitions T1 to T16, for its own reason.
/// Besides, as decided for a box: leaving ends in `ready` where there is nothing to wait for.
pub(super) fn every_change_of_the_status_is_an_edge(turn: &Turn) -> Verdict {
    let (before, after) = (turn.before.connection_status, turn.after.connection_status);
    let allowed: &[Status] = match turn.cause {
        Cause::Refused(_) => &[],
        Cause::Act(Action::JoinRoom(_)) => &[Status::Ready],
        Cause::Act(Action::LeaveRoom | Action::EndMeeting { .. }) => match before {
            Status::Connected => &[Status::Leaving],
            Status::Kicked | Status::Left | Status::Leaving => &[],
            _ => &[Status::Ready],
        },
        Cause::Act(Action::Knock) => &[Status::Knocking],
        Cause::Act(Action::CancelKnock) => &[Status::Ready, Status::Connecting],
        Cause::Act(_) => &[],
        Cause::Input(Input::Socket(SocketEvent::Connected { .. })) => {
            &[Status::Reconnecting, Status::Connecting]
        }
        Cause::Input(Input::Socket(SocketEvent::Disconnected { .. })) => match before {
            Status::Kicked | Status::Left | Status::KnockRejected => &[],
            Status::Leaving => &[Status::Left],
            _ => &[Status::Disconnected],
        },
        Cause::Input(Input::Credentials(_) | Input::Organization(_)) => &[Status::Connecting],
        Cause::Input(Input::OrganizationNotFound) => &[Status::Disconnected],
        Cause::Input(Input::Timeout) => &[Status::Left],
        Cause::Input(Input::Signal(message)) => answered(message),
        Cause::Input(_) => &[],
    };
    holds!(
        before == after || allowed.contains(&after),
        "{before:?} became {after:?}"
    );
    Ok(())
}

fn answered(message: &ServerMessage) -> &'static [Status] {
    match message {
        ServerMessage::DeviceIdentified => &[Status::Connecting],
        ServerMessage::RoomJoined(joined) => match &**joined {
            RoomJoined::Success(_) => &[Status::Connected, Status::Disconnected],
            RoomJoined::Refused(_) => &[Status::RoomLocked, Status::Disconnected],
        },
        ServerMessage::KnockHandled(handled) => match handled.resolution {
            KnockResolution::Accepted => &[Status::Connecting],
            KnockResolution::OnHold => &[Status::KnockOnHold],
            KnockResolution::Rejected => &[Status::KnockRejected],
            KnockResolution::Unknown => &[],
        },
        ServerMessage::ClientKicked(_) => &[Status::Kicked],
        ServerMessage::RoomLeft => &[Status::Left],
        _ => &[],
    }
}

/// Room-connection reference §7, invariant 2.
pub(super) fn join_room_and_connecting_go_together(turn: &Turn) -> Verdict {
    let joins = turn.sends("join_room");
    let (before, after) = (turn.before.connection_status, turn.after.connection_status);
    holds!(
        joins == 0 || after == Status::Connecting,
        "join_room ends in {after:?}"
    );
    let entered = before != Status::Connecting && after == Status::Connecting;
    holds!(
        joins == 1 || (joins == 0 && !entered),
        "{joins} join_room from {before:?} to {after:?}"
    );
    Ok(())
}

/// Room-connection reference §7, invariant 3. An accepted knock joins on the connection on which it was made.
pub(super) fn nobody_joins_before_the_device_is_identified(turn: &Turn) -> Verdict {
    let is_known = turn.past.identified
        || matches!(
            turn.signal(),
            Some(ServerMessage::DeviceIdentified | ServerMessage::KnockHandled(_))
        );
    holds!(is_known || turn.sends("join_room") == 0, "join_room");
    Ok(())
}

/// Room-connection reference §7, invariant 4.
pub(super) fn a_refused_join_is_not_repeated(turn: &Turn) -> Verdict {
    let is_refused = turn.before.connection_error.is_some();
    holds!(
        !is_refused || turn.is_join() || turn.sends("join_room") == 0,
        "joined in spite of {:?}",
        turn.before.connection_error
    );
    Ok(())
}

/// Room-connection reference §7, invariant 5. Besides, as decided for a box: who leaves while it knocks, waits or joins
/// says so, and so does who joins elsewhere or is let in when nobody wants to be in any more.
pub(super) fn knocking_and_leaving_need_their_status(turn: &Turn) -> Verdict {
    let before = turn.before.connection_status;
    holds!(
        turn.sends("knock_room") == 0 || before == Status::RoomLocked,
        "knock_room from {before:?}"
    );
    let waits = matches!(before, Status::Knocking | Status::KnockOnHold);
    holds!(
        turn.sends("cancel_room_knock") == 0 || waits,
        "cancel_room_knock from {before:?}"
    );
    let late_answer = matches!(turn.signal(), Some(ServerMessage::RoomJoined(_)));
    let is_in = matches!(before, Status::Connected | Status::Connecting);
    holds!(
        turn.sends("leave_room") == 0 || is_in || late_answer,
        "leave_room from {before:?}"
    );
    Ok(())
}

/// Room-connection reference §7, invariant 7.
pub(super) fn kicked_and_left_are_final(turn: &Turn) -> Verdict {
    let before = turn.before.connection_status;
    holds!(
        !matches!(before, Status::Kicked | Status::Left)
            || turn.is_join()
            || turn.after.connection_status == before,
        "{before:?} became {:?}",
        turn.after.connection_status
    );
    Ok(())
}

/// Room-connection reference §7, invariant 8.
pub(super) fn a_join_starts_empty(turn: &Turn) -> Verdict {
    if !turn.is_join() {
        return Ok(());
    }
    let after = turn.after;
    let mut expected = RoomConnectionState {
        is_microphone_enabled: after.is_microphone_enabled,
        is_camera_enabled: after.is_camera_enabled,
        room_name: after.room_name.clone(),
        capture_profile: after.capture_profile,
        client_views: after.client_views.clone(),
        local_participant: LocalParticipant {
            display_name: after.local_participant.display_name.clone(),
            client_claim: after.local_participant.client_claim.clone(),
            ..LocalParticipant::default()
        },
        ..RoomConnectionState::default()
    };
    let views = &mut expected.breakout.participants_in_current_group;
    views.clone_from(&after.client_views);
    holds!(*after == expected, "left over: {after:?}");
    holds!(after.client_views.len() <= 1, "{:?}", after.client_views);
    Ok(())
}

/// Room-connection reference §7, invariant 9. Streams end with their connections.
pub(super) fn leaving_keeps_what_was_known(turn: &Turn) -> Verdict {
    if matches!(turn.act(), Some(Action::LeaveRoom)) {
        still_there(turn)?;
    }
    Ok(())
}

fn still_there(turn: &Turn) -> Verdict {
    let (before, after) = (turn.before, turn.after);
    let people = |state: &RoomConnectionState| {
        let others = state.remote_participants.iter();
        let others = others.map(|one| {
            let mut one = one.clone();
            (one.stream, one.presentation_stream, one.is_accepted) = (None, None, false);
            one.ended_shares.clear();
            one
        });
        others.collect::<Vec<_>>()
    };
    holds!(people(before) == people(after), "participants changed");
    holds!(before.chat_messages == after.chat_messages, "chat changed");
    holds!(
        before.waiting_participants == after.waiting_participants,
        "who waits changed"
    );
    Ok(())
}

/// Room-connection reference §7, invariant 10.
pub(super) fn a_loss_changes_the_status_alone(turn: &Turn) -> Verdict {
    let lost = Input::Socket(SocketEvent::Disconnected { will_retry: true });
    let for_good = Input::Socket(SocketEvent::Disconnected { will_retry: false });
    let is_loss = matches!(turn.cause, Cause::Input(input) if *input == lost || *input == for_good);
    if !is_loss {
        return Ok(());
    }
    still_there(turn)?;
    holds!(turn.sent().next().is_none(), "something was sent");
    let (before, after) = (turn.before, turn.after);
    holds!(
        before.local_participant == after.local_participant
            || before.connection_status == Status::Leaving,
        "oneself changed"
    );
    Ok(())
}

/// Room-connection reference §7, invariant 11.
pub(super) fn a_claim_is_shown_again(turn: &Turn) -> Verdict {
    for message in turn.sent() {
        if let ClientMessage::JoinRoom(join) = message {
            holds!(
                join.client_claim == turn.past.claim,
                "join_room with another claim than the last answer's"
            );
        }
    }
    Ok(())
}

// conformance: field.RoomConnectionState.knockResponse [client]
/// Room-connection reference §7, invariant 12.
pub(super) fn the_answer_to_a_knock_comes_from_the_host_alone(turn: &Turn) -> Verdict {
    let decided = match turn.signal() {
        Some(ServerMessage::KnockHandled(handled)) => {
            handled.client_id == turn.before.local_participant.id
                && matches!(
                    handled.resolution,
                    KnockResolution::OnHold | KnockResolution::Rejected
                )
        }
        _ => false,
    };
    holds!(
        decided || turn.is_join() || turn.before.knock_response == turn.after.knock_response,
        "{:?}",
        turn.after.knock_response
    );
    Ok(())
}

/// Room-connection reference §7, invariant 13.
pub(super) fn the_knock_of_somebody_else_changes_nothing(turn: &Turn) -> Verdict {
    if let Some(ServerMessage::KnockHandled(handled)) = turn.signal()
        && handled.client_id != turn.before.local_participant.id
    {
        holds!(turn.before == turn.after, "the state changed");
        holds!(turn.effects.is_empty(), "{:?}", turn.effects);
    }
    Ok(())
}
