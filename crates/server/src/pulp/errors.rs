//! The dialect's error bodies: one envelope, one map from what went wrong.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use grantd_node::SubmitError;
use grantd_node::realm::Refusal;
use grantd_node::realm::pulp::Operation;
use grantd_node::realm::refusal::Noun;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value, json};

use super::python::list_repr;
use super::wire::JSON;
use crate::edge::{EdgeError, RequestId};
use crate::face::{CallError, Unauthorized};

/// An error in the dialect's words. As a response it carries itself in the extensions: [`super::envelope`] writes the body,
/// which names the request.
#[derive(Debug, Clone)]
pub struct Error(Box<Said>);

#[derive(Debug, Clone)]
struct Said {
    status: StatusCode,
    code: &'static str,
    description: String,
    /// The one member of the envelope that depends on the kind.
    extra: (&'static str, Value),
    data: Value,
    edge: Option<EdgeError>,
    /// A denial, which names the caller once it is known who that is.
    denied: Option<Operation>,
}

impl Error {
    fn new(
        (status, code): (StatusCode, &'static str),
        description: String,
        extra: (&'static str, Value),
        data: Value,
    ) -> Self {
        Self(Box::new(Said { status, code, description, extra, data, edge: None, denied: None }))
    }

    fn bad(code: &'static str, description: String, extra: (&'static str, Value), data: Value) -> Self {
        Self::new((StatusCode::BAD_REQUEST, code), description, extra, data)
    }

    /// 400 PLP0016: these must be there.
    pub(super) fn missing(names: &[&str]) -> Self {
        let properties = list_repr(names);
        let description = format!("Missing values for: {properties}");
        let data = json!({ "property_names": names, "properties": properties });
        Self::bad("PLP0016", description, ("missing_property_names", json!(names)), data)
    }

    /// 400 PLP0015: this does not fit.
    pub(super) fn invalid(name: &str) -> Self {
        Self::all_invalid(&[name])
    }

    /// 400 PLP0015: these do not fit.
    pub(super) fn all_invalid(names: &[&str]) -> Self {
        let properties = list_repr(names);
        let description = format!("Invalid properties: {properties}");
        let data = json!({ "property_names": names, "properties": properties });
        Self::bad("PLP0015", description, ("property_names", json!(names)), data)
    }

    /// 400 PLP0000: a rule, said in a sentence.
    pub(super) fn rule(message: impl Into<String>) -> Self {
        Self::in_a_sentence(StatusCode::BAD_REQUEST, message)
    }

    /// PLP0000 with any status.
    fn in_a_sentence(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        let args = ("args", json!([message]));
        Self::new((status, "PLP0000"), message, args, json!({}))
    }

    /// 400 PLP1009: no JSON.
    pub(super) fn no_json() -> Self {
        let says = "The request body does not contain valid JSON";
        Self::bad("PLP1009", says.into(), ("args", json!([])), json!({}))
    }

    /// 400 PLP1015: JSON, but no object.
    pub(super) fn no_object() -> Self {
        let says = "The JSON data must be of type 'dict'.";
        Self::bad("PLP1015", says.into(), ("args", json!([])), json!({ "data_type": "dict" }))
    }

    /// 404 PLP0009: a user, by `login`, or anything else, by `resource_id`.
    fn not_found(key: &str, id: &str) -> Self {
        let resources = json!({ key: id });
        let data = json!({ "resources": resources });
        let description = format!("Missing resource(s): {key}={id}");
        Self::new((StatusCode::NOT_FOUND, "PLP0009"), description, ("resources", resources), data)
    }

    /// 409 PLP0018.
    fn exists(id: &str) -> Self {
        let description = format!("Duplicate resource: {id}");
        let data = json!({ "resource_id": id });
        Self::new((StatusCode::CONFLICT, "PLP0018"), description, ("resource_id", id.into()), data)
    }

    fn unauthorized(code: &'static str, says: &'static str, description: String, data: Value) -> Self {
        let extra = ("auth_error_code", says.into());
        Self::new((StatusCode::UNAUTHORIZED, code), description, extra, data)
    }

    /// 401 PLP0026: the dialect has no 403.
    pub(super) fn denied(operation: Operation, user: &str) -> Self {
        let name = operation.name();
        let description = format!("Permission denied: user {user} cannot perform {name}.");
        let data = json!({ "user": user, "operation": name });
        let mut error = Self::unauthorized("PLP0026", "permission_denied", description, data);
        error.0.denied = Some(operation);
        error
    }

    /// The same error; a denial says whose.
    pub(super) fn of(self, user: &str) -> Self {
        match self.0.denied {
            Some(operation) => Self::denied(operation, user),
            None => self,
        }
    }

    /// The same error; its headers are those of the edge's ([`EdgeError::complete`]).
    fn at_edge(mut self, edge: EdgeError) -> Self {
        self.0.edge = Some(edge);
        self
    }

    /// The body, for a request of this method and address.
    pub(super) fn envelope(&self, method: &Method, href: &str) -> Value {
        let Said { status, code, description, extra: (name, value), data, .. } = &*self.0;
        let mut body = Map::new();
        body.insert((*name).into(), value.clone());
        body.insert("http_request_method".into(), method.as_str().into());
        body.insert("http_status".into(), status.as_u16().into());
        body.insert("_href".into(), href.into());
        body.insert("error_message".into(), description.as_str().into());
        // Upstream puts its own insides here.
        body.insert("exception".into(), Value::Null);
        body.insert("traceback".into(), Value::Null);
        let error = json!({
            "code": code, "description": description, "data": data, "sub_errors": [],
        });
        body.insert("error".into(), error);
        body.into()
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Unauthorized(why) => why.into(),
            CallError::Refused(refusal) | CallError::Submit(SubmitError::Refused(refusal)) => refusal.into(),
            CallError::Edge(edge) => edge.into(),
            CallError::UnknownRealm => EdgeError::NotFound.into(),
            CallError::Submit(SubmitError::Broken(_)) => EdgeError::Internal.into(),
            CallError::Submit(other) => {
                let message = other.to_string();
                Self::in_a_sentence(StatusCode::SERVICE_UNAVAILABLE, message)
                    .at_edge(EdgeError::Unavailable { retry_after_secs: 1 })
            }
            CallError::BadConsistency(name) => Self::invalid(name),
            CallError::OtherLedger => Self::in_a_sentence(StatusCode::CONFLICT, error.to_string()),
            CallError::NotYet => Self::in_a_sentence(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
                .at_edge(EdgeError::Unavailable { retry_after_secs: 1 }),
            CallError::Forgery => Self::in_a_sentence(StatusCode::FORBIDDEN, error.to_string()),
        }
    }
}

impl From<Unauthorized> for Error {
    fn from(why: Unauthorized) -> Self {
        match why {
            Unauthorized::WrongPassword { login } => Self::unauthorized(
                "PLP0030",
                "invalid_username_or_password",
                format!("Authentication with username {login} failed: invalid username or password"),
                json!({ "user": login }),
            ),
            Unauthorized::WrongCertificate => Self::unauthorized(
                "PLP0027",
                "invalid_ssl_certificate",
                "Authentication failed: the client certificate is not valid, or no longer; log in again"
                    .into(),
                json!({ "user": null }),
            ),
            Unauthorized::NoCredential
            | Unauthorized::Unknown
            | Unauthorized::SessionOver
            | Unauthorized::NoSession => Self::unauthorized(
                "PLP0025",
                "authentication_failed",
                "Authentication failed.".into(),
                json!({}),
            ),
        }
    }
}

impl From<EdgeError> for Error {
    fn from(edge: EdgeError) -> Self {
        let error = match &edge {
            EdgeError::InvalidBody(_) => Self::no_json(),
            _ => Self::in_a_sentence(edge.status(), edge.to_string()),
        };
        error.at_edge(edge)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match &refusal {
            Refusal::NotFound { noun: Noun::User, id } => Self::not_found("login", id),
            Refusal::NotFound { id, .. } => Self::not_found("resource_id", id),
            Refusal::Exists { id, .. } => Self::exists(id),
            Refusal::OperationDenied { operation } => Self::denied(*operation, ""),
            // What is asked for changes somebody, and would be worth more than the caller has.
            Refusal::NotAllowed(_) | Refusal::NotHeld(_) | Refusal::ReservedRole { .. } => {
                Self::denied(Operation::Update, "")
            }
            // Upstream's name of a role's key.
            Refusal::Invalid { field: "key", .. } => Self::invalid("role_id"),
            Refusal::Invalid { field, .. } => Self::invalid(field),
            Refusal::NoRealm => EdgeError::NotFound.into(),
            Refusal::IdempotencyKeyReused => Self::in_a_sentence(StatusCode::CONFLICT, refusal.to_string()),
            Refusal::SuperUsersFixed => Self::rule("Role super-users cannot be changed"),
            Refusal::LastSuperUser { login } => {
                Self::rule(format!("super-users cannot be empty, and {login} is the last member"))
            }
            _ => Self::rule(refusal.to_string()),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Some(edge @ (EdgeError::NotFound | EdgeError::MethodNotAllowed { .. })) = &self.0.edge {
            return bare(edge);
        }
        let mut response = self.0.status.into_response();
        if let Some(edge) = &self.0.edge {
            edge.complete(&mut response);
        }
        // Named before the body is there, so that nobody takes the answer for one that has no form yet.
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
        response.extensions_mut().insert(self);
        response
    }
}

/// Two errors have no envelope: an unknown path is `null`, a wrong method says nothing.
fn bare(edge: &EdgeError) -> Response {
    let mut response = edge.status().into_response();
    if matches!(edge, EdgeError::NotFound) {
        *response.body_mut() = Body::from("null");
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    }
    edge.complete(&mut response);
    response
}

/// How the edge's errors are said here.
pub(super) fn render(error: &EdgeError, _: &RequestId) -> Response {
    Error::from(error.clone()).into_response()
}
