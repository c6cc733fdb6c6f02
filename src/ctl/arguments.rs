//! The command line of `roomd ctl`, and what it asks for.

use std::{path::PathBuf, time::Duration};

use clap::{Args, builder::PossibleValuesParser};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{
    appliance::ErrorCode,
    mqtt::{
        MqttConfig,
        command::{self, Clock, Properties},
        commands::{COMMANDS, CommandSpec},
        settings::{BrokerUrl, DeviceName, MqttVersion, TopicPrefix},
        status::PARTS,
        topics::Kind,
    },
};

/// Command-line client of the MQTT interface.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  roomd ctl toggle_microphone OFF
  roomd ctl join_room roomUrl=https://example.whereby.com/meeting displayName=Wall
  roomd ctl mute_participants '{\"participantIds\":[\"c0ffee\"]}'
  roomd ctl watch room local_media

Exit codes: 0 done, 1 refused by the box, 2 wrong usage, 3 no answer.
All commands are described in docs/mqtt.md.")]
pub struct CtlArgs {
    /// A command of the box, or `watch` to see its state and events
    #[arg(value_parser = PossibleValuesParser::new(names()), hide_possible_values = true)]
    pub command: String,
    /// Arguments as key=value or as one JSON object; ON, OFF, TOGGLE for switches; for `watch` the
    /// parts of the state to see (all and events when left out)
    #[arg(value_name = "KEY=VALUE|JSON")]
    pub arguments: Vec<String>,
    /// Broker: mqtt://, mqtts://, ws:// or wss://
    #[arg(
        long,
        env = "ROOMD_CTL_BROKER",
        default_value = "mqtt://127.0.0.1:1883"
    )]
    pub broker: BrokerUrl,
    /// The box, by its device id
    #[arg(long, env = "ROOMD_CTL_DEVICE", default_value = "roomd")]
    pub device: DeviceName,
    /// First level of all topics
    #[arg(long, env = "ROOMD_CTL_PREFIX", default_value = "roomd")]
    pub prefix: TopicPrefix,
    /// User at the broker
    #[arg(long, env = "ROOMD_CTL_USERNAME")]
    pub username: Option<String>,
    /// File with the password of that user
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// PEM file with further certificate authorities
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Speak MQTT 3.1.1 instead of 5
    #[arg(long)]
    pub mqtt_3: bool,
    /// Seconds to wait for the reply
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
    /// Print replies and state as JSON, one object per line
    #[arg(long)]
    pub json: bool,
}

/// What is wrong with the command line.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// Neither key=value nor JSON.
    #[error("\"{0}\" is neither key=value nor a JSON object; write for example {1}")]
    Argument(String, &'static str),
    /// The box would refuse the arguments.
    #[error("{message}\n  {remedy}")]
    Refused {
        /// What is wrong.
        message: String,
        /// What to do about it.
        remedy: String,
    },
    /// No such part.
    #[error("there is no part \"{0}\" of the state; there are {1}")]
    Part(String, String),
    /// The password file.
    #[error("the password file {0} cannot be read: {1}")]
    Password(PathBuf, std::io::Error),
}

/// What is asked for.
#[derive(Debug)]
pub(super) enum Order {
    /// Send this, wait for the reply.
    Command {
        /// Which rights.
        kind: Kind,
        /// Its name.
        name: &'static str,
        /// Its arguments, without an id.
        payload: Map<String, Value>,
    },
    /// Print these parts as they change; everything when empty.
    Watch(Vec<String>),
}

impl CtlArgs {
    /// What the command line asks for.
    pub(super) fn order(&self) -> Result<Order, UsageError> {
        let Some(spec) = COMMANDS.iter().find(|spec| spec.name == self.command) else {
            return self.watch();
        };
        let payload = payload(spec, &self.arguments)?;
        let clock = Clock {
            now: Timestamp::now(),
            synchronised: false,
        };
        let text = Value::Object(payload.clone()).to_string();
        let parsed = command::parse(
            spec.kind,
            spec.name,
            text.as_bytes(),
            &Properties::default(),
            clock,
        );
        // What this version cannot do the box may.
        if let Err(error) = parsed.command
            && error.code != ErrorCode::NotSupported
        {
            return Err(UsageError::Refused {
                message: error.message,
                remedy: error.remedy,
            });
        }
        Ok(Order::Command {
            kind: spec.kind,
            name: spec.name,
            payload,
        })
    }

