//! Roles: list, create, get, replace, update, delete.

use std::collections::BTreeSet;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use grantd_node::realm::basis::Basis;
use grantd_node::realm::catalogue::{CreateCatalogueRole, MAX_ROLE_NAME, UpdateCatalogueRole, shown_names};
use grantd_node::realm::refusal::Noun;
use grantd_node::realm::role::{DeleteRole, Role as Record};
use grantd_node::realm::{Refusal, State};
use http::StatusCode;

use super::call::Call;
use super::errors::Error;
use super::fields::Fields;
use super::permissions::number_in_path;
use super::wire::Role;
use crate::call::aside;
use crate::face::CallError;

/// By number, as they were made.
pub(super) async fn list_roles(call: Call) -> Result<Json<Vec<Role>>, Error> {
    let (published, now) = (call.published(), call.now());
    let list = aside(move || {
        let state = &published.state;
        let mut names = shown_names(state);
        let mut roles: Vec<&Record> = state.roles().iter_after(None).collect();
        roles.sort_by_key(|role| role.number);
        let shown = roles.into_iter().map(|role| {
            let name = names.remove(&role.number).unwrap_or_default();
            Role::of(state, (role.number, &role.key), name, now)
        });
        shown.collect()
    });
    Ok(Json(list.await?))
}

pub(super) async fn get_role(call: Call) -> Result<Json<Role>, Error> {
    let (number, key) = named(&call)?;
    Ok(Json(shown(&call, number, &key)))
}

pub(super) async fn create_role(call: Call) -> Result<Response, Error> {
    let Wanted { name, permissions } = wanted(&call, None, false).await?;
    let command = CreateCatalogueRole {
        name: name.unwrap_or_default(),
        permissions: permissions.unwrap_or_default(),
        basis: Basis::Catalogue,
    };
    let made = call.submit(command).await.map_err(taken)?.answer;
    Ok((StatusCode::CREATED, Json(shown(&call, made.number, &made.key))).into_response())
}

/// Permissions that are not given stay, as upstream has it.
pub(super) async fn replace_role(call: Call) -> Result<Json<Role>, Error> {
    change(&call, false).await
}

pub(super) async fn update_role(call: Call) -> Result<Json<Role>, Error> {
    change(&call, true).await
}

async fn change(call: &Call, partial: bool) -> Result<Json<Role>, Error> {
    let (number, key) = named(call)?;
    let Wanted { name, permissions } = wanted(call, Some(number), partial).await?;
    let command = UpdateCatalogueRole { key: key.clone(), name, permissions, basis: Basis::Catalogue };
    call.submit(command).await.map_err(taken)?;
    Ok(Json(shown(call, number, &key)))
}

pub(super) async fn delete_role(call: Call) -> Result<StatusCode, Error> {
    let (_, key) = named(&call)?;
    call.submit(DeleteRole { key, basis: Basis::Catalogue }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A role as it is now.
fn shown(call: &Call, number: u64, key: &str) -> Role {
    let published = call.published();
    let name = shown_names(&published.state).remove(&number).unwrap_or_default();
    Role::of(&published.state, (number, key), name, call.now())
}

/// Number and key of the role in the path.
fn named(call: &Call) -> Result<(u64, String), Error> {
    let number = number_in_path(call, "Group")?;
    let published = call.published();
    let key = key_of(&published.state, number).ok_or_else(|| Error::no_record("Group"))?;
    Ok((number, key))
}

fn key_of(state: &State, number: u64) -> Option<String> {
    state.roles().iter_after(None).find(|role| role.number == number).map(|role| role.key.to_string())
}

/// The fields of a body, as far as they are given.
struct Wanted {
    name: Option<String>,
    permissions: Option<BTreeSet<u64>>,
}

async fn wanted(call: &Call, own: Option<u64>, partial: bool) -> Result<Wanted, Error> {
    let body = call.body_of_call().await?;
    let published = call.published();
    let state = &published.state;
    let mut fields = Fields::of(&body, partial);
    let name = fields.text("name", MAX_ROLE_NAME);
    let is_taken = |name: &String| {
        shown_names(state).iter().any(|(number, shown)| Some(*number) != own && shown == name)
    };
    if name.as_ref().is_some_and(is_taken) {
        fields.problems.add("name", vec![TAKEN.into()]);
    }
    let exists = |number: u64| state.catalogue().permission(number).is_some();
    let permissions = fields.records("permissions", exists);
    if fields.problems.are_none() {
        Ok(Wanted { name, permissions })
    } else {
        Err(Error::fields(fields.problems))
    }
}

const TAKEN: &str = "group with this name already exists.";

/// Who came a moment too late is told what they would have been told a moment later.
fn taken(error: CallError) -> Error {
    match error {
        CallError::Refused(Refusal::Exists { .. }) => Error::field("name", TAKEN),
        CallError::Refused(Refusal::NotFound { noun: Noun::CataloguePermission, id }) => {
            Error::field("permissions", format!("Invalid pk \"{id}\" - object does not exist."))
        }
        other => other.into(),
    }
}
