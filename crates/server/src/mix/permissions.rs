//! grant_permission and deny_permission; and what Mix leaves to its own agent: create, list, get (waiting), cancel.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use grantd_node::realm::refusal::Noun;
use grantd_node::realm::request::{
    CancelRequest, CreateRequest, DEFAULT_TIMEOUT, DecideRequest, NewRequest, Request, Sight, Status, Verdict,
};
use grantd_node::realm::{Refusal, State};
use http::{HeaderValue, StatusCode, header};
use uuid::Uuid;

use super::Call;
use super::errors::Error;
use super::input::{limit, number, object, read, read_or_default, request_id};
use super::open::deciding;
use super::wire::{CreatePermission, Decision, Denied, GetPermission, Granted, ListPermissions, Permission};
use crate::face::CallError;

/// The longest wait for a decision, in seconds.
pub(super) const MAX_WAIT: u64 = 60;

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;

pub(super) async fn create_permission(call: Call) -> Result<(StatusCode, Json<Permission>), Error> {
    let body: CreatePermission<'_> = read(&call)?;
    let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND);
    let command = CreateRequest::new(NewRequest {
        session: body.session_id,
        tool: body.tool_name,
        action: body.action,
        description: body.description,
        params: object(body.params),
        path: body.path,
        parent_tool_call: body.parent_tool_call_id,
        timeout: body.timeout_seconds.map_or(DEFAULT_TIMEOUT, seconds),
    })?;
    let done = call.submit(command).await?;
    let published = call.published();
    let request = found(&published.state, done.answer)?;
    Ok((StatusCode::CREATED, Json(Permission::new(request, call.now()))))
}

pub(super) async fn get_permission(mut call: Call) -> Result<Json<Permission>, Error> {
    let id = request_id(&call)?;
    let wait = number("wait", call.query::<GetPermission>()?.wait.as_deref(), MAX_WAIT)?.unwrap_or(0);
    let request = seen(&call, id)?;
    if wait > 0 && !request.is_settled_at(call.now()) {
        tokio::select! {
            _ = call.realm.request_settled(id, Duration::from_secs(wait)) => {}
            // Whoever waits asks again, and meets the server that comes after this one.
            () = call.app.drain.wait() => {}
        }
        // Whoever lost the key while waiting sees nothing more.
        call.recognise().await?;
    }
    let request = seen(&call, id)?;
    Ok(Json(Permission::new(&request, call.now())))
}

pub(super) async fn list_permissions(call: Call) -> Result<Response, Error> {
    let query: ListPermissions = call.query()?;
    let status = match query.status.as_deref() {
        None | Some("") => None,
        Some(name) => Some(Status::of_name(name).ok_or_else(|| {
            Error::invalid("status", "must be pending, granted, denied, expired or cancelled")
        })?),
    };
    let limit = limit(query.limit.as_deref())?;
    let (published, now) = (call.published(), call.now());
    let state = &published.state;
    let mut sight = Sight::of(&call.caller, state, now);
    let after = query.after.map(|id| seen(&call, id)).transpose()?;
    let (revision, number) = after.map_or((0, 0), |last| (last.created_revision - 1, last.number));
    let requests: Box<dyn Iterator<Item = &Arc<Request>>> = match &query.session_id {
        Some(session) => Box::new(state.requests().in_session_since(session, revision)),
        None => Box::new(state.requests().since(revision)),
    };
    let fits = |request: &&Arc<Request>| {
        request.number > number
            && status.is_none_or(|status| request.status_at(now) == status)
            && sight.sees(request)
    };
    let mut page: Vec<_> = requests.filter(fits).take(limit + 1).collect();
    let more = page.len() > limit;
    page.truncate(limit);
    let next = page.last().filter(|_| more).map(|last| last.id.to_string());
    let items: Vec<_> = page.into_iter().map(|request| Permission::new(request, now)).collect();
    Ok(paged(Json(items), next.as_deref(), &call))
}

/// An answer that says where the list goes on (RFC 8288): a path would have to name the mount, a query need not.
pub(super) fn paged(page: impl IntoResponse, next: Option<&str>, call: &Call) -> Response {
    let mut response = page.into_response();
    if let Some(next) = next {
        let mut query = form_urlencoded_pairs(call);
        query.push(("after".into(), next.into()));
        let query = serde_urlencoded::to_string(query).unwrap_or_default();
        if let Ok(link) = HeaderValue::from_str(&format!("<?{query}>; rel=\"next\"")) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    response
}

/// The query as it came, without where it went on.
fn form_urlencoded_pairs(call: &Call) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = call.query().unwrap_or_default();
    pairs.retain(|(name, _)| name != "after");
    pairs
}

pub(super) async fn grant_permission(call: Call) -> Result<Json<Granted>, Error> {
    let call = deciding(call);
    let (id, body) = (request_id(&call)?, read_or_default::<Decision<'_>>(&call)?);
    let edited_params = body.params.map(|params| object(Some(params)));
    decide(&call, id, Verdict::Grant { edited_params }, body.reason).await?;
    Ok(Json(Granted::new(id)))
}

pub(super) async fn deny_permission(call: Call) -> Result<Json<Denied>, Error> {
    let call = deciding(call);
    let (id, body) = (request_id(&call)?, read_or_default::<Decision<'_>>(&call)?);
    decide(&call, id, Verdict::Deny, body.reason).await?;
    Ok(Json(Denied::new(id)))
}

/// Decides, on the state at the head: a request that another node made a moment ago is known to the writer, too.
async fn decide(call: &Call, id: Uuid, verdict: Verdict, reason: Option<String>) -> Result<(), Error> {
    let command = DecideRequest { id, verdict, reason, remember: None };
    match call.submit(command).await {
        Ok(_) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn cancel_permission(call: Call) -> Result<Json<Permission>, Error> {
    let id = request_id(&call)?;
    call.submit(CancelRequest { id }).await?;
    Ok(Json(Permission::new(&*seen(&call, id)?, call.now())))
}

/// `//`: clients put an empty id into the path as it is.
pub(super) async fn without_id(_: Call) -> Error {
    Error::invalid("id", "must not be empty")
}

fn found(state: &State, id: Uuid) -> Result<&Arc<Request>, Refusal> {
    state.requests().get(id).ok_or_else(|| Refusal::not_found(Noun::Request, id))
}

/// The request, if the caller may see it. To everybody else there is none.
fn seen(call: &Call, id: Uuid) -> Result<Arc<Request>, CallError> {
    let published = call.published();
    let request = found(&published.state, id)?;
    if Sight::of(&call.caller, &published.state, call.now()).sees(request) {
        Ok(request.clone())
    } else {
        Err(Refusal::not_found(Noun::Request, id).into())
    }
}
