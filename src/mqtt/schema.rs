//! JSON Schemas of the payloads that are published.

use std::sync::Arc;

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::appliance::ApplianceState;

/// The schema of a part's content, as it is written: what is always there is required.
pub(super) fn of_content<T: JsonSchema>(_part: fn(&ApplianceState) -> &Arc<T>) -> Schema {
    let settings = SchemaSettings::default().for_serialize();
    settings.into_generator().into_root_schema_for::<T>()
}

/// The schema of a payload: `content`'s fields, or `content` in a member, beside `version` and `at`.
pub(super) fn of_payload(name: &str, member: Option<&str>, content: Schema) -> Value {
    let mut content = match content.to_value() {
        Value::Object(content) => content,
        // A schema that is `true` or `false` has no keywords.
        other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
    };
    let dialect = content.remove("$schema");
    let definitions = content.remove("$defs");
    let mut payload = match member {
        None => content,
        Some(member) => {
            content.remove("title");
            json!({ "type": "object", "properties": { member: content }, "required": [member] })
                .as_object()
                .cloned()
                .unwrap_or_default()
        }
    };
    payload.insert("title".to_owned(), json!(format!("state/{name}")));
    let properties = payload.entry("properties").or_insert_with(|| json!({}));
    properties["version"] = json!({
        "description": "Counts up with every change of this part since the start.",
        "type": "integer",
        "minimum": 1,
    });
    properties["at"] = json!({
        "description": "When it changed (RFC 3339, UTC).",
        "type": "string",
        "format": "date-time",
    });
    properties["truncated"] = json!({
        "description": "The payload would be larger than 64 KiB: the first items of its longest lists are left out.",
        "const": true,
    });
    if let Value::Array(required) = payload.entry("required").or_insert_with(|| json!([])) {
        required.extend([json!("version"), json!("at")]);
    }
    payload.extend(dialect.map(|dialect| ("$schema".to_owned(), dialect)));
    payload.extend(definitions.map(|definitions| ("$defs".to_owned(), definitions)));
    Value::Object(payload)
}
