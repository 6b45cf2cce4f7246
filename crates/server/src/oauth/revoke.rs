//! POST `/oauth2/revoke` and DELETE `/oauth2/tokens`: a client gives a token back (RFC 7009).

use grantd_node::realm::oauth_token::{FoundToken, Holder, RevokeToken, ShownAccess, ShownRefresh};
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
    let Some(token) = found(call, call.require("token")?).await? else { return Ok(()) };
    if !is_theirs(call, &token) {
        return Err(Error::not_yours());
    }
    call.submit(RevokeToken { client: call.client.clone(), token }).await?;
    Ok(())
}

async fn found(call: &ClientCall, text: &str) -> Result<Option<FoundToken>, CallError> {
    if let Some(shown) = ShownAccess::parse(text) {
        return Ok(call.realm().access_token(&shown).await?.map(FoundToken::Access));
    }
    match ShownRefresh::parse(text) {
        Some(shown) => Ok(call.realm().found_refresh(&shown).await?.map(FoundToken::Refresh)),
        None => Ok(None),
    }
}

fn is_theirs(call: &ClientCall, token: &FoundToken) -> bool {
    let client = &*call.client.client_id;
    match token {
        FoundToken::Access(token) => {
            matches!(&token.holder, Holder::App { client_id, .. } if **client_id == *client)
        }
        FoundToken::Refresh(family) => *family.app == *client,
    }
}
