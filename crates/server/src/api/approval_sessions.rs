//! `/api/v1/approval-sessions`: what agents do in one go, as scopes of requests.

use axum::Json;
use grantd_node::realm::approval_session::{ApprovalSession, CloseApprovalSession, OpenApprovalSession};
use grantd_node::realm::personal::Personal;
use grantd_node::realm::refusal::{Noun, Refusal};
use grantd_node::realm::request::Sight;
use grantd_node::realm::{Micros, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::errors::Error;
use super::page::{Page, Paging};
use super::requests::refuse_machines;
use super::{Call, read};
use crate::time::rfc3339;

/// A session to be made.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewSession {
    /// 1 to 128 of letters, digits, `.`, `_`, `~` and `-`; a random UUID without it.
    id: Option<String>,
    /// What people call it.
    title: Option<String>,
    /// The session above: its approvers decide here as well.
    parent: Option<String>,
}

/// An approval session.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SessionBody {
    id: String,
    title: Option<String>,
    parent: Option<String>,
    created_at: String,
    created_by: String,
    /// How many of its requests are pending.
    pending: usize,
}

/// Makes an approval session.
#[utoipa::path(
    post, path = "/api/v1/approval-sessions", tag = "requests", request_body = NewSession,
    responses((status = 201, body = SessionBody), (status = 400), (status = 401), (status = 403), (status = 404), (status = 409))
)]
pub(super) async fn open_session(call: Call) -> Result<(http::StatusCode, Json<SessionBody>), Error> {
    let NewSession { id, title, parent } = read(&call)?;
    let done = call.submit(OpenApprovalSession { id, title, parent }).await?;
    let published = call.realm.published();
    let session = published.state.approval_sessions().get(&done.answer);
    let session = session.ok_or_else(|| Refusal::not_found(Noun::ApprovalSession, &done.answer))?;
    Ok((http::StatusCode::CREATED, Json(session_body(&published.state, session, call.now()))))
}

fn session_body(state: &State, session: &ApprovalSession, now: Micros) -> SessionBody {
    let pending = state.requests().pending_in(&session.id).filter(|request| !request.is_settled_at(now));
    SessionBody {
        id: session.id.to_string(),
        title: session.title.as_ref().and_then(Personal::text).map(Into::into),
        parent: state.approval_sessions().parent(session).map(|parent| parent.id.to_string()),
        created_at: rfc3339(session.created_at),
        created_by: session.created_by.to_string(),
        pending: pending.count(),
    }
}

/// Lists the approval sessions, newest first.
#[utoipa::path(
    get, path = "/api/v1/approval-sessions", tag = "requests", params(Paging),
    responses((status = 200, body = Page<SessionBody>), (status = 401))
)]
pub(super) async fn list_sessions(call: Call) -> Result<Json<Page<SessionBody>>, Error> {
    refuse_machines(&call)?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, call.published(), "approval sessions")?;
    let after: u64 = wanted.after.as_ref().and_then(|number| number.parse().ok()).unwrap_or(u64::MAX);
    let (state, now) = (&wanted.published.state, wanted.time);
    let newest = call.realm.published();
    let mut sight = Sight::of(&call.caller, &newest.state, call.now());
    let sessions = state.approval_sessions().iter_after(0).rev().filter(|session| session.number < after);
    let found: Vec<_> =
        sessions.filter(|session| sight.sees_session(session)).take(wanted.sought()).cloned().collect();
    let numbered: Vec<_> =
        found.into_iter().map(|session| (session.number, session_body(state, &session, now))).collect();
    let page = wanted.page(&call, numbered, |(number, _): &(u64, SessionBody)| number.to_string());
    let items = page.items.into_iter().map(|(_, session)| session).collect();
    Ok(Json(Page { items, next: page.next }))
}

/// Closes an approval session: its pending requests are cancelled; its approvers and rules end with it.
#[utoipa::path(
    delete, path = "/api/v1/approval-sessions/{id}", tag = "requests", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn close_session(call: Call) -> Result<Json<Value>, Error> {
    call.submit(CloseApprovalSession { id: call.param("id").to_owned() }).await?;
    Ok(Json(serde_json::json!({})))
}
