//! The one reply of a command, and the memory that gives a repeated command the same reply.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::appliance::{CommandError, ErrorCode};

/// How long the reply of a command with an id is remembered.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// How many replies are remembered at most; the oldest go first.
pub const REMEMBERED_REPLIES: usize = 4096;

/// How many further deliveries of a command that is being carried out are answered.
const FURTHER_DELIVERIES: usize = 16;

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// `id` of the command.
    pub id: Option<String>,
    /// Its name.
    pub command: String,
    /// The box that answers: many may answer a command to a group.
    pub device: String,
    /// True means that it is so now.
    pub ok: bool,
    /// What the command tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why it was not carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<CommandError>,
    /// Milliseconds from its arrival to this reply.
    pub took_ms: u64,
    /// When it ended (RFC 3339, UTC).
    pub at: String,
}

/// Where a reply goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Topic.
    pub topic: String,
    /// Returned with it (MQTT 5).
    pub correlation: Option<Vec<u8>>,
}

/// Whether a command was seen before.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// No; it is to be carried out.
    Never,
    /// It is being carried out; the destination will get the reply as well.
    InProgress,
    /// It was carried out, with this reply.
    Answered(Box<Reply>),
}

/// The replies of the last ten minutes by the ids of their commands.
#[derive(Debug, Default)]
pub struct Replies {
    entries: HashMap<String, Entry>,
    answered: VecDeque<(Instant, String)>,
}

#[derive(Debug)]
enum Entry {
    InProgress(Vec<Destination>),
    Answered(Box<Reply>),
}

impl Replies {
    /// A command with this key has arrived.
    pub fn arrived(&mut self, now: Instant, key: &str, destination: &Destination) -> Seen {
        self.forget(now);
        match self.entries.get_mut(key) {
            None => {
                self.entries
                    .insert(key.to_owned(), Entry::InProgress(Vec::new()));
                Seen::Never
            }
            Some(Entry::InProgress(further)) => {
                if further.len() < FURTHER_DELIVERIES {
                    further.push(destination.clone());
                }
                Seen::InProgress
            }
            Some(Entry::Answered(reply)) => Seen::Answered(reply.clone()),
        }
    }

    /// The command with this key has ended: where else its reply goes.
    pub fn ended(&mut self, now: Instant, key: &str, reply: &Reply) -> Vec<Destination> {
        // Who was turned away for lack of time may try again under the same id.
        let again = reply
            .error
            .as_ref()
            .is_some_and(|error| error.code == ErrorCode::RateLimited);
        let before = if again {
            self.entries.remove(key)
        } else {
            self.answered.push_back((now, key.to_owned()));
            let entry = Entry::Answered(Box::new(reply.clone()));
            self.entries.insert(key.to_owned(), entry)
        };
        self.forget(now);
        match before {
            Some(Entry::InProgress(further)) => further,
            _ => Vec::new(),
        }
    }

    fn forget(&mut self, now: Instant) {
        while let Some((at, key)) = self.answered.front() {
            let old = now.saturating_duration_since(*at) >= REMEMBERED_FOR;
            if !old && self.answered.len() <= REMEMBERED_REPLIES {
                break;
            }
            self.entries.remove(key);
            self.answered.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(id: &str, code: Option<ErrorCode>) -> Reply {
        Reply {
            id: Some(id.to_owned()),
            command: "knock".to_owned(),
            device: "wall".to_owned(),
            ok: code.is_none(),
            result: None,
            error: code.map(|code| CommandError::new(code, "m", "r")),
            took_ms: 1,
            at: String::new(),
        }
    }

    fn to(topic: &str) -> Destination {
        Destination {
            topic: topic.to_owned(),
            correlation: None,
        }
    }

    #[test]
    fn a_repeated_id_gets_the_first_reply_for_ten_minutes() {
        let mut replies = Replies::default();
        let start = Instant::now();
        assert_eq!(replies.arrived(start, "a", &to("1")), Seen::Never);
        assert_eq!(replies.arrived(start, "a", &to("2")), Seen::InProgress);
        assert_eq!(replies.ended(start, "a", &reply("a", None)), vec![to("2")]);
        let later = start + REMEMBERED_FOR - Duration::from_millis(1);
        assert_eq!(
            replies.arrived(later, "a", &to("3")),
            Seen::Answered(Box::new(reply("a", None)))
        );
        assert_eq!(
            replies.arrived(start + REMEMBERED_FOR, "a", &to("4")),
            Seen::Never
        );
    }

    #[test]
    fn a_rate_limited_command_may_be_tried_again_under_its_id() {
        let mut replies = Replies::default();
        let now = Instant::now();
        replies.arrived(now, "a", &to("1"));
        replies.ended(now, "a", &reply("a", Some(ErrorCode::RateLimited)));
        assert_eq!(replies.arrived(now, "a", &to("1")), Seen::Never);
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest() {
        let mut replies = Replies::default();
        let now = Instant::now();
        for number in 0..REMEMBERED_REPLIES + 10 {
            let id = number.to_string();
            replies.arrived(now, &id, &to("1"));
            replies.ended(now, &id, &reply(&id, None));
        }
        assert_eq!(replies.entries.len(), REMEMBERED_REPLIES);
        assert_eq!(replies.arrived(now, "0", &to("1")), Seen::Never);
        assert_ne!(replies.arrived(now, "11", &to("1")), Seen::Never);
    }
}
