//! `/api/v1/requests`: an agent asks, somebody decides.

use std::time::Duration;

use axum::Json;
use grantd_node::realm::Micros;
use grantd_node::realm::caller::{Actor, Authority};
use grantd_node::realm::personal::Personal;
use grantd_node::realm::refusal::{Noun, Refusal};
use grantd_node::realm::request::{
    CancelRequest, CreateRequest, DecideRequest, NewRequest, Remember, Request as Record, Sight, Status,
    Verdict,
};
use grantd_node::realm::rule::Scope;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::errors::{Error, invalid};
use super::page::{Page, Paging};
use super::users::present;
use super::{Call, read_with};
use crate::call::aside;
use crate::time::{parse_rfc3339, rfc3339};

/// Of a request that names none.
const TIMEOUT: u64 = 600;

/// The longest wait, in seconds.
const LONGEST_WAIT: u64 = 60;

/// In lists, longer texts are cut.
const SHOWN: usize = 4 << 10;

/// The session of a request that names none.
const SESSION: &str = "default";

/// What is to be asked.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewRequestBody<'a> {
    /// In which session; one that is not there is made. 1 to 128 of letters, digits, `.`, `_`, `~` and `-`; `default` without it.
    session: Option<String>,
    /// Which tool.
    #[schema(example = "Bash")]
    tool: String,
    /// What it is to do, for a person to read; at most 64 KiB.
    action: String,
    /// The same at length; at most 64 KiB.
    #[serde(default)]
    description: String,
    /// The tool's parameters, an object of at most 256 KiB. A shell command is in `command` or `cmd`.
    #[serde(borrow)]
    #[schema(value_type = Option<Object>)]
    params: Option<&'a RawValue>,
    /// Where: the file, or the working directory.
    path: Option<String>,
    /// The tool call by which the asking agent was started.
    parent_tool_call: Option<String>,
    /// From then on it is denied: 1 to 2592000 (30 days); 600 without it.
    timeout_seconds: Option<u64>,
}

/// A request.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RequestBody {
    id: Uuid,
    /// In the order of their making.
    number: u64,
    session: String,
    tool: String,
    /// Null if it was erased, or is too long for a list.
    action: Option<String>,
    /// Null if it was erased, or is too long for a list.
    description: Option<String>,
    /// Null if they were erased, or are too long for a list.
    #[schema(value_type = Option<Object>)]
    params: Option<Value>,
    /// Something is too long for a list: read the request itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    path: Option<String>,
    parent_tool_call: Option<String>,
    /// Who asks.
    #[schema(example = "api_key:3f0c2a9e-4f0e-4d55-8a0e-0c5b4a5b7b0e")]
    requester: String,
    /// pending, approved, denied, expired or cancelled.
    status: &'static str,
    created_at: String,
    created_revision: u64,
    expires_at: String,
    /// Who or what decided: `user:<login>`, `api_key:<id>`, `rule:<id>`, `timeout`.
    decided_by: Option<String>,
    decided_at: Option<String>,
    /// Why, in the words of who decided.
    reason: Option<String>,
    /// Approved with these parameters instead.
    #[schema(value_type = Option<Object>)]
    edited_params: Option<Value>,
}

/// The standard's word for it.
pub(crate) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Granted => "approved",
        other => other.name(),
    }
}

fn status_of(name: &str) -> Option<Status> {
    Status::ALL.into_iter().find(|status| status_name(*status) == name)
}

impl RequestBody {
    fn whole(request: &Record, now: Micros) -> Self {
        Self::within(request, now, usize::MAX)
    }

