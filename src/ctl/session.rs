//! One connection of `roomd ctl`: sends a command and waits for its reply, or watches.

use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use super::{
    Outcome,
    arguments::{CtlArgs, Order},
};
use crate::mqtt::{
    connection::{Connection, Happening, Message, Outgoing},
    topics::{Kind, Topics},
};

/// Largest packet that is taken, in bytes.
const PACKET_LIMIT: usize = 1024 * 1024;

pub(super) async fn carry_out(args: &CtlArgs, order: Order) -> Outcome {
    let config = match args.config() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("error: {error}");
            return Outcome::Usage;
        }
    };
    let topics = Topics::new(&config.prefix, &config.device, &[]);
    let filters = match &order {
        Order::Command { .. } => vec![topics.reply(), topics.availability()],
        Order::Watch(parts) if parts.is_empty() => {
            vec![topics.state("+"), topics.event("+"), topics.availability()]
        }
        Order::Watch(parts) => parts.iter().map(|part| topics.state(part)).collect(),
    };
    let terms = crate::mqtt::connection::Terms {
        filters,
        will_topic: None,
        packet_limit: PACKET_LIMIT,
    };
    let mut connection = match Connection::open(&config, &args.broker, terms) {
        Ok(connection) => connection,
        Err(error) => {
            eprintln!("error: {error}");
            return Outcome::Usage;
        }
    };
    match order {
        Order::Command {
            kind,
            name,
            payload,
        } => command(args, &mut connection, &topics, kind, name, payload).await,
        Order::Watch(_) => watch(args, &mut connection).await,
    }
}

async fn command(
    args: &CtlArgs,
    connection: &mut Connection,
    topics: &Topics,
    kind: Kind,
    name: &str,
    mut payload: Map<String, Value>,
) -> Outcome {
    let id = payload
        .entry("id")
        .or_insert_with(|| Value::from(uuid::Uuid::new_v4().to_string()))
        .clone();
    // Its reply would go elsewhere.
    payload.shift_remove("replyTo");
    let deadline = Instant::now() + args.patience();
    let mut availability = None;
    loop {
        let Ok(happening) = timeout_at(deadline, connection.next()).await else {
            let why = match availability.as_deref() {
                Some("online") => "it is online, but did not answer in time; see --timeout",
                Some(_) => "it is offline",
                None => "no box of that name was ever there; see --device and --prefix",
            };
            eprintln!(
                "error: no reply from {} at {}: {why}",
                args.device, args.broker
            );
            return Outcome::NoAnswer;
        };
        match happening {
            Happening::Accepted => {}
            Happening::Subscribed { .. } => {
                let message = Outgoing::Publish {
                    topic: topics.command(kind, name),
                    payload: Value::Object(payload.clone()).to_string().into_bytes(),
                    retain: false,
                    correlation: None,
                };
                // A closed connection tells its end next.
                let _ = connection.outgoing.send(message).await;
            }
            Happening::Message(message) if message.topic == topics.availability() => {
                availability = Some(String::from_utf8_lossy(&message.payload).into_owned());
            }
            Happening::Message(message) => {
                if let Some(reply) = reply(&message).filter(|reply| reply["id"] == id) {
                    print_reply(args, &reply);
                    let done = reply["ok"] == true;
                    return if done {
                        Outcome::Done
                    } else {
                        Outcome::Refused
                    };
                }
            }
            Happening::Ended(end) => {
                eprintln!("error: no connection with {}: {end}", args.broker);
                return Outcome::NoAnswer;
            }
        }
    }
}

fn reply(message: &Message) -> Option<Value> {
    serde_json::from_slice(&message.payload).ok()
}

fn print_reply(args: &CtlArgs, reply: &Value) {
    if args.json {
        println!("{reply}");
        return;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if reply["ok"] == true {
        match &reply["result"] {
            Value::Null => println!("{}: done ({} ms)", text(&reply["command"]), reply["tookMs"]),
            result => println!(
                "{}: {result} ({} ms)",
                text(&reply["command"]),
                reply["tookMs"]
            ),
        }
        return;
    }
    let error = &reply["error"];
    eprintln!(
        "refused ({}): {}",
        text(&error["code"]),
        text(&error["message"])
    );
    eprintln!("  {}", text(&error["remedy"]));
}

async fn watch(args: &CtlArgs, connection: &mut Connection) -> Outcome {
    loop {
        let happening = tokio::select! {
            happening = connection.next() => happening,
            _ = tokio::signal::ctrl_c() => return Outcome::Done,
        };
        match happening {
            Happening::Message(message) => print_message(args, &message),
            Happening::Ended(end) => {
                eprintln!("error: no connection with {}: {end}", args.broker);
                return Outcome::NoAnswer;
            }
            Happening::Accepted | Happening::Subscribed { .. } => {}
        }
    }
}

fn print_message(args: &CtlArgs, message: &Message) {
    let text = String::from_utf8_lossy(&message.payload);
    if args.json {
        let payload: Value = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text));
        println!("{}", json!({ "topic": message.topic, "payload": payload }));
        return;
    }
    let short = message.topic.rsplitn(3, '/').collect::<Vec<_>>();
    let name = if message.topic.ends_with("/availability") {
        "availability".to_owned()
    } else {
        format!("{}/{}", short.get(1).unwrap_or(&""), short[0])
    };
    println!("{name} {text}");
}
