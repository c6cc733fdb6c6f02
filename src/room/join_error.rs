//! Why a room refuses a join: the words, what they mean, what to do.

/// One reason for which a join is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinError {
    /// The word in `connection_error`.
    pub word: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

macro_rules! join_errors {
    ($($word:literal: $meaning:literal, $remedy:literal;)*) => {
        /// Every word that is known. A server may send others; they are passed on as they are.
        pub const JOIN_ERRORS: &[JoinError] = &[
            $(JoinError { word: $word, meaning: $meaning, remedy: $remedy },)*
        ];
    };
}

join_errors! {
    "room_locked": "One has to knock.", "send knock, or join with a room key";
    "room_empty": "Nobody is there who could be joined.", "wait until somebody is in the room";
    "room_full": "The room has as many participants as it may.", "wait until somebody leaves, or raise the room's limit";
    "room_join_permission_denied": "This device or user may not enter.", "ask the owner of the room, or join with a room key";
    "unique_role_already_in_room": "There may be only one of this role, and it is there.", "let the other one leave first";
    "room_concurrency_control_error": "Too many meetings at once for this account.", "wait until another meeting ends";
    "room_unclaimed": "The room does not exist.", "create the room first, or check its name";
    "free_tier_exhausted": "The account's free minutes are used up.", "ask the owner of the room about the account";
    "room_meeting_time_exhausted": "The meeting has lasted as long as it may.", "wait, or ask the owner of the room about the account";
    "max_viewer_limit_reached": "The room has as many viewers as it may.", "wait until a viewer leaves";
    "host_presence_controls_error": "A host has to be there first.", "wait for the host, or join with a host's room key";
    "internal_server_error": "The service failed.", "wait; the box tries again by itself where it may";
    "invalid_assistant_key": "The assistant key is wrong.", "use a key that the organization handed out";
    "organization_assistant_not_found": "The organization has no such assistant.", "check the assistant key and the room's address";
    "organization_assistant_not_enabled": "The organization does not admit assistants.", "have assistants enabled, or join without assistantKey";
    "missing_parameters": "The join did not say enough.", "report this as a bug of roomd";
    "invalid_parameters": "The join said something impossible.", "check displayName and externalId, or report this as a bug of roomd";
    "invalid_room_name": "The room's name is not one.", "check the path of the room's address";
    "invalid_key": "The room key is wrong or has expired.", "use the key of the room's current link";
    "invalid_avatar": "The picture's address is not one.", "report this as a bug of roomd, which sends none";
    "media_server_required": "The room is for media servers only. Said by roomd, not by the service.", "use a room of mode normal: this version does not speak to media servers";
    "invalid_room_url": "The service knows no organization of that host. Said by roomd, not by the service.", "check the host in the room's address";
}

impl JoinError {
    /// What is known of a word.
    #[must_use]
    pub fn find(word: &str) -> Option<&'static Self> {
        JOIN_ERRORS.iter().find(|error| error.word == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_of_the_service_and_our_own_two_are_known_once_each() {
        let mut words: Vec<_> = JOIN_ERRORS.iter().map(|error| error.word).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 20 + 2);
        assert!(JoinError::find("room_full").is_some() && JoinError::find("new").is_none());
    }
}
