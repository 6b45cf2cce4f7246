//! Tokens of an organization's own: it gives itself some scopes, for a program that it runs, with no app and no end.
//!
//! One is known by its hash like an API key; unlike an app's, it is a record, because nobody renews it.

use std::sync::Arc;

use uuid::Uuid;

use super::{Organization, check_name, require_admin};
use crate::caller::{Actor, Authority};
use crate::change::{AppChange, Change};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision, Secret};
use crate::entropy::secret_hash;
use crate::oauth_token::{ACCESS_PREFIX, LETTERS};
use crate::personal::Personal;
use crate::refusal::{Noun, Refusal};
use crate::scope::check_list;
use crate::{Micros, State};

/// How many an organization can have.
pub const MAX_TOKENS: usize = 100;

/// A token of an organization's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationToken {
    /// By which it is revoked.
    pub id: Uuid,
    /// What people call it.
    pub name: Personal,
    /// What it is for, in order.
    pub scopes: Vec<Arc<str>>,
    /// Who made it.
    pub by: Actor,
    /// When.
    pub created_at: Micros,
    /// What is kept of the secret.
    pub hash: [u8; 32],
}

/// Makes a token of an organization's own.
pub struct IssueOrganizationToken {
    /// Whose.
    pub organization: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub scopes: Vec<String>,
}

/// A token at the moment of its making.
#[derive(Debug, Clone)]
pub struct OrganizationTokenIssued {
    /// Its id.
    pub id: Uuid,
    /// The secret, shown this one time; `None` when the answer is a repeated one.
    pub token: Option<Secret>,
}

impl Answer for OrganizationTokenIssued {
    fn encode(&self, w: &mut Writer) {
        w.uuid(self.id);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { id: r.uuid()?, token: None })
    }
}

impl Command for IssueOrganizationToken {
    type Answer = OrganizationTokenIssued;
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_admin(state, &self.organization, Self::REQUIRES, cx)
    }

    fn decide(
        &self,
        state: &State,
        cx: &mut Context<'_>,
    ) -> Result<Decision<OrganizationTokenIssued>, Refusal> {
        let organization = Organization::find(state, &self.organization)?;
        check_name(&self.name)?;
        if self.scopes.is_empty() {
            return Err(Refusal::invalid("scopes", "must name at least one"));
        }
        let scopes = check_list(state, "scopes", &self.scopes)?;
        if organization.tokens.len() >= MAX_TOKENS {
            return Err(Refusal::TooMany { what: "tokens of the organization", most: MAX_TOKENS as u64 });
        }
        let id = cx.entropy.uuid();
        let secret = cx.entropy.letters(ACCESS_PREFIX, LETTERS);
        let token = OrganizationToken {
            id,
            name: cx.personal(&self.name),
            scopes,
            by: cx.caller.actor.recorded(),
            created_at: cx.now,
            hash: secret_hash(&secret),
        };
        let organization = self.organization.clone();
        let change = AppChange::OrganizationTokenIssued { organization, token };
        Ok(Decision::one(Change::of(change), OrganizationTokenIssued { id, token: Some(Secret(secret)) }))
    }
}

/// Revokes a token of an organization's own.
pub struct RevokeOrganizationToken {
    /// Whose.
    pub organization: String,
    /// Which.
    pub id: Uuid,
}

impl Command for RevokeOrganizationToken {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_admin(state, &self.organization, Self::REQUIRES, cx)
    }

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let organization = Organization::find(state, &self.organization)?;
        if organization.token(self.id).is_none() {
            return Err(Refusal::not_found(Noun::OrganizationToken, self.id));
        }
        let organization = self.organization.clone();
        Ok(Decision::one(Change::of(AppChange::OrganizationTokenRevoked { organization, id: self.id }), ()))
    }
}
