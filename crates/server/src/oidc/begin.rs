//! The way to the provider.

use std::sync::Arc;

use grantd_node::realm::Caller;
use grantd_node::realm::linked_account::{BeginSignIn, Pending, PendingKey};
use grantd_node::{Realm, Request};
use http::HeaderValue;
use openidconnect::core::CoreAuthenticationFlow;
use openidconnect::{
    AuthenticationContextClass, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope,
};

use super::error::OidcError;
use super::trip::{Trip, cookie_name, known, secret};
use crate::app::App;
use crate::edge::{EdgeError, Source};
use crate::face::CallError;
use crate::session_cookie;

/// The longest path to go on to, in bytes.
const MAX_NEXT: usize = 2_048;

/// Who wants to sign in.
pub(crate) struct Start<'a> {
    /// By which face.
    pub(crate) via: &'static str,
    /// From where.
    pub(crate) source: Source,
    /// The value of the cookie [`super::cookie_name`] that the browser has.
    pub(crate) cookie: Option<&'a str>,
    /// Where the provider is to send it back to.
    pub(crate) redirect_uri: String,
    /// The path that it wants to go to.
    pub(crate) next: Option<String>,
}

/// Where the browser goes.
pub(crate) struct Started {
    /// The provider's address.
    pub(crate) location: String,
    /// `Set-Cookie`, which it must take along.
    pub(crate) cookie: Option<HeaderValue>,
}

/// Begins a sign-in.
pub(crate) async fn begin(app: &App, realm: &Arc<Realm>, start: Start<'_>) -> Result<Started, OidcError> {
    let oidc = app.oidc.as_ref().filter(|oidc| oidc.serves(realm.name())).ok_or(OidcError::Unserved)?;
    oidc.starts.failed(start.source).map_err(|limited| CallError::Edge(EdgeError::from(limited)))?;
    let metadata = oidc.provider.metadata().await?;
    let browser = known(start.cookie).map_or_else(secret, str::to_owned);
    let state = secret();
    let trip = Trip { browser: &browser, state: &state };
    let (nonce, verifier) = (Nonce::new(trip.nonce()), PkceCodeVerifier::new(trip.verifier()));
    let client = oidc.provider.client(&metadata, &start.redirect_uri)?;
    let sent = state.clone();
    let mut request = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || CsrfToken::new(sent), || nonce)
        .add_scope(Scope::new("email".into()))
        .add_scope(Scope::new("profile".into()))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    for value in oidc.settings.acr_values.iter().flat_map(|values| values.split_whitespace()) {
        request = request.add_auth_context_value(AuthenticationContextClass::new(value.to_owned()));
    }
    let (location, ..) = request.url();
    let next = start.next.filter(|next| next.len() <= MAX_NEXT);
    let command = BeginSignIn {
        key: PendingKey::of(&state),
        pending: Pending::new(&browser, start.redirect_uri, next),
    };
    let caller = Caller::system("system");
    let request = Request { command, caller, via: start.via, reason: None, idempotency: None };
    realm.submit(request).await.map_err(CallError::from)?;
    let secure = app.is_secure();
    let cookie = session_cookie::set(&cookie_name(realm.name(), secure), &browser, secure);
    Ok(Started { location: location.into(), cookie })
}
