//! What an access token is good for: asked by who holds it, of themselves. It needs no authority.

use std::sync::Arc;

use grantd_realm::Caller;
use grantd_realm::authorization::{GRANTED, SCOPE_TYPE};
use grantd_realm::engine::ObjectRef;
use grantd_realm::oauth_token::{AccessToken, Holder};
use grantd_realm::scope::Scope;

use super::Asking;
use crate::decision_log::Asked;
use crate::node::Node;
use crate::observer::CheckEnd;
use crate::running::Published;

/// The holder of an access token, one state, and one time. The point that these questions pass.
pub struct AskingByToken<'n> {
    asking: Asking<'n>,
    token: &'n AccessToken,
}

impl Node {
    /// Lets the holder of an access token ask what it is good for in a published state. Whether it counts at all is not asked again.
    pub fn asking_by_token<'n>(
        &'n self,
        published: Arc<Published>,
        caller: &'n Caller,
        token: &'n AccessToken,
    ) -> AskingByToken<'n> {
        AskingByToken { asking: Asking { node: self, caller, published, fork: None, now: self.now() }, token }
    }
}

impl AskingByToken<'_> {
    /// The state that is asked.
    pub fn published(&self) -> &Arc<Published> {
        &self.asking.published
    }

    /// Is it good for this scope?
    pub fn granted(&self, scope: &str) -> bool {
        let granted = self.token.granted(&self.asking.published.state, scope, self.asking.now);
        self.asking.count(if granted { CheckEnd::Allowed } else { CheckEnd::Denied });
        let resource = format_args!("{SCOPE_TYPE}:/{}/{scope}/", self.token.organization());
        self.asking.record(Asked::Check, &self.subject(), GRANTED, &resource, granted, None);
        granted
    }

    /// Every scope that there is, and whether it is good for it; in order of their ids.
    pub fn scopes(&self) -> Vec<(&Scope, bool)> {
        let state = &self.asking.published.state;
        let is_granted = |scope: &Scope| self.token.granted(state, &scope.id, self.asking.now);
        let all: Vec<_> = state.scopes().iter().map(|scope| (&**scope, is_granted(scope))).collect();
        let found = all.iter().filter(|(_, granted)| *granted).count();
        self.asking.record_search(Asked::SearchResources, &self.subject(), GRANTED, &SCOPE_TYPE, found);
        all
    }

    fn subject(&self) -> ObjectRef<'_> {
        match &self.token.holder {
            Holder::App { bound, .. } => ObjectRef { kind: "app", id: &bound.app },
            Holder::Organization { organization, .. } => {
                ObjectRef { kind: "mollie_organization", id: organization }
            }
        }
    }
}
