//! Content types: list and create. The portal has no such calls of its own; it makes them with its tables.

use axum::Json;
use grantd_node::realm::Refusal;
use grantd_node::realm::basis::Basis;
use grantd_node::realm::catalogue::{CreateContentType, MAX_LABEL};
use http::StatusCode;

use super::call::Call;
use super::errors::Error;
use super::fields::Fields;
use super::wire::ContentType;
use crate::face::CallError;

/// The longest name of what a content type is of.
const MAX_NAME: usize = 100;

pub(super) async fn list_content_types(call: Call) -> Result<Json<Vec<ContentType>>, Error> {
    Ok(Json(call.published().state.catalogue().content_types().map(Into::into).collect()))
}

pub(super) async fn create_content_type(call: Call) -> Result<(StatusCode, Json<ContentType>), Error> {
    let body = call.body_of_call().await?;
    let published = call.published();
    let mut fields = Fields::of(&body, false);
    let app_label = label(&mut fields, "app_label");
    let model = label(&mut fields, "model");
    let name = fields.optional_text("name", MAX_NAME);
    let (Some(app_label), Some(model), true) = (app_label, model, fields.problems.are_none()) else {
        return Err(Error::fields(fields.problems));
    };
    if published.state.catalogue().content_type_of(&app_label, &model).is_some() {
        return Err(taken());
    }
    let command = CreateContentType { app_label, model, name, basis: Basis::Catalogue };
    let made = call.submit(command).await.map_err(|error| match error {
        CallError::Refused(Refusal::Exists { .. }) => taken(),
        other => other.into(),
    });
    Ok((StatusCode::CREATED, Json(made?.answer.into())))
}

fn taken() -> Error {
    Error::not_unique("app_label, model")
}

fn label(fields: &mut Fields<'_>, field: &'static str) -> Option<String> {
    let label = fields.text(field, MAX_LABEL)?;
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if label.bytes().all(fits) {
        return Some(label);
    }
    fields.problems.add(field, vec!["Enter a valid value: letters a to z, digits and underscores.".into()]);
    None
}
