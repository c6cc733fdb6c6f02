//! A controller that remembers what it has heard: what a test waits for may have come before it asks.

use serde_json::{Value, json};

use crate::{
    broker::Broker,
    controller::{Controller, Heard},
};

/// What the box `wall` has published since the last [`Ear::forget`].
pub(crate) struct Ear {
    controller: Controller,
    heard: Vec<Heard>,
    commands: usize,
}

impl Ear {
    pub(crate) async fn beside(broker: &Broker) -> Self {
        Self {
            controller: Controller::connect(broker, "5").await,
            heard: Vec::new(),
            commands: 0,
        }
    }

    /// From now on only what comes counts.
    pub(crate) fn forget(&mut self) {
        self.heard.clear();
    }

    /// The first message below that topic that is so, waited for.
    pub(crate) async fn on(&mut self, topic: &str, is: impl Fn(&Value) -> bool) -> Value {
        let full = format!("roomd/wall/{topic}");
        let wanted = |heard: &Heard| {
            let value = (heard.topic == full).then(|| heard.json());
            value.filter(|value| is(value))
        };
        if let Some(value) = self.heard.iter().find_map(wanted) {
            return value;
        }
        while let Some(heard) = self.controller.next().await {
            let found = wanted(&heard);
            self.heard.push(heard);
            if let Some(value) = found {
                return value;
            }
        }
        let same = self.heard.iter().filter(|heard| heard.topic == full);
        let same: Vec<&str> = same.map(Heard::text).collect();
        let topics: Vec<&str> = self
            .heard
            .iter()
            .map(|heard| heard.topic.as_str())
            .collect();
        panic!("not heard on {topic}: {same:?}; heard on {topics:?}");
    }

    /// A part of the state as soon as it is so, without `version` and `at`.
    pub(crate) async fn state(&mut self, part: &str, is: impl Fn(&Value) -> bool) -> Value {
        let mut state = self.on(&format!("state/{part}"), is).await;
        let fields = state.as_object_mut().unwrap();
        assert!(
            fields
                .shift_remove("version")
                .is_some_and(|version| version.is_u64())
        );
        assert!(fields.shift_remove("at").is_some_and(|at| at.is_string()));
        state
    }

    /// An event of that name, without `at`.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        self.event_where(name, |_| true).await
    }

    pub(crate) async fn event_where(&mut self, name: &str, is: impl Fn(&Value) -> bool) -> Value {
        let mut event = self.on(&format!("event/{name}"), is).await;
        let fields = event.as_object_mut().unwrap();
        assert!(fields.shift_remove("at").is_some_and(|at| at.is_string()));
        event
    }

    /// The member of every event of that name since the last [`Ear::forget`], in order.
    pub(crate) fn told(&self, name: &str, member: &str) -> Vec<Value> {
        let topic = format!("roomd/wall/event/{name}");
        let events = self.heard.iter().filter(|heard| heard.topic == topic);
        events.map(|heard| heard.json()[member].clone()).collect()
    }

    /// Sends a command; gives the id of its reply.
    pub(crate) async fn command(&mut self, name: &str, mut arguments: Value) -> String {
        self.commands += 1;
        let id = format!("{name} {}", self.commands);
        arguments["id"] = json!(id);
        self.controller.command(name, &arguments.to_string()).await;
        id
    }

    pub(crate) async fn reply(&mut self, id: &str) -> Value {
        self.on("reply", |reply| reply["id"] == id).await
    }

    /// The result of a command that must succeed.
    pub(crate) async fn success(&mut self, id: &str) -> Value {
        let reply = self.reply(id).await;
        assert_eq!(reply["ok"], true, "{reply}");
        reply["result"].clone()
    }

    /// The error of a command that must fail; each has a remedy.
    pub(crate) async fn failure(&mut self, id: &str) -> Value {
        let reply = self.reply(id).await;
        assert_eq!(reply["ok"], false, "{reply}");
        let error = reply["error"].clone();
        assert!(
            error["remedy"]
                .as_str()
                .is_some_and(|remedy| !remedy.is_empty()),
            "{error}"
        );
        error
    }
}
