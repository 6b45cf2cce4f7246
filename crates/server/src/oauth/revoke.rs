//! POST `/oauth2/revoke` and DELETE `/oauth2/tokens`: a client gives a token back (RFC 7009).

use grantd_node::realm::oauth_token::{FoundToken, RevokeToken, ShownAccess, ShownRefresh};
use http::StatusCode;

use super::client_call::{ClientCall, Posted};
use super::errors::Error;
use crate::face::CallError;

/// As the standard has it: 200.
pub(super) async fn revoke_token(posted: Posted) -> Result<StatusCode, Error> {
    revoke(&posted.by_client().await?).await?;
    Ok(StatusCode::OK)
}

/// As the dialect has it: 204.
pub(super) async fn delete_token(posted: Posted) -> Result<StatusCode, Error> {
    revoke(&posted.by_client().await?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A token that is unknown is as good as revoked (section 2.2). `token_type_hint` is not needed: a token says its kind.
async fn revoke(call: &ClientCall) -> Result<(), Error> {
    if let Some(token) = found(call, call.require("token")?).await? {
        call.submit(RevokeToken { client: call.client.clone(), token }).await?;
    }
    Ok(())
}

async fn found(call: &ClientCall, text: &str) -> Result<Option<FoundToken>, CallError> {
    if let Some(shown) = ShownAccess::parse(text) {
        let token = call.realm().access_token(&shown).await?;
        return Ok(token.map(|token| FoundToken::Access(shown, (*token).clone())));
    }
    match ShownRefresh::parse(text) {
        Some(shown) => Ok(call.realm().found_refresh(&shown).await?.map(FoundToken::Refresh)),
        None => Ok(None),
    }
}
