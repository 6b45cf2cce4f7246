//! The style sheet, the inbox's script and the icon.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

const STYLE: &str = concat!(
    include_str!("assets/pages.css"),
    "\n",
    include_str!("assets/inbox.css"),
    "\n",
    include_str!("assets/apps.css")
);
const INBOX_SCRIPT: &str = include_str!("assets/inbox.js");
const ICON: &str = include_str!("assets/icon.svg");

/// Of what is named by its version.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Changes with the style sheet.
pub(super) fn style_version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| version(STYLE));
    &VERSION
}

/// Changes with the inbox's script.
pub(super) fn inbox_script_version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| version(INBOX_SCRIPT));
    &VERSION
}

fn version(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().chars().take(12).collect()
}

/// Its address names its version, so it may be kept for ever.
pub(super) async fn style() -> Response {
    kept(STYLE, "text/css; charset=utf-8", FOR_EVER)
}

/// As the style sheet.
pub(super) async fn inbox_script() -> Response {
    kept(INBOX_SCRIPT, "text/javascript; charset=utf-8", FOR_EVER)
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