    fn within(request: &Record, now: Micros, most: usize) -> Self {
        let mut cut = false;
        let mut text = |field: &Personal| {
            let text = field.text()?;
            cut |= text.len() > most;
            (text.len() <= most).then(|| text.to_owned())
        };
        let json = |text: String| serde_json::from_str(&text).ok();
        let status = request.status_at(now);
        let timed_out = status == Status::Expired && request.decided_by.is_none();
        Self {
            id: request.id,
            number: request.number,
            session: request.session.to_string(),
            tool: request.tool.to_string(),
            action: text(&request.action),
            description: text(&request.description),
            params: text(&request.params).and_then(json),
            path: request.path.as_deref().map(Into::into),
            parent_tool_call: request.parent_tool_call.as_deref().map(Into::into),
            requester: request.requester.to_string(),
            status: status_name(status),
            created_at: rfc3339(request.created_at),
            created_revision: request.created_revision,
            expires_at: rfc3339(request.expires_at),
            decided_by: match &request.decided_by {
                None => timed_out.then(|| "timeout".into()),
                Some(by) => Some(by.to_string()),
            },
            decided_at: match request.decided_at {
                None => timed_out.then(|| rfc3339(request.expires_at)),
                Some(at) => Some(rfc3339(at)),
            },
            reason: request.reason.as_ref().and_then(&mut text),
            edited_params: request.edited_params.as_ref().and_then(&mut text).and_then(json),
            cut,
        }
    }
}

/// JSON in which no name stands twice: what is judged is what is used.
fn normal(params: Option<&RawValue>, field: &'static str) -> Result<String, Error> {
    let Some(raw) = params else { return Ok(String::new()) };
    let object: serde_json::Map<String, Value> =
        serde_json::from_str(raw.get()).map_err(|_| invalid(field, "must be an object"))?;
    Ok(Value::Object(object).to_string())
}

/// Asks. If a rule says yes or no, the answer is decided already.
#[utoipa::path(
    post, path = "/api/v1/requests", tag = "requests", request_body = NewRequestBody,
    responses(
        (status = 201, body = RequestBody), (status = 400), (status = 401), (status = 403), (status = 409), (status = 429)
    )
)]
pub(super) async fn create_request(call: Call) -> Result<(http::StatusCode, Json<RequestBody>), Error> {
    let body: NewRequestBody<'_> = read_with(&call)?;
    let seconds = i64::try_from(body.timeout_seconds.unwrap_or(TIMEOUT)).unwrap_or(Micros::MAX);
    let new = NewRequest {
        params: normal(body.params, "params")?,
        session: body.session.unwrap_or_else(|| SESSION.into()),
        tool: body.tool,
        action: body.action,
        description: body.description,
        path: body.path,
        parent_tool_call: body.parent_tool_call,
        timeout: seconds.saturating_mul(1_000_000),
    };
    let command = aside(|| CreateRequest::new(new)).await??;
    let done = call.submit(command).await?;
    Ok((http::StatusCode::CREATED, Json(found(&call, done.answer)?)))
}

/// A request that the caller has just made or decided.
fn found(call: &Call, id: Uuid) -> Result<RequestBody, Error> {
    let published = call.realm.published();
    let request = published.state.requests().get(id).ok_or_else(|| Refusal::not_found(Noun::Request, id))?;
    Ok(RequestBody::whole(request, call.now()))
}

fn id_of(call: &Call) -> Result<Uuid, Error> {
    Uuid::parse_str(call.param("id")).map_err(|_| Refusal::not_found(Noun::Request, call.param("id")).into())
}

/// How long to wait.
#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct Waiting {
    /// Waits up to so many seconds (at most 60) until it is decided.
    #[serde(default)]
    wait: u64,
}

/// Reads one request, waiting for its decision if asked to. Callers see what they asked for themselves and what they may decide;
/// approvers and auditors of the realm see all.
#[utoipa::path(
    get, path = "/api/v1/requests/{id}", tag = "requests", params(("id" = Uuid, Path), Waiting),
    responses((status = 200, body = RequestBody), (status = 401), (status = 404))
)]
pub(super) async fn get_request(mut call: Call) -> Result<Json<RequestBody>, Error> {
    let id = id_of(&call)?;
    let Waiting { wait } = call.query()?;
    let seen = visible(&call, id);
    if wait == 0 || seen.is_err() {
        return seen.map(Json);
    }
    let patience = Duration::from_secs(wait.min(LONGEST_WAIT));
    tokio::select! {
        _ = call.realm.request_settled(id, patience) => {}
        () = call.app.drain.wait() => {}
    }
    // Whoever lost the key or the right to see it while waiting sees nothing more.
    call.recognise().await?;
    visible(&call, id).map(Json)
}

