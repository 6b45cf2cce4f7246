//! Whose pages may call the dialect from a browser (the Fetch standard's CORS protocol). Nobody's, unless it is set.
//!
//! No credential of a browser's own counts here, so that a page needs a key like everybody else.

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

/// As Mix has them, with what its stream goes on by.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS");
const HEADERS: HeaderValue =
    HeaderValue::from_static("Content-Type, Authorization, X-Requested-With, Last-Event-ID");

/// How long a browser may remember, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// The origins whose pages may call.
#[derive(Debug, Clone, Default)]
pub struct Cors(Arc<[Origin]>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Any,
    One(HeaderValue),
}

/// A text that is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no origin: name one as in `https://app.example` or `http://localhost:3000`, or `*` for all"
)]
pub struct NoOrigin(String);

impl Cors {
    /// From `*`, or origins as browsers send them.
    ///
    /// # Errors
    /// A text that no browser sends as an origin.
    pub fn new<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<Self, NoOrigin> {
        origins.into_iter().map(Origin::read).collect::<Result<_, _>>().map(Self)
    }

    /// What answers are told, if a page of this origin may call.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if self.0.contains(&Origin::Any) {
            return Some(HeaderValue::from_static("*"));
        }
        let origin = headers.get(header::ORIGIN)?;
        self.0.contains(&Origin::One(origin.clone())).then(|| origin.clone())
    }
}

impl Origin {
    fn read(text: &str) -> Result<Self, NoOrigin> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let no_origin = || NoOrigin(text.to_owned());
        let url = url::Url::parse(text).map_err(|_| no_origin())?;
        // Browsers send it in this form and no other one.
        let is_one = ["http", "https"].contains(&url.scheme()) && url.origin().ascii_serialization() == text;
        if !is_one {
            return Err(no_origin());
        }
        HeaderValue::from_str(text).map(Self::One).map_err(|_| no_origin())
    }
}

/// Answers what browsers ask beforehand, and says with each answer who may read it. Without a setting it does nothing.
pub(super) async fn cors(cors: Cors, request: Request, next: Next) -> Response {
    if cors.0.is_empty() {
        return next.run(request).await;
    }
    let allowed = cors.allowed(request.headers());
    let mut response = if *request.method() == Method::OPTIONS {
        let mut response = StatusCode::OK.into_response();
        if allowed.is_some() {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
        response
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(allowed) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn allowed(origins: &[&str], origin: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        let allowed = Cors::new(origins.iter().copied()).unwrap().allowed(&headers)?;
        Some(allowed.to_str().unwrap().to_owned())
    }

    #[test]
    fn only_who_is_named_may_call() {
        let origins = ["https://app.example", "http://localhost:3000"];
        for origin in origins {
            assert_eq!(allowed(&origins, origin).as_deref(), Some(origin));
        }
        for origin in
            ["https://app.example.evil", "http://app.example", "https://app.example:444", "null", ""]
        {
            assert_eq!(allowed(&origins, origin), None, "{origin}");
        }
        assert_eq!(allowed(&[], "https://app.example"), None);
        assert_eq!(allowed(&["*"], "https://anybody.example").as_deref(), Some("*"));
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for text in [
            "",
            "app.example",
            "https://app.example/",
            "https://App.example",
            "https://app.example:443",
            "null",
            "ftp://a",
        ] {
            assert_eq!(Cors::new([text]).err(), Some(NoOrigin(text.to_owned())), "{text}");
        }
    }
}
