//! One request: everything it says, the answer to it, and the rule to make of it.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use grantd_node::Published;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::request::Request;
use http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::card::Card;
use super::params::{Block, Kind, blocks, editable};
use super::rule_form::RuleForm;
use super::scripted;
use super::sight::{View, caller};
use super::text::{Limits, Shown};
use crate::edge::EdgeError;
use crate::face::CallError;
use crate::pages::errors::PageError;
use crate::pages::frame::{Frame, Problem, page};
use crate::pages::visit::Visit;

#[derive(Template)]
#[template(path = "inbox/request.html")]
struct RequestPage {
    frame: Frame,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
    now_ms: i64,
    card: Card,
    session_title: Option<Shown>,
    parent: Option<String>,
    /// The parameters in the form, unless they are too long for one.
    params: Option<String>,
    /// Those that were granted instead.
    edited: Vec<Block>,
    rule: RuleForm,
    /// Which part of the form is open.
    opened: &'static str,
    reason: String,
}

/// A card by itself, as it is in the list.
#[derive(Template)]
#[template(path = "inbox/card.html")]
struct CardPart {
    frame: Frame,
    card: Card,
}

/// What is in the forms, and what is wrong with it.
#[derive(Default)]
pub(super) struct Filled {
    pub(super) problems: Vec<Problem>,
    pub(super) params: Option<String>,
    pub(super) rule: Option<RuleForm>,
    pub(super) reason: String,
    pub(super) opened: &'static str,
}

#[derive(Deserialize, Default)]
struct Asked {
    rule: Option<String>,
    done: Option<String>,
}

/// The request that the path names, if whoever is signed in may see it.
pub(super) fn find(visit: &Visit, published: &Published) -> Result<Arc<Request>, PageError> {
    let caller = caller(&visit.signed_in()?.login);
    let view = View::new(&published.state, &caller, visit.app.node.now());
    let found = Uuid::parse_str(visit.param("id")).ok().and_then(|id| view.state.requests().get(id));
    let found = found.filter(|request| view.sees(request));
    found.cloned().ok_or_else(|| CallError::from(EdgeError::NotFound).into())
}

/// One request.
pub(in crate::pages) async fn show_request(visit: Visit) -> Result<Response, PageError> {
    let published = visit.realm.published();
    let request = find(&visit, &published)?;
    let asked: Asked = visit.query();
    let notice = match asked.done.as_deref() {
        Some("rule") => Some("The rule is made."),
        _ => None,
    };
    let opened = if asked.rule.is_some() { "rule" } else { "" };
    let filled = Filled { opened, ..Filled::default() };
    show(&visit, &published, &request, StatusCode::OK, notice, filled)
}

/// The page of a request, with what was sent before if that was wrong.
pub(super) fn show(
    visit: &Visit,
    published: &Published,
    request: &Request,
    status: StatusCode,
    notice: Option<&'static str>,
    filled: Filled,
) -> Result<Response, PageError> {
    let caller = caller(&visit.signed_in()?.login);
    let now = visit.app.node.now();
    let view = View::new(&published.state, &caller, now);
    let sessions = view.state.approval_sessions();
    let session = sessions.get(&request.session);
    let title = session.and_then(|session| session.title.as_ref()).and_then(Personal::text);
    let parent = session.and_then(|session| sessions.parent(session));
    let texts = |params: Option<&Personal>| params.and_then(Personal::text).map(ToOwned::to_owned);
    let shown = RequestPage {
        frame: visit.frame("Request"),
        notice,
        problems: filled.problems,
        now_ms: now / 1_000,
        card: Card::new(request, &view, Limits::NONE),
        session_title: title.map(|title| Shown::new(title, Limits::TITLE)),
        parent: parent.map(|parent| parent.id.to_string()),
        params: filled.params.or_else(|| editable(&texts(Some(&request.params))?)),
        edited: texts(request.edited_params.as_ref())
            .map_or_else(Vec::new, |params| blocks(&params, Limits::NONE)),
        rule: filled.rule.unwrap_or_else(|| RuleForm::like(request)),
        opened: filled.opened,
        reason: filled.reason,
    };
    Ok(scripted(page(status, &shown, None)))
}

/// `GET /inbox/{id}/card`: the request as the list shows it, for the script.
pub(in crate::pages) async fn show_card(visit: Visit) -> Result<Response, PageError> {
    let published = visit.realm.published();
    let request = find(&visit, &published)?;
    card(&visit, &published, &request, StatusCode::OK, None)
}

/// A request as the list shows it, with what went wrong.
pub(super) fn card(
    visit: &Visit,
    published: &Published,
    request: &Request,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, PageError> {
    let caller = caller(&visit.signed_in()?.login);
    let view = View::new(&published.state, &caller, visit.app.node.now());
    let mut card = Card::new(request, &view, Limits::GLANCE);
    card.problem = problem;
    Ok(page(status, &CardPart { frame: visit.frame("Request"), card }, None))
}
