//! POST `/access/v1/evaluations`: many evaluations at one revision and one time.

use axum::response::Response;
use grantd_node::question::Asking;
use serde::Serialize;
use serde_json::value::RawValue;

use super::answer::{Decided, decide, json};
use super::errors::Error;
use super::wire::{Evaluation, Evaluations, Semantic, context, required};
use super::{Call, read, rules};
use crate::call::{Patience, aside};
use crate::edge::parse_object;

/// The most evaluations of one call.
const MAX: usize = 10_000;

#[derive(Serialize)]
struct Answer {
    evaluations: Vec<Decided>,
}

/// Evaluates each in the order asked. Without any it is a single evaluation, answered as one.
pub(super) async fn evaluations(call: Call) -> Result<Response, Error> {
    aside(move || answer(&call)).await?
}

fn answer(call: &Call) -> Result<Response, Error> {
    let patience = Patience::new();
    let request: Evaluations<'_> = read(call)?;
    let asking = call.app.node.asking(call.published(), &call.caller)?;
    let Evaluations { subject, action, resource, context, evaluations, options } = request;
    let defaults = Evaluation { subject, action, resource, context };
    let evaluations = evaluations.unwrap_or_default();
    if evaluations.is_empty() {
        return Ok(evaluate(&asking, &Evaluation::default(), &defaults)?.respond());
    }
    if evaluations.len() > MAX {
        return Err(Error::invalid("evaluations", format!("at most {MAX} in one call")));
    }
    let semantic = options.unwrap_or_default().evaluations_semantic;
    let mut decided = Vec::with_capacity(evaluations.len());
    for evaluation in evaluations {
        patience.lasts()?;
        let one =
            evaluate_one(&asking, evaluation, &defaults).unwrap_or_else(|error| Decided::broken(&error));
        let decision = one.decision;
        decided.push(one);
        match semantic {
            Semantic::DenyOnFirstDeny if !decision => break,
            Semantic::PermitOnFirstPermit if decision => break,
            _ => {}
        }
    }
    Ok(json(&Answer { evaluations: decided }))
}

fn evaluate_one(
    asking: &Asking<'_>,
    evaluation: &RawValue,
    defaults: &Evaluation<'_>,
) -> Result<Decided, Error> {
    evaluate(asking, &parse_object(evaluation.get().as_bytes(), rules())?, defaults)
}

/// What the evaluation says itself counts whole; what it does not say is the default's.
fn evaluate(
    asking: &Asking<'_>,
    evaluation: &Evaluation<'_>,
    defaults: &Evaluation<'_>,
) -> Result<Decided, Error> {
    let subject = required(evaluation.subject.as_ref().or(defaults.subject.as_ref()), "subject")?;
    let action = required(evaluation.action.as_ref().or(defaults.action.as_ref()), "action")?;
    let resource = required(evaluation.resource.as_ref().or(defaults.resource.as_ref()), "resource")?;
    let context = context(evaluation.context.as_ref().or(defaults.context.as_ref()));
    Ok(decide(asking, subject, action, resource, context))
}
