//! The way back from the provider.

mod prove;

use std::sync::Arc;
use std::time::Duration;

use grantd_node::realm::caller::Actor;
use grantd_node::realm::command::{Command, Secret};
use grantd_node::realm::linked_account::{
    EndPending, PENDING_ROWS, Pending, PendingKey, ProvenAccount, SignInByAccount, whose,
};
use grantd_node::realm::session::{Device, Entrance, Limits};
use grantd_node::realm::{Caller, Refusal};
use grantd_node::{Done, Realm, Request};
use serde::Deserialize;

use super::error::OidcError;
use super::trip::{Trip, known};
use crate::app::App;
use crate::edge::EdgeError;
use crate::face::CallError;

/// How long the provider has for all that it is asked.
const PATIENCE: Duration = Duration::from_secs(8);

/// How often is looked anew whose the account is when that changes under our hands.
const ATTEMPTS: usize = 3;

/// What the provider sends back in the query (RFC 6749, section 4.1.2; RFC 9207).
#[derive(Deserialize, Default)]
pub(crate) struct Sent {
    pub(crate) code: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) iss: Option<String>,
}

/// Who is back.
pub(crate) struct Back<'a> {
    /// By which face.
    pub(crate) via: &'static str,
    /// With what.
    pub(crate) sent: Sent,
    /// The value of the cookie [`super::cookie_name`] that the browser has.
    pub(crate) cookie: Option<&'a str>,
    /// The address at which it is back.
    pub(crate) redirect_uri: String,
    /// The key of the row of the session that it had before: it ends.
    pub(crate) instead_of: Option<Vec<u8>>,
    /// From where.
    pub(crate) device: Device,
    /// Through what.
    pub(crate) entrance: Entrance,
    /// How long the session will live.
    pub(crate) limits: Limits,
}

/// Who is signed in now.
pub(crate) struct Finished {
    /// The secret of their session.
    pub(crate) secret: Secret,
    /// The path that they wanted to go to; judged by nobody yet.
    pub(crate) next: Option<String>,
}

/// Finishes a sign-in.
pub(crate) async fn finish(app: &App, realm: &Arc<Realm>, back: Back<'_>) -> Result<Finished, OidcError> {
    let oidc = app.oidc.as_ref().filter(|oidc| oidc.serves(realm.name())).ok_or(OidcError::Unserved)?;
    let (Some(state), Some(browser)) = (back.sent.state.as_deref(), known(back.cookie)) else {
        return Err(OidcError::Stale);
    };
    let pending = take(app, realm, state, browser, &back).await?;
    let code = match (&back.sent.error, &back.sent.code) {
        (Some(error), _) => {
            let error: String = error.chars().filter(char::is_ascii_graphic).take(60).collect();
            tracing::info!(realm = realm.name(), error, "the OpenID provider signed nobody in");
            return Err(OidcError::Declined);
        }
        (None, None) => return Err(OidcError::Declined),
        (None, Some(code)) => code,
    };
    if back.sent.iss.as_ref().is_some_and(|iss| *iss != oidc.settings.issuer) {
        return Err(OidcError::Unproven);
    }
    let trip = Trip { browser, state };
    let proving = prove::prove(oidc, &trip, code, &pending.redirect_uri, app.node.now());
    let proven = tokio::time::timeout(PATIENCE, proving).await.map_err(|_| OidcError::Down)??;
    let secret = sign_in(app, realm, proven, &back).await?;
    Ok(Finished { secret, next: pending.next })
}

/// The sign-in that this browser has begun, which is over now whatever comes of it.
async fn take(
    app: &App,
    realm: &Arc<Realm>,
    state: &str,
    browser: &str,
    back: &Back<'_>,
) -> Result<Pending, OidcError> {
    let key = PendingKey::of(state);
    let row = realm.row(PENDING_ROWS, &key.row(), app.node.now()).await.map_err(CallError::from)?;
    let pending = row.as_deref().and_then(|row| Pending::read(row).ok()).ok_or(OidcError::Stale)?;
    if !pending.is_of(browser) || pending.redirect_uri != back.redirect_uri {
        return Err(OidcError::Stale);
    }
    let command = EndPending { key, pending: pending.clone() };
    match submit(realm, Caller::system("system"), back.via, command).await {
        Ok(_) => Ok(pending),
        Err(OidcError::Call(CallError::Refused(Refusal::Taken))) => Err(OidcError::Stale),
        Err(other) => Err(other),
    }
}

/// A session for whom the account is.
async fn sign_in(
    app: &App,
    realm: &Arc<Realm>,
    proven: ProvenAccount,
    back: &Back<'_>,
) -> Result<Secret, OidcError> {
    let policy = app.oidc.as_ref().map(|oidc| oidc.settings.policy.clone()).unwrap_or_default();
    for _ in 0..ATTEMPTS {
        realm.catch_up().await.map_err(CallError::from)?;
        let whose = whose(&realm.published().state, &proven, &policy, app.node.now())?;
        let login = whose.login().to_owned();
        let command = SignInByAccount {
            login: login.clone(),
            proven: proven.clone(),
            policy: policy.clone(),
            instead_of: back.instead_of.clone(),
            device: back.device.clone(),
            entrance: back.entrance,
            limits: back.limits,
        };
        let caller = Caller::local(Actor::User(login));
        if let Some(secret) = submit(realm, caller, back.via, command).await?.answer.secret {
            return Ok(secret);
        }
    }
    Err(CallError::Edge(EdgeError::Unavailable { retry_after_secs: 1 }).into())
}

async fn submit<C: Command>(
    realm: &Arc<Realm>,
    caller: Caller,
    via: &'static str,
    command: C,
) -> Result<Done<C::Answer>, OidcError> {
    let request = Request { command, caller, via, reason: None, idempotency: None };
    Ok(realm.submit(request).await.map_err(CallError::from)?)
}
