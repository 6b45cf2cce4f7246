//! The dialect's error bodies: `{"code": "...", "error": "<the same>", "message": "..."}`, one map from what went wrong.

use axum::Json;
use axum::response::{IntoResponse, Response};
use grantd_node::SubmitError;
use grantd_node::realm::Refusal;
use grantd_node::realm::refusal::Noun;
use http::StatusCode;
use serde_json::json;

use crate::edge::{EdgeError, RequestId};
use crate::face::CallError;

/// An error in the dialect's words.
pub struct Error {
    status: StatusCode,
    code: &'static str,
    message: String,
    edge: Option<EdgeError>,
}

impl Error {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), edge: None }
    }

    /// 400: a value does not fit.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", message)
    }

    /// The repository API has its own word for a repository that is not there.
    pub(super) fn in_repository_api(mut self) -> Self {
        self.code = match self.code {
            "GIT_REPOSITORY_NOT_FOUND" => "REPOSITORY_NOT_FOUND",
            "INVALID_REQUEST" => "GIT_INVALID_REQUEST",
            other => other,
        };
        self
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        let message = error.to_string();
        match error {
            CallError::Unauthorized(_) => Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message),
            CallError::Forgery => Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", message),
            CallError::UnknownRealm => Self::new(StatusCode::NOT_FOUND, "INVALID_REQUEST", message),
            CallError::BadConsistency(_) => Self::invalid(message),
            CallError::OtherLedger => Self::new(StatusCode::CONFLICT, "INVALID_REQUEST", message),
            CallError::NotYet => Self::new(StatusCode::SERVICE_UNAVAILABLE, "INTERNAL_ERROR", message),
            CallError::Refused(refusal) => refusal.into(),
            CallError::Submit(submit) => submit.into(),
            CallError::Edge(edge) => edge.into(),
        }
    }
}

impl From<EdgeError> for Error {
    fn from(edge: EdgeError) -> Self {
        let code = match edge.status() {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::INTERNAL_SERVER_ERROR => "INTERNAL_ERROR",
            _ => "INVALID_REQUEST",
        };
        Self { edge: Some(edge.clone()), ..Self::new(edge.status(), code, edge.to_string()) }
    }
}

impl From<SubmitError> for Error {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => refusal.into(),
            SubmitError::Broken(_) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "the realm cannot be served")
            }
            other => Self {
                edge: Some(EdgeError::Unavailable { retry_after_secs: 1 }),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "INTERNAL_ERROR", other.to_string())
            },
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let (status, code) = match &refusal {
            Refusal::NotAllowed(_)
            | Refusal::NotHeld(_)
            | Refusal::OwnRequest
            | Refusal::ReservedRole { .. }
            | Refusal::Consent(_)
            | Refusal::OperationDenied { .. } => (StatusCode::FORBIDDEN, "FORBIDDEN"),
            Refusal::NotFound { noun, .. } => (StatusCode::NOT_FOUND, not_found(*noun)),
            Refusal::Exists { noun: Noun::RepositoryGrant | Noun::VmGrant, .. } => {
                (StatusCode::CONFLICT, "PERMISSION_ALREADY_EXISTS")
            }
            Refusal::NoRealm => (StatusCode::NOT_FOUND, "INVALID_REQUEST"),
            Refusal::ManagedIdentity(_) => (StatusCode::FORBIDDEN, "CANNOT_MODIFY_MANAGED_IDENTITY"),
            Refusal::IdempotencyKeyReused
            | Refusal::Taken
            | Refusal::Exists { .. }
            | Refusal::SuperUsersFixed
            | Refusal::LastSuperUser { .. }
            | Refusal::RequestSettled { .. }
            | Refusal::TooMany { .. }
            | Refusal::Orphans(_) => (StatusCode::CONFLICT, "INVALID_REQUEST"),
            Refusal::Invalid { .. }
            | Refusal::ManagedRelation { .. }
            | Refusal::Precondition { .. }
            | Refusal::Grant(_) => (StatusCode::BAD_REQUEST, "INVALID_REQUEST"),
        };
        Self::new(status, code, refusal.to_string())
    }
}

fn not_found(noun: Noun) -> &'static str {
    match noun {
        Noun::Identity => "IDENTITY_NOT_FOUND",
        Noun::Token => "TOKEN_NOT_FOUND",
        Noun::Repository => "GIT_REPOSITORY_NOT_FOUND",
        Noun::RepositoryGrant => "PERMISSION_NOT_FOUND",
        Noun::VmGrant => "VM_PERMISSION_NOT_FOUND",
        Noun::Trigger => "TRIGGER_NOT_FOUND",
        Noun::Vm => "VM_NOT_FOUND",
        Noun::User
        | Noun::Role
        | Noun::ApiKey
        | Noun::Entity
        | Noun::Realm
        | Noun::ApprovalSession
        | Noun::Request
        | Noun::Rule
        | Noun::Webhook
        | Noun::SshKey
        | Noun::LinkedAccount
        | Noun::Scope
        | Noun::Organization
        | Noun::OrganizationToken
        | Noun::App
        | Noun::Authorization
        | Noun::Approval
        | Noun::ContentType
        | Noun::CataloguePermission => "INVALID_REQUEST",
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.code, "error": self.code, "message": self.message });
        let mut response = (self.status, Json(body)).into_response();
        if let Some(edge) = &self.edge {
            edge.complete(&mut response);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = http::HeaderValue::from_static("Bearer realm=\"grantd\"");
            response.headers_mut().insert(http::header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// How the edge's errors are said here.
pub fn render(error: &EdgeError, _: &RequestId) -> Response {
    Error::from(error.clone()).into_response()
}

/// Deleting a managed identity has a code of its own.
pub(super) fn on_delete(error: CallError) -> Error {
    let managed = matches!(error, CallError::Refused(Refusal::ManagedIdentity(_)));
    let error = Error::from(error);
    if managed { Error { code: "CANNOT_DELETE_MANAGED_IDENTITY", ..error } } else { error }
}
