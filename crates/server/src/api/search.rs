//! POST `/api/v1/search/subjects`, `/resources`, `/actions`: who may, what, and which; in pages of one revision.

use axum::Json;
use grantd_node::question::{Asking, Said};
use grantd_node::realm::engine::{CheckError, FoundResource, RelationName, Subject};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::check::supposing;
use super::errors::Error;
use super::names::{Action, Named};
use super::page::{Page, Paging, Wanted};
use super::relationships::RelationshipInput;
use super::{Call, read};
use crate::call::aside;
use crate::edge::EdgeError;
use crate::properties::JsonProperties;

/// Who may do this to that resource?
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct SubjectSearch {
    /// The type of those who are looked for.
    #[schema(example = "user")]
    subject_type: String,
    /// A relation of the resource's type, or `{"name": ..., "properties": {...}}`.
    #[schema(value_type = String, example = "read")]
    action: Action,
    /// `type:id`, or `{"type": ..., "id": ..., "properties": {...}}`.
    #[schema(value_type = String)]
    resource: Named,
    /// What conditions may want to know besides.
    #[serde(default)]
    #[schema(value_type = Object)]
    context: JsonProperties,
    /// Relationships to suppose, besides those that are stored; at most 100. The same for every page.
    #[serde(default)]
    contextual: Vec<RelationshipInput>,
    /// At most so many results, 1 to 1000; 100 without it.
    limit: Option<usize>,
    /// `next` of the page before; everything but `limit` must be as it was there.
    cursor: Option<String>,
}

/// What may this subject do this to?
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct ResourceSearch {
    /// `type:id`, `type:id#relation`, `type:*`, or `{"type": ..., "id": ..., "properties": {...}}`.
    #[schema(value_type = String, example = "user:alice")]
    subject: Named,
    /// A relation of the resource's type, or `{"name": ..., "properties": {...}}`.
    #[schema(value_type = String, example = "read")]
    action: Action,
    /// The type of what is looked for.
    #[schema(example = "fs_repo")]
    resource_type: String,
    /// What conditions may want to know besides.
    #[serde(default)]
    #[schema(value_type = Object)]
    context: JsonProperties,
    /// Relationships to suppose, besides those that are stored; at most 100. The same for every page.
    #[serde(default)]
    contextual: Vec<RelationshipInput>,
    /// At most so many results, 1 to 1000; 100 without it.
    limit: Option<usize>,
    /// `next` of the page before; everything but `limit` must be as it was there.
    cursor: Option<String>,
}

/// What may this subject do to that resource?
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct ActionSearch {
    /// `type:id`, `type:id#relation`, `type:*`, or `{"type": ..., "id": ..., "properties": {...}}`.
    #[schema(value_type = String, example = "user:alice")]
    subject: Named,
    /// `type:id`, or `{"type": ..., "id": ..., "properties": {...}}`.
    #[schema(value_type = String)]
    resource: Named,
    /// What conditions may want to know besides.
    #[serde(default)]
    #[schema(value_type = Object)]
    context: JsonProperties,
    /// Relationships to suppose, besides those that are stored; at most 100. The same for every page.
    #[serde(default)]
    contextual: Vec<RelationshipInput>,
    /// At most so many results, 1 to 1000; 100 without it.
    limit: Option<usize>,
    /// `next` of the page before; everything but `limit` must be as it was there.
    cursor: Option<String>,
}

/// A page of results, in key order; complete over the pages.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Found<T> {
    /// The results.
    items: Vec<T>,
    /// Give this as `cursor` for the next page; null at the end.
    next: Option<String>,
    /// The revision at which all pages hold.
    revision: u64,
}

/// A subject that was found.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SubjectFound {
    /// `type:id`; `type:*` means that those of the type whom nothing names may as well.
    subject: String,
}

/// A resource that was found.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ResourceFound {
    /// `type:id`
    resource: String,
    /// `subtree` for a node of a path type: the answer counts for every path below it that nothing names.
    #[serde(skip_serializing_if = "Option::is_none")]
    covers: Option<&'static str>,
    #[serde(skip)]
    id: String,
}

/// An action that was found.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ActionFound {
    /// The relation's name.
    action: String,
}

/// Searches subjects.
#[utoipa::path(
    post, path = "/api/v1/search/subjects", tag = "decisions", request_body = SubjectSearch,
    responses((status = 200, body = Found<SubjectFound>), (status = 400), (status = 401), (status = 403))
)]
pub(super) async fn search_subjects(call: Call) -> Result<Json<Found<SubjectFound>>, Error> {
    search(call, |call, request: SubjectSearch| {
        let SubjectSearch { subject_type, action, resource, context, contextual, limit, cursor } = request;
        let query = format!("subjects {subject_type:?} {action:?} {resource:?}");
        let search = Search::begin(call, &query, context, &contextual, Paging::new(limit, cursor))?;
        let resource_named = resource.object("resource", search.asking.schema())?;
        let after = search.after::<Subject>()?;
        let said = Said { action: &action.properties, resource: resource.properties(), ..search.said() };
        let found = search.asking.search_subjects(
            &subject_type,
            &action.name,
            resource_named.as_ref(),
            said,
            after.as_ref().map(Into::into),
            search.wanted.sought(),
        );
        search.end(call, found, SubjectFound::from, |found| found.subject.clone())
    })
    .await
}

