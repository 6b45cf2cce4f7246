//! The small repository API that the clients need beside the identities.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use grantd_node::Published;
use grantd_node::realm::State;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::repository::{
    CreateRepository, DeleteRepository, Repository, SetDefaultBranch, SetVisibility,
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::errors::Error;
use super::wire::{
    self, Branch, DefaultBranchBody, Empty, ListedRepository, Paging, Repositories, RepositoryCreated, Tag,
    Visibility, VisibilityBody, time,
};
use super::{Call, READERS, id, read, read_or_empty};
use crate::call::aside;
use crate::face::CallError;
use crate::git::Refs;

/// This part of the dialect has its own words for some errors.
fn said_here(error: impl Into<Error>) -> Error {
    error.into().in_repository_api()
}

fn readable(call: &Call) -> Result<Arc<Published>, Error> {
    call.published_for(&READERS).map_err(said_here)
}

fn named(call: &Call) -> Result<Uuid, Error> {
    id(call, "repo").map_err(Error::in_repository_api)
}

fn body<T: DeserializeOwned>(call: &Call) -> Result<T, Error> {
    read(call).map_err(Error::in_repository_api)
}

fn find<'a>(call: &Call, state: &'a State) -> Result<&'a Repository, Error> {
    Repository::find(state, named(call)?).map_err(said_here)
}

fn name(repository: &Repository) -> Option<String> {
    repository.name.as_ref().and_then(Personal::text).map(Into::into)
}

pub(super) async fn create_repository(call: Call) -> Result<Json<RepositoryCreated>, Error> {
    let request: wire::CreateRepository = read_or_empty(&call).map_err(Error::in_repository_api)?;
    if request.source.is_some() || request.import.is_some() {
        let problem = "`source` and `import` are not supported: make the repository, then push to it";
        return Err(Error::invalid(problem).in_repository_api());
    }
    let command = CreateRepository {
        name: request.name,
        public: request.public.unwrap_or(false),
        default_branch: request.default_branch.unwrap_or_else(|| "main".into()),
    };
    let repo_id = call.submit(command).await.map_err(said_here)?.answer;
    Ok(Json(RepositoryCreated { repo_id }))
}

pub(super) async fn list_repositories(call: Call) -> Result<Json<Repositories>, Error> {
    let published = readable(&call)?;
    let state = &published.state;
    let paging: Paging = call.query().map_err(said_here)?;
    let page = paging.page().map_err(Error::in_repository_api)?;
    let wanted = paging.search.as_deref().unwrap_or("").to_lowercase();
    let matches = |repository: &&Repository| {
        wanted.is_empty()
            || repository.id.to_string().starts_with(&wanted)
            || name(repository).is_some_and(|name| name.to_lowercase().contains(&wanted))
    };
    let found: Vec<&Repository> = state.repositories().iter().filter(matches).collect();
    let total = found.len() as u64;
    let paged: Vec<&Repository> = page.of(found.into_iter()).collect();
    let refs = read_refs(&call, &paged).await?;
    let listed = paged.into_iter().zip(refs).map(|(repository, refs)| listed(repository, refs, state));
    Ok(Json(Repositories { repositories: listed.collect(), total, offset: page.offset }))
}

fn listed(repository: &Repository, refs: wire::Refs, state: &State) -> ListedRepository {
    ListedRepository {
        id: repository.id,
        repo_id: repository.id,
        name: name(repository),
        account_id: state.account(),
        visibility: Visibility::of(repository.is_public(state)),
        default_branch: repository.default_branch.to_string(),
        refs,
    }
}

/// What the repositories have, from their files.
async fn read_refs(call: &Call, repositories: &[&Repository]) -> Result<Vec<wire::Refs>, Error> {
    let (app, realm) = (call.app.clone(), call.realm.name().to_owned());
    let ids: Vec<Uuid> = repositories.iter().map(|repository| repository.id).collect();
    let read = aside(move || ids.into_iter().map(|id| app.git.refs(&realm, id)).collect::<Vec<_>>());
    let read = read.await.map_err(said_here)?;
    Ok(repositories.iter().zip(read).map(|(repository, found)| refs(repository, found)).collect())
}

fn refs(repository: &Repository, found: Refs) -> wire::Refs {
    let default = &*repository.default_branch;
    let branch = |name: String, target| (name.clone(), Branch { default: name == default, name, target });
    let mut branches: BTreeMap<_, _> =
        found.branches.into_iter().map(|(name, target)| branch(name, Some(target))).collect();
    let (name, unborn) = branch(default.to_owned(), None);
    branches.entry(name).or_insert(unborn);
    let tags = found.tags.into_iter().map(|(name, target)| (name.clone(), Tag { name, target }));
    wire::Refs { branches, tags: tags.collect() }
}

pub(super) async fn get_repository(call: Call) -> Result<Json<wire::Repository>, Error> {
    let published = readable(&call)?;
    let repository = find(&call, &published.state)?;
    let refs =
        read_refs(&call, &[repository]).await?.pop().unwrap_or_else(|| refs(repository, Refs::default()));
    Ok(Json(wire::Repository {
        id: repository.id,
        name: name(repository),
        account_id: published.state.account(),
        visibility: Visibility::of(repository.is_public(&published.state)),
        default_branch: repository.default_branch.to_string(),
        created_at: time(repository.created_at),
        refs,
    }))
}

pub(super) async fn delete_repository(call: Call) -> Result<Json<Empty>, Error> {
    let id = named(&call)?;
    let deleted = submit(&call, DeleteRepository { id }).await?;
    call.app.git.forget(call.realm.name(), id).await;
    Ok(deleted)
}

pub(super) async fn get_visibility(call: Call) -> Result<Json<VisibilityBody>, Error> {
    let published = readable(&call)?;
    let public = find(&call, &published.state)?.is_public(&published.state);
    Ok(Json(VisibilityBody { visibility: Visibility::of(public) }))
}

pub(super) async fn set_visibility(call: Call) -> Result<Json<Empty>, Error> {
    let id = named(&call)?;
    let public = body::<VisibilityBody>(&call)?.visibility == Visibility::Public;
    submit(&call, SetVisibility { id, public }).await
}

pub(super) async fn get_default_branch(call: Call) -> Result<Json<DefaultBranchBody>, Error> {
    let published = readable(&call)?;
    let default_branch = find(&call, &published.state)?.default_branch.to_string();
    Ok(Json(DefaultBranchBody { default_branch }))
}

pub(super) async fn set_default_branch(call: Call) -> Result<Json<Empty>, Error> {
    let id = named(&call)?;
    let default_branch = body::<DefaultBranchBody>(&call)?.default_branch;
    submit(&call, SetDefaultBranch { id, default_branch }).await
}

async fn submit<C>(call: &Call, command: C) -> Result<Json<Empty>, Error>
where
    C: grantd_node::realm::Command<Answer = ()>,
{
    call.submit(command).await.map_err(|error: CallError| said_here(error))?;
    Ok(Json(Empty {}))
}
