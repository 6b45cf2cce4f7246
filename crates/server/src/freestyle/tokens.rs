//! create_git_token, list_git_tokens, revoke_git_token.

use axum::Json;
use grantd_node::realm::identity::Identity;
use grantd_node::realm::token::{CreateToken, RevokeToken};

use super::errors::Error;
use super::wire::{CreatedToken, Empty, TokenInfo, Tokens};
use super::{Call, READERS, id};

pub(super) async fn create_git_token(call: Call) -> Result<Json<CreatedToken>, Error> {
    let made = call.submit(CreateToken { identity: id(&call, "identity")? }).await?.answer;
    Ok(Json(CreatedToken { id: made.id, token: made.secret.map(|secret| secret.0) }))
}

pub(super) async fn list_git_tokens(call: Call) -> Result<Json<Tokens>, Error> {
    Ok(Json(Tokens { tokens: tokens(&call)? }))
}

/// The tokens of the identity that the path names.
pub(super) fn tokens(call: &Call) -> Result<Vec<TokenInfo>, Error> {
    let published = call.published_for(&READERS)?;
    let identity = Identity::find(&published.state, id(call, "identity")?)?;
    Ok(identity.tokens.ids().into_iter().map(|id| TokenInfo { id }).collect())
}

pub(super) async fn revoke_git_token(call: Call) -> Result<Json<Empty>, Error> {
    call.submit(RevokeToken { identity: id(&call, "identity")?, token: id(&call, "token")? }).await?;
    Ok(Json(Empty {}))
}
