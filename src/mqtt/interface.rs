//! The interface as the owner of everything that outlives a connection: commands under way, their
//! replies, the published state, and what waits to be sent.

use std::{
    collections::VecDeque,
    path::Path,
    time::{Duration, Instant},
};

use futures_util::{future::BoxFuture, stream::FuturesUnordered};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::{
    admission::{Admission, Allowance},
    command::{self, Clock, Properties},
    commands::{self, invalid},
    connection::{Message, Outgoing},
    fitting::fitted,
    info::{CONTRACT_VERSION, Info, PublishedInfo},
    reply::{Destination, Replies, Reply, Seen},
    settings::{ClockSynchronised, MqttConfig},
    status::{Due, Status, rfc3339},
    topics::{Inbound, Kind, Topics},
};
use crate::appliance::{
    ApplianceEvent, ApplianceState, ChangeSource, ChangedBy, CommandError, ErrorCode, Request,
};

/// Requests that may be under way in the room loop before further ones wait.
const UNDER_WAY: usize = 64;

/// Messages that may wait for the broker before the connection counts as stuck.
const OUTBOX: usize = 4096;

/// From how many waiting messages on no state is added: the last value goes out when there is room.
const CROWDED: usize = 256;

/// Set by systemd-timesyncd when it has synchronised the clock.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

/// A command that has arrived and has not been answered.
#[derive(Debug)]
pub(super) struct Arrival {
    id: Option<String>,
    /// Under which its reply is remembered.
    key: Option<String>,
    name: String,
    destination: Destination,
    arrived: Instant,
    deadline: Option<Instant>,
}

type Outcome = (Arrival, Result<Value, CommandError>);

/// Everything that outlives a connection.
pub(super) struct Interface {
    pub(super) config: MqttConfig,
    pub(super) topics: Topics,
    pub(super) status: Status,
    pub(super) outbox: VecDeque<Outgoing>,
    pub(super) pending: FuturesUnordered<BoxFuture<'static, Outcome>>,
    /// Subscriptions stand, `online` is published.
    pub(super) online: bool,
    info: Info,
    admission: Admission<Arrival>,
    replies: Replies,
    rejections: Allowance,
}

impl Interface {
    pub(super) fn new(config: MqttConfig, info: Info, state: ApplianceState) -> Self {
        let now = Instant::now();
        Self {
            topics: Topics::new(&config.prefix, &config.device, &config.groups),
            config,
            status: Status::new(state, Timestamp::now()),
            outbox: VecDeque::new(),
            pending: FuturesUnordered::new(),
            online: false,
            info,
            admission: Admission::new(now),
            replies: Replies::default(),
            rejections: Allowance::new(now, 20.0, 10.0),
        }
    }

    /// The broker hears us: say that we are there, and everything that is so.
    pub(super) fn go_online(&mut self) {
        self.online = true;
        self.introduce();
        self.status.again();
        self.publish_due(false);
    }

    /// The connection is gone, and with it what waited for it.
    pub(super) fn go_offline(&mut self) {
        self.online = false;
        self.outbox.clear();
    }

    /// The last words on a connection that is ended in good order.
    pub(super) fn say_goodbye(&mut self) {
        if self.online {
            self.publish_due(true);
            let topic = self.topics.availability();
            self.send(topic, b"offline".to_vec(), true);
        }
        self.outbox.push_back(Outgoing::Disconnect);
    }

    /// More waits than a broker that takes messages at all would leave waiting.
    pub(super) fn is_stuck(&self) -> bool {
        self.outbox.len() > OUTBOX
    }

    /// When state is due next.
    pub(super) fn next_publication(&self) -> Option<Instant> {
        if !self.online || self.outbox.len() > CROWDED {
            return None;
        }
        self.status.next_deadline(Instant::now())
    }

    /// Publishes what is due, or all that has changed.
    pub(super) fn publish_due(&mut self, all: bool) {
        for due in self.status.due(Instant::now(), all) {
            match due {
                Ok(Due { part, payload }) => {
                    let topic = self.topics.state(part);
                    self.send(topic, payload.into_bytes(), true);
                }
                Err((part, error)) => tracing::error!(part, %error, "state cannot be written"),
            }
        }
    }

    /// Publishes an event of the box.
    pub(super) fn publish_event(&mut self, event: ApplianceEvent) {
        let topic = self.topics.event(&event.name);
        let mut payload = match event.payload {
            Value::Object(object) => object,
            Value::Null => serde_json::Map::new(),
            other => serde_json::Map::from_iter([("value".to_owned(), other)]),
        };
        payload
            .entry("at")
            .or_insert_with(|| Value::from(rfc3339(Timestamp::now())));
        self.send_json(topic, &payload, false);
    }

    /// A message has arrived.
    pub(super) fn receive(&mut self, message: Message) {
        match self.topics.parse(&message.topic) {
            Some(Inbound::Command { kind, name, .. }) => self.receive_command(kind, name, &message),
            Some(Inbound::Get) => self.receive_get(&message),
            None => tracing::debug!(topic = message.topic, "a message on a topic of nobody"),
        }
    }

