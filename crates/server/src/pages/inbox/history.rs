//! What was decided: by whom, why, when.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use grantd_node::realm::request::Request;
use http::StatusCode;
use serde::Deserialize;

use super::card::Card;
use super::sight::{View, caller};
use super::text::Limits;
use crate::pages::errors::PageError;
use crate::pages::frame::{Frame, page};
use crate::pages::visit::Visit;

/// How many are on a page.
const PAGE: usize = 40;

/// What is shown of each.
const IN_HISTORY: Limits = Limits { bytes: 400, lines: 4 };

#[derive(Template)]
#[template(path = "inbox/history.html")]
struct HistoryPage {
    frame: Frame,
    cards: Vec<Card>,
    is_first: bool,
    /// Where the next page begins.
    next: Option<String>,
}

#[derive(Deserialize, Default)]
struct Asked {
    before: Option<String>,
}

/// Revision and number: the order in which requests were decided.
fn place(request: &Request) -> (u64, u64) {
    (request.decided_revision.unwrap_or(u64::MAX), request.number)
}

fn parse_place(text: &str) -> Option<(u64, u64)> {
    let (revision, number) = text.split_once('.')?;
    Some((revision.parse().ok()?, number.parse().ok()?))
}

/// Those decided last come first.
pub(in crate::pages) async fn show_history(visit: Visit) -> Result<Response, PageError> {
    let caller = caller(&visit.signed_in()?.login);
    let asked: Asked = visit.query();
    let before = asked.before.as_deref().and_then(parse_place);
    let (published, now) = (visit.realm.published(), visit.app.node.now());
    let view = View::new(&published.state, &caller, now);
    let is_theirs =
        |request: &&Arc<Request>| before.is_none_or(|before| place(request) < before) && view.sees(request);
    let mut found = view.state.requests().settled().rev().filter(is_theirs);
    let shown: Vec<&Arc<Request>> = found.by_ref().take(PAGE).collect();
    let next = found.next().and(shown.last()).map(|last| {
        let (revision, number) = place(last);
        format!("{revision}.{number}")
    });
    let cards = shown.into_iter().map(|request| Card::new(request, &view, IN_HISTORY)).collect();
    let shown = HistoryPage { frame: visit.frame("History"), cards, is_first: before.is_none(), next };
    Ok(page(StatusCode::OK, &shown, None))
}
