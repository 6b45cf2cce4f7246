//! serde's messages in the words of JSON, without the values they repeat.

use serde_path_to_error::{Path, Segment};

/// More would be the client's own text coming back.
const MAX_FIELD: usize = 128;

/// The path in the form `roles[2].name`; `None` for the body as a whole. `last` is a field that only the message names.
pub(super) fn field(path: &Path, last: Option<&str>) -> Option<String> {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } | Segment::Enum { variant: key } => push(&mut text, key),
            Segment::Unknown => {}
        }
    }
    if let Some(key) = last {
        push(&mut text, key);
    }
    let cut = text.floor_char_boundary(MAX_FIELD);
    text.truncate(cut);
    (!text.is_empty()).then_some(text)
}

fn push(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// What is expected, from a message of serde's, and the field if the message names one of ours.
///
/// serde writes `invalid type: string "hunter2", expected u64 at line 1 column 9`: what comes after the last
/// `, expected ` is of our own types, what comes before is the client's.
pub(super) fn message(text: &str) -> (String, Option<&str>) {
    let text = text.rsplit_once(" at line ").map_or(text, |(text, _)| text);
    for (ours, meaning) in
        [("missing field ", "a value is required"), ("duplicate field ", "given more than once")]
    {
        if let Some(name) = text.strip_prefix(ours) {
            return (meaning.to_owned(), Some(name.trim_matches('`')));
        }
    }
    (without_value(text), None)
}

fn without_value(text: &str) -> String {
    let repeats =
        ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant ", "unknown field "];
    let Some(kind) = repeats.iter().find(|kind| text.starts_with(**kind)) else {
        return text.to_owned();
    };
    let expected = match (text.rsplit_once(", expected "), text.rsplit_once(", there are no ")) {
        (Some((_, expected)), _) => format!("expected {}", in_json(expected)),
        (None, Some((_, what))) => format!("there are no {what}"),
        (None, None) => "not what is expected here".to_owned(),
    };
    if *kind == "unknown field " { format!("unknown field, {expected}") } else { expected }
}

/// Rust's words for what a type expects, in JSON's words.
fn in_json(expected: &str) -> String {
    match expected {
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "an integer".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "an integer, not negative".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a map" => "an object".to_owned(),
        "a sequence" => "an array".to_owned(),
        "unit" => "null".to_owned(),
        "a borrowed string" => "a string".to_owned(),
        _ if expected.starts_with("struct ") => "an object".to_owned(),
        _ if expected.starts_with("tuple ") || expected.starts_with("a tuple ") => "an array".to_owned(),
        _ if expected.starts_with("enum ") || expected.starts_with("variant ") => {
            "one of the documented forms".to_owned()
        }
        other => other.to_owned(),
    }
}
