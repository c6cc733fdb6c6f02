//! The box's state → what is published of it, and when.
//!
//! Pure: each part has a version that counts up and the time of its change; a part is sent when it
//! changed, at most ten times a second, the last value always.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::command::MAX_PAYLOAD;
use crate::appliance::ApplianceState;

/// Least time between two publications of a part.
pub const INTERVAL: Duration = Duration::from_millis(100);

/// One state topic.
pub struct Part {
    /// Last level of the topic.
    pub name: &'static str,
    /// Where arrays and what may be absent stand in the payload.
    pub member: Option<&'static str>,
    content: fn(&ApplianceState) -> Result<Value, serde_json::Error>,
    same: fn(&ApplianceState, &ApplianceState) -> bool,
}

macro_rules! part {
    ($field:ident) => {
        part!($field, None)
    };
    ($field:ident in $member:literal) => {
        part!($field, Some($member))
    };
    ($field:ident, $member:expr) => {
        Part {
            name: stringify!($field),
            member: $member,
            content: |state| to_value(&state.$field),
            same: |a, b| Arc::ptr_eq(&a.$field, &b.$field) || a.$field == b.$field,
        }
    };
}

/// Every state topic.
pub static PARTS: &[Part] = &[
    part!(room),
    part!(local_participant),
    part!(remote_participants in "remoteParticipants"),
    part!(waiting_participants in "waitingParticipants"),
    part!(screenshares in "screenshares"),
    part!(spotlights in "spotlights"),
    part!(client_views in "clientViews"),
    part!(chat in "chat"),
    part!(cloud_recording in "cloudRecording"),
    part!(live_stream in "liveStream"),
    part!(live_transcription in "liveTranscription"),
    part!(live_captions in "liveCaptions"),
    part!(breakout),
    part!(local_media),
    part!(problems in "problems"),
];

fn to_value<T: Serialize>(part: &Arc<T>) -> Result<Value, serde_json::Error> {
    serde_json::to_value(part.as_ref())
}

/// What is due to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The part.
    pub part: &'static str,
    /// Its payload.
    pub payload: String,
}

/// What was published of the state, and what is to be.
#[derive(Debug)]
pub struct Status {
    shown: ApplianceState,
    parts: Vec<Shown>,
}

#[derive(Debug)]
struct Shown {
    version: u64,
    at: Timestamp,
    /// To be published.
    pending: bool,
    sent: Option<Instant>,
}

impl Status {
    /// Nothing of `state` is published yet.
    #[must_use]
    pub fn new(state: ApplianceState, at: Timestamp) -> Self {
        let parts = PARTS
            .iter()
            .map(|_| Shown {
                version: 1,
                at,
                pending: true,
                sent: None,
            })
            .collect();
        Self {
            shown: state,
            parts,
        }
    }

    /// The state has changed.
    pub fn changed(&mut self, state: ApplianceState, at: Timestamp) {
        for (part, shown) in PARTS.iter().zip(&mut self.parts) {
            if !(part.same)(&self.shown, &state) {
                shown.version += 1;
                shown.at = at;
                shown.pending = true;
            }
        }
        self.shown = state;
    }

    /// Publish everything again, now: the broker may know nothing.
    pub fn again(&mut self) {
        for shown in &mut self.parts {
            shown.pending = true;
            shown.sent = None;
        }
    }

    /// Publish this part again when its time comes. False when there is no such part.
    pub fn part_again(&mut self, name: &str) -> bool {
        let found = PARTS.iter().position(|part| part.name == name);
        if let Some(index) = found {
            self.parts[index].pending = true;
        }
        found.is_some()
    }

    /// When something is due next.
    #[must_use]
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        self.parts
            .iter()
            .filter(|shown| shown.pending)
            .map(|shown| shown.sent.map_or(now, |sent| sent + INTERVAL))
            .min()
    }

    /// Takes what is due; `all` means that the interval does not matter any more.
    ///
    /// # Errors
    /// When a part cannot be written as JSON, with its name; it is not tried again until it
    /// changes, the others are not affected.
    pub fn due(
        &mut self,
        now: Instant,
        all: bool,
    ) -> Vec<Result<Due, (&'static str, serde_json::Error)>> {
        let shown_state = &self.shown;
        PARTS
            .iter()
            .zip(&mut self.parts)
            .filter(|(_, shown)| {
                let free = shown
                    .sent
                    .is_none_or(|sent| now.saturating_duration_since(sent) >= INTERVAL);
                shown.pending && (all || free)
            })
            .map(|(part, shown)| {
                shown.pending = false;
                shown.sent = Some(now);
                let payload = payload(part, shown_state, shown.version, shown.at)
                    .map_err(|error| (part.name, error))?;
                Ok(Due {
                    part: part.name,
                    payload,
                })
            })
            .collect()
    }
}

