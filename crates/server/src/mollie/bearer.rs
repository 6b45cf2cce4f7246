//! The access token of a call, and what it is worth now.

use std::sync::Arc;

use grantd_node::Published;
use grantd_node::realm::Micros;
use grantd_node::realm::oauth_token::{AccessToken, Holder};
use grantd_node::realm::scope::Scope;

use super::errors::{Error, Problem};
use super::{Call, Version};

/// A good access token, judged on one state at one time.
pub(super) struct Bearer {
    pub(super) token: Arc<AccessToken>,
    pub(super) published: Arc<Published>,
    now: Micros,
}

impl Bearer {
    /// Of the call, whose caller is known already: a key or a session of grantd's own is good elsewhere, but no app's.
    ///
    /// An organization's own token is none in v1, which is older than these.
    pub(super) async fn of<V: Version>(call: &Call<V>) -> Result<Self, Error<V>> {
        let Some(token) = call.access_token().await? else { return Err(Problem::NotOfAnApp.into()) };
        if V::IS_V1 && matches!(token.holder, Holder::Organization { .. }) {
            return Err(Problem::Unauthorized { shown: true }.into());
        }
        let (published, now) = (call.published(), call.now());
        Ok(Self { token, published, now })
    }

    /// Whether the permission is granted now.
    pub(super) fn granted(&self, scope: &str) -> bool {
        self.token.granted(&self.published.state, scope, self.now)
    }

    /// A permission by its id.
    pub(super) fn scope(&self, id: &str) -> Option<&Scope> {
        self.published.state.scopes().get(id).map(AsRef::as_ref)
    }

    /// Every permission that there is, and whether it is granted now; by id.
    pub(super) fn scopes(&self) -> impl Iterator<Item = (&Scope, bool)> {
        self.published.state.scopes().iter().map(|scope| (&**scope, self.granted(&scope.id)))
    }
}
