//! POST `/access/v1/search/subject`: who may do this to that resource?

use axum::response::Response;
use grantd_node::question::Said;
use grantd_node::realm::engine::{Subject, SubjectRef};
use serde::Serialize;

use super::errors::Error;
use super::page::{Page, search};
use super::wire::{SubjectSearch, context, required};
use super::{Call, read};
use crate::edge::EdgeError;

/// A subject that was found.
#[derive(Serialize)]
struct Found {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Covers>,
}

/// That it stands for more than itself: `type` is everybody of the type whom nothing names.
#[derive(Serialize)]
struct Covers {
    covers: &'static str,
}

/// Searches subjects.
pub(super) async fn search_subject(call: Call) -> Result<Response, Error> {
    search(call, answer).await
}

fn answer(call: &Call) -> Result<Response, Error> {
    let request: SubjectSearch<'_> = read(call)?;
    let subject = required(request.subject.as_ref(), "subject")?;
    let action = required(request.action.as_ref(), "action")?;
    let resource = required(request.resource.as_ref(), "resource")?;
    let context = context(request.context.as_ref());
    let page =
        Page::new(call, request.page, format!("subject {subject:?} {action:?} {resource:?} {context:?}"))?;
    let after = page.after.as_ref().map(|text| text.parse::<Subject>());
    let after = after.transpose().map_err(|_| EdgeError::Internal)?;
    let said = Said {
        subject: &subject.properties.0,
        action: &action.properties.0,
        resource: &resource.properties.0,
        context,
    };
    let found = page.asking.search_subjects(
        &subject.kind,
        &action.name,
        resource.object(),
        said,
        after.as_ref().map(SubjectRef::from),
        page.sought(),
    )?;
    Ok(page.respond(call, found, Subject::to_string, Found::from))
}

impl From<Subject> for Found {
    fn from(subject: Subject) -> Self {
        let (id, properties) = match subject.object() {
            Some(object) => (object.id().to_owned(), None),
            None => ("*".to_owned(), Some(Covers { covers: "type" })),
        };
        Self { kind: subject.kind().to_owned(), id, properties }
    }
}
