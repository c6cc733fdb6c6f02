//! What is true of every client after each input, whatever came before: the invariants of the room connection, one
//! function for each, run on every turn of every simulated client.

mod meeting;
mod own_media;
mod participants;
mod past;
mod permissions;
mod status;
mod transcript;
mod views;

use roomd_protocol::{ClientMessage, ServerMessage};
use roomd_room::{Action, Effect, Input, Now, RoomConnectionState, RoomEvent};

use past::Past;
pub(crate) use transcript::Transcript;

/// What a client was given.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// An action that was carried out.
    Act(Action),
    /// An action that was refused.
    Refused(Action),
    /// Anything else.
    Input(Input),
}

/// One input of one client, and what came of it.
pub(crate) struct Turn<'a> {
    cause: &'a Cause,
    now: Now,
    before: &'a RoomConnectionState,
    after: &'a RoomConnectionState,
    effects: &'a [Effect],
    past: &'a Past,
}

/// Why an invariant does not hold.
type Verdict = Result<(), String>;

type Invariant = (&'static str, fn(&Turn) -> Verdict);

/// The invariants that can be seen on one client, by their numbers in the reference.
const INVARIANTS: &[Invariant] = &[
    ("1", status::every_change_of_the_status_is_an_edge),
    ("2", status::join_room_and_connecting_go_together),
    ("3", status::nobody_joins_before_the_device_is_identified),
    ("4", status::a_refused_join_is_not_repeated),
    ("5", status::knocking_and_leaving_need_their_status),
    ("7", status::kicked_and_left_are_final),
    ("8", status::a_join_starts_empty),
    ("9", status::leaving_keeps_what_was_known),
    ("10", status::a_loss_changes_the_status_alone),
    ("11", status::a_claim_is_shown_again),
    (
        "12",
        status::the_answer_to_a_knock_comes_from_the_host_alone,
    ),
    ("13", status::the_knock_of_somebody_else_changes_nothing),
    ("14", participants::ids_are_unique_and_not_ones_own),
    ("15", participants::programs_are_no_participants),
    ("16", participants::the_list_of_a_join_is_the_whole_truth),
    ("17", participants::who_is_known_stays_as_it_is),
    ("18", participants::who_is_unknown_cannot_leave),
    (
        "19",
        participants::a_switch_changes_one_flag_of_one_participant,
    ),
    ("20", participants::metadata_without_a_hand_lowers_it),
    ("21", participants::the_role_is_that_of_the_own_record),
    ("22", participants::assignments_follow_the_devices),
    ("23", own_media::each_switch_is_told_once),
    ("24", own_media::the_room_knows_what_was_told_last),
    ("25", own_media::who_speaks_has_no_hand_up),
    ("26", own_media::name_and_hand_are_told_once_for_each_change),
    ("27", own_media::a_hand_goes_up_once),
    ("28", own_media::a_host_can_mute_but_not_unmute),
    ("29", own_media::requests_come_from_participants),
    ("30", own_media::hands_are_told_to_hosts_in_turns),
    ("31", views::sharing_is_told_the_same_way_everywhere),
    ("32", views::a_share_starts_before_it_stops),
    ("33", views::came_and_went_balance),
    ("34", views::tiles_are_unique_and_in_order),
    ("35", views::spotlights_are_tiles_in_the_order_of_the_list),
    ("36", views::nobody_who_left_is_in_front),
    ("37", views::there_are_no_more_cameras_than_clients),
    ("38", views::everybody_is_in_one_group),
    ("39", views::outside_of_groups_everybody_is_together),
    ("40", meeting::who_waits_knocked_and_did_not_leave),
    ("41", meeting::the_chat_only_grows),
    ("42", meeting::every_message_is_told_once),
    ("43", meeting::nothing_is_said_before_its_echo),
    ("44", meeting::what_was_asked_for_is_not_asked_for_again),
    ("45", meeting::captions_fade),
    ("48", meeting::only_known_devices_are_assigned),
    ("49", meeting::dealing_is_even),
    ("50", permissions::only_hosts_moderate),
    ("51", permissions::nothing_is_sent_outside_of_the_room),
    ("54", permissions::events_tell_the_state),
];

/// Watches one client.
#[derive(Debug, Default)]
pub(crate) struct Watcher {
    past: Past,
}

impl Watcher {
    /// Judges a turn.
    ///
    /// # Panics
    /// When an invariant does not hold, with its number.
    pub(crate) fn judge(
        &mut self,
        cause: &Cause,
        now: Now,
        before: &RoomConnectionState,
        after: &RoomConnectionState,
        effects: &[Effect],
    ) -> Result<(), String> {
        let turn = Turn {
            cause,
            now,
            before,
            after,
            effects,
            past: &self.past,
        };
        for (number, holds) in INVARIANTS {
            holds(&turn).map_err(|why| format!("invariant {number}: {why}"))?;
        }
        let mut past = self.past.clone();
        past.note(&turn);
        self.past = past;
        Ok(())
    }
}

impl<'a> Turn<'a> {
    fn sent(&self) -> impl Iterator<Item = &'a ClientMessage> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::Send(message) => Some(message),
            _ => None,
        })
    }

    /// How often an event of that name was sent.
    fn sends(&self, name: &str) -> usize {
        self.sent().filter(|message| message.name() == name).count()
    }

    fn events(&self) -> impl Iterator<Item = &'a RoomEvent> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::Event(event) => Some(event),
            _ => None,
        })
    }

    fn signal(&self) -> Option<&'a ServerMessage> {
        match self.cause {
            Cause::Input(Input::Signal(message)) => Some(message),
            _ => None,
        }
    }

    fn act(&self) -> Option<&'a Action> {
        match self.cause {
            Cause::Act(action) => Some(action),
            _ => None,
        }
    }

    fn is_join(&self) -> bool {
        matches!(self.act(), Some(Action::JoinRoom(_)))
    }

    /// The answer that lets in, where it is wanted and can be used.
    fn joined(&self) -> Option<&'a roomd_protocol::server::RoomJoinedSuccess> {
        use roomd_protocol::server::RoomJoined;
        match self.signal() {
            Some(ServerMessage::RoomJoined(joined)) => match &**joined {
                RoomJoined::Success(success)
                    if self.past.active && success.room.sfu_server.is_none() =>
                {
                    Some(success)
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// An invariant's condition and what is wrong when it does not hold.
macro_rules! holds {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err(format!($($words)+));
        }
    };
}
use holds;
