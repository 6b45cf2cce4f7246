//! serde's messages in the words of JSON, without the values they repeat.

use serde_path_to_error::{Path, Segment};

/// More would be the client's own text coming back.
const MAX_FIELD: usize = 128;

/// The path in the form `roles[2].name`; `None` for the body as a whole.
pub(super) fn field(path: &Path) -> Option<String> {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Segment::Unknown => {}
        }
    }
    let cut = text.floor_char_boundary(MAX_FIELD);
    text.truncate(cut);
    (!text.is_empty()).then_some(text)
}

/// What is expected, from a message of serde's.
///
/// serde writes `invalid type: string "hunter2", expected u64 at line 1 column 9`: what comes after the last
/// `, expected ` is of our own types, what comes before is the client's.
pub(super) fn message(text: &str) -> String {
    let text = text.rsplit_once(" at line ").map_or(text, |(text, _)| text);
    for ours in ["missing field ", "duplicate field "] {
        if text.starts_with(ours) {
            return text.to_owned();
        }
    }
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
