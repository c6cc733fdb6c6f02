//! Meetings: rooms that somebody made beforehand, and how a request for one is read.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use roomd_protocol::{
    records::{RoleName, RoomMode},
    rest::{CreateMeeting, Meeting, RoomNamePattern},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use url::Url;

use crate::{
    clock::{Now, iso},
    ids::IdSource,
    keys::{Keys, RoomKey},
};

/// How long a room outlives the end of its meeting.
const AFTER_THE_END: Duration = Duration::from_secs(3600);

/// Longest prefix of a room name.
const PREFIX_LIMIT: usize = 39;

/// Members that a request may have. The last two are taken and mean nothing here.
const MEMBERS: [&str; 9] = [
    "endDate",
    "isLocked",
    "roomMode",
    "roomNamePrefix",
    "roomNamePattern",
    "templateType",
    "fields",
    "recording",
    "startDate",
];

/// A meeting as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingRecord {
    /// Id of the meeting.
    pub meeting_id: String,
    /// Its room, with the leading slash.
    pub room_name: String,
    /// Whether one has to knock; follows `set_lock`.
    pub is_locked: bool,
    /// Mode of the room.
    pub mode: RoomMode,
    /// When it was made.
    pub start: Timestamp,
    /// When it ends; the room goes an hour later.
    pub end: Timestamp,
}

/// Which extra addresses an answer carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtraUrls {
    /// `hostRoomUrl`.
    pub host: bool,
    /// `viewerRoomUrl`.
    pub viewer: bool,
    /// `recorderRoomUrl`.
    pub recorder: bool,
    /// `streamerRoomUrl`.
    pub streamer: bool,
    /// `captionerRoomUrl`.
    pub captioner: bool,
}

impl ExtraUrls {
    /// The members that may be asked for.
    const FIELDS: [&str; 5] = [
        "hostRoomUrl",
        "viewerRoomUrl",
        "recorderRoomUrl",
        "streamerRoomUrl",
        "captionerRoomUrl",
    ];

    fn named(has: impl Fn(&str) -> bool) -> Self {
        let [host, viewer, recorder, streamer, captioner] = Self::FIELDS.map(has);
        Self {
            host,
            viewer,
            recorder,
            streamer,
            captioner,
        }
    }
}

/// What is wrong with a request, for whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
#[error("{field} = {value}: {remedy}")]
pub struct InvalidMeeting {
    /// The member.
    pub field: String,
    /// What it was, shortened.
    pub value: String,
    /// What to write instead.
    pub remedy: String,
}

impl MeetingRecord {
    /// When the room goes, on the monotonic clock. A long way off is looked at again in an hour,
    /// because the wall clock may be set.
    #[must_use]
    pub fn over_at(&self, now: Now) -> Instant {
        let end = self.end.as_second() + AFTER_THE_END.as_secs() as i64;
        let rest = (end - now.wall.as_second()).clamp(0, 3600);
        now.monotonic + Duration::from_secs(rest.unsigned_abs())
    }

    /// A new meeting after the wishes of `request`, which [`read_request`] has checked.
    #[must_use]
    pub fn new(now: Now, request: &CreateMeeting, end: Timestamp, ids: &mut dyn IdSource) -> Self {
        let is_viewer_mode = request.template_type.is_some();
        let rest = match request.room_name_pattern {
            RoomNamePattern::Uuid => ids.next_id(),
            RoomNamePattern::HumanShort => human_short(&ids.next_id()),
        };
        Self {
            meeting_id: ids.next_id(),
            room_name: format!("/{}{rest}", request.room_name_prefix),
            is_locked: request.is_locked || is_viewer_mode,
            mode: if is_viewer_mode {
                RoomMode::Group
            } else {
                request.room_mode
            },
            start: now.wall,
            end,
        }
    }

