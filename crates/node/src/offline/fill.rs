//! Fills an empty store with what another one holds. Broken off at any point, the same call goes on.
//!
//! The store that is filled says so from before its first ledger until after the last step, and no server starts on it
//! meanwhile. What is there already when a fill goes on is compared with the source, not believed.

mod base;
mod continuing;
mod entries;
mod side;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use grantd_ledger::chain::Broken;
use grantd_ledger::entry::{Hash, LedgerId, Revision};
use grantd_ledger::source::Source;
use grantd_ledger::store::{Append, Appended, Head, Store, StoreError};
use grantd_realm::engine::Schema;

use self::entries::{Carried, carry};
use super::verify::{VerifyError, verify};
use crate::entry::FoldError;
use crate::load::LoadError;

pub(super) use self::continuing::{continue_all, continue_one, continues};

/// What is to be filled, and with what.
pub(super) struct Filling<'a> {
    /// The command that fills, as the store says to who starts a server on it.
    pub(super) command: &'static str,
    /// Only these realms; empty: all.
    pub(super) realms: &'a [String],
    /// Where these ledgers shall end; the others at their head.
    pub(super) until: &'a BTreeMap<String, Revision>,
    /// The permission models.
    pub(super) schema: Arc<Schema>,
    /// Told how far it is.
    pub(super) told: &'a Told<'a>,
}

/// Whoever wants to know how far a long command is.
pub type Told<'a> = dyn Fn(Step<'_>) + Send + Sync + 'a;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A realm's entries are read, up to this revision.
    Entries {
        /// Which realm.
        realm: &'a str,
        /// Its last revision.
        last: Revision,
    },
    /// They are there up to this revision.
    At(Revision),
    /// What was written is read again and verified.
    Verifying {
        /// Which realm.
        realm: &'a str,
    },
}

/// A realm that was carried over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// Its name.
    pub realm: String,
    /// Where the original's ledger ends, or where it was cut.
    pub end: Head,
    /// Hash of the state there.
    pub state_hash: Hash,
    /// Under which id the copy goes on, if it does already.
    pub continued: Option<LedgerId>,
    /// How many ephemeral rows came along.
    pub rows: usize,
    /// How many sealed secrets.
    pub secrets: usize,
    /// How many secrets and rows did not, because they are newer than the state.
    pub left_behind: usize,
}

/// Why a store was not filled.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// One of the two stores fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There are ledgers already.
    #[error("the target holds ledgers already; name a store that holds none")]
    NotEmpty,
    /// Another command began to fill it.
    #[error(
        "`grantd ledger {0}` began to fill the target and is not finished; finish that, or empty the target"
    )]
    Begun(String),
    /// What is there is of something else.
    #[error(
        "realm `{realm}` of the target is no copy of the source's: {what}; empty the target and begin again"
    )]
    Other {
        /// Which realm.
        realm: String,
        /// How that shows.
        what: String,
    },
    /// The source is not what was written.
    #[error("realm `{realm}` cannot be copied: {broken}")]
    Broken {
        /// Which realm.
        realm: String,
        /// What is wrong.
        broken: Broken,
    },
    /// The source holds what this program does not know.
    #[error("realm `{realm}` cannot be copied: {error}")]
    Fold {
        /// Which realm.
        realm: String,
        /// What is wrong.
        error: FoldError,
    },
    /// What was written cannot be verified.
    #[error("the copy of realm `{realm}` cannot be verified: {error}")]
    Verify {
        /// Which realm.
        realm: String,
        /// What is wrong.
        error: VerifyError,
    },
    /// What was written is something else.
    #[error("the copy of realm `{realm}` is not what the source holds: {what}")]
    Differs {
        /// Which realm.
        realm: String,
        /// What is wrong.
        what: String,
    },
    /// It cannot end there.
    #[error("realm `{realm}` ends at revision {end}; it cannot be cut at {until}")]
    Beyond {
        /// Which realm.
        realm: String,
        /// Where it ends.
        end: Revision,
        /// Where it should.
        until: Revision,
    },
    /// What it would be cut from is not there.
    #[error(
        "realm `{realm}` cannot be cut at {until}: its entries up to {base} are in an archive; put them back with \
         `grantd ledger unarchive` first"
    )]
    Archived {
        /// Which realm.
        realm: String,
        /// The last entry that is in an archive.
        base: Revision,
        /// Where it should end.
        until: Revision,
    },
    /// What its ledger begins with cannot be used.
    #[error("realm `{realm}` cannot be copied: {error}")]
    Base {
        /// Which realm.
        realm: String,
        /// What is wrong.
        error: LoadError,
    },
    /// It is not there.
    #[error("the source has no realm `{0}`")]
    NoRealm(String),
    /// Somebody else writes to the target.
    #[error("somebody else writes to the target; let one command fill it at a time")]
    Busy,
    /// The store fails again and again.
    #[error("the target does not say what became of a write: {0}; run the same command again to go on")]
    Unknown(StoreError),
}

