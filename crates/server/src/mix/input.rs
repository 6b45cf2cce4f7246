//! Reading what a call brings: bodies, ids, small numbers in the query.

use grantd_node::realm::Refusal;
use grantd_node::realm::refusal::Noun;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Call;
use super::errors::Error;
use crate::edge::{ContentTypeRule, JsonRules};

/// The body, a JSON object. A page of another site can send no such content type without asking first.
pub(super) fn read<'b, T: Deserialize<'b>>(call: &'b Call) -> Result<T, Error> {
    Ok(call.json(JsonRules { content_type: ContentTypeRule::Required, ..JsonRules::default() })?)
}

/// The body, where there may be none.
pub(super) fn read_or_default<'b, T: Deserialize<'b> + Default>(call: &'b Call) -> Result<T, Error> {
    if call.body().is_empty() { Ok(T::default()) } else { read(call) }
}

/// The id of a request in the path. What is no id of ours is the id of nothing.
pub(super) fn request_id(call: &Call) -> Result<Uuid, Error> {
    let text = call.param("id");
    let usual = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
    usual.ok_or_else(|| Refusal::not_found(Noun::Request, text).into())
}

/// Parameters as clients can show them: an object. Anything else is put into one.
pub(super) fn object(params: Option<&RawValue>) -> String {
    match params.map(RawValue::get) {
        None | Some("null") => "{}".into(),
        Some(object) if object.starts_with('{') => object.into(),
        Some(other) => format!("{{\"input\":{other}}}"),
    }
}

/// A whole number in the query, up to a most.
pub(super) fn number(name: &str, text: Option<&str>, most: u64) -> Result<Option<u64>, Error> {
    match text.map(str::parse::<u64>) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number.min(most))),
        Some(Err(_)) => Err(Error::invalid(name, "must be a whole number, not negative")),
    }
}

/// How many items a page has.
pub(super) fn limit(text: Option<&str>) -> Result<usize, Error> {
    match number("limit", text, MAX_LIMIT)? {
        Some(0) => Err(Error::invalid("limit", format!("must be 1 to {MAX_LIMIT}"))),
        limit => Ok(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(DEFAULT_LIMIT)),
    }
}

/// Without a limit, and at most.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: u64 = 1_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn params_are_always_an_object() {
        let of = |text: &str| object(Some(serde_json::from_str(text).unwrap()));
        assert_eq!(object(None), "{}");
        assert_eq!(of("null"), "{}");
        assert_eq!(of(r#"{"a": 1e400}"#), r#"{"a": 1e400}"#);
        assert_eq!(of(r#""ls""#), r#"{"input":"ls"}"#);
        assert_eq!(of("[1,2]"), r#"{"input":[1,2]}"#);
    }
}
