//! Accounts at an OpenID provider by which people sign in here.
//!
//! What makes an account is its issuer and its subject (OpenID Connect Core, section 2): the two together are never given to
//! somebody else, as an e-mail address may be. The ledger holds a hash of them, since a subject is about a person.

mod commands;
mod sign_in;
mod whose;

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};

use crate::Micros;
use crate::change::{Stamp, shared};

pub use commands::{LinkAccount, UnlinkAccount};
pub use sign_in::{BeginSignIn, EndPending, PENDING_ROWS, Pending, PendingKey, SignInByAccount};
pub use whose::{NotSignedIn, Policy, ProvenAccount, Whose, whose};

/// The longest issuer, in bytes.
const MAX_ISSUER: usize = 512;

/// The longest subject, in bytes (OpenID Connect Core, section 2).
const MAX_SUBJECT: usize = 255;

/// A hash of an account's issuer and subject: the account's name here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub [u8; 32]);

impl AccountId {
    /// Of an account.
    pub fn of(issuer: &str, subject: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("grantd linked account 1");
        for part in [issuer, subject] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Self(hasher.finalize().into())
    }

    /// From 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|hash| Self(hash.into()))
    }
}

impl std::fmt::Display for AccountId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&blake3::Hash::from(self.0).to_hex())
    }
}

/// An account elsewhere that stands for a user here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedAccount {
    /// Which.
    pub id: AccountId,
    /// Who says that somebody is it: the provider's issuer URL.
    pub issuer: Arc<str>,
    /// For whom it stands.
    pub login: Arc<str>,
    /// Since when.
    pub linked_at: Micros,
}

/// The accounts of a realm's users.
#[derive(Clone, Default)]
pub struct LinkedAccounts {
    by_id: OrdMap<AccountId, LinkedAccount>,
    by_login: OrdSet<(Arc<str>, AccountId)>,
}

impl LinkedAccounts {
    /// One of them.
    pub fn get(&self, id: AccountId) -> Option<&LinkedAccount> {
        self.by_id.get(&id)
    }

    /// All of a user's.
    pub fn of_user<'a>(&'a self, login: &str) -> impl Iterator<Item = &'a LinkedAccount> + use<'a> {
        let login = shared(login);
        let from = (login.clone(), AccountId([0; 32]));
        let theirs = self.by_login.range(from..).take_while(move |(found, _)| *found == login);
        theirs.filter_map(|(_, id)| self.by_id.get(id))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// All, in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &LinkedAccount> {
        self.by_id.values()
    }

    pub(crate) fn insert(&mut self, account: LinkedAccount) -> Result<(), String> {
        let (id, login) = (account.id, account.login.clone());
        if self.by_id.insert(id, account).is_some() {
            return Err(format!("account `{id}` is linked already"));
        }
        self.by_login.insert((login, id));
        Ok(())
    }

    pub(crate) fn link(
        &mut self,
        login: &str,
        issuer: &str,
        account: [u8; 32],
        stamp: Stamp,
    ) -> Result<(), String> {
        let (issuer, login) = (shared(issuer), shared(login));
        self.insert(LinkedAccount { id: AccountId(account), issuer, login, linked_at: stamp.time })
    }

    pub(crate) fn unlink(&mut self, account: &[u8; 32]) -> Result<(), String> {
        let id = AccountId(*account);
        let account = self.by_id.remove(&id).ok_or_else(|| format!("account `{id}` is not linked"))?;
        self.by_login.remove(&(account.login, id));
        Ok(())
    }

    /// A login made again starts with nothing.
    pub(crate) fn forget_user(&mut self, login: &str) {
        let theirs: Vec<AccountId> = self.of_user(login).map(|account| account.id).collect();
        for id in theirs {
            self.by_id.remove(&id);
            self.by_login.remove(&(shared(login), id));
        }
    }
}
