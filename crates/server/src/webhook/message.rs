//! The body of a message.
//!
//! Texts that people wrote are looked up when it is sent: what was erased meanwhile is not told any more. Everything else is as
//! it was when it happened, in each attempt.

use grantd_node::realm::State;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::webhook::{AuthorizationEvent, Delivery, Event, RequestEvent, Subject};
use serde::Serialize;
use uuid::Uuid;

use crate::api::status_name;
use crate::time::rfc3339;

/// Longer texts are left out, as in lists.
const SHOWN: usize = 4 << 10;

#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    realm: &'a str,
    /// Where a person sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Request<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<Authorization<'a>>,
}

#[derive(Serialize)]
struct Authorization<'a> {
    id: Uuid,
    app: &'a str,
    organization: &'a str,
    /// What the app has now.
    scopes: Vec<&'a str>,
    added: Vec<&'a str>,
    removed: Vec<&'a str>,
}

#[derive(Serialize)]
struct Request<'a> {
    id: Uuid,
    number: u64,
    session: &'a str,
    tool: &'a str,
    path: Option<&'a str>,
    action: Option<&'a str>,
    description: Option<&'a str>,
    requester: &'a str,
    status: &'static str,
    created_at: String,
    expires_at: String,
    decided_by: Option<&'a str>,
    reason: Option<&'a str>,
}

/// The name of a message, the same in each attempt.
pub(super) fn name(delivery: &Delivery) -> String {
    format!("msg_{}", delivery.id.simple())
}

/// Whether a state is as new as the event, as far as it can be told: what is forgotten by now is not known either.
pub(super) fn is_known(event: &Event, state: &State) -> bool {
    match &event.subject {
        // An authorization is told of as it was.
        Subject::Nothing | Subject::Authorization(_) | Subject::Push(_) => true,
        Subject::Request(event) => {
            let request = state.requests().get(event.id);
            request.is_some_and(|request| event.decided_by.is_none() || request.decided_by.is_some())
        }
    }
}

/// The body. `state` is the newest one.
pub(super) fn body(event: &Event, realm: &str, state: &State, public_url: &str) -> Vec<u8> {
    let mut data = Data { realm, url: None, request: None, authorization: None };
    match &event.subject {
        // Triggers have a form of their own.
        Subject::Nothing | Subject::Push(_) => {}
        Subject::Request(event) => {
            data.url = Some(link(realm, public_url, event.id));
            data.request = Some(request(event, state));
        }
        Subject::Authorization(event) => data.authorization = Some(authorization(event)),
    }
    let message = Message { kind: event.kind.name(), timestamp: rfc3339(event.at), data };
    serde_json::to_vec(&message).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Push<'a> {
    event: &'static str,
    repo_id: Uuid,
    branch: &'a str,
    commit: &'a str,
}

/// The body for a trigger, in the identities dialect's form; `None` if nothing was pushed.
pub(super) fn push(event: &Event) -> Option<Vec<u8>> {
    let Subject::Push(push) = &event.subject else { return None };
    let (branch, commit) = (&*push.branch, &*push.commit);
    serde_json::to_vec(&Push { event: "branchUpdate", repo_id: push.repository, branch, commit }).ok()
}

fn authorization(event: &AuthorizationEvent) -> Authorization<'_> {
    fn list(scopes: &[std::sync::Arc<str>]) -> Vec<&str> {
        scopes.iter().map(|scope| &**scope).collect()
    }
    Authorization {
        id: event.id,
        app: &event.app,
        organization: &event.organization,
        scopes: list(&event.scopes),
        added: list(&event.added),
        removed: list(&event.removed),
    }
}

/// The request's page in the inbox.
fn link(realm: &str, public_url: &str, id: Uuid) -> String {
    match realm {
        DEFAULT => format!("{public_url}/inbox/{id}"),
        other => format!("{public_url}/r/{other}/inbox/{id}"),
    }
}

fn request<'a>(event: &'a RequestEvent, state: &'a State) -> Request<'a> {
    let known = state.requests().get(event.id);
    let text =
        |field: Option<&'a Personal>| field.and_then(Personal::text).filter(|text| text.len() <= SHOWN);
    Request {
        id: event.id,
        number: event.number,
        session: &event.session,
        tool: &event.tool,
        path: event.path.as_deref(),
        action: text(known.map(|request| &request.action)),
        description: text(known.map(|request| &request.description)),
        requester: &event.requester,
        status: status_name(event.status),
        created_at: rfc3339(event.created_at),
        expires_at: rfc3339(event.expires_at),
        decided_by: event.decided_by.as_deref(),
        // Of who decided: what was made is told without it, although it may be decided by now.
        reason: text(
            known.filter(|_| event.decided_by.is_some()).and_then(|request| request.reason.as_ref()),
        ),
    }
}
