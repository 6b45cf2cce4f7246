//! A refresh token turned into a new access token (RFC 6749 section 6).

use std::sync::Arc;

use super::issue::{issue_access, still_had};
use super::{Family, ShownRefresh, Tokens};
use crate::State;
use crate::app::ShownClient;
use crate::caller::Authority;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision};
use crate::refusal::{GrantProblem, Refusal};

/// Renews an app's access. A confidential app keeps its refresh token; a public one gets another each time, and one of before ends
/// all of the family, because somebody else has it too (RFC 9700 section 4.14.2).
pub struct RefreshTokens {
    /// Which client shows it; the caller is that app.
    pub client: ShownClient,
    /// The refresh token.
    pub refresh: ShownRefresh,
    /// Its family, as it was found.
    pub family: Family,
    /// What the new access token is for, if not for everything.
    pub scopes: Option<Vec<String>>,
}

/// What refreshing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// The tokens.
    Tokens(Tokens),
    /// It was rotated before: the family is over now.
    Reused,
}

impl Answer for Refreshed {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Tokens(tokens) => {
                w.u8(0);
                tokens.encode(w);
            }
            Self::Reused => w.u8(1),
        }
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        match r.u8()? {
            0 => Tokens::decode(r).map(Self::Tokens),
            1 => Ok(Self::Reused),
            other => Err(CodecError::Unknown { what: "a refresh", found: other.to_string() }),
        }
    }
}

impl Command for RefreshTokens {
    type Answer = Refreshed;
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.client.require(state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Refreshed>, Refusal> {
        let family = &self.family;
        let rotates = self.client.verify(state)?.settings.public;
        if *family.bound.app != *self.client.client_id || family.key != self.refresh.family_key() {
            return Err(Refusal::Grant(GrantProblem::Refresh));
        }
        if !family.is_renewed_by(&self.refresh) {
            if !rotates {
                return Err(Refusal::Grant(GrantProblem::Refresh));
            }
            let rows = vec![family.end()];
            return Ok(Decision { rows, ..Decision::unchanged(Refreshed::Reused) });
        }
        let authorization = family.bound.require_live(state, cx.now)?;
        let live = still_had(state, authorization, &self.wanted()?, cx);
        let mut rows = Vec::new();
        let tokens = if rotates {
            let next = self.refresh.next(&mut cx.entropy);
            let renewed = Family { refresh: next.hash(), ..family.clone() };
            rows.extend([family.take(), renewed.put()]);
            issue_access(&renewed, live, &next, cx, &mut rows)
        } else {
            issue_access(family, live, &self.refresh, cx, &mut rows)
        };
        Ok(Decision { rows, ..Decision::unchanged(Refreshed::Tokens(tokens)) })
    }
}

impl RefreshTokens {
    /// No more than the family was given (RFC 6749 section 6).
    fn wanted(&self) -> Result<Vec<Arc<str>>, Refusal> {
        let given = &self.family.bound.scopes;
        let Some(wanted) = &self.scopes else { return Ok(given.clone()) };
        let is_given = |scope: &String| given.iter().any(|one| **one == **scope);
        if wanted.iter().all(is_given) {
            Ok(given.iter().filter(|one| wanted.iter().any(|scope| **scope == ***one)).cloned().collect())
        } else {
            Err(Refusal::Grant(GrantProblem::Scope))
        }
    }
}
