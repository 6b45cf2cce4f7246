//! Decisions as they stand on the wire.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use grantd_node::question::{Answer, Asking, Denial, Said};
use grantd_node::realm::engine::{Decision, Explanation, Properties, Question, Value};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::errors::Error;
use super::wire::{Action, Entity};
use crate::edge::EdgeError;
use crate::explanation::{Because, NearMiss, view};

/// A decision.
#[derive(Debug, Serialize)]
pub(super) struct Decided {
    pub(super) decision: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Box<DecidedContext>>,
}

/// What is said besides yes or no.
#[derive(Debug, Default, Serialize)]
struct DecidedContext {
    /// Why it is a no, as a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// What a condition would have to know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
    /// The witness, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<Because>,
    /// What was tried, if asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    misses: Vec<NearMiss>,
    /// What is wrong with this evaluation of a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Broken>,
}

#[derive(Debug, Serialize)]
struct Broken {
    status: u16,
    message: String,
}

/// The decision on one evaluation. With `"explain": true` in its context it comes with its reasons.
pub(super) fn decide(
    asking: &Asking<'_>,
    subject: &Entity<'_>,
    action: &Action<'_>,
    resource: &Entity<'_>,
    context: &Properties,
) -> Decided {
    let question =
        Question { subject: subject.object().into(), action: &action.name, resource: resource.object() };
    let said = Said {
        subject: &subject.properties.0,
        action: &action.properties.0,
        resource: &resource.properties.0,
        context,
    };
    if matches!(context.get("explain"), Some(Value::Bool(true))) {
        let (answer, explanation) = asking.explain(&question, said);
        return Decided::new(answer, explanation);
    }
    Decided::new(asking.check(&question, said), None)
}

impl Decided {
    fn new(answer: Answer, explanation: Option<Explanation>) -> Self {
        let decision = answer.is_allowed();
        if decision && explanation.is_none() {
            return Self { decision, context: None };
        }
        let (because, misses) = explanation.map(view).unwrap_or_default();
        let reason = answer.denial.map(Denial::code);
        let missing = match answer.decision {
            Decision::Conditional { missing, .. } => missing,
            Decision::Allowed | Decision::Denied => Vec::new(),
        };
        let context = DecidedContext { reason, missing, because, misses, error: None };
        Self { decision, context: Some(Box::new(context)) }
    }

    /// The place of an evaluation that cannot be read.
    pub(super) fn broken(error: &Error) -> Self {
        let broken = Broken { status: error.status().as_u16(), message: error.message() };
        let context = DecidedContext { error: Some(broken), ..DecidedContext::default() };
        Self { decision: false, context: Some(Box::new(context)) }
    }

    /// The whole answer to a single evaluation.
    pub(super) fn respond(&self) -> Response {
        if self.decision && self.context.is_none() {
            return with_body(Bytes::from_static(br#"{"decision":true}"#));
        }
        json(self)
    }
}

/// 200 with this body.
pub(super) fn json<T: Serialize>(body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(text) => with_body(text.into()),
        // No type of this face has a map whose keys are no texts.
        Err(_) => {
            let mut response = with_body(Bytes::from_static(b"\"something went wrong here\""));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response.extensions_mut().insert(EdgeError::Internal);
            response
        }
    }
}

fn with_body(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
