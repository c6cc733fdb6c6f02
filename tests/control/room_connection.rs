//! docs/room-connection.md is made from the types. `UPDATE=1` writes it.

use std::fmt::Write as _;

use roomd::{
    appliance::{JoinRoom, events::ROOM_EVENTS},
    mqtt::commands::COMMANDS,
};
use roomd_room::{
    BreakoutSessionSettings, RoomConnectionState, RoomJoinedEvent, join_error::JOIN_ERRORS,
};
use schemars::{Schema, schema_for};
use serde_json::{Map, Value};

use crate::documentation::{check, published};

const OPENING: &str = "\
# The room connection

Generated from the Rust types by `UPDATE=1 cargo test --test control room_connection`; edit there.

What the box knows of its room, the words of Whereby's SDK (`RoomConnection`, core 1.20.3) and their meaning here. Fields
are published over MQTT as [mqtt.md](mqtt.md) says. A field marked *optional* may be absent, any other is always there.

On a box, the SDK's browser types mean this: a `MediaStream` is what arrives or leaves, told by its tracks (`video`, `audio`,
for remote ones also size, rate and whether packets arrive); `MediaStreamConstraints` are the device and size in
`[media]` of the configuration with the modes HD, low data and widescreen over them; what was opened, and whether its
samples flow, is in `state/local_media`. `localMediaOptions` are the wishes about microphone and camera, which every join
has: whoever joins with both off joins without opening a device.

