//! The headers of every answer.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue, header};

/// Those that are the same everywhere.
pub(super) fn answer_headers() -> Arc<[(HeaderName, HeaderValue)]> {
    Arc::new([
        (header::VARY, HeaderValue::from_static("Accept, Cookie")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ])
}

/// `Allow`, on every answer of a path that there is.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let allow = request.extensions().get::<MatchedPath>().map(|path| allowed(path.as_str()));
    let mut response = next.run(request).await;
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    response
}

/// The methods of a route.
pub(super) fn allowed(route: &str) -> &'static str {
    match route {
        "/v1/permissions" | "/v1/roles" | "/v1/content_types" | "/v1/login" | "/v1/logout" => {
            "GET, POST, HEAD, OPTIONS"
        }
        "/v1/permissions/{id}" | "/v1/roles/{id}" => "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
        _ => "GET, HEAD, OPTIONS",
    }
}
