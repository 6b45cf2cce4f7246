//! Opening the file: settings of a connection, migrations, and making sure that what can be read is durable.

use std::fs::{DirBuilder, File, OpenOptions};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::error::{io_error, store_error};
use super::options::{SqliteOptions, Synchronous};
use crate::store::StoreError;

mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

/// The store's file in a data directory.
pub(super) const FILE: &str = "grantd.db";

/// Makes the directory if need be, for its owner only.
pub(super) fn make_dir(dir: &Path) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| io_error("cannot make the data directory", &error))?;
    if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        sync_dir(parent)?;
    }
    Ok(())
}

/// Makes an empty file that only its owner can read; SQLite gives its log the same mode.
pub(super) fn make_file(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io_error("cannot make the file of the store", &error)),
    }
}

/// Makes a new or renamed name in `dir` durable.
pub(super) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| io_error("cannot sync a directory", &error))
}

/// The connection that writes, of a store that is ready: migrated, and with nothing in its log.
pub(super) fn open_writer(path: &Path, options: &SqliteOptions) -> Result<Connection, StoreError> {
    let mut conn = connect(path, options).map_err(|error| store_error(&error))?;
    migrate(&mut conn)?;
    Ok(conn)
}

/// A connection that only reads.
pub(super) fn open_reader(path: &Path, options: &SqliteOptions) -> Result<Connection, StoreError> {
    connect(path, options)
        .and_then(|conn| {
            conn.pragma_update(None, "query_only", true)?;
            Ok(conn)
        })
        .map_err(|error| store_error(&error))
}

/// A connection that could not write if it wanted to: beside the process that holds the store, or without one. Closing it
/// leaves the log as it is.
pub(super) fn open_read_only(path: &Path, options: &SqliteOptions) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(options.busy_timeout)?;
        conn.pragma_update(None, "trusted_schema", false)?;
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        conn.set_prepared_statement_cache_capacity(64);
        Ok(conn)
    };
    open().map_err(|error| store_error(&error))
}

fn connect(path: &Path, options: &SqliteOptions) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(options.busy_timeout)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    let synchronous = match options.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Off => "OFF",
    };
    conn.pragma_update(None, "synchronous", synchronous)?;
    conn.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    // Sorting must not leave values in files of the temporary directory.
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    // The writer checkpoints by itself, after it has answered.
    conn.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Whether the store has this program's very format, for who may not bring it there.
pub(super) fn check_format(conn: &Connection) -> Result<(), StoreError> {
    let known = i64::from(known_format());
    match found_format(conn)? {
        Some(found) if found == known => Ok(()),
        Some(found) if found > known => Err(StoreError::TooNew { found, known }),
        Some(_) | None => Err(StoreError::Unavailable(
            "it has an older format; start the server on it once with this version".to_owned(),
        )),
    }
}

fn known_format() -> i32 {
    let runner = embedded::migrations::runner();
    runner.get_migrations().iter().map(refinery::Migration::version).max().unwrap_or_default()
}

/// The format of the store; none in a new file.
fn found_format(conn: &Connection) -> Result<Option<i64>, StoreError> {
    let read = || {
        let is_new: bool = conn.query_row(
            "SELECT count(*) = 0 FROM sqlite_schema WHERE name = 'refinery_schema_history'",
            [],
            |row| row.get(0),
        )?;
        if is_new {
            return Ok(None);
        }
        let newest = "SELECT coalesce(max(version), 0) FROM refinery_schema_history";
        conn.query_row(newest, [], |row| row.get(0)).map(Some)
    };
    read().map_err(|error: rusqlite::Error| store_error(&error))
}

fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    let known = i64::from(known_format());
    match found_format(conn)? {
        Some(found) if found > known => return Err(StoreError::TooNew { found, known }),
        Some(found) if found == known => return Ok(()),
        Some(_) | None => {}
    }
    // Grouped: a migration and the record of it are one transaction, or a full disk in between would leave tables that
    // the next start makes again.
    let runner = embedded::migrations::runner().set_grouped(true);
    runner.run(conn).map(|_| ()).map_err(|error| {
        StoreError::Unavailable(format!("cannot bring the store to its present format: {error}"))
    })
}

/// Whether the log may be left in place when there is no room to fold it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settle {
    /// Everything readable must be made durable now.
    Strict,
    /// No sync has failed since the last time, so every commit in the log was synced when it was made.
    LogIsSynced,
}

/// Makes everything that can be read durable.
///
/// After a failed sync the kernel may call pages clean that never reached the disk: SQLite then recovers a commit from
/// its log that reads well and is gone after a power cut. So the log is folded back into the file, which writes each
/// page anew, and the file is synced. Only when that succeeded may anybody read.
pub(super) fn settle(conn: &Connection, settle: Settle) -> Result<(), StoreError> {
    match truncate_log(conn) {
        Err(StoreError::Full(_)) if settle == Settle::LogIsSynced => Ok(()),
        result => result,
    }
}

/// Folds the log back into the file, syncs it and cuts the log to nothing.
pub(super) fn truncate_log(conn: &Connection) -> Result<(), StoreError> {
    let busy: i64 = conn
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(|error| store_error(&error))?;
    if busy == 0 {
        Ok(())
    } else {
        Err(StoreError::Unavailable("the log of the store is held by another process; end it".to_owned()))
    }
}

/// Path of the store's file.
pub(super) fn file_in(dir: &Path) -> PathBuf {
    dir.join(FILE)
}
