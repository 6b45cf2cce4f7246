//! Reading a JSON body, with errors a face can say in its own form.
//!
//! axum's own `Json` answers in plain text and repeats the client's values; this one says which field is wrong and what
//! is expected there, and never what was sent.

mod depth;
mod expected;
#[cfg(test)]
mod tests;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{EdgeError, InvalidBody};
use super::layers::BodyFault;

/// Which `Content-Type` a JSON body may come with. `charset`, where given, must be UTF-8 in each case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentTypeRule {
    /// `application/json` or `application/*+json`.
    Required,
    /// As `Required`, or no `Content-Type` at all.
    OrAbsent,
    /// Whatever it says, the body is read as JSON.
    Any,
}

/// How a JSON body is read.
#[derive(Clone, Copy, Debug)]
pub struct JsonRules {
    /// Which `Content-Type` is taken.
    pub content_type: ContentTypeRule,
    /// Arrays and objects inside one another; at most 127.
    pub max_depth: usize,
}

impl Default for JsonRules {
    fn default() -> Self {
        Self { content_type: ContentTypeRule::OrAbsent, max_depth: 64 }
    }
}

/// An extractor: a JSON body under the default [`JsonRules`].
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = EdgeError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, EdgeError> {
        let (parts, body) = request.into_parts();
        read_json(&parts.headers, body, JsonRules::default()).await.map(Json)
    }
}

/// Reads a body to its end and reads it as a `T`.
///
/// # Errors
/// `UnsupportedMediaType`, whatever [`read_bytes`] answers, and `InvalidBody` as of [`parse_json`].
pub async fn read_json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    rules: JsonRules,
) -> Result<T, EdgeError> {
    check_content_type(headers, rules.content_type)?;
    parse_json(&read_bytes(body).await?, rules)
}

/// Reads a body to its end. How long it may be and how long it may take is up to the layer around the route.
///
/// # Errors
/// `PayloadTooLarge`, `RequestTimeout`, or `InvalidBody` with `truncated_body` when the client went away.
pub async fn read_bytes(body: Body) -> Result<Bytes, EdgeError> {
    match body.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => Err(BodyFault::find(&error).map_or_else(
            || invalid("truncated_body", None, "the body ended before its announced end"),
            EdgeError::from,
        )),
    }
}

/// Reads bytes as a `T`. The content type is not looked at.
///
/// A message that a type's own `Deserialize` makes (`Error::custom`) is passed on to the client, so it must not repeat
/// the value.
///
/// # Errors
/// `InvalidBody` with `empty_body`, `not_utf8`, `not_json`, `too_deep`, or `invalid_field`, which names the field.
pub fn parse_json<'b, T: Deserialize<'b>>(body: &'b [u8], rules: JsonRules) -> Result<T, EdgeError> {
    let text = std::str::from_utf8(body).map_err(|_| invalid("not_utf8", None, "the body is not UTF-8"))?;
    if text.trim_ascii().is_empty() {
        return Err(invalid("empty_body", None, "a JSON body is expected, this one is empty"));
    }
    if depth::deeper_than(body, rules.max_depth) {
        let message = format!("the body is nested deeper than {} levels", rules.max_depth);
        return Err(invalid("too_deep", None, &message));
    }
    serde_json::from_str(text).map_err(|error| explain::<T>(text, &error))
}

/// Reads bytes as a `T` that is a JSON object. serde would also take an array for a struct, by position.
///
/// # Errors
/// As [`parse_json`], and `BadRequest` for an array.
pub fn parse_object<'b, T: Deserialize<'b>>(body: &'b [u8], rules: JsonRules) -> Result<T, EdgeError> {
    if body.trim_ascii_start().first().is_some_and(|first| *first == b'[') {
        return Err(EdgeError::BadRequest("the body must be a JSON object".into()));
    }
    parse_json(body, rules)
}

/// Reads the text once more, now noting the path: only a body that is wrong pays for that.
fn explain<'b, T: Deserialize<'b>>(text: &'b str, error: &serde_json::Error) -> EdgeError {
    if !error.is_data() {
        let message = format!("the body is not JSON: line {} column {}", error.line(), error.column());
        return invalid("not_json", None, &message);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let Err(tracked) = serde_path_to_error::deserialize::<_, T>(&mut reader) else {
        // Only a type that reads the same text in two ways gets here.
        return invalid("invalid_field", None, &expected::message(&error.to_string()).0);
    };
    let text = tracked.inner().to_string();
    let (message, named) = expected::message(&text);
    invalid("invalid_field", expected::field(tracked.path(), named), &message)
}

fn invalid(code: &'static str, field: Option<String>, message: &str) -> EdgeError {
    EdgeError::InvalidBody(InvalidBody { code, field, message: message.to_owned() })
}

/// Refuses a body of another type.
///
/// # Errors
/// `UnsupportedMediaType`.
pub fn check_content_type(headers: &HeaderMap, rule: ContentTypeRule) -> Result<(), EdgeError> {
    let fits = match (rule, headers.get(header::CONTENT_TYPE)) {
        (ContentTypeRule::Any, _) => true,
        (ContentTypeRule::Required, None) => false,
        (ContentTypeRule::OrAbsent, None) => true,
        (_, Some(value)) => value.to_str().is_ok_and(is_json),
    };
    if fits { Ok(()) } else { Err(EdgeError::UnsupportedMediaType) }
}

/// `application/json` and `application/<anything>+json` (RFC 6839 section 3.1), in UTF-8 (RFC 8259 section 8.1).
fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let of_json =
        essence.strip_prefix("application/").is_some_and(|sub| sub == "json" || sub.ends_with("+json"));
    let in_utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset")
            || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    of_json && in_utf8
}
