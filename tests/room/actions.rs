//! Everything that somebody may do in a room, for tests that do it at random: one line for each action.

use indexmap::IndexMap;
use roomd_protocol::ClientId;
use roomd_room::{Action, BreakoutSessionSettings, RoomConnectionState};

/// What an action is made from: the state of who acts, ids that occur, and a number that chooses.
pub(crate) struct Choice<'a> {
    pub(crate) state: &'a RoomConnectionState,
    /// Ids that actions may name.
    pub(crate) ids: &'a [ClientId],
    pub(crate) number: usize,
}

/// How often in comparison, the name, the action; `None` where there is nothing to do it with.
type Line = (u32, &'static str, fn(&Choice) -> Option<Action>);

/// All of them but joining, which needs a room.
pub(crate) const ACTIONS: &[Line] = &[
    (8, "toggleMicrophone", |c| {
        Some(Action::ToggleMicrophone(c.wish()))
    }),
    (8, "toggleCamera", |c| Some(Action::ToggleCamera(c.wish()))),
    (8, "toggleRaiseHand", |c| {
        Some(Action::ToggleRaiseHand(c.wish()))
    }),
    (4, "setDisplayName", |c| {
        Some(Action::SetDisplayName(format!("name {}", c.number % 9)))
    }),
    (1, "toggleLowDataMode", |c| {
        Some(Action::ToggleLowDataMode(c.wish()))
    }),
    (1, "toggleHdMode", |c| Some(Action::ToggleHdMode(c.wish()))),
    (1, "toggleWidescreenMode", |c| {
        Some(Action::ToggleWidescreenMode(c.wish()))
    }),
    (12, "startScreenshare", |_| {
        Some(Action::StartScreenshare { source: None })
    }),
    (12, "stopScreenshare", |_| Some(Action::StopScreenshare)),
    (6, "sendChatMessage", |c| Some(c.message())),
    (5, "removeChatMessage", |c| {
        Some(Action::RemoveChatMessage {
            message_id: c.written()?,
        })
    }),
    (4, "lockRoom", |c| Some(Action::LockRoom(c.flag()))),
    (4, "askToSpeak", |c| Some(Action::AskToSpeak(c.somebody()?))),
    (4, "askToTurnOnCamera", |c| {
        Some(Action::AskToTurnOnCamera(c.somebody()?))
    }),
    (8, "muteParticipants", |c| {
        Some(Action::MuteParticipants(vec![c.somebody()?]))
    }),
    (4, "turnOffParticipantCameras", |c| {
        Some(Action::TurnOffParticipantCameras(vec![c.somebody()?]))
    }),
    (4, "spotlightParticipant", |c| {
        Some(Action::SpotlightParticipant(c.somebody()?))
    }),
    (4, "removeSpotlight", |c| {
        Some(Action::RemoveSpotlight(c.somebody()?))
    }),
    (4, "kickParticipant", |c| {
        Some(Action::KickParticipant(c.somebody()?))
    }),
    (2, "endMeeting", |c| {
        Some(Action::EndMeeting {
            stay_behind: c.flag(),
        })
    }),
    (8, "knock", |_| Some(Action::Knock)),
    (4, "cancelKnock", |_| Some(Action::CancelKnock)),
    (8, "acceptWaitingParticipant", |c| {
        Some(Action::AcceptWaitingParticipant(c.waiting()?))
    }),
    (4, "holdWaitingParticipant", |c| {
        Some(Action::HoldWaitingParticipant(c.waiting()?, c.word()))
    }),
    (4, "rejectWaitingParticipant", |c| {
        Some(Action::RejectWaitingParticipant(c.waiting()?, c.word()))
    }),
    (4, "leaveRoom", |_| Some(Action::LeaveRoom)),
    (2, "startCloudRecording", |_| {
        Some(Action::StartCloudRecording)
    }),
    (2, "stopCloudRecording", |_| {
        Some(Action::StopCloudRecording)
    }),
    (2, "startLiveTranscription", |_| {
        Some(Action::StartLiveTranscription)
    }),
    (2, "stopLiveTranscription", |_| {
        Some(Action::StopLiveTranscription)
    }),
    (2, "startLiveCaptions", |_| Some(Action::StartLiveCaptions)),
    (2, "stopLiveCaptions", |_| Some(Action::StopLiveCaptions)),
    (6, "joinBreakoutGroup", |c| {
        Some(Action::JoinBreakoutGroup(c.group()))
    }),
    (4, "joinBreakoutMainRoom", |_| {
        Some(Action::JoinBreakoutMainRoom)
    }),
    (6, "startBreakoutSession", |c| {
        Some(Action::StartBreakoutSession {
            groups: c.groups(),
            assignments: c.flag().then(|| c.assignments()),
            settings: c.settings(),
        })
    }),
    (3, "updateBreakoutSession", |c| {
        Some(Action::UpdateBreakoutSession {
            groups: c.flag().then(|| c.groups()),
            assignments: None,
            settings: c.settings(),
        })
    }),
    (2, "stopBreakoutSession", |_| {
        Some(Action::StopBreakoutSession)
    }),
    (2, "assignBreakoutParticipants", |c| {
        Some(Action::AssignBreakoutParticipants(c.assignments()))
    }),
    (2, "assignAllBreakoutParticipants", |_| {
        Some(Action::AssignAllBreakoutParticipants)
    }),
    (1, "unassignAllBreakoutParticipants", |_| {
        Some(Action::UnassignAllBreakoutParticipants)
    }),
    (2, "shuffleBreakoutParticipants", |_| {
        Some(Action::ShuffleBreakoutParticipants)
    }),
    (1, "extendBreakoutTimer", |c| {
        Some(Action::ExtendBreakoutTimer(c.flag().then_some(5.0)))
    }),
    (1, "stopBreakoutTimer", |_| Some(Action::StopBreakoutTimer)),
    (2, "broadcastToGroups", |c| {
        Some(Action::BroadcastToGroups(c.somebody()?))
    }),
    (2, "stopBroadcastToGroups", |c| {
        Some(Action::StopBroadcastToGroups(c.somebody()?))
    }),
];

impl Choice<'_> {
    fn flag(&self) -> bool {
        self.number.is_multiple_of(2)
    }

    fn wish(&self) -> Option<bool> {
        [None, Some(true), None, Some(false)][self.number % 4]
    }

    fn word(&self) -> Option<String> {
        self.flag().then(|| " a word ".to_owned())
    }

    fn somebody(&self) -> Option<ClientId> {
        let count = self.ids.len().max(1);
        self.ids.get(self.number % count).cloned()
    }

    fn waiting(&self) -> Option<ClientId> {
        self.state
            .waiting_participants
            .first()
            .map(|one| one.id.clone())
    }

    fn message(&self) -> Action {
        Action::SendChatMessage {
            text: format!("text {}", self.number % 100),
            parent_id: self.written().filter(|_| self.flag()),
            is_broadcast: self.number.is_multiple_of(3),
        }
    }

    fn written(&self) -> Option<String> {
        let messages = &self.state.chat_messages;
        let count = messages.len().max(1);
        messages.get(self.number % count).map(|one| one.id.clone())
    }

    fn group(&self) -> String {
        ["a", "b", "c"][self.number % 3].to_owned()
    }

    fn groups(&self) -> IndexMap<String, String> {
        ["a", "b", "c"]
            .into_iter()
            .take(1 + self.number % 3)
            .map(|id| (id.to_owned(), format!("Group {id}")))
            .collect()
    }

    fn assignments(&self) -> IndexMap<ClientId, String> {
        let groups = ["a", "b", ""];
        let people = self.ids.iter().enumerate();
        people
            .filter(|(index, _)| self.number >> index & 1 == 0)
            .map(|(index, id)| (id.clone(), groups[(self.number + index) % 3].to_owned()))
            .collect()
    }

    fn settings(&self) -> BreakoutSessionSettings {
        let bit = |index: u32| self.number >> index & 1 == 1;
        BreakoutSessionSettings {
            enforce_assignment: bit(4).then_some(bit(5)),
            auto_move_to_group: Some(bit(6)),
            auto_move_to_main: Some(bit(7)),
            move_to_group_grace_period: bit(8).then_some(1.0),
            move_to_main_grace_period: bit(9).then_some(1.0),
            breakout_timer_setting: Some(bit(10)),
            breakout_timer_duration: bit(10).then_some(4.0),
        }
    }
}

/// The line of an action by its weight: `at` counts up to [`total`].
pub(crate) fn line(mut at: u32) -> &'static Line {
    for line in ACTIONS {
        match at.checked_sub(line.0) {
            Some(rest) => at = rest,
            None => return line,
        }
    }
    &ACTIONS[0]
}

/// The sum of all weights.
pub(crate) fn total() -> u32 {
    ACTIONS.iter().map(|line| line.0).sum()
}

/// The line of that name.
pub(crate) fn named(name: &str) -> &'static Line {
    ACTIONS.iter().find(|line| line.1 == name).unwrap()
}
