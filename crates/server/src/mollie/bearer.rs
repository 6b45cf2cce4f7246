//! The access token of a call, judged on one state at one time.

use std::sync::Arc;

use grantd_node::question::AskingByToken;
use grantd_node::realm::oauth_token::{AccessToken, Holder};

use super::errors::{Error, Problem};
use super::{Call, Version};

/// The token of a call, whose caller is known already: a key of grantd's own is good elsewhere, but it is no app's.
///
/// An organization's own token is none in v1, which is older than these.
pub(super) async fn token<V: Version>(call: &Call<V>) -> Result<Arc<AccessToken>, Error<V>> {
    match call.access_token().await? {
        None => Err(Problem::NotOfAnApp.into()),
        Some(token) if V::IS_V1 && matches!(token.holder, Holder::Organization { .. }) => {
            Err(Problem::Unauthorized { shown: true }.into())
        }
        Some(token) => Ok(token),
    }
}

/// Puts questions about the token to the newest state, whose revision the answer names.
pub(super) fn asking<'c, V: Version>(call: &'c Call<V>, token: &'c AccessToken) -> AskingByToken<'c> {
    call.app.node.asking_by_token(call.published(), &call.caller, token)
}
