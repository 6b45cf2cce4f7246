//! Permissions: list, create, get, replace, update, delete.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use grantd_node::realm::Refusal;
use grantd_node::realm::basis::Basis;
use grantd_node::realm::catalogue::{
    Catalogue, CataloguePermission, CreateCataloguePermission, DeleteCataloguePermission, MAX_CODENAME,
    MAX_NAME, PermissionView, UpdateCataloguePermission,
};
use grantd_node::realm::refusal::Noun;
use http::StatusCode;

use super::call::Call;
use super::errors::Error;
use super::fields::Fields;
use super::wire::{DocumentedPermission, Permission};
use crate::call::aside;
use crate::face::CallError;

pub(super) async fn list_permissions(call: Call) -> Result<Json<Vec<Permission>>, Error> {
    let published = call.published();
    let list = aside(move || {
        let permissions = published.state.catalogue().permissions();
        permissions.map(|one| PermissionView::from(one).into()).collect()
    });
    Ok(Json(list.await?))
}

pub(super) async fn get_permission(call: Call) -> Result<Json<Permission>, Error> {
    let number = number(&call)?;
    let published = call.published();
    let one = CataloguePermission::find(published.state.catalogue(), number)?;
    Ok(Json(PermissionView::from(one).into()))
}

pub(super) async fn create_permission(call: Call) -> Result<Response, Error> {
    let Wanted { codename, name, content_type } = wanted(&call, None, false).await?;
    let command = CreateCataloguePermission {
        codename: codename.unwrap_or_default(),
        name: name.unwrap_or_default(),
        content_type: content_type.flatten(),
        basis: Basis::Catalogue,
    };
    let made = call.submit(command).await.map_err(taken)?.answer;
    Ok(written(&call, StatusCode::CREATED, made))
}

pub(super) async fn replace_permission(call: Call) -> Result<Response, Error> {
    change(&call, false).await
}

pub(super) async fn update_permission(call: Call) -> Result<Response, Error> {
    change(&call, true).await
}

async fn change(call: &Call, partial: bool) -> Result<Response, Error> {
    let number = number(call)?;
    let before = PermissionView::from(CataloguePermission::find(call.published().state.catalogue(), number)?);
    let Wanted { codename, name, content_type } = wanted(call, Some(&before), partial).await?;
    let command = UpdateCataloguePermission { number, codename, name, content_type, basis: Basis::Catalogue };
    let changed = call.submit(command).await.map_err(taken)?.answer;
    Ok(written(call, StatusCode::OK, changed))
}

pub(super) async fn delete_permission(call: Call) -> Result<Response, Error> {
    let number = number(&call)?;
    let was = call.submit(DeleteCataloguePermission { number, basis: Basis::Catalogue }).await?.answer;
    if call.app.catalogue.as_documented {
        return Ok(written(&call, StatusCode::OK, was));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What was written; the page has 200 for every such call, and a list of the one without its id.
fn written(call: &Call, status: StatusCode, one: PermissionView) -> Response {
    if call.app.catalogue.as_documented {
        return Json([DocumentedPermission::from(one)]).into_response();
    }
    (status, Json(Permission::from(one))).into_response()
}

/// The fields of a body, as far as they are given.
struct Wanted {
    codename: Option<String>,
    name: Option<String>,
    content_type: Option<Option<u64>>,
}

/// Reads the fields, and looks whether another permission has the pair that they come to.
async fn wanted(call: &Call, before: Option<&PermissionView>, partial: bool) -> Result<Wanted, Error> {
    let body = call.body_of_call().await?;
    let published = call.published();
    let catalogue = published.state.catalogue();
    let mut fields = Fields::of(&body, partial);
    let wanted = Wanted {
        codename: fields.text("codename", MAX_CODENAME),
        name: fields.text("name", MAX_NAME),
        content_type: fields.record("content_type", |number| catalogue.content_type(number).is_some()),
    };
    if !fields.problems.are_none() {
        return Err(Error::fields(fields.problems));
    }
    let codename = wanted.codename.as_deref().or(before.map(|before| before.codename.as_str()));
    let content_type = match wanted.content_type {
        Some(Some(number)) => Some(number),
        Some(None) => default_type(catalogue),
        None => before.map(|before| before.content_type),
    };
    let holder =
        content_type.zip(codename).and_then(|(kind, codename)| catalogue.permission_of(kind, codename));
    if holder.is_some_and(|one| Some(one.number) != before.map(|before| before.number)) {
        return Err(Error::not_unique("content_type, codename"));
    }
    Ok(wanted)
}

fn default_type(catalogue: &Catalogue) -> Option<u64> {
    let (app_label, model) = grantd_node::realm::catalogue::DEFAULT_TYPE;
    catalogue.content_type_of(app_label, model).map(|kind| kind.number)
}

/// Who came a moment too late is told what they would have been told a moment later.
fn taken(error: CallError) -> Error {
    match error {
        CallError::Refused(Refusal::Exists { .. }) => Error::not_unique("content_type, codename"),
        CallError::Refused(Refusal::NotFound { noun: Noun::ContentType, id }) => {
            Error::field("content_type", format!("Invalid pk \"{id}\" - object does not exist."))
        }
        other => other.into(),
    }
}

/// The number in the path. What is none is the number of nothing.
pub(super) fn number_in_path(call: &Call, kind: &str) -> Result<u64, Error> {
    let id = call.param("id");
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::not_found());
    }
    id.parse().map_err(|_| Error::no_record(kind))
}

fn number(call: &Call) -> Result<u64, Error> {
    number_in_path(call, "Permission")
}
