//! `/api/v1/authorizations`: what organizations let apps do.

use axum::Json;
use grantd_node::realm::authorization::{
    Authorization as Record, Authorize, Consent, EndAuthorization, Place, WithdrawScope,
    authorizations_of_app, authorizations_of_organization, may_end, scopes_of,
};
use grantd_node::realm::caller::Actor;
use grantd_node::realm::oauth_token::{Give, Tokens};
use grantd_node::realm::refusal::{Noun, Refusal};
use grantd_node::realm::{Micros, State};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::{Error, invalid};
use super::organizations::published_for_seated;
use super::page::{Page, Paging};
use super::users::READERS;
use super::{Call, read};
use crate::face::CallError;
use crate::time::{parse_rfc3339, rfc3339};

/// What an app is to be let do, without anybody's consent.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewAuthorization {
    /// Its client id.
    app: String,
    organization: String,
    /// Beside those that it has there.
    #[schema(example = json!(["payments.read"]))]
    scopes: Vec<String>,
    /// In place of what it has there; what was issued to it ends.
    #[serde(default)]
    force: bool,
    /// From then on it counts no more. RFC 3339.
    expires: Option<String>,
    /// Whether to answer tokens for these scopes; true without it.
    #[serde(default = "yes")]
    tokens: bool,
}

fn yes() -> bool {
    true
}

/// What an app was given.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CreatedAuthorization {
    /// Its id.
    id: Uuid,
    /// Shown this one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// Shown this one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// `bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    token_type: Option<&'static str>,
    /// How long the access token lives, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    /// What the access token is good for, or without one what the app has there; separated by spaces.
    scope: String,
}

/// That somebody agreed.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ConsentEvidence {
    /// By login.
    user: String,
    /// The version of the texts that they were shown.
    text_version: u32,
    locale: String,
    /// From which address; null if it was erased.
    address: Option<String>,
    at: String,
}

/// What an organization lets an app do.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Authorization {
    id: Uuid,
    /// Its client id.
    app: String,
    organization: String,
    /// What it has now, by id.
    scopes: Vec<String>,
    /// `active`, or `expired`.
    #[schema(value_type = String)]
    status: &'static str,
    /// What was issued under another one counts no more.
    generation: u32,
    created_at: String,
    changed_at: String,
    expires: Option<String>,
    /// Null if it was approved beforehand.
    consent: Option<ConsentEvidence>,
    /// When the app last called with it, up to a minute behind; not in lists, and null if it never did or that was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
    #[serde(skip)]
    place: Place,
}

impl Authorization {
    fn new(state: &State, authorization: &Record, now: Micros) -> Self {
        let scopes = scopes_of(state, authorization, now);
        let evidence = |consent: &Consent| ConsentEvidence {
            user: consent.user.to_string(),
            text_version: consent.text_version,
            locale: consent.locale.to_string(),
            address: consent.address.text().map(Into::into),
            at: rfc3339(consent.at),
        };
        Self {
            id: authorization.id,
            app: authorization.app.to_string(),
            organization: authorization.organization.to_string(),
            scopes: scopes.into_iter().map(|scope| scope.id.to_string()).collect(),
            status: if authorization.is_live(now) { "active" } else { "expired" },
            generation: authorization.generation,
            created_at: rfc3339(authorization.created_at),
            changed_at: rfc3339(authorization.changed_at),
            expires: authorization.expires.map(rfc3339),
            consent: authorization.consent.as_ref().map(evidence),
            last_used_at: None,
            place: authorization.place(),
        }
    }
}

/// Which authorizations.
#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct Filter {
    /// Of this app, by client id.
    app: Option<String>,
    /// Of this organization; then also for its members.
    organization: Option<String>,
    /// At most so many items, 1 to 1000; 100 without it.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lets an app do something at an organization without a consent, and answers tokens for it.
