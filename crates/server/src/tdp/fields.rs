//! Fields of a body: what is there, whether it fits, and the texts that say why not.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::Value;

use super::body::{Body, Given};

const REQUIRED: &str = "This field is required.";
const NULL: &str = "This field may not be null.";
const BLANK: &str = "This field may not be blank.";

/// What is wrong with fields, in the order of the fields.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<(&'static str, Vec<String>)>);

impl Problems {
    pub(super) fn add(&mut self, field: &'static str, texts: Vec<String>) {
        self.0.push((field, texts));
    }

    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The value, or nothing where it does not fit.
    fn of<T>(&mut self, field: &'static str, read: Result<T, Vec<String>>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(texts) => {
                self.add(field, texts);
                None
            }
        }
    }
}

impl Serialize for Problems {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, texts) in &self.0 {
            map.serialize_entry(field, texts)?;
        }
        map.end()
    }
}

/// Reads the fields of a body one after the other and collects what is wrong with them.
pub(super) struct Fields<'a> {
    body: &'a Body,
    /// Whether what is absent stays as it is.
    partial: bool,
    pub(super) problems: Problems,
}

impl<'a> Fields<'a> {
    pub(super) fn of(body: &'a Body, partial: bool) -> Self {
        Self { body, partial, problems: Problems::default() }
    }

    /// A text, trimmed: absent only where it may be.
    pub(super) fn text(&mut self, field: &'static str, most: usize) -> Option<String> {
        let read = match self.body.get(field) {
            None if self.partial => return None,
            None => Err(vec![REQUIRED.into()]),
            Some(given) => text(&given, most),
        };
        self.problems.of(field, read)
    }

    /// A text that may be absent or null.
    pub(super) fn optional_text(&mut self, field: &'static str, most: usize) -> Option<String> {
        match self.body.get(field)? {
            Given::Json(Value::Null) => None,
            given => {
                let read = text(&given, most);
                self.problems.of(field, read)
            }
        }
    }

    /// The number of a record, or none for null. Outer `None`: absent, or it does not fit.
    pub(super) fn record(
        &mut self,
        field: &'static str,
        exists: impl Fn(u64) -> bool,
    ) -> Option<Option<u64>> {
        let read = match self.body.get(field) {
            None if self.partial => return None,
            None => Err(vec![REQUIRED.into()]),
            Some(Given::Json(Value::Null)) => Ok(None),
            Some(given) if given.is_empty_text() => Ok(None),
            Some(given) => number_of(&given.as_json(), &exists).map(Some).map_err(|text| vec![text]),
        };
        self.problems.of(field, read)
    }

    /// The numbers of records. `None`: absent, or they do not fit.
    pub(super) fn records(
        &mut self,
        field: &'static str,
        exists: impl Fn(u64) -> bool,
    ) -> Option<BTreeSet<u64>> {
        let read = match self.body.get_all(field, self.partial)? {
            Given::Json(Value::Null) => Err(NULL.to_owned()),
            Given::Json(Value::Array(items)) => items.iter().map(|item| number_of(item, &exists)).collect(),
            Given::Texts(texts) => {
                texts.iter().map(|text| number_of(&Value::from(text.as_str()), &exists)).collect()
            }
            Given::Json(other) => {
                Err(format!("Expected a list of items but got type \"{}\".", python_type(&other)))
            }
        };
        self.problems.of(field, read.map_err(|text| vec![text]))
    }
}

/// What Python calls the type of a value.
pub(super) fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

fn text(given: &Given, most: usize) -> Result<String, Vec<String>> {
    let said = |text: &str| Err(vec![text.to_owned()]);
    let text = match given.as_json() {
        Value::Null => return said(NULL),
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => return said("Not a valid string."),
    };
    // Python also trims the four separators of ASCII.
    let text = text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c));
    if text.is_empty() {
        return said(BLANK);
    }
    let mut problems = Vec::new();
    if text.chars().count() > most {
        problems.push(format!("Ensure this field has no more than {most} characters."));
    }
    if text.contains('\0') {
        problems.push("Null characters are not allowed.".into());
    }
    if problems.is_empty() { Ok(text.to_owned()) } else { Err(problems) }
}

/// The number of a record that there is.
fn number_of(value: &Value, exists: &impl Fn(u64) -> bool) -> Result<u64, String> {
    let (number, shown) = match value {
        Value::Number(number) => (whole(number), number.to_string()),
        Value::String(text) => match text.trim().parse::<i128>() {
            Ok(number) => (u64::try_from(number).ok(), text.clone()),
            // Too long for any number of ours, but a number.
            Err(_) if is_digits(text.trim()) => (None, text.clone()),
            Err(_) => return Err(wrong_type(value)),
        },
        _ => return Err(wrong_type(value)),
    };
    match number.filter(|number| exists(*number)) {
        Some(number) => Ok(number),
        None => Err(format!("Invalid pk \"{}\" - object does not exist.", shorten(&shown))),
    }
}

fn wrong_type(value: &Value) -> String {
    format!("Incorrect type. Expected pk value, received {}.", python_type(value))
}

fn is_digits(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// `11` and `11.0`.
fn whole(number: &serde_json::Number) -> Option<u64> {
    number.as_u64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && (0.0..9e15).contains(float))?;
        format!("{float:.0}").parse().ok()
    })
}

/// No more of what was sent comes back than a number is long.
fn shorten(text: &str) -> &str {
    text.get(..text.floor_char_boundary(64)).unwrap_or_default()
}
