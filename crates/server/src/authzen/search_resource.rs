//! POST `/access/v1/search/resource`: what may this subject do this to?

use axum::response::Response;
use grantd_node::question::Said;
use grantd_node::realm::engine::FoundResource;
use serde::Serialize;

use super::errors::Error;
use super::page::{Page, search};
use super::wire::{ResourceSearch, context, required};
use super::{Call, read};

/// A resource that was found.
#[derive(Serialize)]
struct Found {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Covers>,
}

/// That it stands for more than itself: `subtree` is every path below it that nothing names.
#[derive(Serialize)]
struct Covers {
    covers: &'static str,
}

/// Searches resources.
pub(super) async fn search_resource(call: Call) -> Result<Response, Error> {
    search(call, answer).await
}

fn answer(call: &Call) -> Result<Response, Error> {
    let request: ResourceSearch<'_> = read(call)?;
    let subject = required(request.subject.as_ref(), "subject")?;
    let action = required(request.action.as_ref(), "action")?;
    let resource = required(request.resource.as_ref(), "resource")?;
    let context = context(request.context.as_ref());
    let page =
        Page::new(call, request.page, format!("resource {subject:?} {action:?} {resource:?} {context:?}"))?;
    let said = Said {
        subject: &subject.properties.0,
        action: &action.properties.0,
        resource: &resource.properties.0,
        context,
    };
    let found = page.asking.search_resources(
        subject.object().into(),
        &action.name,
        &resource.kind,
        said,
        page.after.as_deref(),
        page.sought(),
    )?;
    Ok(page.respond(call, found, |found| found.object.id().to_owned(), Found::from))
}

impl From<FoundResource> for Found {
    fn from(found: FoundResource) -> Self {
        let properties = found.covers_subtree.then_some(Covers { covers: "subtree" });
        Self { kind: found.object.kind().to_owned(), id: found.object.id().to_owned(), properties }
    }
}
