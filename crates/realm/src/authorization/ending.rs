//! Scopes withdrawn, and authorizations ended.

use uuid::Uuid;

use super::{Authorization, may_end, scope_key, scopes_of};
use crate::State;
use crate::caller::{Actor, Authority, Caller};
use crate::change::{AppChange, Change};
use crate::command::{Command, Context, Decision};
use crate::refusal::{Noun, Refusal};
use crate::relationship::exists;
use crate::scope::Scope;

/// Refuses who neither speaks for the organization nor runs the realm.
fn require_end(state: &State, id: Uuid, authority: Authority, cx: &Context<'_>) -> Result<(), Refusal> {
    if let Caller { actor: Actor::User(login), conferred: None } = cx.caller
        && state.authorizations().get(id).is_some_and(|found| may_end(state, login, found, cx.now))
    {
        return Ok(());
    }
    cx.require(state, authority)
}

/// Withdraws one scope. What was issued to the app stays, and is good for the others.
pub struct WithdrawScope {
    /// From which authorization.
    pub authorization: Uuid,
    /// Which scope.
    pub scope: String,
}

impl Command for WithdrawScope {
    /// Whether the app had it.
    type Answer = bool;
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_end(state, self.authorization, Self::REQUIRES, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<bool>, Refusal> {
        let authorization = Authorization::find(state, self.authorization)?;
        let scope = Scope::find(state, &self.scope)?;
        let key = scope_key(&authorization.organization, &scope.id, &authorization.app)?;
        if !exists(state, &key, cx.now) {
            return Ok(Decision::unchanged(false));
        }
        Ok(Decision::one(Change::RelationshipDeleted { key }, true))
    }
}

/// Disconnects the app: the authorization and everything that was issued under it is over.
pub struct EndAuthorization {
    /// Which.
    pub authorization: Uuid,
}

impl Command for EndAuthorization {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_end(state, self.authorization, Self::REQUIRES, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let authorization = Authorization::find(state, self.authorization)?;
        if !authorization.is_live(cx.now) {
            return Err(Refusal::not_found(Noun::Authorization, self.authorization));
        }
        let mut changes = withdrawn(state, authorization, cx)?;
        changes.push(Change::of(AppChange::AuthorizationEnded { id: authorization.id }));
        Ok(Decision::all(changes, ()))
    }
}

/// The end of every scope that it still has.
pub(super) fn withdrawn(
    state: &State,
    authorization: &Authorization,
    cx: &Context<'_>,
) -> Result<Vec<Change>, Refusal> {
    let key = |scope: &Scope| scope_key(&authorization.organization, &scope.id, &authorization.app);
    let scopes = scopes_of(state, authorization, cx.now);
    scopes.into_iter().map(|scope| Ok(Change::RelationshipDeleted { key: key(scope)? })).collect()
}
