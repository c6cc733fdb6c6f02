//! The task of the interface: connects, carries a session, waits, connects again.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;
use tokio::{
    sync::{broadcast, mpsc, watch},
    time::{sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    backoff::{Backoff, STABLE, Takeovers},
    connection::{Connection, End, Happening, PACKET_LIMIT, Terms},
    info::{MqttStatus, problem},
    interface::{GOODBYE, Interface},
    settings::BrokerUrl,
    status::rfc3339,
};
use crate::{
    appliance::{
        ApplianceEvent, ApplianceState, Request,
        state::{Problem, Severity},
    },
    suspend::{Clocks, SuspendWatch},
};

/// How long the broker may take to accept connection and subscriptions.
const ACCEPTANCE: Duration = Duration::from_secs(15);

/// Largest packet that is taken once a larger one than [`PACKET_LIMIT`] has come: a retained one
/// would come with every connection.
const RAISED_PACKET_LIMIT: usize = 16 * 1024 * 1024;

/// How often it is asked whether the machine slept: for as long a broken connection is kept after that at most.
const ASLEEP_ROUND: Duration = Duration::from_secs(1);

/// What the task hears.
pub(super) struct Ears {
    pub(super) state: watch::Receiver<ApplianceState>,
    pub(super) events: broadcast::Receiver<ApplianceEvent>,
    pub(super) shutdown: CancellationToken,
    /// The kernel's clocks, which tell of a sleep.
    pub(super) clocks: Box<dyn Fn() -> Clocks + Send + Sync>,
}

/// The task.
pub(super) struct Task {
    interface: Interface,
    ears: Ears,
    requests: mpsc::Sender<Request>,
    problems: mpsc::UnboundedSender<MqttStatus>,
    raised: BTreeSet<&'static str>,
    backoff: Backoff,
    takeovers: Takeovers,
    suspend: SuspendWatch,
    packet_limit: usize,
}

impl Task {
    pub(super) fn new(
        interface: Interface,
        ears: Ears,
        requests: mpsc::Sender<Request>,
        problems: mpsc::UnboundedSender<MqttStatus>,
    ) -> Self {
        Self {
            backoff: Backoff::new(interface.config.brokers.len()),
            suspend: SuspendWatch::new((ears.clocks)()),
            interface,
            ears,
            requests,
            problems,
            raised: BTreeSet::new(),
            takeovers: Takeovers::default(),
            packet_limit: PACKET_LIMIT,
        }
    }

    /// Runs until it is told to stop.
    pub(super) async fn run(mut self) {
        let shutdown = self.ears.shutdown.clone();
        while let Some(broker) = self
            .interface
            .config
            .brokers
            .get(self.backoff.broker())
            .cloned()
        {
            let began = Instant::now();
            let end = self.connect(&broker).await;
            if shutdown.is_cancelled() {
                return;
            }
            let wait = self.take_stock(&broker, &end, began.elapsed());
            tracing::warn!(%broker, reason = %end, ?wait, "MQTT is not connected");
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(wait) => {}
                asleep = self.slept() => {
                    tracing::info!(?asleep, "the machine slept: MQTT is tried again at once");
                    self.backoff.held();
                }
            }
        }
        tracing::info!("MQTT is off: mqtt.brokers is empty");
    }

    /// Ends when the machine has slept, with how long it did.
    async fn slept(&mut self) -> Duration {
        loop {
            sleep(ASLEEP_ROUND).await;
            if let Some(asleep) = self.suspend.asleep((self.ears.clocks)()) {
                return asleep;
            }
        }
    }

    async fn connect(&mut self, broker: &BrokerUrl) -> End {
        let terms = Terms {
            filters: self.interface.topics.filters(),
            will_topic: Some(self.interface.topics.availability()),
            packet_limit: self.packet_limit,
        };
        let end = match Connection::open(&self.interface.config, broker, terms) {
            Ok(mut connection) => self.session(&mut connection, broker).await,
            Err(error) => End::Failed(error.to_string()),
        };
        self.interface.go_offline();
        end
    }

    /// One connection from the first to the last word.
    async fn session(&mut self, connection: &mut Connection, broker: &BrokerUrl) -> End {
        let requests = self.requests.clone();
        let outgoing = connection.outgoing.clone();
        let accept_until = tokio::time::Instant::now() + ACCEPTANCE;
        let mut stable_at = None;
        let (mut states, mut events, mut room_loop) = (true, true, true);
        let mut look_again = tokio::time::Instant::now() + ASLEEP_ROUND;
        loop {
            if self.interface.is_stuck() {
                return End::Failed("the broker does not take our messages".to_owned());
            }
            let publication = self.interface.next_publication();
            tokio::select! {
                () = self.ears.shutdown.cancelled() => {
                    self.say_goodbye(connection).await;
                    return End::Disconnected;
                }
                happening = connection.next() => match happening {
                    Happening::Accepted => {}
                    Happening::Subscribed { refused } => {
                        self.subscribed(broker, &refused);
                        stable_at = Some(tokio::time::Instant::now() + STABLE);
                    }
                    Happening::Message(message) => self.interface.receive(message),
                    Happening::Ended(end) => return end,
                },
                changed = self.ears.state.changed(), if states => match changed {
                    Ok(()) => self.take_state(),
                    Err(_) => states = false,
                },
                event = self.ears.events.recv(), if events => match event {
                    Ok(event) => self.interface.publish_event(event),
                    Err(broadcast::error::RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "events came faster than MQTT takes them");
                    }
                    Err(broadcast::error::RecvError::Closed) => events = false,
                },
                Some((arrival, outcome)) = self.interface.pending.next(),
                    if !self.interface.pending.is_empty() =>
                {
                    // The state that the command brought about is told before its reply.
                    if self.ears.state.has_changed().unwrap_or(false) {
                        self.take_state();
                    }
                    self.interface.publish_due(false);
                    self.interface.answer(arrival, outcome);
                }
                permit = requests.reserve(), if room_loop && self.interface.may_hand_over() => {
                    match permit {
                        Ok(permit) => self.interface.hand_over(permit),
                        Err(_) => room_loop = false,
                    }
                }
                permit = outgoing.reserve(), if !self.interface.outbox.is_empty() => {
                    // Closed: the end follows among the happenings.
                    if let (Ok(permit), Some(message)) = (permit, self.interface.outbox.pop_front()) {
                        permit.send(message);
                    }
                }
                () = sleep_until(instant(publication)), if publication.is_some() => {
                    self.interface.publish_due(false);
                }
                () = sleep_until(look_again) => {
                    look_again += ASLEEP_ROUND;
                    if let Some(asleep) = self.suspend.asleep((self.ears.clocks)()) {
                        return End::Slept(asleep);
                    }
                }
                () = sleep_until(accept_until), if !self.interface.online => {
                    return End::Failed("the broker does not answer".to_owned());
                }
                () = sleep_until(stable_at.unwrap_or(accept_until)), if stable_at.is_some() => {
                    stable_at = None;
                    self.held();
                }
            }
            if !room_loop {
                self.interface.refuse_all();
            }
        }
    }

    /// Takes the newest state; earlier ones nobody needs.
    fn take_state(&mut self) {
        let state = self.ears.state.borrow_and_update().clone();
        self.interface.status.changed(state, Timestamp::now());
    }

    fn subscribed(&mut self, broker: &BrokerUrl, refused: &[usize]) {
        self.take_state();
        // What happened while nobody listened is told by the state, if it still matters.
        self.ears.events = self.ears.events.resubscribe();
        self.interface.go_online();
        tracing::info!(%broker, "MQTT is connected");
        self.tell(MqttStatus::Connected {
            broker: broker.to_string(),
        });
        self.clear(problem::BROKER_UNREACHABLE);
        self.clear(problem::BROKER_REFUSES);
        if refused.is_empty() {
            self.clear(problem::SUBSCRIPTION_REFUSED);
        } else {
            let filters = self.interface.topics.filters();
            let refused: Vec<&str> = refused
                .iter()
                .filter_map(|index| filters.get(*index).map(String::as_str))
                .collect();
            self.raise(
                problem::SUBSCRIPTION_REFUSED,
                Severity::Error,
                format!(
                    "the broker {broker} refuses subscriptions to {}",
                    refused.join(", ")
                ),
                "allow this user to subscribe to them in the broker's access list",
            );
        }
    }

    /// The connection has held for a while: what was wrong before is over.
    fn held(&mut self) {
        self.backoff.held();
        self.takeovers.held();
        self.packet_limit = PACKET_LIMIT;
        self.clear(problem::IDENTITY_IN_USE);
        self.clear(problem::OVERSIZED_PACKET);
    }

    async fn say_goodbye(&mut self, connection: &mut Connection) {
        while let Some(Some((arrival, outcome))) = self.interface.pending.next().now_or_never() {
            self.interface.answer(arrival, outcome);
        }
        self.take_state();
        self.interface.say_goodbye();
        let outgoing = connection.outgoing.clone();
        let said = timeout(GOODBYE, async {
            loop {
                tokio::select! {
                    permit = outgoing.reserve(), if !self.interface.outbox.is_empty() => {
                        if let (Ok(permit), Some(message)) = (permit, self.interface.outbox.pop_front()) {
                            permit.send(message);
                        }
                    }
                    happening = connection.next() => {
                        if let Happening::Ended(_) = happening {
                            return;
                        }
                    }
                }
            }
        });
        if said.await.is_err() {
            tracing::warn!("the MQTT broker did not take our last words in time");
        }
    }

    /// Draws the conclusions from the end of a connection: problems, and how long to wait.
    fn take_stock(&mut self, broker: &BrokerUrl, end: &End, lasted: Duration) -> Duration {
        self.tell(MqttStatus::Disconnected {
            broker: broker.to_string(),
            reason: end.to_string(),
        });
        let mut slow = false;
        match end {
            // Nothing is wrong, and the broker may have missed us for long.
            End::Slept(_) => {
                self.backoff.held();
                return Duration::ZERO;
            }
            End::TakenOver => slow = true,
            // MQTT 3.1.1 knows no reason, and not every broker gives one in MQTT 5.
            End::Cut => {
                slow = self.takeovers.cut(Instant::now(), lasted);
            }
            _ => {}
        }
        if slow {
            let client_id = self.interface.config.effective_client_id();
            self.raise(
                problem::IDENTITY_IN_USE,
                Severity::Error,
                format!("another client seems to use the client id {client_id} at {broker}"),
                "give each box its own mqtt.device (or mqtt.client_id)",
            );
            return self.backoff.failed(rand::random(), true);
        }
        match end {
            End::Oversized { bytes } => {
                let beyond = *bytes > RAISED_PACKET_LIMIT;
                self.packet_limit = RAISED_PACKET_LIMIT;
                self.raise(
                    problem::OVERSIZED_PACKET,
                    Severity::Warning,
                    format!(
                        "a packet of {bytes} bytes came from {broker}, allowed are {PACKET_LIMIT}"
                    ),
                    "find out who sends it; commands have at most 64 KiB. Clear a retained one",
                );
                slow = beyond;
            }
            End::Refused(reason) => {
                self.raise(
                    problem::BROKER_REFUSES,
                    Severity::Error,
                    format!("the broker {broker} refuses the connection: {reason}"),
                    "check mqtt.username, mqtt.password and the broker's list of clients",
                );
                slow = self.interface.config.brokers.len() == 1;
            }
            _ => {
                self.raise(
                    problem::BROKER_UNREACHABLE,
                    Severity::Warning,
                    format!("no MQTT connection with {broker}: {end}"),
                    "check the address in mqtt.brokers, the network and the broker",
                );
            }
        }
        self.backoff.failed(rand::random(), slow)
    }

    fn raise(&mut self, code: &'static str, severity: Severity, message: String, remedy: &str) {
        self.raised.insert(code);
        self.tell(MqttStatus::Raised(Problem {
            code: code.to_owned(),
            since: rfc3339(Timestamp::now()),
            severity,
            message,
            remedy: remedy.to_owned(),
        }));
    }

    fn clear(&mut self, code: &'static str) {
        if self.raised.remove(code) {
            self.tell(MqttStatus::Cleared(code));
        }
    }

    fn tell(&self, status: MqttStatus) {
        // Whoever keeps the list of problems may have stopped before us.
        let _ = self.problems.send(status);
    }
}

fn instant(at: Option<Instant>) -> tokio::time::Instant {
    at.unwrap_or_else(Instant::now).into()
}
