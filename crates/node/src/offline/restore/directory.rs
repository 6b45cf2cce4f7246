//! A backup put into an empty data directory.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use grantd_ledger::source::Source;
use grantd_ledger::sqlite::{SqliteOptions, SqliteStore};
use grantd_ledger::store::Store;
use grantd_realm::engine::Schema;

use super::{Continued, RestoreError, Restoring, carry};
use crate::offline::fill::continue_one;
use crate::offline::key::{self, MASTER_KEY};
use crate::offline::verify::verify;

/// Here the copy is made ready. It gets its place when it is: no server can start on a copy that still has the
/// original's ledger ids.
const STAGING: &str = ".restoring";

/// The backup in it.
const WHOLE: &str = "whole";

const LOCK: &str = "grantd.lock";

pub(super) async fn restore(restoring: &Restoring<'_>, data: &Path) -> Result<Vec<Continued>, RestoreError> {
    check_empty(data)?;
    let staging = data.join(STAGING);
    remove(&staging)?;
    let prepared = prepare(restoring, data, &staging).await;
    if prepared.is_err() {
        remove(&staging)?;
    }
    let Prepared { continued, key, file } = prepared?;
    if let Some(bytes) = key {
        key::put(&data.join(MASTER_KEY), &bytes)?;
    }
    let place = data.join(SqliteStore::FILE);
    fs::rename(&file, &place).and_then(|()| sync(data)).map_err(|error| about(&place, error))?;
    remove(&staging)?;
    Ok(continued)
}

struct Prepared {
    continued: Vec<Continued>,
    /// The key's bytes, if it has to be copied.
    key: Option<Vec<u8>>,
    /// What has to get its place.
    file: PathBuf,
}

async fn prepare(restoring: &Restoring<'_>, data: &Path, staging: &Path) -> Result<Prepared, RestoreError> {
    let whole = staging.join(WHOLE);
    SqliteStore::restore(restoring.from, &whole).await?;
    let backup = SqliteStore::open(&whole, SqliteOptions::default()).await?;
    let prepared = prepare_from(restoring, &backup, data, staging).await;
    let closed = backup.close().await;
    let (continued, key, dir) = prepared?;
    closed?;
    Ok(Prepared { continued, key, file: dir.join(SqliteStore::FILE) })
}

async fn prepare_from(
    restoring: &Restoring<'_>,
    backup: &SqliteStore,
    data: &Path,
    staging: &Path,
) -> Result<(Vec<Continued>, Option<Vec<u8>>, PathBuf), RestoreError> {
    check_whole(backup).await?;
    let key = key_to_put(backup, data, restoring.key).await?;
    if restoring.until.is_empty() {
        return Ok((go_on(backup, &restoring.schema).await?, key, staging.join(WHOLE)));
    }
    // Another store is made of it, without what is newer.
    let cut = staging.join("cut");
    let target = SqliteStore::open(&cut, SqliteOptions::default()).await?;
    let continued = carry(backup, &target, restoring).await;
    let closed = target.close().await;
    let continued = continued?;
    closed?;
    Ok((continued, key, cut))
}

/// Whether the store was finished when it was backed up.
pub(super) async fn check_whole(backup: &SqliteStore) -> Result<(), RestoreError> {
    match backup.unfinished().await? {
        None => Ok(()),
        Some(command) => Err(RestoreError::Unfinished(command)),
    }
}

async fn key_to_put(
    backup: &SqliteStore,
    data: &Path,
    given: Option<&Path>,
) -> Result<Option<Vec<u8>>, RestoreError> {
    let there = data.join(MASTER_KEY);
    let secrets = backup.secrets().await?;
    for path in given.into_iter().chain(Some(&*there).filter(|path| path.exists())) {
        key::check(path, &secrets)?;
    }
    Ok(match given {
        Some(given) => key::to_be_put(given, &there, &secrets)?,
        None => None,
    })
}

/// The whole backup goes on where it is.
async fn go_on(backup: &SqliteStore, schema: &Arc<Schema>) -> Result<Vec<Continued>, RestoreError> {
    let mut continued = Vec::new();
    for realm in backup.realms().await? {
        let verified = verify(backup, &realm, schema.clone(), &[]).await?;
        if let Some(problem) = verified.problem {
            return Err(RestoreError::Broken { realm, what: problem.what });
        }
        let head = continue_one(backup, &realm, backup.head(&realm).await?).await?;
        let (ledger_id, revision, state_hash) = (head.ledger_id, head.revision, verified.state_hash);
        continued.push(Continued { realm, ledger_id, revision, state_hash, left_behind: 0 });
    }
    Ok(continued)
}

/// The key may be there already, and what an interrupted attempt left.
fn check_empty(data: &Path) -> Result<(), RestoreError> {
    let files = match fs::read_dir(data) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        files => files.map_err(|error| about(data, error))?,
    };
    for file in files {
        let name = file.map_err(|error| about(data, error))?.file_name();
        if ![MASTER_KEY, LOCK, STAGING].iter().any(|known| name == *known) {
            return Err(RestoreError::NotEmpty(data.to_owned()));
        }
    }
    Ok(())
}

pub(super) fn remove(staging: &Path) -> Result<(), RestoreError> {
    match fs::remove_dir_all(staging) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(about(staging, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn sync(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

fn about(path: &Path, error: std::io::Error) -> RestoreError {
    RestoreError::File { path: path.to_owned(), error }
}
