//! docs/asyncapi.json: every channel of the MQTT interface, made from the code. `UPDATE=1` writes it.

use roomd::{
    appliance::events::ROOM_EVENTS,
    mqtt::{commands::COMMANDS, status::PARTS},
};
use serde_json::{Map, Value, json};

use crate::documentation::{check, pretty};

/// Channels and what the box does with them.
#[derive(Default)]
struct Interface {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
}

impl Interface {
    /// A topic below the box's own base.
    fn add(&mut self, action: &str, topic: &str, summary: &str, payload: Value, retain: bool) {
        let name = topic.replace('/', "_");
        self.channels.insert(
            name.clone(),
            json!({
                "address": format!("{{prefix}}/{{device}}/{topic}"),
                "parameters": {
                    "prefix": { "$ref": "#/components/parameters/prefix" },
                    "device": { "$ref": "#/components/parameters/device" },
                },
                "messages": { "message": { "summary": summary, "payload": payload } },
            }),
        );
        let mut operation = json!({
            "action": action,
            "channel": { "$ref": format!("#/channels/{name}") },
            "summary": summary,
            "bindings": { "mqtt": { "qos": 1, "retain": retain, "bindingVersion": "0.2.0" } },
        });
        if topic.starts_with("cmd/") || topic.starts_with("admin/") {
            operation["reply"] = json!({
                "address": {
                    "location": "$message.payload#/replyTo",
                    "description": "Without one, the channel `reply`; in MQTT 5 the response topic.",
                },
                "channel": { "$ref": "#/channels/reply" },
            });
        }
        self.operations
            .insert(format!("{action}_{name}"), operation);
    }
}

fn file(name: &str) -> Value {
    json!({ "$ref": format!("./schemas/{name}") })
}

#[test]
fn the_asyncapi_document_is_the_one_of_the_code() {
    let mut interface = Interface::default();
    let plain = json!({ "type": "string", "enum": ["online", "offline"] });
    interface.add(
        "send",
        "availability",
        "Whether the box is there; `offline` is its will.",
        plain,
        true,
    );
    interface.add(
        "send",
        "info",
        "What the box is and can do.",
        file("info.json"),
        true,
    );
    interface.add(
        "send",
        "reply",
        "How a command ended.",
        file("reply.json"),
        false,
    );
    for part in PARTS {
        let summary = format!("State: {}.", part.name.replace('_', " "));
        let payload = file(&format!("state.{}.json", part.name));
        interface.add(
            "send",
            &format!("state/{}", part.name),
            &summary,
            payload,
            true,
        );
    }
    for (name, fields, meaning) in ROOM_EVENTS {
        let payload = json!({ "type": "object", "description": fields });
        interface.add("send", &format!("event/{name}"), meaning, payload, false);
    }
    for spec in COMMANDS {
        let topic = format!("{}/{}", spec.kind.level(), spec.name);
        let payload = file(&format!("commands.json#/{}", topic.replace('/', "~1")));
        interface.add("receive", &topic, spec.summary, payload, false);
    }
    let parts = json!({
        "type": "object",
        "properties": { "parts": { "type": "array", "items": { "type": "string" } } },
    });
    interface.add("receive", "get", "Publish state again, now.", parts, false);
    let document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "The MQTT interface of roomd",
            "version": "1",
            "description": "The rules behind it are in mqtt.md. Commands may also be sent to many boxes: `{prefix}/all/cmd/…` and `{prefix}/group/{group}/cmd/…`.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": interface.channels,
        "operations": interface.operations,
        "components": { "parameters": {
            "prefix": { "description": "`mqtt.prefix` of the configuration.", "default": "roomd" },
            "device": { "description": "`device.id` of the configuration." },
        } },
    });
    check("asyncapi.json", &pretty(&document));
}
