//! `/api/v1/apps`: who asks organizations for permissions.

use axum::Json;
use grantd_node::realm::app::{
    App as Record, AppCreated, AppSettings, CreateApp, DeleteApp, RotateAppSecret, UpdateApp,
};
use serde::{Deserialize, Serialize};

use super::errors::{Error, invalid};
use super::page::{Page, Paging};
use super::users::{READERS, present};
use super::{Call, read};
use crate::time::rfc3339;

/// An app to be made.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewApp {
    /// What people call it; 1 to 255 bytes.
    name: String,
    /// Where codes may be sent, compared letter by letter; at most 50.
    #[schema(example = json!(["https://shop.example/callback"]))]
    redirect_uris: Vec<String>,
    /// It cannot keep a secret, so it gets none, and proves itself by PKCE. Fixed.
    #[serde(default)]
    public: bool,
    /// Scopes that people can decline when they agree to the others.
    #[serde(default)]
    optional_scopes: Vec<String>,
    /// It has to use PKCE. A public one always has to.
    #[serde(default)]
    pkce_required: bool,
    /// Where people learn more about it.
    website: Option<String>,
}

/// A change of an app; what is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct ChangedApp {
    name: Option<String>,
    redirect_uris: Option<Vec<String>>,
    optional_scopes: Option<Vec<String>>,
    pkce_required: Option<bool>,
    /// Null removes it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    website: Option<Option<String>>,
}

/// An app at the moment of its making, or with a new secret.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CreatedApp {
    #[schema(example = "app_0123456789abcdefghijklm")]
    client_id: String,
    /// The secret, shown this one time; a public app has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

impl From<AppCreated> for CreatedApp {
    fn from(created: AppCreated) -> Self {
        let client_secret = created.client_secret.map(|secret| secret.0);
        Self { client_id: created.client_id, client_secret }
    }
}

/// An app.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct App {
    client_id: String,
    /// In the order of their making.
    number: u64,
    /// Null if it was erased.
    name: Option<String>,
    redirect_uris: Vec<String>,
    public: bool,
    optional_scopes: Vec<String>,
    pkce_required: bool,
    website: Option<String>,
    created_at: String,
}

impl From<&Record> for App {
    fn from(app: &Record) -> Self {
        let AppSettings { redirect_uris, public, optional_scopes, pkce_required: _, website } =
            app.settings.clone();
        Self {
            client_id: app.client_id.to_string(),
            number: app.number,
            name: app.name.text().map(Into::into),
            redirect_uris,
            public,
            optional_scopes,
            pkce_required: app.needs_pkce(),
            website,
            created_at: rfc3339(app.created_at),
        }
    }
}

/// Registers an app.
#[utoipa::path(
    post, path = "/api/v1/apps", tag = "apps", request_body = NewApp,
    responses((status = 201, body = CreatedApp), (status = 400), (status = 401), (status = 403))
)]
pub(super) async fn create_app(call: Call) -> Result<(http::StatusCode, Json<CreatedApp>), Error> {
    let NewApp { name, redirect_uris, public, optional_scopes, pkce_required, website } = read(&call)?;
    let settings = AppSettings { redirect_uris, public, optional_scopes, pkce_required, website };
    let done = call.submit(CreateApp { name, settings }).await?;
    Ok((http::StatusCode::CREATED, Json(done.answer.into())))
}

/// Lists the apps, in the order of their making.
#[utoipa::path(
    get, path = "/api/v1/apps", tag = "apps", params(Paging),
    responses((status = 200, body = Page<App>), (status = 401), (status = 403))
)]
pub(super) async fn list_apps(call: Call) -> Result<Json<Page<App>>, Error> {
    let published = call.published_for(&READERS)?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, published, "apps")?;
    let after = wanted.after.as_ref().and_then(|number| number.parse().ok()).unwrap_or(0);
    let apps = wanted.published.state.apps().iter_after(after).take(wanted.sought());
    let items = apps.map(|app| App::from(&**app)).collect();
    Ok(Json(wanted.page(&call, items, |app: &App| app.number.to_string())))
}

/// Reads one app.
#[utoipa::path(
    get, path = "/api/v1/apps/{client_id}", tag = "apps", params(("client_id" = String, Path)),
    responses((status = 200, body = App), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn get_app(call: Call) -> Result<Json<App>, Error> {
    let published = call.published_for(&READERS)?;
    Ok(Json(App::from(&**Record::find(&published.state, call.param("client_id"))?)))
}

/// Changes an app.
#[utoipa::path(
    patch, path = "/api/v1/apps/{client_id}", tag = "apps", request_body = ChangedApp,
    params(("client_id" = String, Path)),
    responses((status = 200, body = App), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn update_app(call: Call) -> Result<Json<App>, Error> {
    let ChangedApp { name, redirect_uris, optional_scopes, pkce_required, website } = read(&call)?;
    let client_id = call.param("client_id").to_owned();
    let published = call.published_for(&[grantd_node::realm::caller::Authority::Operator])?;
    let before = Record::find(&published.state, &client_id)?.settings.clone();
    let settings = AppSettings {
        redirect_uris: redirect_uris.unwrap_or(before.redirect_uris),
        public: before.public,
        optional_scopes: optional_scopes.unwrap_or(before.optional_scopes),
        pkce_required: pkce_required.unwrap_or(before.pkce_required),
        website: website.unwrap_or(before.website),
    };
    if settings.public && pkce_required == Some(false) {
        return Err(invalid("pkce_required", "cannot be false: a public app proves itself by PKCE alone"));
    }
    call.submit(UpdateApp { client_id: client_id.clone(), name, settings: Some(settings) }).await?;
    Ok(Json(App::from(&**Record::find(&call.realm.published().state, &client_id)?)))
}

/// Gives an app another secret; the one before counts no more.
#[utoipa::path(
    post, path = "/api/v1/apps/{client_id}/secret", tag = "apps", params(("client_id" = String, Path)),
    responses((status = 201, body = CreatedApp), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn rotate_secret(call: Call) -> Result<(http::StatusCode, Json<CreatedApp>), Error> {
    let done = call.submit(RotateAppSecret { client_id: call.param("client_id").to_owned() }).await?;
    Ok((http::StatusCode::CREATED, Json(done.answer.into())))
}

/// Deletes an app, with everything that any organization let it do.
#[utoipa::path(
    delete, path = "/api/v1/apps/{client_id}", tag = "apps", params(("client_id" = String, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn delete_app(call: Call) -> Result<Json<serde_json::Value>, Error> {
    call.submit(DeleteApp { client_id: call.param("client_id").to_owned() }).await?;
    Ok(Json(serde_json::json!({})))
}