fn payload(
    part: &Part,
    state: &ApplianceState,
    version: u64,
    at: Timestamp,
) -> Result<String, serde_json::Error> {
    let mut object = Map::new();
    object.insert("version".to_owned(), Value::from(version));
    object.insert("at".to_owned(), Value::from(rfc3339(at)));
    let mut content = (part.content)(state)?;
    let Some(member) = part.member else {
        if let Value::Object(fields) = content {
            object.extend(fields);
        }
        return serde_json::to_string(&object);
    };
    loop {
        object.insert(member.to_owned(), content.clone());
        let text = serde_json::to_string(&object)?;
        let Value::Array(items) = &mut content else {
            return Ok(text);
        };
        if text.len() <= MAX_PAYLOAD || items.is_empty() {
            return Ok(text);
        }
        // The oldest first: in `chat` they matter least.
        items.drain(..items.len().div_ceil(8));
        object.insert("truncated".to_owned(), Value::Bool(true));
    }
}

/// RFC 3339 in UTC with milliseconds.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use roomd_room::state::ChatMessage;

    use super::*;
    use crate::appliance::state::RoomPart;

    fn at() -> Timestamp {
        "2026-11-23T10:00:00.5Z".parse().unwrap()
    }

    fn names(due: Vec<Result<Due, (&'static str, serde_json::Error)>>) -> Vec<&'static str> {
        due.into_iter().map(|due| due.unwrap().part).collect()
    }

    fn locked(is_locked: bool) -> ApplianceState {
        ApplianceState {
            room: Arc::new(RoomPart {
                is_locked,
                ..RoomPart::default()
            }),
            ..ApplianceState::default()
        }
    }

    #[test]
    fn every_part_of_the_state_has_its_topic_and_is_published_at_first() {
        let mut status = Status::new(ApplianceState::default(), at());
        assert_eq!(status.due(Instant::now(), false).len(), PARTS.len());
        assert_eq!(status.next_deadline(Instant::now()), None);
    }

    #[test]
    fn only_what_changed_is_published_at_most_ten_times_a_second_the_last_value_always() {
        let start = Instant::now();
        let mut status = Status::new(locked(false), at());
        status.due(start, false);
        status.changed(locked(true), at());
        assert!(status.due(start + INTERVAL / 2, false).is_empty());
        assert_eq!(status.next_deadline(start), Some(start + INTERVAL));
        status.changed(locked(false), at());
        status.changed(locked(true), at());
        let due = status.due(start + INTERVAL, false);
        assert_eq!(due.len(), 1);
        let due = due.into_iter().next().unwrap().unwrap();
        assert_eq!(due.part, "room");
        let payload: Value = serde_json::from_str(&due.payload).unwrap();
        assert_eq!(payload["isLocked"], true);
        assert_eq!(payload["version"], 4);
        assert_eq!(payload["at"], "2026-11-23T10:00:00.500Z");
        // The same value in another allocation is no change.
        status.changed(locked(true), at());
        assert!(status.due(start + 2 * INTERVAL, false).is_empty());
    }

    #[test]
    fn everything_is_published_again_on_demand_with_the_same_version() {
        let start = Instant::now();
        let mut status = Status::new(locked(false), at());
        let first = status.due(start, false);
        status.again();
        let again = status.due(start, false);
        assert_eq!(
            first.into_iter().map(Result::unwrap).collect::<Vec<_>>(),
            again.into_iter().map(Result::unwrap).collect::<Vec<_>>()
        );
        assert!(status.part_again("chat") && !status.part_again("no_such"));
        assert_eq!(names(status.due(start + INTERVAL, false)), ["chat"]);
    }

    #[test]
    fn arrays_and_absent_things_stand_in_a_member_of_their_own() {
        let mut status = Status::new(ApplianceState::default(), at());
        for due in status.due(Instant::now(), false) {
            let due = due.unwrap();
            let payload: Value = serde_json::from_str(&due.payload).unwrap();
            let object = payload.as_object().unwrap();
            match due.part {
                "chat" => assert_eq!(payload["chat"], Value::Array(Vec::new())),
                "cloud_recording" => {
                    assert!(object.contains_key("cloudRecording"));
                    assert!(payload["cloudRecording"].is_null());
                }
                _ => {}
            }
        }
    }

    #[test]
    fn a_chat_too_long_for_a_payload_loses_its_oldest_messages() {
        let message = |number: usize| ChatMessage {
            id: number.to_string(),
            sender_id: "a".into(),
            text: "x".repeat(4000),
            timestamp: String::new(),
            parent_id: None,
            sig: None,
            removed: false,
            file: None,
        };
        let state = ApplianceState {
            chat: Arc::new((0..50).map(message).collect()),
            ..ApplianceState::default()
        };
        let mut status = Status::new(state, at());
        let due = status.due(Instant::now(), false);
        let chat = due
            .into_iter()
            .flatten()
            .find(|due| due.part == "chat")
            .unwrap();
        assert!(chat.payload.len() <= MAX_PAYLOAD);
        let payload: Value = serde_json::from_str(&chat.payload).unwrap();
        assert_eq!(payload["truncated"], true);
        let messages = payload["chat"].as_array().unwrap();
        assert!(messages.len() >= 12);
        assert_eq!(messages.last().unwrap()["id"], "49");
    }
}
