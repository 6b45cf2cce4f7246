//! create_session, list_sessions, get_session, delete_session, cancel_session_processing: sessions as named scopes of requests.

use std::sync::Arc;

use axum::Json;
use axum::response::Response;
use grantd_node::realm::Refusal;
use grantd_node::realm::approval_session::{
    ApprovalSession, CancelSessionRequests, CloseApprovalSession, OpenApprovalSession,
};
use grantd_node::realm::refusal::Noun;
use grantd_node::realm::request::Sight;
use http::StatusCode;

use super::Call;
use super::errors::Error;
use super::input::{limit, read};
use super::permissions::paged;
use super::wire::{Cancelled, CreateSession, ListSessions, SessionData};
use crate::face::CallError;

pub(super) async fn create_session(call: Call) -> Result<(StatusCode, Json<SessionData>), Error> {
    let body: CreateSession = read(&call)?;
    let is_below = body.parent_session_id.is_some();
    match body.session_type.as_deref() {
        None => {}
        Some("main") if !is_below => {}
        Some("subagent") if is_below => {}
        Some(_) => {
            return Err(Error::invalid(
                "sessionType",
                "must be `main`, or `subagent` together with `parentSessionId`",
            ));
        }
    }
    if body.callbacks.is_some_and(|callbacks| !callbacks.is_empty()) {
        return Err(Error::invalid(
            "callbacks",
            "must be empty: grantd runs no tools, so nothing would call them",
        ));
    }
    let command = OpenApprovalSession { id: None, title: Some(body.title), parent: body.parent_session_id };
    let id = call.submit(command).await?.answer;
    Ok((StatusCode::CREATED, Json(SessionData::new(&*seen(&call, &id)?))))
}

pub(super) async fn list_sessions(call: Call) -> Result<Response, Error> {
    let query: ListSessions = call.query()?;
    let with_subagents = match query.include_subagents.as_deref() {
        None | Some("" | "false") => false,
        Some("true") => true,
        Some(_) => return Err(Error::invalid("includeSubagents", "must be `true` or `false`")),
    };
    let limit = limit(query.limit.as_deref())?;
    let (published, now) = (call.published(), call.now());
    let state = &published.state;
    let after = query.after.as_deref().map(|id| seen(&call, id)).transpose()?;
    let after = after.map_or(0, |last| last.number);
    let mut sight = Sight::of(&call.caller, state, now);
    let fits = |session: &&Arc<ApprovalSession>| {
        (with_subagents || session.parent.is_none()) && sight.sees_session(session)
    };
    let mut page: Vec<_> = state.approval_sessions().iter_after(after).filter(fits).take(limit + 1).collect();
    let more = page.len() > limit;
    page.truncate(limit);
    let next = page.last().filter(|_| more).map(|last| last.id.clone());
    let items: Vec<_> = page.into_iter().map(|session| SessionData::new(session)).collect();
    Ok(paged(Json(items), next.as_deref(), &call))
}

pub(super) async fn get_session(call: Call) -> Result<Json<SessionData>, Error> {
    Ok(Json(SessionData::new(&*seen(&call, call.param("id"))?)))
}

pub(super) async fn delete_session(call: Call) -> Result<StatusCode, Error> {
    call.submit(CloseApprovalSession { id: call.param("id").into() }).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn cancel_session_processing(call: Call) -> Result<Json<Cancelled>, Error> {
    let done = call.submit(CancelSessionRequests { session: call.param("id").into() }).await?;
    Ok(Json(Cancelled { cancelled: done.answer > 0 }))
}

/// The session, if the caller may see it. To everybody else there is none.
pub(super) fn seen(call: &Call, id: &str) -> Result<Arc<ApprovalSession>, CallError> {
    let published = call.published();
    let state = &published.state;
    let session = state.approval_sessions().get(id);
    let mut sight = Sight::of(&call.caller, state, call.now());
    let visible = session.filter(|session| sight.sees_session(session));
    visible.cloned().ok_or_else(|| Refusal::not_found(Noun::ApprovalSession, id).into())
}
