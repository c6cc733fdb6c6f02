//! Screenshares, tiles, spotlights, groups.

use std::collections::BTreeSet;

use roomd_protocol::{ClientMessage, ServerMessage};
use roomd_room::{
    RoomEvent,
    state::{ClientView, LocalScreenshareStatus},
};

use super::{Turn, Verdict, holds};

// conformance: field.LocalParticipantState.isScreensharing field.LocalScreenshareStatus.active [client]
// conformance: field.RoomConnectionState.localScreenshareStatus field.RoomConnectionState.screenshares [client]
// conformance: field.ScreenshareState.isLocal [client]
/// Room-connection reference §7, invariant 31.
pub(super) fn sharing_is_told_the_same_way_everywhere(turn: &Turn) -> Verdict {
    let after = turn.after;
    let is_active = after.local_screenshare_status == Some(LocalScreenshareStatus::Active);
    let shown = after
        .screenshares
        .iter()
        .filter(|share| share.is_local)
        .count();
    holds!(
        after.local_participant.is_screen_sharing == is_active && shown == usize::from(is_active),
        "status {:?}, participant {}, {shown} own screenshares",
        after.local_screenshare_status,
        after.local_participant.is_screen_sharing
    );
    Ok(())
}

/// Room-connection reference §7, invariant 32. A join announces again what goes on.
pub(super) fn a_share_starts_before_it_stops(turn: &Turn) -> Verdict {
    let mut going = turn.past.shares.clone();
    for message in turn.sent() {
        match message {
            ClientMessage::StartScreenshare(share) => holds!(
                going.insert(share.stream_id.clone()) || turn.joined().is_some(),
                "{} started twice",
                share.stream_id
            ),
            ClientMessage::StopScreenshare(share) => {
                holds!(
                    going.remove(&share.stream_id),
                    "{} stopped twice",
                    share.stream_id
                );
            }
            _ => {}
        }
    }
    Ok(())
}

/// Room-connection reference §7, invariant 33.
pub(super) fn came_and_went_balance(turn: &Turn) -> Verdict {
    let (before, after) = (turn.before, turn.after);
    let mut shares: BTreeSet<_> = before
        .screenshares
        .iter()
        .map(|one| one.id.to_string())
        .collect();
    let waiting = before.waiting_participants.iter();
    let mut waiting: BTreeSet<_> = waiting.map(|one| one.id.to_string()).collect();
    let front = before.spotlighted_participants.iter();
    let mut front: BTreeSet<_> = front.map(|view| view.id.clone()).collect();
    for event in turn.events() {
        let is_news = match event {
            RoomEvent::ScreenshareStarted(share) => shares.insert(share.id.to_string()),
            RoomEvent::ScreenshareStopped(id) => shares.remove(id.as_str()),
            RoomEvent::WaitingParticipantJoined(one) => waiting.insert(one.id.to_string()),
            RoomEvent::WaitingParticipantLeft(id) => waiting.remove(id.as_str()),
            RoomEvent::SpotlightParticipantAdded(view) => front.insert(view.id.clone()),
            RoomEvent::SpotlightParticipantRemoved(id) => front.remove(id),
            _ => true,
        };
        holds!(is_news, "{event:?} is no news");
    }
    let now: BTreeSet<_> = after
        .screenshares
        .iter()
        .map(|one| one.id.to_string())
        .collect();
    holds!(shares == now, "told {shares:?}, shared {now:?}");
    let now: BTreeSet<_> = after
        .waiting_participants
        .iter()
        .map(|one| one.id.to_string())
        .collect();
    holds!(waiting == now, "told {waiting:?}, wait {now:?}");
    let now: BTreeSet<_> = after
        .spotlighted_participants
        .iter()
        .map(|one| one.id.clone())
        .collect();
    holds!(front == now, "told {front:?}, in front {now:?}");
    Ok(())
}

