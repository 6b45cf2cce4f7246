//! POST `/oauth2/tokens`: a code or a refresh token for an access token (RFC 6749 sections 4.1.3, 5.1 and 6).

use axum::response::{IntoResponse, Response};
use grantd_node::SubmitError;
use grantd_node::realm::Refusal;
use grantd_node::realm::oauth_token::{
    RedeemCode, Redeemed, RefreshTokens, Refreshed, ShownCode, ShownRefresh, Tokens,
};
use grantd_node::realm::refusal::GrantProblem;
use grantd_node::realm::scope::parse_list;
use http::{HeaderValue, header};
use serde_json::json;

use super::client_call::{ClientCall, Posted};
use super::errors::Error;
use crate::edge::EdgeError;
use crate::face::CallError;

/// How often what others take at the same moment is looked at again.
const ATTEMPTS: usize = 4;

/// Issues tokens.
pub(super) async fn issue_tokens(posted: Posted) -> Result<Response, Error> {
    let tokens = match posted.parameters()?.get("grant_type") {
        Some("authorization_code") => redeem(&posted.by_client().await?).await?,
        Some("refresh_token") => refresh(&posted.by_client().await?).await?,
        Some(other) => return Err(Error::unsupported_grant_type(other)),
        None => return Err(Error::invalid_request("The grant type was not specified in the request")),
    };
    answer(tokens)
}

async fn redeem(call: &ClientCall) -> Result<Tokens, Error> {
    let unknown = || Error::from(GrantProblem::Code);
    let code = ShownCode::parse(call.require("code")?).ok_or_else(unknown)?;
    for _ in 0..ATTEMPTS {
        let (found, family) = call.realm().found_code(&code).await.map_err(CallError::from)?;
        let command = RedeemCode {
            client: call.client.clone(),
            code: code.clone(),
            found,
            family,
            redirect_uri: call.get("redirect_uri").map(Into::into),
            verifier: call.get("code_verifier").map(Into::into),
        };
        match call.submit(command).await {
            Ok(Redeemed::Tokens(tokens)) => return Ok(tokens),
            // If it was there before, what it gave is dead now.
            Ok(Redeemed::Gone) => return Err(unknown()),
            Err(CallError::Refused(Refusal::Taken)) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(SubmitError::Overloaded.into())
}

async fn refresh(call: &ClientCall) -> Result<Tokens, Error> {
    let unknown = || Error::from(GrantProblem::Refresh);
    let refresh = ShownRefresh::parse(call.require("refresh_token")?).ok_or_else(unknown)?;
    let scopes = call.get("scope").map(parse_list);
    for _ in 0..ATTEMPTS {
        let family = call.realm().found_refresh(&refresh).await.map_err(CallError::from)?;
        let family = family.ok_or_else(unknown)?;
        let (client, refresh, scopes) = (call.client.clone(), refresh.clone(), scopes.clone());
        match call.submit(RefreshTokens { client, refresh, family, scopes }).await {
            Ok(Refreshed::Tokens(tokens)) => return Ok(tokens),
            Ok(Refreshed::Reused) => return Err(unknown()),
            Err(CallError::Refused(Refusal::Taken)) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(SubmitError::Overloaded.into())
}

/// The tokens, as RFC 6749 section 5.1 has them. The scope is what they are for now, which may be less than was asked for.
fn answer(tokens: Tokens) -> Result<Response, Error> {
    let (Some(access), Some(refresh)) = (tokens.access_token, tokens.refresh_token) else {
        return Err(EdgeError::Internal.into());
    };
    let body = json!({
        "access_token": access.0,
        "refresh_token": refresh.0,
        "expires_in": tokens.expires_in,
        "token_type": "bearer",
        "scope": tokens.scopes.join(" "),
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    Ok((headers, body.to_string()).into_response())
}
