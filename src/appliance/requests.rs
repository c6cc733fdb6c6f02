//! What others in the room ask of the box: to unmute, to turn the camera on.
//!
//! The configured policy answers at once, or the question stands until somebody at the box answers,
//! or until it has lost its meaning. That a host mutes the box or turns its camera off is no
//! question: the room core obeys, and no setting keeps it from that.

use std::{collections::VecDeque, time::Duration, time::Instant};

use roomd_protocol::ClientId;
use roomd_room::{Action, ConnectionStatus as Status, Now, state::RemoteParticipant};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    Appliance, ApplianceEvent, ApplianceOutput, ChangeSource, ChangedBy, CommandError, ErrorCode,
    outcomes::Outcome, settings::RequestPolicy,
};

/// How many questions that are over are remembered, so that a late answer is told why.
const REMEMBERED: usize = 32;

/// A question that waits for an answer: an item of `state/requests`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PendingRequest {
    /// What `answer_request` takes.
    pub request_id: String,
    /// What is asked for.
    pub kind: RequestKind,
    /// Who asks.
    pub participant_id: ClientId,
    /// Its shown name when it asked.
    pub display_name: String,
    /// Since when (RFC 3339).
    pub asked_at: String,
    /// Until when it may be answered (RFC 3339).
    pub expires_at: String,
}

/// What somebody asks for, in the words of `[room.requests]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// To unmute the microphone.
    Unmute,
    /// To turn the camera on.
    CameraOn,
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Accepted,
    Declined,
    Expired,
    Replaced,
    SwitchedOn,
    RequesterLeft,
    RoomLeft,
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Replaced => "replaced",
            Self::SwitchedOn => "switched_on",
            Self::RequesterLeft => "requester_left",
            Self::RoomLeft => "room_left",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Accepted => "it was accepted",
            Self::Declined => "it was declined",
            Self::Expired => "nobody answered it in time",
            Self::Replaced => "the same participant has asked again since",
            Self::SwitchedOn => "what it asked for was switched on meanwhile",
            Self::RequesterLeft => "whoever asked has left",
            Self::RoomLeft => "the box has left the room",
        }
    }
}

/// The questions that stand.
#[derive(Debug, Default)]
pub(super) struct Requests {
    open: Vec<OpenRequest>,
    /// The last ones that ended, the oldest first.
    over: VecDeque<(String, End)>,
    count: u64,
}

#[derive(Debug)]
struct OpenRequest {
    shown: PendingRequest,
    until: Instant,
}

impl Requests {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.open.iter().map(|open| open.until).min()
    }

    pub(super) fn list(&self) -> Vec<PendingRequest> {
        self.open.iter().map(|open| open.shown.clone()).collect()
    }

    /// The machine slept: that time counts as well, although the clock of deadlines stood still.
    pub(super) fn slept(&mut self, now: Now, asleep: Duration) {
        for open in &mut self.open {
            open.until = open.until.checked_sub(asleep).unwrap_or(now.instant);
        }
    }
}

impl Appliance {
    /// What the policy says to a kind of question.
    pub(super) fn request_policy(&self, kind: RequestKind) -> RequestPolicy {
        match kind {
            RequestKind::Unmute => self.settings.on_request_audio,
            RequestKind::CameraOn => self.settings.on_request_video,
        }
    }

    /// Somebody asks; the id under which the box may answer, if there is a question.
    pub(super) fn requested(
        &mut self,
        now: Now,
        kind: RequestKind,
        from: &RemoteParticipant,
    ) -> Option<String> {
        if self.is_on(kind) {
            return None;
        }
        match self.request_policy(kind) {
            RequestPolicy::Refuse => None,
            // What a switch forbids nobody in the room can grant; somebody at the box may release it.
            RequestPolicy::Accept if self.is_banned(kind) => Some(self.ask(now, kind, from)),
            RequestPolicy::Accept => {
                self.grant(now, kind, by_policy(from.id.clone()));
                None
            }
            RequestPolicy::Ask => Some(self.ask(now, kind, from)),
        }
    }

    fn ask(&mut self, now: Now, kind: RequestKind, from: &RemoteParticipant) -> String {
        self.end_requests(|open| {
            let is_same = open.shown.kind == kind && open.shown.participant_id == from.id;
            is_same.then_some(End::Replaced)
        });
        self.requests.count += 1;
        // With the time, so that an answer to a question of before a restart finds none.
        let id = format!(
            "{:x}-{}",
            now.wall.as_millisecond().unsigned_abs(),
            self.requests.count
        );
        let answer_within = self.settings.answer_within;
        let expires = now.wall.checked_add(answer_within).unwrap_or(now.wall);
        self.requests.open.push(OpenRequest {
            shown: PendingRequest {
                request_id: id.clone(),
                kind,
                participant_id: from.id.clone(),
                display_name: from.display_name.clone(),
                asked_at: format!("{:.3}", now.wall),
                expires_at: format!("{expires:.3}"),
            },
            until: now.instant + answer_within,
        });
        id
    }