fn visible(call: &Call, id: Uuid) -> Result<RequestBody, Error> {
    let (published, now) = (call.published(), call.now());
    let mut sight = Sight::of(&call.caller, &published.state, now);
    let request = published.state.requests().get(id).filter(|request| sight.sees(request));
    let request = request.ok_or_else(|| Refusal::not_found(Noun::Request, id))?;
    Ok(RequestBody::whole(request, now))
}

/// A machine's identity neither asks nor decides here.
pub(super) fn refuse_machines(call: &Call) -> Result<(), Error> {
    match call.caller.actor {
        Actor::Identity(_) => Err(Refusal::NotAllowed(Authority::Requester).into()),
        _ => Ok(()),
    }
}

/// Which requests.
#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct Filter {
    /// pending, approved, denied, expired or cancelled.
    status: Option<String>,
    /// Only of this session.
    session: Option<String>,
    /// Only for this tool.
    tool: Option<String>,
    /// Only of this requester, as in `requester`.
    requester: Option<String>,
    /// At most so many items, 1 to 1000; 100 without it.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists requests, newest first: all that are pending, and the last 10,000 that are not. Texts above 4 KiB are left out.
#[utoipa::path(
    get, path = "/api/v1/requests", tag = "requests", params(Filter),
    responses((status = 200, body = Page<RequestBody>), (status = 400), (status = 401))
)]
pub(super) async fn list_requests(call: Call) -> Result<Json<Page<RequestBody>>, Error> {
    refuse_machines(&call)?;
    let Filter { status, session, tool, requester, limit, cursor } = call.query()?;
    let unknown = || invalid("status", "must be pending, approved, denied, expired or cancelled");
    let wanted_status = status.as_deref().map(|name| status_of(name).ok_or_else(unknown)).transpose()?;
    let query = format!("requests {status:?} {session:?} {tool:?} {requester:?}");
    let wanted = Paging::new(limit, cursor).wanted(&call, call.published(), query)?;
    let after: Option<u64> = wanted.after.as_ref().and_then(|number| number.parse().ok());
    let (state, now) = (&wanted.published.state, wanted.time);
    // What somebody may see is asked of the newest state; what there is, of the first page's.
    let newest = call.realm.published();
    let mut sight = Sight::of(&call.caller, &newest.state, call.now());
    let requests: Box<dyn Iterator<Item = _>> = match (&session, wanted_status) {
        (Some(session), _) => Box::new(state.requests().in_session_since(session, 0).rev()),
        (None, Some(Status::Pending)) => Box::new(state.requests().pending().rev()),
        (None, _) => Box::new(state.requests().since(0).rev()),
    };
    let fits = |request: &&std::sync::Arc<Record>| {
        after.is_none_or(|after| request.number < after)
            && wanted_status.is_none_or(|status| request.status_at(now) == status)
            && tool.as_ref().is_none_or(|tool| *tool == *request.tool)
            && requester.as_ref().is_none_or(|requester| *requester == request.requester.to_string())
    };
    let items = requests
        .filter(fits)
        .filter(|request| sight.sees(request))
        .take(wanted.sought())
        .map(|request| RequestBody::within(request, now, SHOWN))
        .collect();
    Ok(Json(wanted.page(&call, items, |request: &RequestBody| request.number.to_string())))
}

/// A decision.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct DecisionBody<'a> {
    /// approve or deny.
    #[schema(example = "approve")]
    decision: String,
    /// Why; the agent reads it. At most 4 KiB.
    reason: Option<String>,
    /// Approve with these parameters instead.
    #[serde(borrow)]
    #[schema(value_type = Option<Object>)]
    params: Option<&'a RawValue>,
    /// Make a rule of it.
    remember: Option<RememberBody>,
}

