//! A copy of the whole store.

use std::path::Path;

use grantd_ledger::store::StoreError;

use crate::open::{Location, OpenError, open_sqlite_read_only};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// PostgreSQL has its own way.
    #[error("a PostgreSQL store is backed up with PostgreSQL's own tools, for example `pg_dump`")]
    Postgres,
    /// The copy cannot be made.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes a consistent copy of the store to a file that does not exist yet, beside a running server or without one.
/// The file gets its name when it is whole. The master key is not in it.
pub async fn backup(location: &Location, to: &Path) -> Result<(), BackupError> {
    if location.url.is_some() {
        return Err(BackupError::Postgres);
    }
    Ok(open_sqlite_read_only(location).await?.backup(to).await?)
}