    /// The meeting as the API shows it.
    #[must_use]
    pub fn to_answer(&self, base: &Url, keys: &Keys, extra: ExtraUrls) -> Meeting {
        let room_url = match base.join(&self.room_name) {
            Ok(url) => url.to_string(),
            // Room names of meetings are made of letters, digits and hyphens.
            Err(_) => base.to_string(),
        };
        let with_key = |role| {
            let key = keys.room_key(RoomKey {
                room: self.room_name.clone(),
                meeting: Some(self.meeting_id.clone()),
                role,
                device: None,
                client: None,
            });
            format!("{room_url}?roomKey={}", key.reveal()).into()
        };
        Meeting {
            meeting_id: self.meeting_id.clone(),
            room_name: self.room_name.clone(),
            start_date: iso(self.start),
            end_date: iso(self.end),
            host_room_url: extra.host.then(|| with_key(RoleName::Host)),
            viewer_room_url: extra.viewer.then(|| with_key(RoleName::Viewer)),
            recorder_room_url: extra.recorder.then(|| with_key(RoleName::Recorder)),
            streamer_room_url: extra.streamer.then(|| with_key(RoleName::Streamer)),
            captioner_room_url: extra.captioner.then(|| with_key(RoleName::Captioner)),
            room_url,
        }
    }
}

/// Reads the body of `POST /v1/meetings`.
///
/// # Errors
/// Names the first member that cannot be, its value and what to write instead.
pub fn read_request(
    body: &[u8],
    now: Now,
) -> Result<(CreateMeeting, Timestamp, ExtraUrls), InvalidMeeting> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        invalid(
            "body",
            &Value::Null,
            &format!("send a JSON object ({error})"),
        )
    })?;
    let Value::Object(members) = &value else {
        return Err(invalid("body", &value, "send a JSON object"));
    };
    if let Some((name, value)) = members
        .iter()
        .find(|(name, _)| !MEMBERS.contains(&name.as_str()))
    {
        let remedy = format!("leave it out; the members are {}", MEMBERS.join(", "));
        return Err(invalid(name, value, &remedy));
    }
    for name in MEMBERS {
        if let Some(value) = members.get(name) {
            check_member(name, value)?;
        }
    }
    let end_text = members.get("endDate").unwrap_or(&Value::Null);
    let example = "an ISO 8601 time in the future, for example 2030-01-31T16:30:00.000Z";
    let end = end_text
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok())
        .filter(|end| *end > now.wall)
        .ok_or_else(|| invalid("endDate", end_text, example))?;
    let mut request: CreateMeeting = serde_json::from_value(value.clone())
        .map_err(|error| invalid("body", &value, &error.to_string()))?;
    if !members.contains_key("roomNamePattern") {
        // People see it on pages and displays, and sometimes have to type it.
        request.room_name_pattern = RoomNamePattern::HumanShort;
    }
    let is_viewer_mode = request.template_type.is_some();
    let mut extra = ExtraUrls::named(|name| request.fields.iter().any(|field| field == name));
    extra.host |= is_viewer_mode;
    extra.viewer |= is_viewer_mode;
    Ok((request, end, extra))
}

/// Reads the query member `fields` of `GET /v1/meetings/{id}`.
#[must_use]
pub fn read_fields(fields: &str) -> ExtraUrls {
    ExtraUrls::named(|name| fields.split(',').any(|field| field.trim() == name))
}

fn check_member(name: &str, value: &Value) -> Result<(), InvalidMeeting> {
    let (is_good, remedy) = match name {
        "isLocked" => (value.is_boolean(), "true or false"),
        "roomMode" => (
            is_one_of(value, &["normal", "group"]),
            "\"normal\" or \"group\"",
        ),
        "roomNamePrefix" => (
            value.as_str().is_some_and(is_prefix),
            "at most 39 of the characters a-z, 0-9 and -",
        ),
        "roomNamePattern" => (
            is_one_of(value, &["uuid", "human-short"]),
            "\"uuid\" or \"human-short\"",
        ),
        "templateType" => (
            is_one_of(value, &["viewerMode"]),
            "\"viewerMode\", or leave it out",
        ),
        "fields" => (
            value.as_array().is_some_and(|fields| {
                let known = |field| is_one_of(field, &ExtraUrls::FIELDS);
                fields.iter().all(known)
            }),
            "a list of \"hostRoomUrl\", \"viewerRoomUrl\", \"recorderRoomUrl\", \"streamerRoomUrl\" and \
             \"captionerRoomUrl\"",
        ),
        "recording" => (
            value
                .get("type")
                .is_some_and(|kind| is_one_of(kind, &["none"])),
            "{\"type\": \"none\"}, or leave it out: recordings begin when a host asks for one",
        ),
        _ => (true, ""),
    };
    if is_good {
        Ok(())
    } else {
        Err(invalid(name, value, remedy))
    }
}

