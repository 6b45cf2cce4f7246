//! POST `/access/v1/evaluation`: may this subject do this to that resource?

use axum::response::Response;

use super::answer::decide;
use super::errors::Error;
use super::wire::{Evaluation, context, required};
use super::{Call, read};

/// Evaluates once.
pub(super) async fn evaluation(call: Call) -> Result<Response, Error> {
    let request: Evaluation<'_> = read(&call)?;
    let subject = required(request.subject.as_ref(), "subject")?;
    let action = required(request.action.as_ref(), "action")?;
    let resource = required(request.resource.as_ref(), "resource")?;
    let asking = call.app.node.asking(call.published(), &call.caller)?;
    Ok(decide(&asking, subject, action, resource, context(request.context.as_ref())).respond())
}
