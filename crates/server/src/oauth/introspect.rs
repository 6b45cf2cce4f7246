//! POST `/oauth2/introspect`: what a token is good for now (RFC 7662).
//!
//! An app learns about its own tokens; who holds `checker` on the realm, about any.

use std::sync::Arc;

use axum::Json;
use grantd_node::realm::authorization::is_granted;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::oauth_token::{AccessToken, Family, ShownAccess, ShownRefresh};
use grantd_node::realm::{Micros, Refusal, State};
use serde::Serialize;

use super::client_call::Posted;
use super::errors::Error;
use super::issuer;
use crate::caller;
use crate::face::{CallError, bearer};

/// What is said of a token; of one that is none, or is over, or is none of the asker's business, only that it is not active.
#[derive(Serialize, Default)]
pub(super) struct Introspection {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
}

/// Who asks.
enum Asker {
    /// An app, by its client id.
    App(String),
    /// Somebody who may ask about anything here.
    Checker,
}

impl Asker {
    fn may_know(&self, holder: Option<&str>) -> bool {
        match self {
            Self::Checker => true,
            Self::App(own) => holder == Some(own.as_str()),
        }
    }
}

/// Says what a token is.
pub(super) async fn introspect_token(posted: Posted) -> Result<Json<Introspection>, Error> {
    let asker = asker(&posted).await?;
    let token = posted.parameters()?.require("token")?.to_owned();
    let issuer = issuer(&posted.app, posted.realm.name());
    let (realm, now) = (&posted.realm, posted.now());
    let said = if let Some(shown) = ShownAccess::parse(&token) {
        let found = realm.access_token(&shown).await.map_err(CallError::from)?;
        found.and_then(|token| of_access(&token, &asker, &posted.published().state, now))
    } else if let Some(shown) = ShownRefresh::parse(&token) {
        let found = realm.found_refresh(&shown).await.map_err(CallError::from)?;
        found.and_then(|family| of_refresh(&shown, &family, &asker, &posted.published().state, now))
    } else {
        None
    };
    let said = said.map(|said| Introspection { active: true, iss: Some(issuer), ..said });
    Ok(Json(said.unwrap_or_default()))
}

async fn asker(posted: &Posted) -> Result<Asker, Error> {
    if posted.shows_client() {
        let client = posted.client().await?;
        // Who has no secret proves nothing, and would be a stranger with a list of stolen tokens.
        return match client.secret {
            Some(_) => Ok(Asker::App(client.client_id)),
            None => Err(Error::wrong_client()),
        };
    }
    let credential = bearer(&posted.headers);
    let caller = caller::find(&posted.app, &posted.realm, credential, posted.source).await?;
    if caller.holds(Authority::Checker, &posted.published().state, posted.now()) {
        return Ok(Asker::Checker);
    }
    Err(CallError::Refused(Refusal::NotAllowed(Authority::Checker)).into())
}

fn seconds(time: Micros) -> i64 {
    time.div_euclid(1_000_000)
}

fn of_access(token: &AccessToken, asker: &Asker, state: &State, now: Micros) -> Option<Introspection> {
    let client_id = token.app().map(ToString::to_string);
    if !token.is_live(state, now) || !asker.may_know(client_id.as_deref()) {
        return None;
    }
    let scopes: Vec<_> = token.scopes(state, now).into_iter().map(|scope| &*scope.id).collect();
    Some(Introspection {
        scope: Some(scopes.join(" ")),
        client_id,
        token_type: Some("bearer"),
        exp: token.expires.map(seconds),
        iat: Some(seconds(token.issued_at)),
        sub: Some(token.organization().to_string()),
        ..Introspection::default()
    })
}

fn of_refresh(
    shown: &ShownRefresh,
    family: &Family,
    asker: &Asker,
    state: &State,
    now: Micros,
) -> Option<Introspection> {
    let bound = &family.bound;
    let authorization = bound.live(state, now)?;
    if !family.is_renewed_by(shown) || !asker.may_know(Some(&bound.app)) {
        return None;
    }
    let is_had = |scope: &&Arc<str>| is_granted(state, authorization, scope, now);
    let scopes: Vec<_> = bound.scopes.iter().filter(is_had).map(|scope| &**scope).collect();
    Some(Introspection {
        scope: Some(scopes.join(" ")),
        client_id: Some(bound.app.to_string()),
        iat: Some(seconds(family.issued_at)),
        sub: Some(bound.organization.to_string()),
        ..Introspection::default()
    })
}
