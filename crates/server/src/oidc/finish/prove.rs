//! What the provider gives for a code, and whether it proves anything.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use grantd_node::realm::Micros;
use grantd_node::realm::linked_account::ProvenAccount;
use openidconnect::core::{
    CoreIdTokenClaims, CoreIdTokenVerifier, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, Nonce, OAuth2TokenResponse as _, PkceCodeVerifier,
    RequestTokenError, SignatureVerificationError, TokenResponse as _,
};

use super::super::Oidc;
use super::super::error::OidcError;
use super::super::provider::{Client, why};
use super::super::trip::Trip;

/// How far apart the clocks may be.
const SKEW: Micros = 60 * 1_000_000;

/// What an ID token may be signed by: a key that only the provider has. Not by the client secret, and not by nothing.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Gives the code back for tokens and reads whose they are.
pub(super) async fn prove(
    oidc: &Oidc,
    trip: &Trip<'_>,
    code: &str,
    redirect_uri: &str,
    now: Micros,
) -> Result<ProvenAccount, OidcError> {
    let metadata = oidc.provider.metadata().await?;
    let client = oidc.provider.client(&metadata, redirect_uri)?;
    let tokens = exchange(oidc, &client, trip, code).await?;
    let nonce = Nonce::new(trip.nonce());
    let claims = match claims(&client, &tokens, &nonce, now) {
        Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
            let client = with_newer_keys(oidc, &metadata, redirect_uri).await?;
            claims_or_why(&client, &tokens, &nonce, now)?
        }
        found => found.map_err(|error| refused(&error))?,
    };
    let mut proven = ProvenAccount {
        issuer: oidc.settings.issuer.clone(),
        subject: claims.subject().to_string(),
        email: verified(claims.email().map(|email| email.as_str()), claims.email_verified()),
        name: claims.name().and_then(|name| name.get(None)).map(|name| name.to_string()),
    };
    if claims.email().is_none() {
        complete(oidc, &client, &tokens, &mut proven).await?;
    }
    Ok(proven)
}

fn verified(email: Option<&str>, is_verified: Option<bool>) -> Option<String> {
    email.filter(|_| is_verified == Some(true)).map(str::to_owned)
}

async fn exchange(
    oidc: &Oidc,
    client: &Client,
    trip: &Trip<'_>,
    code: &str,
) -> Result<CoreTokenResponse, OidcError> {
    let request = client.exchange_code(AuthorizationCode::new(code.to_owned())).map_err(|error| {
        tracing::warn!(why = why(&error), "the OpenID provider has no token endpoint");
        OidcError::Down
    })?;
    let request = request.set_pkce_verifier(PkceCodeVerifier::new(trip.verifier()));
    request.request_async(&oidc.provider.fetcher).await.map_err(|error| match error {
        RequestTokenError::ServerResponse(said) => {
            tracing::warn!(error = said.error().as_ref(), "the OpenID provider gives nothing for a code");
            OidcError::Unproven
        }
        other => {
            tracing::warn!(why = why(&other), "the OpenID provider gives no tokens");
            OidcError::Down
        }
    })
}

async fn with_newer_keys(
    oidc: &Oidc,
    metadata: &Arc<CoreProviderMetadata>,
    redirect_uri: &str,
) -> Result<Client, OidcError> {
    let newer = oidc.provider.newer(metadata).await?;
    oidc.provider.client(&newer, redirect_uri)
}

fn claims_or_why(
    client: &Client,
    tokens: &CoreTokenResponse,
    nonce: &Nonce,
    now: Micros,
) -> Result<CoreIdTokenClaims, OidcError> {
    claims(client, tokens, nonce, now).map_err(|error| refused(&error))
}

/// What the ID token says, if all that OpenID Connect Core, section 3.1.3.7, asks for holds.
fn claims(
    client: &Client,
    tokens: &CoreTokenResponse,
    nonce: &Nonce,
    now: Micros,
) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
    let other = |text: &str| ClaimsVerificationError::Other(text.into());
    let token = tokens.id_token().ok_or_else(|| other("there is no ID token"))?;
    let at = |micros| DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default();
    let verifier: CoreIdTokenVerifier<'_> = client
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || at(now.saturating_sub(SKEW)))
        .set_issue_time_verifier_fn(move |issued| {
            let is_past = issued <= at(now.saturating_add(SKEW));
            if is_past { Ok(()) } else { Err("it is from the future".into()) }
        });
    let claims = token.claims(&verifier, nonce)?;
    if claims.authorized_party().is_some_and(|party| party.as_str() != client.client_id().as_str()) {
        return Err(ClaimsVerificationError::InvalidAudience("`azp` is another client".into()));
    }
    Ok(claims.clone())
}

fn refused(error: &ClaimsVerificationError) -> OidcError {
    tracing::warn!(why = why(error), "an ID token does not hold");
    match error {
        ClaimsVerificationError::Expired(_) => OidcError::Expired,
        _ => OidcError::Unproven,
    }
}

/// Some providers tell the address only at their UserInfo endpoint (OpenID Connect Core, section 5.3).
async fn complete(
    oidc: &Oidc,
    client: &Client,
    tokens: &CoreTokenResponse,
    proven: &mut ProvenAccount,
) -> Result<(), OidcError> {
    let subject = openidconnect::SubjectIdentifier::new(proven.subject.clone());
    let Ok(request) = client.user_info(tokens.access_token().clone(), Some(subject)) else { return Ok(()) };
    let asked = request.request_async(&oidc.provider.fetcher).await;
    let claims: openidconnect::core::CoreUserInfoClaims = asked.map_err(|error| {
        tracing::warn!(why = why(&error), "the OpenID provider tells nothing of a user");
        OidcError::Down
    })?;
    proven.email = verified(claims.email().map(|email| email.as_str()), claims.email_verified());
    if proven.name.is_none() {
        proven.name = claims.name().and_then(|name| name.get(None)).map(|name| name.to_string());
    }
    Ok(())
}