/// Searches resources.
#[utoipa::path(
    post, path = "/api/v1/search/resources", tag = "decisions", request_body = ResourceSearch,
    responses((status = 200, body = Found<ResourceFound>), (status = 400), (status = 401), (status = 403))
)]
pub(super) async fn search_resources(call: Call) -> Result<Json<Found<ResourceFound>>, Error> {
    search(call, |call, request: ResourceSearch| {
        let ResourceSearch { subject, action, resource_type, context, contextual, limit, cursor } = request;
        let query = format!("resources {subject:?} {action:?} {resource_type:?}");
        let search = Search::begin(call, &query, context, &contextual, Paging::new(limit, cursor))?;
        let subject_named = subject.subject("subject", search.asking.schema())?;
        let said = Said { subject: subject.properties(), action: &action.properties, ..search.said() };
        let found = search.asking.search_resources(
            subject_named.as_ref(),
            &action.name,
            &resource_type,
            said,
            search.wanted.after.as_deref(),
            search.wanted.sought(),
        );
        search.end(call, found, ResourceFound::from, |found| found.id.clone())
    })
    .await
}

/// Searches actions.
#[utoipa::path(
    post, path = "/api/v1/search/actions", tag = "decisions", request_body = ActionSearch,
    responses((status = 200, body = Found<ActionFound>), (status = 400), (status = 401), (status = 403))
)]
pub(super) async fn search_actions(call: Call) -> Result<Json<Found<ActionFound>>, Error> {
    search(call, |call, request: ActionSearch| {
        let ActionSearch { subject, resource, context, contextual, limit, cursor } = request;
        let query = format!("actions {subject:?} {resource:?}");
        let search = Search::begin(call, &query, context, &contextual, Paging::new(limit, cursor))?;
        let schema = search.asking.schema();
        let subject_named = subject.subject("subject", schema)?;
        let resource_named = resource.object("resource", schema)?;
        let said = Said { subject: subject.properties(), resource: resource.properties(), ..search.said() };
        let found = search.asking.search_actions(
            subject_named.as_ref(),
            resource_named.as_ref(),
            said,
            search.wanted.after.as_deref(),
            search.wanted.sought(),
        );
        search.end(call, found, ActionFound::from, |found| found.action.clone())
    })
    .await
}

/// Reads the body and searches, off the threads that answer everybody else: a search may look at much.
async fn search<R, T>(
    call: Call,
    search: fn(&Call, R) -> Result<Found<T>, Error>,
) -> Result<Json<Found<T>>, Error>
where
    R: DeserializeOwned + 'static,
    T: Send + 'static,
{
    aside(move || search(&call, read(&call)?)).await?.map(Json)
}

/// A search whose page is known.
struct Search<'c> {
    asking: Asking<'c>,
    wanted: Wanted,
    context: JsonProperties,
}

impl<'c> Search<'c> {
    /// Finds the state of the page. `query` is what is particular to the search.
    fn begin(
        call: &'c Call,
        query: &str,
        context: JsonProperties,
        contextual: &[RelationshipInput],
        paging: Paging,
    ) -> Result<Self, Error> {
        let published = call.published();
        let asking = call.app.node.asking(published.clone(), &call.caller)?;
        let query = format!("search {query} {context:?} {contextual:?}");
        let wanted = paging.wanted(call, published, query)?;
        let asking = supposing(asking.at(wanted.published.clone(), wanted.time), contextual)?;
        Ok(Self { asking, wanted, context })
    }

    fn said(&self) -> Said<'_> {
        Said { context: &self.context.0, ..Said::NOTHING }
    }

    fn after<T: std::str::FromStr>(&self) -> Result<Option<T>, Error> {
        let parse = |text: &String| text.parse().map_err(|_| EdgeError::Internal.into());
        self.wanted.after.as_ref().map(parse).transpose()
    }

    fn end<E, T>(
        self,
        call: &Call,
        found: Result<Vec<E>, CheckError>,
        show: fn(E) -> T,
        key: fn(&T) -> String,
    ) -> Result<Found<T>, Error> {
        let found = found.map_err(|error| EdgeError::BadRequest(error.to_string()))?;
        let revision = self.asking.revision();
        let Page { items, next } = self.wanted.page(call, found.into_iter().map(show).collect(), key);
        Ok(Found { items, next, revision })
    }
}

impl From<Subject> for SubjectFound {
    fn from(subject: Subject) -> Self {
        Self { subject: subject.to_string() }
    }
}

impl From<FoundResource> for ResourceFound {
    fn from(found: FoundResource) -> Self {
        let covers = found.covers_subtree.then_some("subtree");
        Self { resource: found.object.to_string(), covers, id: found.object.id().to_owned() }
    }
}

impl From<RelationName> for ActionFound {
    fn from(name: RelationName) -> Self {
        Self { action: name.to_string() }
    }
}
