//! `/api/v1/entities/{type}/{id}`: the stored properties of a subject or resource.

use axum::Json;
use grantd_node::realm::Refusal;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::engine::Object;
use grantd_node::realm::entity::{DeleteEntity, PutEntity};
use grantd_node::realm::refusal::Noun;
use serde_json::{Map, Value};

use super::errors::{Error, invalid};
use super::{Call, read};

type Properties = Json<Map<String, Value>>;

fn named(call: &Call) -> Result<Object, Error> {
    let published = call.published();
    let schema = published.state.graph().schema();
    schema.object(call.param("type"), call.param("id")).map_err(|problem| invalid("id", problem.to_string()))
}

/// Reads the properties.
#[utoipa::path(
    get, path = "/api/v1/entities/{type}/{id}", tag = "entities",
    params(("type" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn get_entity(call: Call) -> Result<Properties, Error> {
    let published = call.published_for(&[Authority::Auditor, Authority::Writer])?;
    let object = named(&call)?;
    let stored = published.state.entities().text(object.as_ref());
    let stored = stored.ok_or_else(|| Refusal::not_found(Noun::Entity, &object))?;
    Ok(Json(serde_json::from_str(stored).unwrap_or_default()))
}

/// Stores the properties, replacing what was there.
#[utoipa::path(
    put, path = "/api/v1/entities/{type}/{id}", tag = "entities", request_body = Object,
    params(("type" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Object), (status = 400), (status = 401), (status = 403))
)]
pub(super) async fn put_entity(call: Call) -> Result<Properties, Error> {
    let properties: Map<String, Value> = read(&call)?;
    let object = named(&call)?;
    call.submit(PutEntity { object, properties: properties.clone().into() }).await?;
    Ok(Json(properties))
}

/// Forgets the properties.
#[utoipa::path(
    delete, path = "/api/v1/entities/{type}/{id}", tag = "entities",
    params(("type" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn delete_entity(call: Call) -> Result<Properties, Error> {
    let object = named(&call)?;
    call.submit(DeleteEntity { object }).await?;
    Ok(Json(Map::new()))
}
