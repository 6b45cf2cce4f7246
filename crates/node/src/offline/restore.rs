//! A backup put into a store that holds nothing, to go on as ledgers of their own.

mod database;
mod directory;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use grantd_ledger::entry::{Hash, LedgerId, Revision};
use grantd_ledger::sqlite::SqliteStore;
use grantd_ledger::store::{Head, Store, StoreError};
use grantd_realm::engine::Schema;

use super::fill::{FillError, Filled, Filling, Told, continue_all, fill};
use super::key::KeyError;
use super::verify::VerifyError;
use crate::open::{Location, OpenError};

/// The command, as an unfinished target names it.
const COMMAND: &str = "restore";

/// What to put where.
pub struct Restoring<'a> {
    /// The backup.
    pub from: &'a Path,
    /// An empty data directory, or a database without ledgers.
    pub to: &'a Location,
    /// Where these ledgers shall end. What is newer is left behind, with everything that could grant something by it.
    pub until: &'a BTreeMap<String, Revision>,
    /// The key that opens the backup's secrets.
    pub key: Option<&'a Path>,
    /// The permission models.
    pub schema: Arc<Schema>,
    /// Told how far it is.
    pub told: &'a Told<'a>,
}

impl<'a> Restoring<'a> {
    fn filling(&self) -> Filling<'a> {
        let (until, told) = (self.until, self.told);
        Filling { command: COMMAND, realms: &[], until, schema: self.schema.clone(), told }
    }
}

/// A realm that goes on under a new ledger id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continued {
    /// Its name.
    pub realm: String,
    /// The new id.
    pub ledger_id: LedgerId,
    /// Revision of the entry that says so.
    pub revision: Revision,
    /// Hash of the state, the same as in the original.
    pub state_hash: Hash,
    /// How many rows and secrets are not there, because the ledger was cut and they were newer.
    pub left_behind: usize,
}

impl Continued {
    fn of(filled: Filled, head: Head) -> Self {
        Self {
            realm: filled.realm,
            ledger_id: head.ledger_id,
            revision: head.revision,
            state_hash: filled.state_hash,
            left_behind: filled.left_behind,
        }
    }
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There may be a store in it.
    #[error("`{0}` is not empty; restore into a new directory")]
    NotEmpty(PathBuf),
    /// A file cannot be read or written.
    #[error("`{path}`: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The database cannot be opened.
    #[error("the target: {0}")]
    Target(OpenError),
    /// It was made of half of a store.
    #[error("the backup was made while `grantd ledger {0}` was not finished; make another one")]
    Unfinished(String),
    /// The backup, or the copy of it, fails.
    #[error("the backup cannot be restored: {0}")]
    Store(#[from] StoreError),
    /// The backup cannot be verified.
    #[error("the backup cannot be restored: {0}")]
    Verify(#[from] VerifyError),
    /// The backup is not what was written.
    #[error("the backup cannot be restored: realm `{realm}`: {what}")]
    Broken {
        /// Which realm.
        realm: String,
        /// What is wrong.
        what: String,
    },
    /// Something is wrong with the master key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It cannot be carried over or go on.
    #[error("the backup cannot be restored: {0}")]
    Fill(#[from] FillError),
}

/// Puts a backup into place and gives each realm a new ledger id, because the original may have gone on since. Into a
/// data directory the key is copied too, unless it is there already, after a look whether it opens the secrets.
pub async fn restore(restoring: &Restoring<'_>) -> Result<Vec<Continued>, RestoreError> {
    match restoring.to.url {
        None => directory::restore(restoring, &restoring.to.data).await,
        Some(_) => database::restore(restoring).await,
    }
}

/// Fills the target with what shall be of the backup, and lets its ledgers go on.
async fn carry(
    backup: &SqliteStore,
    target: &dyn Store,
    restoring: &Restoring<'_>,
) -> Result<Vec<Continued>, FillError> {
    let mut filled = fill(backup, target, &restoring.filling()).await?;
    let heads = continue_all(target, &mut filled).await?;
    Ok(filled.into_iter().zip(heads).map(|(one, head)| Continued::of(one, head)).collect())
}
