//! A backup put into a PostgreSQL database that holds no ledgers. Broken off, the same call goes on.

use grantd_ledger::source::Source;
use grantd_ledger::sqlite::{SqliteOptions, SqliteStore};
use grantd_ledger::store::Store;
use uuid::Uuid;

use super::directory::{check_whole, remove};
use super::{Continued, RestoreError, Restoring, carry};
use crate::offline::key;
use crate::open::open_target;

pub(super) async fn restore(restoring: &Restoring<'_>) -> Result<Vec<Continued>, RestoreError> {
    // A copy is read, so that the backup stays as it is: one from before must be brought to the present format.
    let staging = std::env::temp_dir().join(format!("grantd-restore-{}", Uuid::new_v4()));
    let restored = with_copy(restoring, &staging).await;
    remove(&staging)?;
    restored
}

async fn with_copy(
    restoring: &Restoring<'_>,
    staging: &std::path::Path,
) -> Result<Vec<Continued>, RestoreError> {
    SqliteStore::restore(restoring.from, staging).await?;
    let backup = SqliteStore::open(staging, SqliteOptions::default()).await?;
    let restored = from_backup(restoring, &backup).await;
    backup.close().await?;
    restored
}

async fn from_backup(
    restoring: &Restoring<'_>,
    backup: &SqliteStore,
) -> Result<Vec<Continued>, RestoreError> {
    check_whole(backup).await?;
    if let Some(path) = restoring.key {
        key::check(path, &backup.secrets().await?)?;
    }
    let target = open_target(restoring.to).await.map_err(RestoreError::Target)?;
    let restored = carry(backup, &*target, restoring).await;
    let closed = target.close().await;
    let restored = restored?;
    closed?;
    Ok(restored)
}