/// The rule to make of a decision: what is absent is as in the request.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct RememberBody {
    /// `session` (and those below it), or `realm`.
    #[schema(example = "session")]
    scope: String,
    /// Which tools.
    tool: Option<String>,
    /// Which commands; null: whatever the parameters are.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    command: Option<Option<String>>,
    /// Where; null: anywhere.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    path: Option<Option<String>>,
    /// Until when; RFC 3339. Absent: always.
    until: Option<String>,
}

impl RememberBody {
    fn of(self, request: &Record) -> Result<Remember, Error> {
        let like = Remember::like(request);
        let scope = match self.scope.as_str() {
            "session" => like.scope,
            "realm" => Scope::Realm,
            _ => return Err(invalid("scope", "must be session or realm")),
        };
        // Without a pattern the rule would be for every command: that has to be said.
        let is_command = request
            .params
            .text()
            .is_some_and(|params| params.contains("\"command\"") || params.contains("\"cmd\""));
        if self.command.is_none() && like.command.is_none() && is_command {
            return Err(invalid(
                "command",
                "name a pattern: this command is not one that can be remembered as it is",
            ));
        }
        Ok(Remember {
            tool: self.tool.unwrap_or(like.tool),
            command: self.command.unwrap_or(like.command),
            path: self.path.unwrap_or(like.path),
            scope,
            expires: time(self.until.as_deref(), "until")?,
        })
    }
}

/// A time that may be absent.
pub(super) fn time(text: Option<&str>, field: &'static str) -> Result<Option<Micros>, Error> {
    let read = |text| parse_rfc3339(text).ok_or_else(|| invalid(field, "must be a time in RFC 3339"));
    text.map(read).transpose()
}

/// Decides a request, as an approver of its session or of the realm; nobody decides their own. To say the same again is no error.
#[utoipa::path(
    post, path = "/api/v1/requests/{id}/decision", tag = "requests", request_body = DecisionBody,
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = RequestBody), (status = 400), (status = 401), (status = 403), (status = 404), (status = 409)
    )
)]
pub(super) async fn decide_request(call: Call) -> Result<Json<RequestBody>, Error> {
    let id = id_of(&call)?;
    let body: DecisionBody<'_> = read_with(&call)?;
    let edited = body.params.map(|params| normal(Some(params), "params")).transpose()?;
    let verdict = match (body.decision.as_str(), edited) {
        ("approve", edited_params) => Verdict::Grant { edited_params },
        ("deny", None) => Verdict::Deny,
        ("deny", Some(_)) => return Err(invalid("params", "only an approval can change them")),
        _ => return Err(invalid("decision", "must be approve or deny")),
    };
    let remember = match body.remember {
        None => None,
        Some(remember) => {
            let published = call.realm.published();
            let request = published.state.requests().get(id);
            let mut sight = Sight::of(&call.caller, &published.state, call.now());
            let request = request.filter(|request| sight.sees(request));
            Some(remember.of(request.ok_or_else(|| Refusal::not_found(Noun::Request, id))?)?)
        }
    };
    let done = call.submit(DecideRequest { id, verdict, reason: body.reason, remember }).await?;
    Ok(Json(found(&call, done.answer)?))
}

/// Takes a request back: who made it, or who may decide it.
#[utoipa::path(
    post, path = "/api/v1/requests/{id}/cancel", tag = "requests", params(("id" = Uuid, Path)),
    responses((status = 200, body = RequestBody), (status = 401), (status = 403), (status = 404), (status = 409))
)]
pub(super) async fn cancel_request(call: Call) -> Result<Json<RequestBody>, Error> {
    let done = call.submit(CancelRequest { id: id_of(&call)? }).await?;
    Ok(Json(found(&call, done.answer)?))
}