    /// Whether a command may be handed to the room loop now.
    pub(super) fn may_hand_over(&self) -> bool {
        !self.admission.is_empty()
            && (self.pending.len() < UNDER_WAY || self.admission.next_is_urgent())
    }

    /// Hands the next command to the room loop.
    pub(super) fn hand_over(&mut self, permit: mpsc::Permit<'_, Request>) {
        while let Some((command, arrival)) = self.admission.take_next() {
            if arrival
                .deadline
                .is_some_and(|deadline| deadline < Instant::now())
            {
                let message = format!(
                    "the validity of {} has passed while it waited",
                    arrival.name
                );
                self.reject(arrival, command::expired(message));
                continue;
            }
            let (reply, outcome) = oneshot::channel();
            permit.send(Request {
                command,
                by: ChangedBy {
                    id: arrival.id.clone(),
                    ..ChangedBy::source(ChangeSource::Mqtt)
                },
                reply,
            });
            self.pending.push(Box::pin(async move {
                let outcome = outcome.await.unwrap_or_else(|_| Err(no_answer()));
                (arrival, outcome)
            }));
            return;
        }
    }

    /// The room loop is gone: everything that waits for it is answered.
    pub(super) fn refuse_all(&mut self) {
        while let Some((_, arrival)) = self.admission.take_next() {
            self.answer(arrival, Err(no_answer()));
        }
    }

    /// A command has ended.
    pub(super) fn answer(&mut self, arrival: Arrival, outcome: Result<Value, CommandError>) {
        let now = Instant::now();
        let took = now.saturating_duration_since(arrival.arrived);
        let (result, error) = match outcome {
            Ok(Value::Null) => (None, None),
            Ok(result) => (Some(result), None),
            Err(error) => (None, Some(error)),
        };
        let reply = Reply {
            id: arrival.id,
            command: arrival.name,
            device: self.config.device.to_string(),
            ok: error.is_none(),
            result,
            error,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            at: rfc3339(Timestamp::now()),
        };
        let further = match &arrival.key {
            Some(key) => self.replies.ended(now, key, &reply),
            None => Vec::new(),
        };
        for destination in std::iter::once(arrival.destination).chain(further) {
            self.send_reply(destination, &reply);
        }
    }

    fn receive_command(&mut self, kind: Kind, name: String, message: &Message) {
        let now = Instant::now();
        let clock = Clock {
            now: Timestamp::now(),
            synchronised: self.clock_is_synchronised(),
        };
        let mut parsed = command::parse(kind, &name, &message.payload, &message.properties, clock);
        let destination = match self.destination(parsed.reply_to.take(), &message.properties) {
            Ok(destination) => destination,
            Err(refused) => {
                let (destination, error) = *refused;
                parsed.command = parsed.command.and(Err(error));
                destination
            }
        };
        let arrival = Arrival {
            key: key(parsed.id.as_deref(), &message.properties),
            id: parsed.id,
            name,
            destination,
            arrived: now,
            deadline: parsed.valid_for.map(|left| now + left),
        };
        if let Some(key) = &arrival.key {
            match self.replies.arrived(now, key, &arrival.destination) {
                Seen::Never => {}
                Seen::InProgress => return,
                Seen::Answered(reply) => {
                    self.send_reply(arrival.destination, &reply);
                    return;
                }
            }
        }
        match parsed.command {
            Ok(command) => {
                for dropped in self.admission.arrived(now, command, arrival) {
                    self.reject(dropped, rate_limited());
                }
            }
            Err(error) => self.reject(arrival, error),
        }
    }

    /// Answers a command that never reaches the room loop.
    fn reject(&mut self, arrival: Arrival, error: CommandError) {
        tracing::info!(command = arrival.name, code = ?error.code, "command rejected");
        if arrival.key.is_none() && self.rejections.take(Instant::now()) {
            self.publish_rejection(&arrival.name, &error);
        }
        self.answer(arrival, Err(error));
    }

    fn publish_rejection(&mut self, name: &str, error: &CommandError) {
        self.publish_event(ApplianceEvent {
            name: "command_rejected".to_owned(),
            payload: json!({ "command": commands::shortened(name), "error": error }),
        });
    }

    fn receive_get(&mut self, message: &Message) {
        match wanted_parts(message) {
            Ok(Wanted::Everything) => {
                self.introduce();
                for part in super::status::PARTS {
                    self.status.part_again(part.name);
                }
            }
            Ok(Wanted::Parts(parts)) => {
                for part in &parts {
                    self.status.part_again(part);
                }
            }
            Err(error) => {
                if self.rejections.take(Instant::now()) {
                    self.publish_rejection("get", &error);
                }
            }
        }
    }

    fn introduce(&mut self) {
        let info = PublishedInfo {
            device: self.config.device.to_string(),
            contract_version: CONTRACT_VERSION.to_owned(),
            groups: self.config.groups.iter().map(ToString::to_string).collect(),
            commands: commands::COMMANDS
                .iter()
                .filter(|spec| spec.supported)
                .map(|spec| spec.name.to_owned())
                .collect(),
            info: self.info.clone(),
        };
        let topic = self.topics.availability();
        self.send(topic, b"online".to_vec(), true);
        let topic = self.topics.info();
        self.send_json(topic, &info, true);
    }

