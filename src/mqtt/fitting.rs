//! Payloads of at most 64 KiB: what is too large is cut where it weighs most, and says so.

use serde::{Serialize, ser::Error as _};
use serde_json::{Map, Value};

use super::command::MAX_PAYLOAD;

/// A text shorter than this is not cut any further, in bytes.
const SHORT: usize = 64;

/// What stands at the end of a text that was cut.
const ELLIPSIS: &str = "…";

/// The JSON of an object. One that is too large loses the first items of its heaviest lists; where no list is left, the
/// ends of its longest texts and then the first members of its largest maps. It then has `"truncated": true`.
///
/// # Errors
/// When it cannot be written as JSON, or as an object, or consists of so many members that nothing can be left out.
pub(super) fn fitted<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string(value)?;
    if text.len() <= MAX_PAYLOAD {
        return Ok(text);
    }
    let mut value = serde_json::to_value(value)?;
    let Some(object) = value.as_object_mut() else {
        return Err(serde_json::Error::custom("too large and not an object"));
    };
    object.insert("truncated".to_owned(), Value::Bool(true));
    while text.len() > MAX_PAYLOAD {
        if !shorten(&mut value) {
            return Err(serde_json::Error::custom("too many members"));
        }
        text = serde_json::to_string(&value)?;
    }
    Ok(text)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    List,
    Text,
    Map,
}

/// Something that can be made shorter.
#[derive(Debug)]
struct Part {
    /// Where it stands (RFC 6901).
    pointer: String,
    kind: Kind,
    /// About as many bytes as its JSON has.
    size: usize,
}

/// Leaves out an eighth of what weighs most. False when there is nothing left to leave out.
fn shorten(value: &mut Value) -> bool {
    let mut parts = Vec::new();
    survey(value, &mut String::new(), &mut parts);
    let pointer = [Kind::List, Kind::Text, Kind::Map]
        .into_iter()
        .find_map(|kind| heaviest(&parts, kind));
    match pointer.and_then(|pointer| value.pointer_mut(pointer)) {
        Some(Value::Array(items)) => {
            // The oldest first: in a chat they matter least.
            items.drain(..items.len().div_ceil(8));
        }
        Some(Value::String(text)) => {
            let mut end = text.len() / 2;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push_str(ELLIPSIS);
        }
        Some(Value::Object(members)) => {
            let first = members.len().div_ceil(8);
            let names: Vec<String> = members.keys().take(first).cloned().collect();
            for name in names {
                members.shift_remove(&name);
            }
        }
        _ => return false,
    }
    true
}

/// The part of that kind that weighs most; of lists in lists the innermost one that makes up more than half of it.
fn heaviest(parts: &[Part], kind: Kind) -> Option<&str> {
    let of_kind = || parts.iter().filter(|part| part.kind == kind);
    let mut heaviest = of_kind().max_by_key(|part| part.size)?;
    while let Some(inner) = of_kind()
        .filter(|part| part.pointer.starts_with(&format!("{}/", heaviest.pointer)))
        .max_by_key(|part| part.size)
        .filter(|inner| inner.size * 2 > heaviest.size)
    {
        heaviest = inner;
    }
    Some(&heaviest.pointer)
}

/// Finds everything that can be made shorter; gives the size of `value`.
fn survey(value: &Value, pointer: &mut String, parts: &mut Vec<Part>) -> usize {
    let here = pointer.len();
    let (kind, size, can_shrink) = match value {
        Value::Array(items) => {
            let mut size = 2;
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                size += 1 + survey(item, pointer, parts);
                pointer.truncate(here);
            }
            (Kind::List, size, !items.is_empty())
        }
        Value::Object(members) => {
            let size = survey_members(members, pointer, parts);
            // What stands at the top is the payload itself.
            (Kind::Map, size, here > 0 && !members.is_empty())
        }
        Value::String(text) => (Kind::Text, text.len() + 2, text.len() > SHORT),
        _ => return 8,
    };
    if can_shrink {
        parts.push(Part {
            pointer: pointer.clone(),
            kind,
            size,
        });
    }
    size
}

fn survey_members(
    members: &Map<String, Value>,
    pointer: &mut String,
    parts: &mut Vec<Part>,
) -> usize {
    let here = pointer.len();
    let mut size = 2;
    for (name, member) in members {
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        size += name.len() + 4 + survey(member, pointer, parts);
        pointer.truncate(here);
    }
    size
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parsed(value: &Value) -> Value {
        let text = fitted(value).unwrap();
        assert!(text.len() <= MAX_PAYLOAD, "{} bytes", text.len());
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn what_fits_is_left_as_it_is() {
        let value = json!({ "version": 1, "list": [1, 2], "text": "x".repeat(60_000) });
        assert_eq!(parsed(&value), value);
    }

    #[test]
    fn the_heaviest_list_loses_its_first_items_wherever_it_stands() {
        let clients: Vec<Value> = (0..200)
            .map(|number| json!({ "id": number, "displayName": "x".repeat(500) }))
            .collect();
        let value = json!({
            "version": 7, "isActive": true, "groups": { "a/b": "Group A" },
            "groupedParticipants": [
                { "group": { "id": "" }, "clients": clients },
                { "group": { "id": "a/b" }, "clients": [{ "id": "c" }] },
            ],
        });
        let cut = parsed(&value);
        assert_eq!(cut["truncated"], true);
        assert_eq!(cut["version"], 7);
        assert_eq!(cut["groups"], value["groups"]);
        let groups = cut["groupedParticipants"].as_array().unwrap();
        assert_eq!(groups.len(), 2, "no group is lost");
        assert_eq!(groups[1], value["groupedParticipants"][1]);
        let left = groups[0]["clients"].as_array().unwrap();
        assert!(
            left.len() > 90 && left.last().unwrap()["id"] == 199,
            "{}",
            left.len()
        );
    }

    #[test]
    fn texts_and_then_maps_are_cut_where_there_is_no_list() {
        let cut = parsed(&json!({ "text": "ä".repeat(60_000), "at": "now" }));
        assert_eq!(
            (&cut["truncated"], &cut["at"]),
            (&json!(true), &json!("now"))
        );
        let text = cut["text"].as_str().unwrap();
        assert!(
            text.ends_with("ä…") && text.len() > 10_000,
            "{}",
            text.len()
        );

        let groups: Map<String, Value> = (0..9_000)
            .map(|number| (format!("group-{number}"), json!("Group")))
            .collect();
        let cut = parsed(&json!({ "groups": groups }));
        assert!(cut["groups"]["group-8999"] == "Group" && cut["groups"]["group-0"].is_null());
    }

    #[test]
    fn what_nothing_can_be_left_out_of_is_an_error() {
        let members: Map<String, Value> = (0..9_000)
            .map(|number| (format!("member-{number}"), json!(1)))
            .collect();
        assert!(fitted(&members).is_err());
        assert!(fitted(&"x".repeat(MAX_PAYLOAD)).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_published_fits(
            texts in prop::collection::vec(".{0,2000}", 0..60),
            names in prop::collection::hash_map("[a-c/~]{1,3}", ".{0,3000}", 0..20),
        ) {
            let value = json!({ "lists": [{ "inner": texts }, names], "more": { "inner": [texts] } });
            let text = fitted(&value).unwrap();
            prop_assert!(text.len() <= MAX_PAYLOAD);
            let back: Value = serde_json::from_str(&text).unwrap();
            let was_cut = serde_json::to_string(&value).unwrap().len() > MAX_PAYLOAD;
            prop_assert_eq!(back.get("truncated").is_some(), was_cut);
        }
    }
}