fn is_one_of(value: &Value, words: &[&str]) -> bool {
    value.as_str().is_some_and(|text| words.contains(&text))
}

fn is_prefix(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= PREFIX_LIMIT && text.bytes().all(is_allowed)
}

fn invalid(field: &str, value: &Value, remedy: &str) -> InvalidMeeting {
    let mut value = value.to_string();
    if let Some((end, _)) = value.char_indices().nth(100) {
        value.truncate(end);
        value.push('…');
    }
    InvalidMeeting {
        field: field.chars().take(100).collect(),
        value,
        remedy: remedy.to_owned(),
    }
}

/// A name that can be read out and copied by hand, and cannot be guessed: `k7fd-2mqx-9hta`, 60 random
/// bits of a UUID in characters of which no two look alike.
fn human_short(id: &str) -> String {
    let bits = id
        .chars()
        .filter_map(|c| c.to_digit(16))
        .enumerate()
        // The version and the variant are the same in every id (RFC 9562 §5.4).
        .filter(|(at, _)| !matches!(at, 12 | 16))
        .take(15)
        .fold(0_u64, |bits, (_, digit)| (bits << 4) | u64::from(digit));
    let mut name = String::with_capacity(14);
    for place in 0..12 {
        if place % 4 == 0 && place > 0 {
            name.push('-');
        }
        let five_bits = (bits >> (5 * (11 - place))) & 0b1_1111;
        name.push(char::from(LETTERS[five_bits as usize]));
    }
    name
}