    /// Where the reply goes; with an error, when it must not go where it was asked to.
    fn destination(
        &self,
        asked: Option<String>,
        properties: &Properties,
    ) -> Result<Destination, Box<(Destination, CommandError)>> {
        let to = |topic| Destination {
            topic,
            correlation: properties.correlation.clone(),
        };
        match asked {
            None => Ok(to(self.topics.reply())),
            Some(topic)
                if self
                    .topics
                    .may_reply_to(&topic, &self.config.reply_allow_list) =>
            {
                Ok(to(topic))
            }
            Some(topic) => {
                let found = commands::shortened(&format!("\"{topic}\""));
                let expected = format!(
                    "a topic below {}/ where no box is commanded nor publishes, or below one of \
                     mqtt.reply_allow_list",
                    self.config.prefix
                );
                let mut error = invalid("replyTo", &found, &expected);
                error.remedy =
                    "leave it out to get the reply on the box's own reply topic, or add \
                                the topic to mqtt.reply_allow_list"
                        .to_owned();
                Err(Box::new((to(self.topics.reply()), error)))
            }
        }
    }

    fn clock_is_synchronised(&self) -> bool {
        match self.config.clock_synchronised {
            ClockSynchronised::Auto => Path::new(SYNCHRONISED).exists(),
            ClockSynchronised::Always => true,
            ClockSynchronised::Never => false,
        }
    }

    fn send_reply(&mut self, destination: Destination, reply: &Reply) {
        match fitted(reply) {
            Ok(payload) => self.push(Outgoing::Publish {
                topic: destination.topic,
                payload: payload.into_bytes(),
                retain: false,
                correlation: destination.correlation,
            }),
            Err(error) => {
                tracing::error!(command = reply.command, %error, "a reply cannot be written");
            }
        }
    }

    fn send_json<T: serde::Serialize>(&mut self, topic: String, value: &T, retain: bool) {
        match fitted(value) {
            Ok(payload) => self.send(topic, payload.into_bytes(), retain),
            Err(error) => tracing::error!(topic, %error, "a message cannot be written"),
        }
    }

    fn send(&mut self, topic: String, payload: Vec<u8>, retain: bool) {
        self.push(Outgoing::Publish {
            topic,
            payload,
            retain,
            correlation: None,
        });
    }

    /// What nobody would hear is not kept: everything that matters is published on connecting.
    fn push(&mut self, outgoing: Outgoing) {
        if self.online {
            self.outbox.push_back(outgoing);
        }
    }
}

enum Wanted {
    Everything,
    Parts(Vec<String>),
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Get {
    parts: Option<Vec<String>>,
}

fn wanted_parts(message: &Message) -> Result<Wanted, CommandError> {
    let example = "send nothing, or {\"parts\":[\"room\"]}, without retain";
    if message.properties.retain {
        return Err(CommandError::new(
            ErrorCode::RetainedCommand,
            "get came with the retain flag",
            example,
        ));
    }
    if message.payload.len() > command::MAX_PAYLOAD {
        return Err(CommandError::new(
            ErrorCode::TooLarge,
            "get: the payload is too long",
            example,
        ));
    }
    if message.payload.trim_ascii().is_empty() {
        return Ok(Wanted::Everything);
    }
    let refused = |message: String| CommandError::new(ErrorCode::InvalidPayload, message, example);
    let get: Get = serde_json::from_slice(&message.payload)
        .map_err(|error| refused(commands::shortened(&format!("get: {error}"))))?;
    let Some(parts) = get.parts else {
        return Ok(Wanted::Everything);
    };
    let known = |name: &String| super::status::PARTS.iter().any(|part| part.name == name);
    if let Some(unknown) = parts.iter().find(|name| !known(name)) {
        let message = format!("get: there is no part \"{}\"", commands::shortened(unknown));
        return Err(refused(message).in_field("parts"));
    }
    Ok(Wanted::Parts(parts))
}

/// What makes two deliveries the same command: its id, else its correlation data.
fn key(id: Option<&str>, properties: &Properties) -> Option<String> {
    if let Some(id) = id {
        return Some(format!("id {id}"));
    }
    let data = properties
        .correlation
        .as_ref()
        .filter(|data| !data.is_empty())?;
    // An id has at most 64 characters; longer data would only cost memory.
    (data.len() <= 256).then(|| format!("correlation {data:02x?}"))
}

fn rate_limited() -> CommandError {
    CommandError::new(
        ErrorCode::RateLimited,
        "more commands arrive than are carried out; a later one took its place, or there was no room",
        "send fewer; at most 200 a second",
    )
}

fn no_answer() -> CommandError {
    CommandError::new(
        ErrorCode::Internal,
        "the command was not answered by the room loop",
        "look into the log; roomd may be stopping",
    )
}

/// How long the last words may take.
pub(super) const GOODBYE: Duration = Duration::from_secs(3);
