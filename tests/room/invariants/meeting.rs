//! Waiting room, chat, recording, transcription, captions, groups as the host deals them.

use std::{collections::BTreeMap, time::Duration};

use roomd_protocol::{ClientMessage, ServerMessage, server::ChatMessageEvent};
use roomd_room::{
    Action, RoomEvent,
    state::{CloudRecordingStatus, LiveCaptionsStatus, LiveTranscriptionStatus},
};

use super::{Turn, Verdict, holds};

/// How long a caption is shown.
const SHOWN: Duration = Duration::from_secs(5);

// conformance: field.WaitingParticipantState.id field.RoomConnectionState.waitingParticipants [client]
/// Room-connection reference §7, invariant 40. Besides, as decided for a box: nobody waits twice, and an empty list of
/// a join is the truth.
pub(super) fn who_waits_knocked_and_did_not_leave(turn: &Turn) -> Verdict {
    let mut expected = turn.past.waiting.clone();
    match (turn.signal(), turn.joined()) {
        (_, Some(success)) => {
            expected = success
                .room
                .knockers
                .iter()
                .map(|one| one.client_id.clone())
                .collect();
        }
        (Some(ServerMessage::RoomKnocked(knocked)), _)
            if !expected.contains(&knocked.client_id)
                && knocked.client_id != turn.before.local_participant.id =>
        {
            expected.push(knocked.client_id.clone());
        }
        (Some(ServerMessage::KnockerLeft(left)), _) => expected.retain(|id| *id != left.client_id),
        _ if turn.is_join() => expected.clear(),
        _ => {}
    }
    let shown: Vec<_> = turn
        .after
        .waiting_participants
        .iter()
        .map(|one| one.id.clone())
        .collect();
    holds!(shown == expected, "{shown:?} instead of {expected:?}");
    Ok(())
}

// conformance: field.ChatMessage.removed [client]
/// Room-connection reference §7, invariant 41.
pub(super) fn the_chat_only_grows(turn: &Turn) -> Verdict {
    if turn.is_join() {
        return Ok(());
    }
    let (before, after) = (&turn.before.chat_messages, &turn.after.chat_messages);
    holds!(after.len() >= before.len(), "messages are gone");
    for (old, new) in before.iter().zip(after) {
        let mut expected = old.clone();
        expected.removed |= new.removed;
        holds!(*new == expected, "{old:?} became {new:?}");
    }
    Ok(())
}

fn growth(turn: &Turn) -> usize {
    if turn.is_join() {
        return 0;
    }
    let (before, after) = (&turn.before.chat_messages, &turn.after.chat_messages);
    after.len().saturating_sub(before.len())
}

/// Room-connection reference §7, invariant 42.
pub(super) fn every_message_is_told_once(turn: &Turn) -> Verdict {
    let news = turn
        .events()
        .filter(|event| matches!(event, RoomEvent::ChatNewMessage(_)));
    let count = news.count();
    holds!(
        count == growth(turn),
        "{count} events of {} messages",
        growth(turn)
    );
    let mut received = 0;
    for event in turn.events() {
        if let RoomEvent::ChatMessageReceived { client, .. } = event {
            received += 1;
            holds!(client.id != turn.after.local_participant.id, "from oneself");
        }
    }
    holds!(
        received <= count,
        "{received} notifications of {count} messages"
    );
    Ok(())
}

/// Room-connection reference §7, invariant 43.
pub(super) fn nothing_is_said_before_its_echo(turn: &Turn) -> Verdict {
    let echo = match turn.signal() {
        Some(ServerMessage::ChatMessage(event)) => matches!(**event, ChatMessageEvent::Message(_)),
        _ => false,
    };
    holds!(
        growth(turn) == usize::from(echo),
        "{} messages",
        growth(turn)
    );
    Ok(())
}

/// Room-connection reference §7, invariant 44.
pub(super) fn what_was_asked_for_is_not_asked_for_again(turn: &Turn) -> Verdict {
    let before = turn.before;
    let (goes_on, name) = match turn.act() {
        Some(Action::StartCloudRecording) => {
            let status = before.cloud_recording.as_ref().map(|one| one.status);
            let failed = status == Some(CloudRecordingStatus::Error);
            (status.is_some() && !failed, "start_recording")
        }
        Some(Action::StartLiveTranscription) => {
            let status = before.live_transcription.as_ref().map(|one| one.status);
            let failed = status == Some(LiveTranscriptionStatus::Error);
            (status.is_some() && !failed, "start_live_transcription")
        }
        Some(Action::StartLiveCaptions) => {
            let status = before.live_captions.as_ref().map(|one| one.status);
            let failed = status == Some(LiveCaptionsStatus::Error);
            (status.is_some() && !failed, "live_captions_enabled")
        }
        _ => return Ok(()),
    };
    let sent = turn.sends(name);
    holds!(sent == usize::from(!goes_on), "{name} {sent} times");
    Ok(())
}

/// Room-connection reference §7, invariant 45.
pub(super) fn captions_fade(turn: &Turn) -> Verdict {
    let log = turn
        .after
        .live_captions
        .iter()
        .flat_map(|captions| &captions.caption_log);
    for entry in log {
        let is_new = matches!(turn.signal(), Some(ServerMessage::LiveCaption(one)) if one.result_id == entry.result_id);
        let said = turn.past.captions.get(&entry.result_id);
        // A timer that is due is served before the clock goes on, so a turn may come at its very moment.
        let is_fresh = said.is_some_and(|at| turn.now.instant <= *at + SHOWN);
        holds!(is_new || is_fresh, "{} is still shown", entry.result_id);
    }
    Ok(())
}

/// Room-connection reference §7, invariant 48.
pub(super) fn only_known_devices_are_assigned(turn: &Turn) -> Verdict {
    for message in turn.sent() {
        if let ClientMessage::UpdateBreakoutSession(patch) = message {
            for device in patch.assignments.iter().flatten().map(|(device, _)| device) {
                let is_known = turn.past.devices.contains(device)
                    || turn.past.device.as_ref() == Some(device)
                    || turn.before.breakout_assignments.contains_key(device);
                holds!(is_known, "{device}");
            }
        }
    }
    Ok(())
}

/// Room-connection reference §7, invariant 49.
pub(super) fn dealing_is_even(turn: &Turn) -> Verdict {
    if !matches!(turn.act(), Some(Action::AssignAllBreakoutParticipants)) {
        return Ok(());
    }
    for message in turn.sent() {
        let ClientMessage::UpdateBreakoutSession(patch) = message else {
            continue;
        };
        let assignments = patch.assignments.clone().unwrap_or_default();
        let groups = turn.before.breakout.groups.clone().unwrap_or_default();
        let mut sizes: BTreeMap<_, _> = groups.keys().map(|group| (group.clone(), 0)).collect();
        for group in assignments.values() {
            *sizes.entry(group.clone()).or_insert(0) += 1;
        }
        let (least, most) = (sizes.values().min(), sizes.values().max());
        let spread = most.copied().unwrap_or(0) - least.copied().unwrap_or(0);
        holds!(spread <= 1, "{sizes:?}");
        for one in &turn.before.remote_participants {
            holds!(
                assignments.contains_key(&one.device_id),
                "{} has no group",
                one.id
            );
        }
    }
    Ok(())
}
