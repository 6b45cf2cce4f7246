//! POST `/access/v1/search/action`: what may this subject do to that resource?

use axum::response::Response;
use grantd_node::question::Said;
use grantd_node::realm::engine::{Properties, RelationName};
use serde::Serialize;

use super::errors::Error;
use super::page::{Page, search};
use super::wire::{ActionSearch, context, required};
use super::{Call, read};

/// An action that was found.
#[derive(Serialize)]
struct Found {
    name: String,
}

/// Searches actions.
pub(super) async fn search_action(call: Call) -> Result<Response, Error> {
    search(call, answer).await
}

fn answer(call: &Call) -> Result<Response, Error> {
    let request: ActionSearch<'_> = read(call)?;
    let subject = required(request.subject.as_ref(), "subject")?;
    let resource = required(request.resource.as_ref(), "resource")?;
    let context = context(request.context.as_ref());
    let page = Page::new(call, request.page, format!("action {subject:?} {resource:?} {context:?}"))?;
    let said = Said {
        subject: &subject.properties.0,
        action: Properties::EMPTY,
        resource: &resource.properties.0,
        context,
    };
    let found = page.asking.search_actions(
        subject.object().into(),
        resource.object(),
        said,
        page.after.as_deref(),
        page.sought(),
    )?;
    Ok(page.respond(call, found, RelationName::to_string, |name| Found { name: name.to_string() }))
}
