//! Granting, denying, and making a rule of a request.

use std::sync::Arc;

use axum::response::Response;
use grantd_node::Published;
use grantd_node::realm::Refusal;
use grantd_node::realm::request::{DecideRequest, Request, Verdict};
use grantd_node::realm::rule::CreateRule;
use http::StatusCode;
use serde::Deserialize;

use super::params::edited;
use super::request_page::{Filled, card, find, show};
use super::rule_form::{RuleForm, field_of};
use crate::edge::EdgeError;
use crate::face::CallError;
use crate::pages::errors::PageError;
use crate::pages::frame::{Problem, see_other};
use crate::pages::visit::{Submitted, Visit};

/// What the form of a request sends.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::pages) struct Answer {
    verdict: String,
    reason: String,
    /// As they are in the form; not there in the list.
    params: Option<String>,
    remember: Option<String>,
    #[serde(flatten)]
    rule: RuleForm,
}

/// What went wrong with a form, and where.
struct Wrong {
    status: StatusCode,
    problem: Problem,
}

impl Wrong {
    fn of(refusal: &Refusal) -> Self {
        let (status, field) = match refusal {
            Refusal::Invalid { field, .. } => (StatusCode::UNPROCESSABLE_ENTITY, field_of(field)),
            Refusal::NotAllowed(_) | Refusal::OwnRequest => (StatusCode::FORBIDDEN, "reason"),
            _ => (StatusCode::CONFLICT, "reason"),
        };
        Self { status, problem: Problem::new(field, sentence(&refusal.to_string())) }
    }
}

/// A message of the realm as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Grants or denies.
pub(in crate::pages) async fn decide(submitted: Submitted<Answer>) -> Result<Response, PageError> {
    let Submitted { visit, form } = submitted;
    let login = visit.signed_in()?.login.clone();
    let request = find(&visit, &visit.realm.published())?;
    let (verdict, done) = match form.verdict.as_str() {
        "grant" => match edited_params(&request, form.params.as_deref()) {
            Ok(edited_params) => (Verdict::Grant { edited_params }, "granted"),
            Err(problem) => {
                let wrong = Wrong { status: StatusCode::UNPROCESSABLE_ENTITY, problem };
                return again(&visit, &request, form, wrong);
            }
        },
        "deny" => (Verdict::Deny, "denied"),
        _ => {
            return Err(
                CallError::from(EdgeError::BadRequest("`verdict` must be grant or deny".into())).into()
            );
        }
    };
    let now = visit.app.node.now();
    let command = DecideRequest {
        id: request.id,
        verdict,
        reason: Some(form.reason.clone()).filter(|reason| !reason.trim().is_empty()),
        remember: form.remember.is_some().then(|| form.rule.remember(&request, now)),
    };
    match visit.submit(&login, command).await {
        Ok(_) if visit.asks_for_piece() => {
            let published = visit.realm.published();
            card(&visit, &published, &*find(&visit, &published)?, StatusCode::OK, None)
        }
        Ok(_) => Ok(see_other(&format!("{}/inbox?done={done}", visit.base()), None)),
        Err(PageError::Call(CallError::Refused(refusal))) => {
            again(&visit, &request, form, Wrong::of(&refusal))
        }
        Err(other) => Err(other),
    }
}

fn edited_params(request: &Request, sent: Option<&str>) -> Result<Option<String>, Problem> {
    match (sent, request.params.text()) {
        (Some(sent), Some(params)) => edited(params, sent).map_err(|text| Problem::new("params", text)),
        _ => Ok(None),
    }
}

/// The request as it is now, with what was sent and what is wrong with it.
fn again(visit: &Visit, request: &Request, form: Answer, wrong: Wrong) -> Result<Response, PageError> {
    let published: &Published = &visit.realm.published();
    let newest = published.state.requests().get(request.id);
    let request = newest.map_or(request, Arc::as_ref);
    if visit.asks_for_piece() {
        return card(visit, published, request, wrong.status, Some(wrong.problem.text));
    }
    let opened = match wrong.problem.field {
        "params" => "params",
        _ if form.remember.is_some() => "rule",
        _ => "",
    };
    let Answer { params, rule, reason, .. } = form;
    // The list's form has no such fields.
    let rule = Some(rule).filter(|rule| !rule.until.is_empty());
    let filled = Filled { problems: vec![wrong.problem], params, rule, reason, opened };
    show(visit, published, request, wrong.status, None, filled)
}

/// Makes a rule of a request that is decided.
pub(in crate::pages) async fn make_rule(submitted: Submitted<RuleForm>) -> Result<Response, PageError> {
    let Submitted { visit, form } = submitted;
    let login = visit.signed_in()?.login.clone();
    let request = find(&visit, &visit.realm.published())?;
    let Some(draft) = form.draft(&request, visit.app.node.now()) else {
        return Err(CallError::from(EdgeError::BadRequest(
            "`rule_effect` must be allow, ask or deny".into(),
        ))
        .into());
    };
    match visit.submit(&login, CreateRule { draft }).await {
        Ok(_) => Ok(see_other(&format!("{}/inbox/{}?done=rule", visit.base(), request.id), None)),
        Err(PageError::Call(CallError::Refused(refusal))) => {
            let Wrong { status, problem } = Wrong::of(&refusal);
            let filled =
                Filled { problems: vec![problem], rule: Some(form), opened: "rule", ..Filled::default() };
            show(&visit, &visit.realm.published(), &request, status, None, filled)
        }
        Err(other) => Err(other),
    }
}
