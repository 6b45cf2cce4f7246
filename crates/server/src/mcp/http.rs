//! `/mcp`: streamable HTTP (MCP, section "Transports"). Each request stands for itself: there is no session of the protocol, so any node
//! answers any request.
//!
//! `?session=<id>` names the session of the requests made here, `?wait=<seconds>` how long somebody has to answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::request::{
    CancelRequest, CreateRequest, NewRequest, Request as Record, Sight, Status,
};
use http::{Method, request::Parts};
use rmcp::RoleServer;
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::Service as _;
use uuid::Uuid;

use super::errors::Error;
use super::tools::{Approvals, Ask, Listing, Outcome, Tools};
use crate::app::SharedApp;
use crate::call::{Call, aside};
use crate::face::{CallError, Face};
use crate::time::rfc3339;

/// How long somebody has to answer, if nobody says.
const WAIT: u64 = 600;

/// How many requests are listed.
const LISTED: usize = 100;

/// The face.
pub(crate) struct Mcp;

impl Face for Mcp {
    const VIA: &'static str = "mcp";
    type Error = Error;

    fn begins_at_head(_method: &Method, _path: &str) -> bool {
        true
    }
}

/// The one route.
pub(crate) fn routes() -> Router<SharedApp> {
    Router::new().route("/mcp", any(serve))
}

/// Who calls is known before the protocol begins.
async fn serve(State(app): State<SharedApp>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let call = match Call::<Mcp>::from_request(Request::from_parts(parts.clone(), Body::empty()), &app).await
    {
        Ok(call) => call,
        Err(error) => return error.into_response(),
    };
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(Arc::new(call));
    // Browsers cannot reach this: it takes no cookie. So what `Host` says does not matter.
    let mut config = StreamableHttpServerConfig::default().disable_allowed_hosts();
    config.legacy_session_mode = false;
    let sessions = Arc::new(NeverSessionManager::default());
    let Ok(response) =
        StreamableHttpService::new(|| Ok(Tools(InRealm)), sessions, config).call(request).await;
    response.map(Body::new)
}

/// Asks in the realm of the call.
#[derive(Clone)]
struct InRealm;

#[derive(Deserialize)]
struct Chosen {
    session: Option<String>,
    wait: Option<u64>,
}

fn call(context: &RequestContext<RoleServer>) -> Result<Arc<Call<Mcp>>, String> {
    let parts = context.extensions.get::<Parts>();
    let call = parts.and_then(|parts| parts.extensions.get::<Arc<Call<Mcp>>>());
    call.cloned().ok_or_else(|| "it is not known who calls".into())
}

impl Approvals for InRealm {
    async fn ask(&self, ask: Ask, context: &RequestContext<RoleServer>) -> Result<Outcome, String> {
        let call = call(context)?;
        let said = |error: CallError| error.to_string();
        let chosen: Chosen = call.query().map_err(said)?;
        let wait = ask.wait.unwrap_or_else(|| Duration::from_secs(chosen.wait.unwrap_or(WAIT)));
        let new = NewRequest {
            session: chosen.session.unwrap_or_else(|| "mcp".into()),
            tool: ask.tool,
            action: ask.action,
            description: ask.description,
            params: Value::Object(ask.params).to_string(),
            path: ask.path.filter(|path| !path.is_empty()),
            parent_tool_call: None,
            timeout: i64::try_from(wait.as_micros()).unwrap_or(i64::MAX),
        };
        let command =
            aside(|| CreateRequest::new(new)).await.map_err(said)?.map_err(|error| error.to_string())?;
        let id = call.submit(command).await.map_err(said)?.answer;
        let over = Duration::from_secs(1);
        let published = tokio::select! {
            published = call.realm.request_settled(id, wait.saturating_add(over)) => published,
            () = call.app.drain.wait() => return Err("the server is going down".into()),
            () = context.ct.cancelled() => {
                // Nobody is there to hear the answer.
                call.submit(CancelRequest { id }).await.map_err(said)?;
                return Err("cancelled".into());
            }
        };
        let request = published.state.requests().get(id).ok_or("the request is gone")?;
        Ok(outcome(request, call.now()))
    }

    async fn list(&self, listing: Listing, context: &RequestContext<RoleServer>) -> Result<Value, String> {
        let call = call(context)?;
        let (published, now) = (call.published(), call.now());
        let mut sight = Sight::of(&call.caller, &published.state, now);
        let status = match listing.status.as_deref() {
            None => None,
            Some(name) => Some(Status::of_name(name).ok_or("there is no such status")?),
        };
        let requests = published.state.requests().since(0).rev();
        let fits = |request: &&Arc<Record>| {
            status.is_none_or(|status| request.status_at(now) == status)
                && listing.session.as_deref().is_none_or(|session| *session == *request.session)
        };
        let found = requests.filter(fits).filter(|request| sight.sees(request)).take(LISTED);
        Ok(Value::Array(found.map(|request| shown(request, now)).collect()))
    }
}

fn outcome(request: &Record, now: i64) -> Outcome {
    let text =
        |personal: &Option<Personal>| personal.as_ref().and_then(Personal::text).map(ToOwned::to_owned);
    Outcome {
        id: request.id.to_string(),
        status: request.status_at(now).name().into(),
        decided_by: request.decided_by.as_ref().map(ToString::to_string),
        reason: text(&request.reason),
        edited_params: text(&request.edited_params).and_then(|params| serde_json::from_str(&params).ok()),
    }
}

fn shown(request: &Record, now: i64) -> Value {
    let id: Uuid = request.id;
    json!({
        "id": id,
        "session": &*request.session,
        "tool": &*request.tool,
        "action": request.action.text(),
        "status": request.status_at(now).name(),
        "created_at": rfc3339(request.created_at),
        "expires_at": rfc3339(request.expires_at),
        "reason": request.reason.as_ref().and_then(Personal::text),
    })
}
