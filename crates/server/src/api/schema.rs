//! `/api/v1/schema`: the realm's own permission model.

use axum::Json;
use axum::response::{IntoResponse, Response};
use grantd_node::realm::caller::Authority;
use grantd_node::realm::model::{ModelForm, PutModel};
use http::header;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::errors::{Error, invalid};
use super::{Call, read};

/// A model.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct PutSchemaRequest {
    /// The model, as text in the modelling language or in its JSON form. The empty text is no model.
    #[schema(example = "type document\n  relations\n    define viewer: [user]\n")]
    schema: Value,
    /// Only say which stored relationships would be orphaned.
    #[serde(default)]
    dry_run: bool,
}

/// What came of it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct PutSchemaAnswer {
    /// The revision at which the model holds.
    revision: u64,
    /// With `dry_run`: stored relationships that the model would not admit, up to 100.
    orphans: Vec<String>,
    /// With `dry_run`: how many of them there are.
    orphan_count: u64,
}

/// In which form to read the model.
#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct SchemaQuery {
    /// `text` or `json`; by default what `Accept` asks for, and else text.
    format: Option<String>,
}

/// Gives the realm a model of its own, which stands beside the built-in ones. One that does not admit relationships that
/// are stored is refused with 409 and the code `orphans`.
#[utoipa::path(
    put, path = "/api/v1/schema", tag = "schema", request_body = PutSchemaRequest,
    responses((status = 200, body = PutSchemaAnswer), (status = 400), (status = 401), (status = 403), (status = 409))
)]
pub(super) async fn put_schema(call: Call) -> Result<Json<PutSchemaAnswer>, Error> {
    let PutSchemaRequest { schema, dry_run } = read(&call)?;
    let model = match schema {
        Value::String(text) => ModelForm::Text(text),
        Value::Object(_) => ModelForm::Json(schema.to_string()),
        _ => return Err(invalid("schema", "must be a text, or an object in the JSON form")),
    };
    let done = call.submit(PutModel { model, dry_run }).await?;
    let (orphans, orphan_count) = (done.answer.first, done.answer.count);
    Ok(Json(PutSchemaAnswer { revision: done.revision, orphans, orphan_count }))
}

/// The realm's own model: the text as it was given, or its JSON form.
#[utoipa::path(
    get, path = "/api/v1/schema", tag = "schema", params(SchemaQuery),
    responses(
        (status = 200, content((String = "text/plain"), (Object = "application/json"))),
        (status = 400), (status = 401), (status = 403)
    )
)]
pub(super) async fn get_schema(call: Call) -> Result<Response, Error> {
    let published = call.published_for(&[Authority::Auditor, Authority::Writer, Authority::Operator])?;
    let query: SchemaQuery = call.query()?;
    let as_json = match query.format.as_deref() {
        Some("json") => true,
        Some("text") => false,
        Some(_) => return Err(invalid("format", "must be `text` or `json`")),
        None => call.prefers_json(),
    };
    if as_json {
        return Ok(Json(published.state.own_schema().to_json()).into_response());
    }
    let text = published.state.model().to_owned();
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}
