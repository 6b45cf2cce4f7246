//! Entries put back into the ledger that they were taken from.

use std::path::Path;
use std::sync::Arc;

use grantd_ledger::base::Unarchiving;
use grantd_ledger::entry::Revision;
use grantd_ledger::store::{Store, StoreError};
use grantd_realm::engine::Schema;

use super::archive_file::{ArchiveFileError, Chained, Whole, as_store_error, open};
use crate::load::{LoadError, read_base};

/// What was put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unarchived {
    /// The first entry that came back: the ledger begins with it now.
    pub first: Revision,
    /// The last one.
    pub last: Revision,
}

/// Why nothing was put back.
#[derive(Debug, thiserror::Error)]
pub enum UnarchiveError {
    /// The file is wrong.
    #[error(transparent)]
    File(#[from] ArchiveFileError),
    /// It is of something else.
    #[error("the archive is of realm `{0}`; name that one with --realm")]
    OtherRealm(String),
    /// There is nothing to put back to.
    #[error("no entry of the ledger is in an archive; nothing has to be put back")]
    NoArchive,
    /// Another archive comes first.
    #[error(
        "the archive ends with revision {end}, the ledger begins behind revision {base}; put back the archive that ends there, \
         and then the ones before it, the newest first"
    )]
    NotTheLast {
        /// The last entry of the file.
        end: Revision,
        /// The last entry that is in an archive.
        base: Revision,
    },
    /// It ends at the right revision, with another entry.
    #[error("the archive is of another ledger: its last entry is not the one that this ledger begins behind")]
    OtherLedger,
    /// What the ledger would begin with cannot be used.
    #[error("what the archive begins with cannot be used: {0}")]
    Begin(LoadError),
    /// The store fails. Its words say if it is not known whether it was done.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts the entries of an archive back, which must be the last one that was taken. The file stays.
pub async fn unarchive(
    store: &dyn Store,
    realm: &str,
    schema: Arc<Schema>,
    from: &Path,
) -> Result<Unarchived, UnarchiveError> {
    let whole = Whole::read(from)?;
    if whole.realm != realm {
        return Err(UnarchiveError::OtherRealm(whole.realm));
    }
    let base = store.base(realm).await?.ok_or(UnarchiveError::NoArchive)?.head;
    let end = whole.end.base.head;
    if end.revision != base.revision {
        return Err(UnarchiveError::NotTheLast { end: end.revision, base: base.revision });
    }
    if end != base {
        return Err(UnarchiveError::OtherLedger);
    }
    if let Some(begin) = &whole.begin {
        read_base(store, realm, begin.clone(), &schema).await.map_err(UnarchiveError::Begin)?;
    }
    let first = whole.begin_head().map_or(1, |head| head.revision.saturating_add(1));
    let entries = Chained::of(open(from)?).map(|entry| entry.map_err(|error| as_store_error(&error)));
    let (realm, from) = (realm.to_owned(), base.revision);
    store.unarchive(Unarchiving { realm, from, to: whole.begin, entries: Box::new(entries) }).await?;
    Ok(Unarchived { first, last: base.revision })
}
