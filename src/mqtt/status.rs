//! The box's state → what is published of it, and when.
//!
//! Pure: each part has a version that counts up and the time of its change; a part is sent when it
//! changed, at most ten times a second, the last value always.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use schemars::Schema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{fitting::fitted, schema};
use crate::appliance::ApplianceState;

/// Time between two publications of a part that changes all the time.
pub const INTERVAL: Duration = Duration::from_millis(1000 / 7);
/// How many publications of a part may follow each other at once after a quiet time: a switch takes
/// several steps (`starting`, `on`), and whoever pressed it waits for the last. Together with
/// [`INTERVAL`] these are ten in any second.
pub const BURST: u32 = 3;

/// One state topic.
pub struct Part {
    /// Last level of the topic.
    pub name: &'static str,
    /// Where arrays and what may be absent stand in the payload.
    pub member: Option<&'static str>,
    content: fn(&ApplianceState) -> Result<Value, serde_json::Error>,
    same: fn(&ApplianceState, &ApplianceState) -> bool,
    schema: fn() -> Schema,
}

impl Part {
    /// JSON Schema of the payload.
    #[must_use]
    pub fn schema(&self) -> Value {
        schema::of_payload(self.name, self.member, (self.schema)())
    }
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
            schema: || schema::of_content(|state| &state.$field),
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
    part!(devices in "devices"),
    part!(controls),
    part!(requests in "requests"),
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
    pace: Pace,
}

/// The generic cell rate algorithm (ITU-T I.371): at most [`BURST`] at once and one more per [`INTERVAL`].
#[derive(Debug, Default)]
struct Pace {
    /// When the publications so far would have been made if they had come evenly, and one interval.
    spent_until: Option<Instant>,
}

impl Pace {
    /// The earliest time of the next publication, `None` for any.
    fn next(&self) -> Option<Instant> {
        let spent = self.spent_until?;
        Some(spent.checked_sub(INTERVAL * (BURST - 1)).unwrap_or(spent))
    }

    fn published(&mut self, now: Instant) {
        let from = self.spent_until.map_or(now, |spent| spent.max(now));
        self.spent_until = Some(from + INTERVAL);
    }
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
                pace: Pace::default(),
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
            shown.pace = Pace::default();
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
            .map(|shown| shown.pace.next().unwrap_or(now))
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
                let free = shown.pace.next().is_none_or(|next| now >= next);
                shown.pending && (all || free)
            })
            .map(|(part, shown)| {
                shown.pending = false;
                shown.pace.published(now);
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
    match (part.member, (part.content)(state)?) {
        (Some(member), content) => drop(object.insert(member.to_owned(), content)),
        (None, Value::Object(fields)) => object.extend(fields),
        (None, _) => {}
    }
    fitted(&object)
}

/// RFC 3339 in UTC with milliseconds.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use roomd_room::state::{
        BreakoutGroup, BreakoutState, ChatMessage, ClientView, GroupedParticipants,
    };

    use super::{super::command::MAX_PAYLOAD, *};
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
    fn steps_that_follow_each_other_are_published_at_once_and_all_changes_at_most_ten_times_a_second()
     {
        let start = Instant::now();
        let mut status = Status::new(locked(false), at());
        let times: Vec<Duration> = (0..5000)
            .map(Duration::from_millis)
            .filter(|after| {
                status.changed(locked(after.as_millis() % 2 == 1), at());
                names(status.due(start + *after, false)).contains(&"room")
            })
            .collect();
        assert!(times[2] < Duration::from_millis(3), "{times:?}");
        assert!(
            times
                .windows(11)
                .all(|eleven| eleven[10] - eleven[0] >= Duration::from_secs(1)),
            "{times:?}"
        );
        assert!(times.len() >= 35, "{times:?}");
    }

    #[test]
    fn only_what_changed_is_published_the_last_value_always() {
        let start = Instant::now();
        let mut status = Status::new(locked(false), at());
        for number in 0..BURST {
            status.changed(locked(number % 2 == 0), at());
            status.due(start, false);
        }
        status.changed(locked(false), at());
        assert!(status.due(start + INTERVAL / 2, false).is_empty());
        assert_eq!(status.next_deadline(start), Some(start + INTERVAL));
        status.changed(locked(true), at());
        status.changed(locked(false), at());
        status.changed(locked(true), at());
        let due = status.due(start + INTERVAL, false);
        assert_eq!(due.len(), 1);
        let due = due.into_iter().next().unwrap().unwrap();
        assert_eq!(due.part, "room");
        let payload: Value = serde_json::from_str(&due.payload).unwrap();
        assert_eq!(payload["isLocked"], true);
        assert_eq!(payload["version"], 8);
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

    #[test]
    fn breakout_groups_too_large_for_a_payload_keep_their_groups() {
        let view = |number: usize| ClientView {
            id: number.to_string(),
            client_id: number.to_string().into(),
            display_name: "x".repeat(300),
            stream: None,
            is_local_client: false,
            is_audio_enabled: true,
            is_video_enabled: true,
            is_presentation: false,
            has_active_presentation: None,
            breakout_group: None,
            breakout_group_assigned: None,
        };
        let views: Vec<ClientView> = (0..200).map(view).collect();
        let state = ApplianceState {
            breakout: Arc::new(BreakoutState {
                is_active: true,
                participants_in_current_group: views.clone(),
                grouped_participants: vec![GroupedParticipants {
                    clients: views,
                    group: BreakoutGroup::default(),
                }],
                ..BreakoutState::default()
            }),
            ..ApplianceState::default()
        };
        let mut status = Status::new(state, at());
        let due = status.due(Instant::now(), false);
        let breakout = due.into_iter().flatten().find(|due| due.part == "breakout");
        let payload = breakout.unwrap().payload;
        assert!(payload.len() <= MAX_PAYLOAD, "{} bytes", payload.len());
        let payload: Value = serde_json::from_str(&payload).unwrap();
        assert_eq!(payload["truncated"], true);
        assert_eq!(payload["isActive"], true);
        for left in [
            &payload["participantsInCurrentGroup"],
            &payload["groupedParticipants"][0]["clients"],
        ] {
            assert!(left.as_array().unwrap().len() > 30, "{left}");
        }
    }
}
