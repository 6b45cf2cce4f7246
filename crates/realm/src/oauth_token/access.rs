//! Access tokens: what an app, or an organization's own program, calls with.

use std::sync::Arc;

use uuid::Uuid;

use super::{ACCESS_LIFE, Bound, Family, ShownAccess, read_form};
use crate::authorization::is_granted;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::RowWrite;
use crate::scope::Scope;
use crate::token::Bearer;
use crate::{Micros, State};

/// The family of rows that access tokens are.
pub const ACCESS_ROWS: &str = "oauth_access";

/// An access token. What it is good for, [`Self::is_live`] and [`Self::granted`] say, asked of the newest state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Whose.
    pub holder: Holder,
    /// When it was issued.
    pub issued_at: Micros,
    /// From then on it counts no more.
    pub expires: Option<Micros>,
}

/// Whose an access token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// An app's.
    App {
        /// For what.
        bound: Bound,
        /// The key of its family's row, which must be there.
        family: Vec<u8>,
    },
    /// An organization's own.
    Organization {
        /// The organization.
        organization: Arc<str>,
        /// By which it is known from a later one of the same id.
        number: u64,
        /// Which of its tokens.
        token: Uuid,
    },
}

impl AccessToken {
    /// Reads a row.
    pub fn read(value: &[u8]) -> Result<Self, CodecError> {
        let mut r = Reader::new(value);
        read_form(&mut r)?;
        let holder = Holder::App { bound: Bound::read(&mut r)?, family: r.bytes()?.to_vec() };
        let token = Self { holder, issued_at: r.i64()?, expires: Some(r.i64()?) };
        r.finish()?;
        Ok(token)
    }

    /// The organization's own token of that hash.
    pub fn of_organization(state: &State, shown: &ShownAccess) -> Option<Self> {
        let Bearer::Organization { organization, token } = state.bearer(&shown.hash())? else { return None };
        let organization = state.organizations().by_number(organization)?;
        let record = organization.token(token)?;
        let (id, number) = (organization.id.clone(), organization.number);
        let holder = Holder::Organization { organization: id, number, token };
        Some(Self { holder, issued_at: record.created_at, expires: None })
    }

    /// The organization that it speaks for.
    pub fn organization(&self) -> &Arc<str> {
        match &self.holder {
            Holder::App { bound, .. } => &bound.organization,
            Holder::Organization { organization, .. } => organization,
        }
    }

    /// The app that holds it, by client id.
    pub fn app(&self) -> Option<&Arc<str>> {
        match &self.holder {
            Holder::App { bound, .. } => Some(&bound.app),
            Holder::Organization { .. } => None,
        }
    }

    /// Whether it counts at all. Whether its rows are there was looked at when it was found.
    pub fn is_live(&self, state: &State, now: Micros) -> bool {
        let stands = match &self.holder {
            Holder::App { bound, .. } => bound.live(state, now).is_some(),
            Holder::Organization { .. } => self.own_scopes(state).is_some(),
        };
        stands && self.expires.is_none_or(|expires| now < expires)
    }

    /// Whether it is good for a scope now: the authorization stands, has the scope, and the token was issued for it.
    pub fn granted(&self, state: &State, scope: &str, now: Micros) -> bool {
        if self.expires.is_some_and(|expires| expires <= now) {
            return false;
        }
        match &self.holder {
            Holder::App { bound, .. } => {
                bound.scopes.iter().any(|issued| **issued == *scope)
                    && bound.live(state, now).is_some_and(|found| is_granted(state, found, scope, now))
            }
            Holder::Organization { .. } => {
                let own = self.own_scopes(state).unwrap_or_default();
                own.iter().any(|issued| **issued == *scope) && state.scopes().get(scope).is_some()
            }
        }
    }

    /// The scopes that it is good for now, in order of their ids.
    pub fn scopes<'a>(&self, state: &'a State, now: Micros) -> Vec<&'a Arc<Scope>> {
        state.scopes().iter().filter(|scope| self.granted(state, &scope.id, now)).collect()
    }

    fn own_scopes<'a>(&self, state: &'a State) -> Option<&'a [Arc<str>]> {
        let Holder::Organization { number, token, .. } = &self.holder else { return None };
        Some(&state.organizations().by_number(*number)?.token(*token)?.scopes)
    }

    pub(super) fn issue(bound: Bound, family: &Family, now: Micros) -> Self {
        let holder = Holder::App { bound, family: family.key.clone() };
        Self { holder, issued_at: now, expires: Some(now.saturating_add(ACCESS_LIFE)) }
    }

    /// `None` if it is an organization's own, which is no row.
    pub(super) fn put(&self, shown: &ShownAccess) -> Option<RowWrite> {
        let (Holder::App { bound, family }, Some(expires)) = (&self.holder, self.expires) else {
            return None;
        };
        let mut w = Writer::new();
        w.u8(super::FORM);
        bound.write(&mut w);
        w.bytes(family);
        w.i64(self.issued_at);
        w.i64(expires);
        Some(RowWrite::Put { kind: ACCESS_ROWS, key: shown.key().to_vec(), value: w.finish().0, expires })
    }
}
