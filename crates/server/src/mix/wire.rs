//! The bodies of the dialect: camelCase, as its clients have them.

use grantd_node::realm::Micros;
use grantd_node::realm::approval_session::ApprovalSession;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::request::{Decider, Request, Status};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::time::rfc3339;

/// POST `/api/permissions`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatePermission<'b> {
    pub(super) session_id: String,
    pub(super) tool_name: String,
    pub(super) action: String,
    pub(super) description: String,
    pub(super) path: Option<String>,
    #[serde(borrow)]
    pub(super) params: Option<&'b RawValue>,
    pub(super) parent_tool_call_id: Option<String>,
    pub(super) timeout_seconds: Option<u64>,
}

/// POST `.../grant` and `.../deny`. Mix's own clients send no body.
#[derive(Default, Deserialize)]
pub(super) struct Decision<'b> {
    /// Why, in the decider's words.
    pub(super) reason: Option<String>,
    /// What is granted instead of what was asked for.
    #[serde(borrow)]
    pub(super) params: Option<&'b RawValue>,
}

/// GET `/api/permissions`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListPermissions {
    pub(super) status: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) limit: Option<String>,
    pub(super) after: Option<Uuid>,
}

/// GET `/api/permissions/{id}`.
#[derive(Deserialize)]
pub(super) struct GetPermission {
    pub(super) wait: Option<String>,
}

/// A request, as everyone who may see it sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Permission {
    id: Uuid,
    session_id: String,
    tool_name: String,
    action: String,
    description: String,
    path: Option<String>,
    /// What may be done: once granted with other parameters, those.
    params: Option<Box<RawValue>>,
    /// What was asked for, where that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_params: Option<Box<RawValue>>,
    parent_tool_call_id: Option<String>,
    status: &'static str,
    created_at: String,
    expires_at: String,
    decided_by: Option<String>,
    reason: Option<String>,
}

impl Permission {
    /// The request as it stands at a time.
    pub(super) fn new(request: &Request, now: Micros) -> Self {
        let status = request.status_at(now);
        let asked = json(Some(&request.params));
        let edited = json(request.edited_params.as_ref());
        let (params, requested_params) = match edited {
            Some(edited) => (Some(edited), asked),
            None => (asked, None),
        };
        Self {
            id: request.id,
            session_id: request.session.as_ref().into(),
            tool_name: request.tool.as_ref().into(),
            action: text(&request.action),
            description: text(&request.description),
            path: request.path.as_deref().map(Into::into),
            params,
            requested_params,
            parent_tool_call_id: request.parent_tool_call.as_deref().map(Into::into),
            status: status.name(),
            created_at: rfc3339(request.created_at),
            expires_at: rfc3339(request.expires_at),
            decided_by: decided_by(request, status),
            reason: reason(request, status),
        }
    }
}

/// Who or what decided. Time does so before there is an entry that says it.
fn decided_by(request: &Request, status: Status) -> Option<String> {
    let timeout = (status == Status::Expired).then_some(&Decider::Timeout);
    request.decided_by.as_ref().or(timeout).map(ToString::to_string)
}

fn reason(request: &Request, status: Status) -> Option<String> {
    let said = request.reason.as_ref().and_then(Personal::text).map(Into::into);
    said.or_else(|| (status == Status::Expired).then(|| "timed out".into()))
}

/// A text that may have been erased since.
pub(super) fn text(personal: &Personal) -> String {
    personal.text().unwrap_or_default().into()
}

/// A JSON object that may have been erased since.
pub(super) fn json(personal: Option<&Personal>) -> Option<Box<RawValue>> {
    let text = personal?.text()?;
    RawValue::from_string(text.into()).ok()
}

/// The answer of `.../grant`: the fields of every version of the contract.
#[derive(Serialize)]
pub(super) struct Granted {
    granted: bool,
    data: GrantedData,
    status: &'static str,
    id: Uuid,
    message: &'static str,
}

#[derive(Serialize)]
struct GrantedData {
    granted: bool,
}

impl Granted {
    pub(super) fn new(id: Uuid) -> Self {
        let (granted, message) = (true, "Permission granted successfully");
        Self { granted, data: GrantedData { granted }, status: "granted", id, message }
    }
}

/// The answer of `.../deny`.
#[derive(Serialize)]
pub(super) struct Denied {
    denied: bool,
    data: DeniedData,
    status: &'static str,
    id: Uuid,
    message: &'static str,
}

#[derive(Serialize)]
struct DeniedData {
    denied: bool,
}

impl Denied {
    pub(super) fn new(id: Uuid) -> Self {
        let (denied, message) = (true, "Permission denied successfully");
        Self { denied, data: DeniedData { denied }, status: "denied", id, message }
    }
}

/// POST `/api/sessions`. What is not here (prompts, browsers) means nothing to a permission server.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateSession {
    pub(super) title: String,
    pub(super) session_type: Option<String>,
    pub(super) parent_session_id: Option<String>,
    #[serde(default)]
    pub(super) callbacks: Option<Vec<serde::de::IgnoredAny>>,
}

/// GET `/api/sessions`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListSessions {
    pub(super) include_subagents: Option<String>,
    pub(super) limit: Option<String>,
    pub(super) after: Option<String>,
}

/// SessionData. Its clients require the figures, of which there are none here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionData {
    id: String,
    title: String,
    created_at: String,
    session_type: &'static str,
    browser_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_session_id: Option<String>,
    cost: u8,
    prompt_tokens: u8,
    completion_tokens: u8,
    user_message_count: u8,
    assistant_message_count: u8,
    tool_call_count: u8,
}

impl SessionData {
    /// A session that nobody gave a title is called by its id.
    pub(super) fn new(session: &ApprovalSession) -> Self {
        let title = session.title.as_ref().and_then(Personal::text).unwrap_or(&session.id);
        Self {
            id: session.id.as_ref().into(),
            title: title.into(),
            created_at: rfc3339(session.created_at),
            session_type: if session.parent.is_some() { "subagent" } else { "main" },
            browser_mode: "local-browser-service",
            parent_session_id: session.parent.as_deref().map(Into::into),
            cost: 0,
            prompt_tokens: 0,
            completion_tokens: 0,
            user_message_count: 0,
            assistant_message_count: 0,
            tool_call_count: 0,
        }
    }
}

/// The answer of `/api/sessions/{id}/cancel`.
#[derive(Serialize)]
pub(super) struct Cancelled {
    pub(super) cancelled: bool,
}

/// GET `/stream`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StreamEvents {
    pub(super) session_id: Option<String>,
}
