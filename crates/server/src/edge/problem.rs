//! Problem details for HTTP APIs (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

/// An error body: `{"type":"about:blank","title":..,"status":..,"code":..,"detail":..,..}` as `application/problem+json`.
///
/// `code` is ours: the stable word that a program may compare. `title` is the status' own phrase, as RFC 9457 section
/// 4.2.1 wants it for `about:blank`.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Option<String>,
    extra: Map<String, Value>,
}

impl Problem {
    /// A problem with nothing but its status and code.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, detail: None, extra: Map::new() }
    }

    /// The sentence for the person who reads it: lower case, no full stop, never a secret.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// An extension member (RFC 9457 section 3.2). One that has a standard member's name is not written.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    /// The status it will be sent with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The body as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut body = self.extra.clone();
        body.insert("type".to_owned(), "about:blank".into());
        body.insert("title".to_owned(), self.status.canonical_reason().unwrap_or("Error").into());
        body.insert("status".to_owned(), self.status.as_u16().into());
        body.insert("code".to_owned(), self.code.into());
        if let Some(detail) = &self.detail {
            body.insert("detail".to_owned(), detail.as_str().into());
        }
        Value::Object(body)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let content_type = HeaderValue::from_static("application/problem+json");
        (self.status, [(header::CONTENT_TYPE, content_type)], self.to_json().to_string()).into_response()
    }
}
