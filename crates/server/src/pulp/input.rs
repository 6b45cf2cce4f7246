//! Fields of a body and of a query.

use grantd_node::realm::pulp::{Operation, PulpUri};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::errors::Error;

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// Takes a field out of an object; null is the same as absent.
pub(super) fn take(object: &mut Object, name: &str) -> Option<Value> {
    object.remove(name).filter(|value| !value.is_null())
}

/// A text, or the error that names the field.
pub(super) fn text(value: Value, name: &str) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(Error::invalid(name)),
    }
}

/// A text that may be absent.
pub(super) fn optional_text(object: &mut Object, name: &str) -> Result<Option<String>, Error> {
    take(object, name).map(|value| text(value, name)).transpose()
}

/// A password: any text but the empty one. Absent: none is set.
pub(super) fn password(object: &mut Object) -> Result<Option<String>, Error> {
    match optional_text(object, "password")? {
        Some(empty) if empty.is_empty() => Err(Error::invalid("password")),
        other => Ok(other),
    }
}

/// Refuses whatever is left in an object.
pub(super) fn nothing_else(object: &Object) -> Result<(), Error> {
    let names: Vec<&str> = object.keys().map(String::as_str).collect();
    if names.is_empty() { Ok(()) } else { Err(Error::all_invalid(&names)) }
}

/// `{"delta": {...}}`.
pub(super) fn delta(mut body: Object) -> Result<Object, Error> {
    match body.remove("delta") {
        Some(Value::Object(delta)) => Ok(delta),
        _ => Err(Error::invalid("delta")),
    }
}

/// A list of operations by name, at least one.
pub(super) fn operations(value: &Value) -> Result<Vec<Operation>, Error> {
    let named = |value: &Value| value.as_str().and_then(Operation::of_name);
    let operations: Option<Vec<_>> = value
        .as_array()
        .filter(|names| !names.is_empty())
        .and_then(|names| names.iter().map(named).collect());
    operations.ok_or_else(|| Error::invalid("operation_name"))
}

/// A resource that operations are granted on, in its one spelling.
pub(super) fn resource(value: &Value) -> Result<PulpUri, Error> {
    let uri = value.as_str().and_then(|text| PulpUri::normalise(text).ok());
    uri.ok_or_else(|| Error::invalid("resource"))
}

/// The parameters of a query in order, percent-decoded; one that is not UTF-8 is an error that names it.
pub(super) fn query(query: &str) -> Result<Vec<(String, String)>, Error> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decoded(name).ok_or_else(|| Error::invalid("query"))?;
            let value = decoded(value).ok_or_else(|| Error::invalid(&name))?;
            Ok((name, value))
        })
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Into::into)
}