/// How often a write of unknown fate is looked into before it is given up.
const ATTEMPTS: usize = 8;

/// Carries the entries over, and nothing else: as often as one likes, while the source is in use.
pub(super) async fn fill_entries<S: Source + ?Sized>(
    source: &S,
    target: &dyn Store,
    filling: &Filling<'_>,
) -> Result<Vec<Filled>, FillError> {
    let mut filled = Vec::new();
    for realm in begin(source, target, filling).await? {
        filled.push(carry(source, target, &realm, filling).await?.filled);
    }
    Ok(filled)
}

/// Carries everything over and verifies it. The ledgers still have the source's ids, and the store is still marked.
pub(super) async fn fill<S: Source + ?Sized>(
    source: &S,
    target: &dyn Store,
    filling: &Filling<'_>,
) -> Result<Vec<Filled>, FillError> {
    let realms = begin(source, target, filling).await?;
    let secrets = source.secrets().await?;
    let mut filled = Vec::new();
    for realm in realms {
        let Carried { filled: mut one, cut, state } = carry(source, target, &realm, filling).await?;
        side::carry(source, target, &mut one, &secrets, cut.then_some(&state)).await?;
        drop(state);
        (filling.told)(Step::Verifying { realm: &realm });
        check(target, &one, &filling.schema).await?;
        filled.push(one);
    }
    Ok(filled)
}

/// Marks the target, if it is empty or was marked by the same command; tells which realms are to be carried over.
async fn begin<S: Source + ?Sized>(
    source: &S,
    target: &dyn Store,
    filling: &Filling<'_>,
) -> Result<Vec<String>, FillError> {
    let all = source.realms().await?;
    let named = filling.realms.iter().chain(filling.until.keys());
    if let Some(missing) = named.into_iter().find(|realm| !all.contains(realm)) {
        return Err(FillError::NoRealm(missing.clone()));
    }
    let wanted = |realm: &String| filling.realms.is_empty() || filling.realms.contains(realm);
    let realms: Vec<_> = all.into_iter().filter(wanted).collect();
    let there = target.realms().await?;
    match target.unfinished().await? {
        Some(command) if command == filling.command => {}
        Some(command) => return Err(FillError::Begun(command)),
        None if !there.is_empty() => return Err(FillError::NotEmpty),
        None => target.set_unfinished(Some(filling.command)).await?,
    }
    match there.into_iter().find(|realm| !realms.contains(realm)) {
        Some(realm) => Err(FillError::Other { realm, what: "it has none of that name".to_owned() }),
        None => Ok(realms),
    }
}

/// Reads what was written, from the first entry on.
async fn check(target: &dyn Store, filled: &Filled, schema: &Arc<Schema>) -> Result<(), FillError> {
    let realm = &filled.realm;
    let verified = verify(target, realm, schema.clone(), &[]).await;
    let verified = verified.map_err(|error| FillError::Verify { realm: realm.clone(), error })?;
    let differs = |what| Err(FillError::Differs { realm: realm.clone(), what });
    if let Some(problem) = verified.problem {
        return differs(problem.what);
    }
    if filled.continued.is_none() && verified.head != filled.end {
        return differs(format!("it ends at revision {}", verified.head.revision));
    }
    if verified.state_hash != filled.state_hash {
        return differs("its state has another hash".to_owned());
    }
    Ok(())
}

/// Appends, and finds out what became of it if the store does not say. `ours`: whether a head is the one that this makes.
async fn append(
    target: &dyn Store,
    append: &Append,
    ours: impl Fn(&Head) -> bool,
) -> Result<Head, FillError> {
    let mut failed = StoreError::Unavailable("it was not tried".to_owned());
    for _ in 0..ATTEMPTS {
        match target.append(append.clone()).await {
            Appended::Durable(head) => return Ok(head),
            // Our own, whose fate was not known.
            Appended::Conflict(head) if ours(&head) => return Ok(head),
            Appended::Conflict(_) | Appended::Untaken(_) => return Err(FillError::Busy),
            Appended::Rejected(error) => return Err(error.into()),
            Appended::Unknown(error) => {
                failed = error;
                target.reopen().await.map_err(FillError::Unknown)?;
            }
        }
    }
    Err(FillError::Unknown(failed))
}
