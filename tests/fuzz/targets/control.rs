//! What arrives from the broker.

use std::{sync::LazyLock, time::Duration};

use roomd::mqtt::{
    command::{self, Clock, Properties},
    commands,
    topics::{Inbound, Kind, Topics},
};

/// The first line is the topic, the rest the payload; `*` stands for every command there is.
pub(crate) fn mqtt_message(bytes: &[u8]) {
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(bytes.len());
    let (topic, payload) = bytes.split_at(end);
    let payload = payload.get(1..).unwrap_or_default();
    let topic = String::from_utf8_lossy(topic);
    let clock = Clock {
        now: "2026-11-23T10:00:00Z".parse().unwrap(),
        synchronised: payload.len() % 2 == 0,
    };
    let properties = Properties {
        expiry: (payload.len() % 3 == 0).then_some(Duration::from_secs(3)),
        response_topic: (payload.len() % 5 == 0).then(|| topic.to_string()),
        ..Properties::default()
    };
    if TOPICS.may_reply_to(&topic, &[]) {
        assert!(
            !topic.contains(['+', '#']) && TOPICS.parse(&topic).is_none(),
            "{topic}"
        );
    }
    if let Some(Inbound::Command { kind, name, .. }) = TOPICS.parse(&topic) {
        judge(kind, &name, payload, &properties, clock);
    }
    if topic == "*" {
        for spec in commands::COMMANDS {
            judge(spec.kind, spec.name, payload, &properties, clock);
        }
    }
}

fn judge(kind: Kind, name: &str, payload: &[u8], properties: &Properties, clock: Clock) {
    let parsed = command::parse(kind, name, payload, properties, clock);
    assert!(
        parsed
            .id
            .is_none_or(|id| (1..=command::MAX_ID).contains(&id.chars().count()))
    );
    assert!(
        parsed
            .valid_for
            .is_none_or(|time| time <= Duration::from_secs(86_400))
    );
    if let Err(error) = parsed.command {
        // Short enough to be published, whatever was sent.
        assert!(
            error.message.len() < 2000,
            "{} bytes about {name}",
            error.message.len()
        );
        assert!(!error.remedy.is_empty(), "{name}: {}", error.message);
        let _ = serde_json::to_string(&error.code).unwrap();
    }
}

static TOPICS: LazyLock<Topics> = LazyLock::new(|| {
    Topics::new(
        &"site/roomd".parse().unwrap(),
        &"wall".parse().unwrap(),
        &["floor_2".parse().unwrap()],
    )
});
