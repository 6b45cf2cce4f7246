//! What every page has around it, and how a page becomes an answer.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderValue, StatusCode};

use super::assets;
use crate::edge::EdgeError;

/// What the layout needs to know.
pub(super) struct Frame {
    /// The page's title.
    pub(super) title: &'static str,
    /// What stands in front of every path.
    pub(super) base: String,
    /// The realm, unless it is the one that nobody has to name.
    pub(super) realm: Option<String>,
    /// Who is signed in.
    pub(super) login: Option<String>,
    /// The token of the page's forms.
    pub(super) csrf: String,
    /// Where the page is, without what stands in front of every path.
    pub(super) path: String,
}

impl Frame {
    /// Of a page that knows nothing of who asks for it.
    pub(super) fn bare(title: &'static str) -> Self {
        let [base, csrf, path] = [const { String::new() }; 3];
        Self { title, base, realm: None, login: None, csrf, path }
    }

    /// Whether the page is this one, or below it.
    pub(super) fn is_at(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The address of the style sheet, which changes with it, so that browsers may keep it.
    pub(super) fn style(&self) -> String {
        format!("{}/assets/pages.css?v={}", self.base, assets::style_version())
    }

    /// The address of the inbox's script; as that of the style sheet.
    pub(super) fn script(&self) -> String {
        format!("{}/assets/inbox.js?v={}", self.base, assets::inbox_script_version())
    }
}

/// What is wrong with a form: the field's id and what to do about it. Said at the top and at the field.
pub(super) struct Problem {
    pub(super) field: &'static str,
    pub(super) text: String,
}

impl Problem {
    pub(super) fn new(field: &'static str, text: impl Into<String>) -> Self {
        Self { field, text: text.into() }
    }
}

/// The problem of a field, if it has one.
pub(super) fn of_field<'a>(problems: &'a [Problem], field: &str) -> Option<&'a str> {
    problems.iter().find(|problem| problem.field == field).map(|problem| problem.text.as_str())
}

/// A page as an answer.
pub(super) fn page(status: StatusCode, template: &impl Template, cookie: Option<HeaderValue>) -> Response {
    match template.render() {
        Ok(text) => with_cookie((status, Html(text)).into_response(), cookie),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            EdgeError::Internal.into_response()
        }
    }
}

/// The way to another page, by GET.
pub(super) fn see_other(path: &str, cookie: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    with_cookie(response, cookie)
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