/// Digits and letters without `i`, `l`, `o` and `u`, which are taken for others.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ids::RandomIds, keys::SIGNING_KEY_LENGTH};

    fn now() -> Now {
        Now {
            monotonic: Instant::now(),
            wall: "2026-11-23T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn every_wrong_member_is_named_with_its_value_and_the_remedy() {
        let end = r#""endDate":"2030-01-01T00:00:00Z""#;
        for (body, field, value) in [
            ("nonsense".to_owned(), "body", "null"),
            ("[]".to_owned(), "body", "[]"),
            ("{}".to_owned(), "endDate", "null"),
            (r#"{"endDate":7}"#.to_owned(), "endDate", "7"),
            (
                r#"{"endDate":"tomorrow"}"#.to_owned(),
                "endDate",
                "tomorrow",
            ),
            (
                r#"{"endDate":"2020-01-01T00:00:00Z"}"#.to_owned(),
                "endDate",
                "2020",
            ),
            (format!(r#"{{{end},"isLocked":"yes"}}"#), "isLocked", "yes"),
            (
                format!(r#"{{{end},"roomMode":"large"}}"#),
                "roomMode",
                "large",
            ),
            (
                format!(r#"{{{end},"roomNamePrefix":"A b"}}"#),
                "roomNamePrefix",
                "A b",
            ),
            (
                format!(r#"{{{end},"roomNamePattern":"x"}}"#),
                "roomNamePattern",
                "x",
            ),
            (
                format!(r#"{{{end},"templateType":"x"}}"#),
                "templateType",
                "x",
            ),
            (format!(r#"{{{end},"fields":["x"]}}"#), "fields", "x"),
            (
                format!(r#"{{{end},"recording":{{"type":"cloud"}}}}"#),
                "recording",
                "cloud",
            ),
            (format!(r#"{{{end},"isLoked":true}}"#), "isLoked", "true"),
        ] {
            let error = read_request(body.as_bytes(), now()).unwrap_err();
            assert_eq!(error.field, field, "{body}");
            assert!(error.value.contains(value), "{body}: {error}");
            assert!(!error.remedy.is_empty(), "{body}");
        }
    }

    #[test]
    fn the_request_of_the_sample_application_is_taken() {
        let body = br#"{"isLocked":true,"roomMode":"normal","roomNamePrefix":"sdk-e2e-",
            "endDate":"2026-11-23T16:30:00.000Z","fields":["hostRoomUrl"],
            "recording":{"type":"none","destination":{}}}"#;
        let (request, end, extra) = read_request(body, now()).unwrap();
        let meeting = MeetingRecord::new(now(), &request, end, &mut RandomIds);
        assert!(meeting.is_locked && meeting.room_name.starts_with("/sdk-e2e-"));
        let keys = Keys::new(&[1; SIGNING_KEY_LENGTH]);
        let base = Url::parse("https://rooms.example.org/").unwrap();
        let answer = meeting.to_answer(&base, &keys, extra);
        assert_eq!(
            answer.room_url,
            format!("https://rooms.example.org{}", meeting.room_name)
        );
        assert_eq!(answer.end_date, "2026-11-23T16:30:00.000Z");
        assert!(answer.viewer_room_url.is_none());
        let url = Url::parse(answer.host_room_url.unwrap().reveal()).unwrap();
        let (_, key) = url
            .query_pairs()
            .find(|(name, _)| name == "roomKey")
            .unwrap();
        let key = keys.read_room_key(&key.into_owned().into()).unwrap();
        assert_eq!((key.role, key.room), (RoleName::Host, meeting.room_name));
    }

    #[test]
    fn viewer_mode_is_locked_group_and_has_both_addresses() {
        let body = br#"{"endDate":"2030-01-01T00:00:00Z","templateType":"viewerMode"}"#;
        let (request, end, extra) = read_request(body, now()).unwrap();
        let meeting = MeetingRecord::new(now(), &request, end, &mut RandomIds);
        assert!(meeting.is_locked && meeting.mode == RoomMode::Group);
        assert!(extra.host && extra.viewer);
    }

    fn name_of(members: &str) -> String {
        let body = format!(r#"{{"endDate":"2030-01-01T00:00:00Z"{members}}}"#);
        let (request, end, _) = read_request(body.as_bytes(), now()).unwrap();
        MeetingRecord::new(now(), &request, end, &mut RandomIds).room_name
    }

    #[test]
    fn a_room_has_a_short_name_unless_a_uuid_is_asked_for() {
        for members in ["", r#","roomNamePattern":"human-short""#] {
            let name = name_of(members);
            let groups: Vec<&str> = name.strip_prefix('/').unwrap().split('-').collect();
            assert_eq!(groups.len(), 3, "{name}");
            assert!(groups.iter().all(|group| group.len() == 4), "{name}");
        }
        let name = name_of(r#","roomNamePattern":"uuid""#);
        assert!(uuid::Uuid::parse_str(&name[1..]).is_ok(), "{name}");
        assert!(name_of(r#","roomNamePrefix":"board-""#).starts_with("/board-"));
    }

    #[test]
    fn a_short_name_is_made_of_the_random_bits_alone_and_of_all_of_them() {
        let name = human_short("0f1e2d3c-4b5a-4678-9abc-def012345678");
        assert_eq!(name, "1wf2-tf2b-b9kr");
        let same = human_short("0f1e2d3c-4b5a-7678-babc-def012345678");
        assert_eq!(same, name, "version and variant are no part of it");
        let zero = "00000000-0000-4000-8000-000000000000";
        let mut names = std::collections::BTreeSet::from([human_short(zero)]);
        for at in (0..13).filter(|at| ![8, 13].contains(at)).chain(15..18) {
            for digit in ["1", "2", "4", "8"] {
                let mut id = zero.to_owned();
                id.replace_range(at..=at, digit);
                names.insert(human_short(&id));
            }
        }
        assert_eq!(names.len(), 61, "each of 60 bits makes another name");
    }

    proptest! {
        #[test]
        fn reading_a_request_never_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_request(&body, now());
        }
    }
}