/// Room-connection reference §7, invariant 34.
pub(super) fn tiles_are_unique_and_in_order(turn: &Turn) -> Verdict {
    let views = &turn.after.client_views;
    let ids: BTreeSet<_> = views.iter().map(|view| &view.id).collect();
    holds!(ids.len() == views.len(), "a tile twice");
    for (index, view) in views.iter().enumerate() {
        if let Some(owner) = view.id.strip_prefix("pres-") {
            let previous = index.checked_sub(1).map(|index| views[index].id.as_str());
            holds!(previous == Some(owner), "{} follows {previous:?}", view.id);
        }
        let is_own_camera = view.is_local_client && !view.is_presentation;
        holds!(
            !is_own_camera || index == 0,
            "the own tile is number {index}"
        );
    }
    Ok(())
}

/// Room-connection reference §7, invariant 35.
pub(super) fn spotlights_are_tiles_in_the_order_of_the_list(turn: &Turn) -> Verdict {
    let after = turn.after;
    let mut from = 0;
    let mut seen = BTreeSet::new();
    for view in &after.spotlighted_participants {
        holds!(after.client_views.contains(view), "{} is no tile", view.id);
        holds!(seen.insert(&view.id), "{} twice", view.id);
        let rest = &after.spotlights[from..];
        let place = rest
            .iter()
            .position(|pair| pair.client_id == view.client_id);
        let Some(place) = place else {
            return Err(format!("{} is out of order", view.id));
        };
        from += place;
    }
    Ok(())
}

/// Room-connection reference §7, invariant 36.
pub(super) fn nobody_who_left_is_in_front(turn: &Turn) -> Verdict {
    if let Some(ServerMessage::ClientLeft(left)) = turn.signal() {
        let mut pairs = turn.after.spotlights.iter();
        holds!(
            pairs.all(|pair| pair.client_id != left.client_id),
            "{}",
            left.client_id
        );
    }
    Ok(())
}

/// Room-connection reference §7, invariant 37.
pub(super) fn there_are_no_more_cameras_than_clients(turn: &Turn) -> Verdict {
    let cameras = turn
        .after
        .client_views
        .iter()
        .filter(|view| !view.is_presentation)
        .count();
    let clients = turn.after.remote_client_count + 1;
    holds!(cameras <= clients, "{cameras} tiles of {clients} clients");
    Ok(())
}

fn group(view: &ClientView) -> &str {
    view.breakout_group.as_deref().unwrap_or_default()
}

/// Room-connection reference §7, invariant 38.
pub(super) fn everybody_is_in_one_group(turn: &Turn) -> Verdict {
    let breakout = &turn.after.breakout;
    if !breakout.is_active || breakout.groups.is_none() {
        holds!(
            breakout.grouped_participants.is_empty(),
            "groups without a session"
        );
        return Ok(());
    }
    for view in &turn.after.client_views {
        let entries = breakout.grouped_participants.iter();
        let entries = entries.filter(|entry| entry.clients.iter().any(|one| one.id == view.id));
        let count = entries.count();
        let groups = breakout.groups.as_ref();
        let is_listed =
            group(view).is_empty() || groups.is_some_and(|all| all.contains_key(group(view)));
        holds!(count <= 1, "{} is in {count} groups", view.id);
        holds!(
            view.is_presentation || count == usize::from(is_listed),
            "{} of group {:?} is in {count} groups",
            view.id,
            group(view)
        );
    }
    Ok(())
}

/// Room-connection reference §7, invariant 39.
pub(super) fn outside_of_groups_everybody_is_together(turn: &Turn) -> Verdict {
    let after = turn.after;
    let own = after
        .local_participant
        .breakout_group
        .as_deref()
        .unwrap_or_default();
    if own.is_empty() || !after.breakout.is_active {
        let breakout = &after.breakout;
        holds!(
            breakout.participants_in_current_group == after.client_views,
            "somebody is not shown"
        );
        holds!(
            breakout.broadcasting_participants.is_empty(),
            "a broadcast in the main room"
        );
    }
    Ok(())
}