| in the SDK | here |
|---|---|
| `WherebyClientOptions`, `LocalMediaOptions`, `InitialMuteStates` | [JoinRoom](#joinroom) of one meeting, `[room]` and `[media]` of the [configuration](configuration.md) for all |
| `RoomJoinedEvent` | [RoomJoinedEvent](#roomjoinedevent) |
| `RoomJoinedSuccess`, `RoomConnectionState` | [RoomConnectionState](#roomconnectionstate), which holds what the join brought |
| `LocalParticipantState`, `RemoteParticipantState`, `WaitingParticipantState` | [LocalParticipant](#localparticipant), [RemoteParticipant](#remoteparticipant), [WaitingParticipant](#waitingparticipant) |
| `LocalScreenshareStatus`, `ScreenshareState` | [LocalScreenshareStatus](#localscreensharestatus), [Screenshare](#screenshare) |
| `CloudRecordingState`, `LiveStreamState` | [CloudRecording](#cloudrecording), [LiveStream](#livestream) |
| `LiveTranscriptionState`, `LiveCaptionsState` | [LiveTranscription](#livetranscription), [LiveCaptions](#livecaptions) |
| `ChatMessage`, `ClientView`, `BreakoutState`, `ConnectionStatus` | the same names |
| `StartBreakoutSessionOptions`, `UpdateBreakoutSessionOptions` | [BreakoutSessionSettings](#breakoutsessionsettings) |
| `MediaDeviceInfo` | an entry of `state/devices` ([schema](schemas/state.devices.json)) |
| `MediaStream` | `state/local_media` and [RemoteStream](#remotestream) |
";

const DIFFERENCES: &str = "
## Where the box does otherwise

It does what the SDK does, as far as others in the room can see, but for this:

- What a role may not do is refused before anything is sent, also what the SDK sends for the server to drop: deciding on who
  waits, recording and transcription by anybody but hosts, microphone, camera and screen of viewers, messages of others, groups
  that one is not assigned to where assignments bind.
- Who joins as audience closes microphone and camera: what arrives at others is played by them.
- An action on somebody or something that is not there is refused instead of sent.
- Media is exchanged within a breakout group. A solicitation from another group is not answered, unless it comes from a
  program of the service or the box speaks to all groups; the SDK answers everybody.
- Who leaves at the door takes the knock back and closes the connection; an answer to a join that comes after leaving is
  followed by `leave_room`.
- A join that is refused, and a knock that is turned away, close the devices and the connection.
- An answer that does not come within 10 s makes the connection anew, `room_left` is waited for 5 s; the SDK waits for ever.
- A device that does not open is switched off and told so; switching HD, low data or widescreen opens nothing that is off.
- The list of who waits that comes with a join is the whole truth, also when it is empty; nobody is in it twice.
- Rooms that need a media server are refused (`media_server_required`).
- Each event is told when its own content changed; the SDK repeats some with every change of anything.
- The last 500 messages and 100 captions are kept.
";

fn text(value: &Value, key: &str) -> String {
    let text = value.get(key).and_then(Value::as_str).unwrap_or_default();
    let text = text.replace('\n', " ").replace('|', "\\|");
    // The types say it in Rust, what is published is JSON.
    text.replace("`None`", "`null`")
        .replace("`Some`", "a value")
}

/// The type of a value in words, with links to the types of this page.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return format!("[{name}](#{})", name.to_lowercase());
    }
    for either in ["anyOf", "oneOf"] {
        if let Some(parts) = schema.get(either).and_then(Value::as_array) {
            return parts.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    let named = |name: &str| match name {
        "array" => {
            let items = schema.get("items").map(kind).unwrap_or_default();
            format!("list of {items}")
        }
        "object" => match schema.get("additionalProperties") {
            Some(Value::Object(_)) => format!("map of {}", kind(&schema["additionalProperties"])),
            _ => "object".to_owned(),
        },
        other => other.to_owned(),
    };
    match schema.get("type") {
        Some(Value::String(name)) => named(name),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            names.map(named).collect::<Vec<_>>().join(" or ")
        }
        _ => schema
            .get("const")
            .map_or_else(|| "anything".to_owned(), Value::to_string),
    }
}

fn fields(page: &mut String, schema: &Value) {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object);
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    page.push_str("| field | type | meaning |\n|---|---|---|\n");
    for (name, field) in properties.unwrap_or(&none) {
        let optional = if required.contains(&name.as_str()) {
            ""
        } else {
            ", *optional*"
        };
        writeln!(
            page,
            "| `{name}` | {}{optional} | {} |",
            kind(field),
            text(field, "description")
        )
        .unwrap();
    }
}

/// A heading for a type and what it consists of.
fn section(page: &mut String, name: &str, schema: &Value) {
    writeln!(page, "\n### {name}\n\n{}\n", text(schema, "description")).unwrap();
    if let Some(values) = schema.get("oneOf").and_then(Value::as_array) {
        page.push_str("| value | meaning |\n|---|---|\n");
        for value in values {
            let word = value
                .get("const")
                .and_then(Value::as_str)
                .unwrap_or_default();
            writeln!(page, "| `{word}` | {} |", text(value, "description")).unwrap();
        }
    } else if schema.get("properties").is_some() {
        fields(page, schema);
    } else {
        writeln!(page, "A {}.", kind(schema)).unwrap();
    }
}

/// A type, then the types that it is made of and that were not on the page before.
fn types(page: &mut String, known: &mut Vec<String>, schema: &Schema) {
    let schema = schema.as_value();
    let title = text(schema, "title");
    section(page, &title, schema);
    known.push(title);
    let Some(parts) = schema.get("$defs").and_then(Value::as_object) else {
        return;
    };
    for (name, part) in parts {
        if !known.contains(name) {
            section(page, name, part);
            known.push(name.clone());
        }
    }
}

#[test]
fn the_page_about_the_room_connection_is_the_one_of_the_types() {
    let mut page = OPENING.to_owned();
    let mut known = Vec::new();
    page.push_str(DIFFERENCES);
    page.push_str("\n## State\n");
    types(&mut page, &mut known, &published::<RoomConnectionState>());
    page.push_str("\n## Options and payloads\n");
    for schema in [
        schema_for!(JoinRoom),
        schema_for!(BreakoutSessionSettings),
        published::<RoomJoinedEvent>(),
    ] {
        types(&mut page, &mut known, &schema);
    }

    page.push_str("\n## Events\n\n| topic | payload | when |\n|---|---|---|\n");
    for (name, payload, meaning) in ROOM_EVENTS {
        writeln!(page, "| `event/{name}` | {payload} | {meaning} |").unwrap();
    }
    page.push_str(
        "\nThe last 14 are the SDK's notifications and have a `message` for people as well.\n",
    );

    page.push_str("\n## Actions\n\n| command | what it does |\n|---|---|\n");
    for spec in COMMANDS
        .iter()
        .filter(|spec| spec.kind.level() == "cmd" && spec.supported)
    {
        writeln!(page, "| `{}` | {} |", spec.name, spec.summary).unwrap();
    }

    page.push_str(
        "\n## Why a join is refused\n\nOther words may come; they are passed on as they are.\n\n",
    );
    page.push_str("| `connectionError` | meaning | what to do |\n|---|---|---|\n");
    for error in JOIN_ERRORS {
        writeln!(
            page,
            "| `{}` | {} | {} |",
            error.word, error.meaning, error.remedy
        )
        .unwrap();
    }
    check("room-connection.md", &page);
}
