//! Bodies: JSON, a form, or a multipart form.

use axum::body::Body as HttpBody;
use axum::extract::{FromRequest as _, Multipart, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::errors::{Error, NO_FIELD};
use super::fields::python_type;
use super::json_error;
use crate::edge::{ContentTypeRule, EdgeError, InvalidBody, JsonRules, parse_json};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// A field as it was given.
pub(super) enum Given {
    Json(Value),
    /// The values of a form's field, in their order; at least one, but for a list.
    Texts(Vec<String>),
}

impl Given {
    /// As JSON; of several texts the last one.
    pub(super) fn as_json(&self) -> Value {
        match self {
            Self::Json(value) => value.clone(),
            Self::Texts(texts) => texts.last().map_or(Value::Null, |text| Value::from(text.as_str())),
        }
    }

    pub(super) fn is_empty_text(&self) -> bool {
        matches!(self.as_json(), Value::String(text) if text.is_empty())
    }
}

/// The fields of a body.
pub(super) enum Body {
    Json(Map<String, Value>),
    Form(Vec<(String, String)>),
}

impl Body {
    /// Reads it by its content type. No body at all has no fields.
    pub(super) async fn read(headers: &HeaderMap, bytes: &Bytes) -> Result<Self, Error> {
        if bytes.is_empty() {
            return Ok(Self::Json(Map::new()));
        }
        let content_type = headers.get(header::CONTENT_TYPE).map_or(Ok(""), |value| value.to_str());
        let content_type = content_type.unwrap_or_default();
        match essence(content_type).as_str() {
            "application/json" => json(bytes),
            FORM => {
                let unread = |_| Error::unreadable("Form parse error - the form cannot be read");
                Ok(Self::Form(serde_urlencoded::from_bytes(bytes).map_err(unread)?))
            }
            MULTIPART => multipart(content_type, bytes).await,
            _ => Err(Error::unsupported(content_type)),
        }
    }

    /// The same, where there is only JSON.
    pub(super) fn read_json(headers: &HeaderMap, bytes: &Bytes) -> Result<Self, Error> {
        let content_type = headers.get(header::CONTENT_TYPE).map_or(Ok(""), |value| value.to_str());
        let content_type = content_type.unwrap_or_default();
        match essence(content_type).as_str() {
            _ if bytes.is_empty() => Ok(Self::Json(Map::new())),
            "application/json" => json(bytes),
            _ => Err(Error::unsupported(content_type)),
        }
    }

    pub(super) fn get(&self, field: &str) -> Option<Given> {
        match self {
            Self::Json(object) => object.get(field).cloned().map(Given::Json),
            Self::Form(pairs) => Some(all(pairs, field)).filter(|texts| !texts.is_empty()).map(Given::Texts),
        }
    }

    /// All values of a field that is a list. A form shows an empty one by leaving it out, unless only some fields are given.
    pub(super) fn get_all(&self, field: &str, partial: bool) -> Option<Given> {
        match self {
            Self::Json(_) => self.get(field),
            Self::Form(pairs) if !partial => Some(Given::Texts(all(pairs, field))),
            Self::Form(_) => self.get(field),
        }
    }

    /// A field that is a text.
    pub(super) fn text(&self, field: &str) -> Option<String> {
        match self.get(field)?.as_json() {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

fn all(pairs: &[(String, String)], field: &str) -> Vec<String> {
    pairs.iter().filter(|(name, _)| name == field).map(|(_, value)| value.clone()).collect()
}

/// Whether a body of this content type is a form.
pub(super) fn is_form(content_type: &str) -> bool {
    [FORM, MULTIPART].contains(&essence(content_type).as_str())
}

fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn json(bytes: &Bytes) -> Result<Body, Error> {
    let rules = JsonRules { content_type: ContentTypeRule::Any, ..JsonRules::default() };
    let value: Value = parse_json(bytes, rules).map_err(|error| {
        let why = match &error {
            EdgeError::InvalidBody(InvalidBody { code: "too_deep", message, .. }) => message.clone(),
            _ => json_error::of(bytes),
        };
        Error::unreadable(format!("JSON parse error - {why}"))
    })?;
    match value {
        Value::Object(object) => Ok(Body::Json(object)),
        Value::Null => Err(Error::field(NO_FIELD, "No data provided")),
        other => {
            let got = python_type(&other);
            Err(Error::field(NO_FIELD, format!("Invalid data. Expected a dictionary, but got {got}.")))
        }
    }
}

/// Files are no fields.
async fn multipart(content_type: &str, bytes: &Bytes) -> Result<Body, Error> {
    let unread =
        |why: &dyn std::fmt::Display| Error::unreadable(format!("Multipart form parse error - {why}"));
    let request = Request::builder().header(header::CONTENT_TYPE, content_type);
    let request = request.body(HttpBody::from(bytes.clone())).map_err(|why| unread(&why))?;
    let mut form = Multipart::from_request(request, &()).await.map_err(|why| unread(&why))?;
    let mut pairs = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|why| unread(&why))? {
        let name = field.name().map(str::to_owned).filter(|_| field.file_name().is_none());
        if let Some(name) = name {
            pairs.push((name, field.text().await.map_err(|why| unread(&why))?));
        }
    }
    Ok(Body::Form(pairs))
}
