//! The style sheet and the icon.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

const STYLE: &str = include_str!("assets/pages.css");
const ICON: &str = include_str!("assets/icon.svg");

/// Changes with the style sheet.
pub(super) fn version() -> &'static str {
    static VERSION: LazyLock<String> =
        LazyLock::new(|| blake3::hash(STYLE.as_bytes()).to_hex().chars().take(12).collect());
    &VERSION
}

/// Its address names its version, so it may be kept for ever.
pub(super) async fn style() -> Response {
    kept(STYLE, "text/css; charset=utf-8", "public, max-age=31536000, immutable")
}

pub(super) async fn icon() -> Response {
    kept(ICON, "image/svg+xml", "public, max-age=86400")
}

fn kept(body: &'static str, content_type: &'static str, cache: &'static str) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}
