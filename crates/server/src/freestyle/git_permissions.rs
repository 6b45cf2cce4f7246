//! list, describe, grant, update and revoke of git permissions.

use axum::Json;
use grantd_node::realm::engine::ObjectRef;
use grantd_node::realm::identity::Identity;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::repository::Repository;
use grantd_node::realm::repository_grant::{
    GrantRepository, RevokeRepositoryGrant, UpdateRepositoryGrant, granted,
};

use super::errors::Error;
use super::wire::{
    AccessibleRepositories, AccessibleRepository, Empty, GitPermission, GitPermissionRequest, Paging,
    Visibility,
};
use super::{Call, READERS, id, read};

pub(super) async fn list_git_permissions(call: Call) -> Result<Json<AccessibleRepositories>, Error> {
    let published = call.published_for(&READERS)?;
    let state = &published.state;
    let identity = Identity::find(state, id(&call, "identity")?)?.id;
    let (page, now) = (call.query::<Paging>()?.page()?, call.now());
    let repositories =
        state.repositories_granted_to(ObjectRef { kind: "identity", id: &identity.to_string() }, now);
    let repositories = page
        .of(repositories.into_iter())
        .filter_map(|repository| {
            Some(AccessibleRepository {
                id: repository.id,
                name: repository.name.as_ref().and_then(Personal::text).map(Into::into),
                account_id: state.account(),
                permissions: granted(state, identity, repository.id, now)?.into(),
                visibility: Visibility::of(repository.is_public(state)),
            })
        })
        .collect();
    Ok(Json(AccessibleRepositories { repositories }))
}

pub(super) async fn describe_git_permission(call: Call) -> Result<Json<GitPermission>, Error> {
    let published = call.published_for(&READERS)?;
    let state = &published.state;
    let identity = Identity::find(state, id(&call, "identity")?)?.id;
    let repo = Repository::find(state, id(&call, "repo")?)?.id;
    let access_level = granted(state, identity, repo, call.now()).map(Into::into);
    Ok(Json(GitPermission { identity, repo, access_level }))
}

pub(super) async fn grant_git_permission(call: Call) -> Result<Json<Empty>, Error> {
    let (identity, repository) = (id(&call, "identity")?, id(&call, "repo")?);
    let level = read::<GitPermissionRequest>(&call)?.permission.into();
    call.submit(GrantRepository { identity, repository, level }).await?;
    Ok(Json(Empty {}))
}

pub(super) async fn update_git_permission(call: Call) -> Result<Json<Empty>, Error> {
    let (identity, repository) = (id(&call, "identity")?, id(&call, "repo")?);
    let level = read::<GitPermissionRequest>(&call)?.permission.into();
    call.submit(UpdateRepositoryGrant { identity, repository, level }).await?;
    Ok(Json(Empty {}))
}

pub(super) async fn revoke_git_permission(call: Call) -> Result<Json<Empty>, Error> {
    let (identity, repository) = (id(&call, "identity")?, id(&call, "repo")?);
    call.submit(RevokeRepositoryGrant { identity, repository }).await?;
    Ok(Json(Empty {}))
}