    pub(super) fn answer_request(
        &mut self,
        now: Now,
        id: &str,
        accept: bool,
        by: ChangedBy,
    ) -> Result<Option<Outcome>, CommandError> {
        self.review_requests(now);
        let Some(kind) = self
            .requests
            .open
            .iter()
            .find(|open| open.shown.request_id == id)
            .map(|open| open.shown.kind)
        else {
            return Err(self.no_such_request(id));
        };
        if accept {
            self.check_switches(&switch_on(kind))?;
        }
        let end = if accept { End::Accepted } else { End::Declined };
        self.end_requests(|open| (open.shown.request_id == id).then_some(end));
        Ok(accept.then(|| self.grant(now, kind, by)))
    }

    /// The question that has waited longest, of this kind or of any.
    pub(super) fn first_request(&self, kind: Option<RequestKind>) -> Option<String> {
        let mut open = self.requests.open.iter();
        let first = open.find(|open| kind.is_none_or(|kind| open.shown.kind == kind));
        first.map(|open| open.shown.request_id.clone())
    }

    fn no_such_request(&self, id: &str) -> CommandError {
        let over = self.requests.over.iter().find(|(known, _)| known == id);
        let message = match over {
            Some((_, end)) => format!("the request {id:?} is over: {}", end.in_words()),
            None => format!("there is no open request {id:?}"),
        };
        CommandError::new(
            ErrorCode::NotFound,
            message,
            "take the requestId from state/requests; toggle_microphone and toggle_camera need no request",
        )
        .in_field("requestId")
    }

    /// Ends every question that has lost its meaning.
    pub(super) fn review_requests(&mut self, now: Now) {
        let room = self.room.state();
        let is_out = !self.room.is_active() || room.connection_status == Status::Ready;
        let (microphone, camera) = (room.is_microphone_enabled, room.is_camera_enabled);
        let others: Vec<ClientId> = room
            .remote_participants
            .iter()
            .map(|other| other.id.clone())
            .collect();
        self.end_requests(|open| {
            let is_on = match open.shown.kind {
                RequestKind::Unmute => microphone,
                RequestKind::CameraOn => camera,
            };
            if is_out {
                Some(End::RoomLeft)
            } else if is_on {
                Some(End::SwitchedOn)
            } else if !others.contains(&open.shown.participant_id) {
                Some(End::RequesterLeft)
            } else {
                (open.until <= now.instant).then_some(End::Expired)
            }
        });
    }

    fn end_requests(&mut self, judge: impl Fn(&OpenRequest) -> Option<End>) {
        for open in std::mem::take(&mut self.requests.open) {
            let Some(end) = judge(&open) else {
                self.requests.open.push(open);
                continue;
            };
            let shown = open.shown;
            self.outputs.push(ApplianceOutput::Event(ApplianceEvent {
                name: "request_ended".to_owned(),
                payload: json!({
                    "requestId": shown.request_id, "kind": shown.kind,
                    "participantId": shown.participant_id, "reason": end.as_str(),
                }),
            }));
            if self.requests.over.len() == REMEMBERED {
                self.requests.over.pop_front();
            }
            self.requests.over.push_back((shown.request_id, end));
        }
    }

    fn is_banned(&self, kind: RequestKind) -> bool {
        match kind {
            RequestKind::Unmute => self.bans.microphone.is_some(),
            RequestKind::CameraOn => self.bans.camera.is_some(),
        }
    }

    fn is_on(&self, kind: RequestKind) -> bool {
        match kind {
            RequestKind::Unmute => self.room.state().is_microphone_enabled,
            RequestKind::CameraOn => self.room.state().is_camera_enabled,
        }
    }

    fn grant(&mut self, now: Now, kind: RequestKind, by: ChangedBy) -> Outcome {
        let outcome = match kind {
            RequestKind::Unmute => {
                self.microphone_cause = Some(by);
                Outcome::Microphone(true)
            }
            RequestKind::CameraOn => {
                self.camera_cause = Some(by);
                Outcome::Camera(true)
            }
        };
        if let Err(error) = self.act(now, switch_on(kind)) {
            tracing::error!(?error, "a toggle is never refused");
        }
        outcome
    }
}

/// What a question asks for, as an action.
fn switch_on(kind: RequestKind) -> Action {
    match kind {
        RequestKind::Unmute => Action::ToggleMicrophone(Some(true)),
        RequestKind::CameraOn => Action::ToggleCamera(Some(true)),
    }
}

/// The policy did it, because this participant asked.
pub(super) fn by_policy(participant: ClientId) -> ChangedBy {
    ChangedBy {
        participant_id: Some(participant),
        ..ChangedBy::source(ChangeSource::Policy)
    }
}