    fn watch(&self) -> Result<Order, UsageError> {
        for name in &self.arguments {
            if !PARTS.iter().any(|part| part.name == name) {
                let all: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
                return Err(UsageError::Part(name.clone(), all.join(", ")));
            }
        }
        Ok(Order::Watch(self.arguments.clone()))
    }

    /// How to reach the broker.
    pub(super) fn config(&self) -> Result<MqttConfig, UsageError> {
        let password = match &self.password_file {
            Some(file) => Some(
                std::fs::read_to_string(file)
                    .map_err(|error| UsageError::Password(file.clone(), error))?
                    .trim_end_matches('\n')
                    .to_owned()
                    .into(),
            ),
            None => None,
        };
        let mut config = MqttConfig {
            brokers: vec![self.broker.clone()],
            prefix: self.prefix.clone(),
            device: self.device.clone(),
            client_id: Some(format!("roomd-ctl-{}", uuid::Uuid::new_v4().simple())),
            username: self.username.clone(),
            password,
            version: if self.mqtt_3 {
                MqttVersion::V311
            } else {
                MqttVersion::V5
            },
            ..MqttConfig::default()
        };
        config.tls.ca.clone_from(&self.ca);
        Ok(config)
    }

    /// How long to wait for a reply.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

fn names() -> Vec<&'static str> {
    COMMANDS
        .iter()
        .map(|spec| spec.name)
        .chain(["watch"])
        .collect()
}

fn payload(spec: &CommandSpec, arguments: &[String]) -> Result<Map<String, Value>, UsageError> {
    let mut payload = Map::new();
    for argument in arguments {
        if let (Some(field), "ON" | "OFF") = (spec.switch(), argument.as_str()) {
            payload.insert(field.to_owned(), Value::Bool(argument == "ON"));
        } else if spec.toggles() && argument == "TOGGLE" {
            payload.clear();
        } else if let Ok(Value::Object(object)) = serde_json::from_str(argument) {
            payload.extend(object);
        } else if let Some((key, value)) =
            argument.split_once('=').filter(|(key, _)| !key.is_empty())
        {
            // What is no JSON is meant as a text: roomUrl=https://…
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
            payload.insert(key.to_owned(), value);
        } else {
            return Err(UsageError::Argument(argument.clone(), spec.example));
        }
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        ctl: CtlArgs,
    }

    fn order(line: &str) -> Result<Order, UsageError> {
        Cli::try_parse_from(["ctl"].into_iter().chain(line.split(' ')))
            .unwrap()
            .ctl
            .order()
    }

    #[test]
    fn arguments_are_key_value_json_or_plain_switches() {
        for (line, expected) in [
            ("toggle_microphone OFF", json!({"enabled": false})),
            ("toggle_microphone TOGGLE", json!({})),
            ("toggle_microphone enabled=true", json!({"enabled": true})),
            ("set_volume level=40", json!({"level": 40})),
            ("set_volume {\"level\":40}", json!({"level": 40})),
            (
                "set_display_name displayName=Wall",
                json!({"displayName": "Wall"}),
            ),
            ("identify", json!({})),
        ] {
            match order(line) {
                Ok(Order::Command { payload, .. }) => {
                    assert_eq!(Value::Object(payload), expected, "{line}")
                }
                other => panic!("{line}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_the_box_would_refuse_is_refused_before_it_is_sent() {
        for (line, expected) in [
            ("set_volume level=400", "0 to 100"),
            ("set_volume loud", "key=value"),
            ("toggle_microphone enabeld=true", "did you mean"),
            ("watch rooms", "remote_participants"),
        ] {
            let error = order(line).unwrap_err().to_string();
            assert!(error.contains(expected), "{line}: {error}");
        }
    }

    #[test]
    fn an_unknown_command_is_answered_with_the_nearest() {
        let Err(error) = Cli::try_parse_from(["ctl", "toggle_microfone"]) else {
            panic!("there is no such command");
        };
        assert!(error.to_string().contains("toggle_microphone"), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}