#[utoipa::path(
    post, path = "/api/v1/authorizations", tag = "apps", request_body = NewAuthorization,
    responses((status = 201, body = CreatedAuthorization), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn create_authorization(
    call: Call,
) -> Result<(http::StatusCode, Json<CreatedAuthorization>), Error> {
    let NewAuthorization { app, organization, scopes, force, expires, tokens } = read(&call)?;
    let time =
        |text: &String| parse_rfc3339(text).ok_or_else(|| invalid("expires", "must be a time in RFC 3339"));
    let expires = expires.as_ref().map(time).transpose()?;
    let give = if tokens { Give::Tokens } else { Give::Nothing };
    let command = Authorize { app, organization, scopes, force, consent: None, expires, give };
    let given = call.submit(command).await?.answer;
    let created = match given.tokens {
        Some(Tokens { access_token, refresh_token, expires_in, scopes, .. }) => CreatedAuthorization {
            id: given.authorization,
            access_token: access_token.map(|secret| secret.0),
            refresh_token: refresh_token.map(|secret| secret.0),
            token_type: Some("bearer"),
            expires_in: Some(expires_in),
            scope: scopes.join(" "),
        },
        None => CreatedAuthorization {
            id: given.authorization,
            access_token: None,
            refresh_token: None,
            token_type: None,
            expires_in: None,
            scope: given.scopes.join(" "),
        },
    };
    Ok((http::StatusCode::CREATED, Json(created)))
}

/// Lists what organizations let apps do, in the order of the apps' making and then of the organizations'.
#[utoipa::path(
    get, path = "/api/v1/authorizations", tag = "apps", params(Filter),
    responses((status = 200, body = Page<Authorization>), (status = 400), (status = 401), (status = 403))
)]
pub(super) async fn list_authorizations(call: Call) -> Result<Json<Page<Authorization>>, Error> {
    let Filter { app, organization, limit, cursor } = call.query()?;
    let published = match &organization {
        Some(organization) => published_for_seated(&call, organization)?,
        None => call.published_for(&READERS)?,
    };
    let query = format!("authorizations {app:?} {organization:?}");
    let wanted = Paging::new(limit, cursor).wanted(&call, published, query)?;
    let after = wanted.after.as_deref().and_then(place_of);
    let (state, now, sought) = (&wanted.published.state, wanted.time, wanted.sought());
    let behind = |found: &&std::sync::Arc<Record>| after.is_none_or(|after| found.place() > after);
    let of_app = |found: &&std::sync::Arc<Record>| app.as_ref().is_none_or(|app| **app == *found.app);
    let view = |found: &std::sync::Arc<Record>| Authorization::new(state, found, now);
    let items: Vec<Authorization> = match (&app, &organization) {
        (_, Some(organization)) => {
            let all = authorizations_of_organization(state, organization);
            all.filter(behind).filter(of_app).take(sought).map(view).collect()
        }
        (Some(app), None) => match after {
            Some(after) => {
                state.authorizations().of_app(after.app, after.organization).take(sought).map(view).collect()
            }
            None => authorizations_of_app(state, app).take(sought).map(view).collect(),
        },
        (None, None) => state.authorizations().iter_after(after).take(sought).map(view).collect(),
    };
    Ok(Json(wanted.page(&call, items, |found: &Authorization| {
        format!("{}/{}", found.place.app, found.place.organization)
    })))
}

fn place_of(text: &str) -> Option<Place> {
    let (app, organization) = text.split_once('/')?;
    Some(Place { app: app.parse().ok()?, organization: organization.parse().ok()? })
}

fn id_of(call: &Call) -> Result<Uuid, Error> {
    let id = call.param("id");
    Uuid::parse_str(id).map_err(|_| Refusal::not_found(Noun::Authorization, id).into())
}

/// Reads one authorization; also for the members of its organization.
#[utoipa::path(
    get, path = "/api/v1/authorizations/{id}", tag = "apps", params(("id" = Uuid, Path)),
    responses((status = 200, body = Authorization), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn get_authorization(call: Call) -> Result<Json<Authorization>, Error> {
    let id = id_of(&call)?;
    let published = call.published();
    let found = published.state.authorizations().get(id);
    let sees = |found: &Record| match (&call.caller.actor, call.caller.conferred) {
        (Actor::User(login), None) => may_end(&published.state, login, found, call.now()),
        _ => false,
    };
    if !found.is_some_and(|found| sees(found)) {
        call.published_for(&READERS)?;
    }
    let found = found.ok_or_else(|| Refusal::not_found(Noun::Authorization, id))?;
    let last_used = call.realm.last_used(id).await.map_err(CallError::from)?;
    let authorization = Authorization::new(&published.state, found, call.now());
    Ok(Json(Authorization { last_used_at: last_used.map(rfc3339), ..authorization }))
}

/// Disconnects the app: everything that was issued under the authorization is over.
#[utoipa::path(
    delete, path = "/api/v1/authorizations/{id}", tag = "apps", params(("id" = Uuid, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn end_authorization(call: Call) -> Result<Json<serde_json::Value>, Error> {
    call.submit(EndAuthorization { authorization: id_of(&call)? }).await?;
    Ok(Json(serde_json::json!({})))
}

/// Withdraws one scope; what was issued to the app stays good for the others. One that it does not have is no error.
#[utoipa::path(
    delete, path = "/api/v1/authorizations/{id}/scopes/{scope}", tag = "apps",
    params(("id" = Uuid, Path), ("scope" = String, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn withdraw_scope(call: Call) -> Result<Json<serde_json::Value>, Error> {
    let scope = call.param("scope").to_owned();
    call.submit(WithdrawScope { authorization: id_of(&call)?, scope }).await?;
    Ok(Json(serde_json::json!({})))
}
