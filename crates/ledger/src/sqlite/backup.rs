//! Copies of the whole store: made while it runs, and put into an empty data directory.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, backup::Backup, backup::StepResult};

use super::SqliteStore;
use super::error::{io_error, store_error};
use super::lock::DirectoryLock;
use super::open::{file_in, make_dir, make_file, sync_dir};
use super::options::system_clock;
use crate::store::StoreError;

/// Usual name of the master key's file, which is no part of the store.
const KEY_FILE: &str = "master.key";

impl SqliteStore {
    /// Writes a consistent copy of the store to the file `to`, while others go on reading and writing. The copy gets its
    /// name when it is whole and synced. It holds the sealed secrets, but not the key to them.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when `to` exists; whatever reading and writing files may meet.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let to = to.to_owned();
        self.readers.read(move |conn| write_copy(conn, &to)).await
    }

    /// Puts a copy made by [`SqliteStore::backup`] into an empty data directory. Its realms must then be continued
    /// under new ids, see [`crate::store::Append::continue_as`]: the original may have gone on since.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the directory is not empty; [`StoreError::Damaged`] when the copy is.
    pub async fn restore(backup: &Path, dir: &Path) -> Result<(), StoreError> {
        let (backup, dir) = (backup.to_owned(), dir.to_owned());
        tokio::task::spawn_blocking(move || place_copy(&backup, &dir))
            .await
            .map_err(|_| StoreError::Unavailable("restoring was broken off".to_owned()))?
    }
}

fn write_copy(conn: &Connection, to: &Path) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::Invalid("the backup file exists already; choose another name".to_owned()));
    }
    let part = Part::beside(to)?;
    let copied = copy_pages(conn, &part.path).map_err(|error| store_error(&error))?;
    if !copied {
        return Err(StoreError::Unavailable("the store is locked by another program; try again".to_owned()));
    }
    part.finish(to)
}

/// All pages in one step: it holds one read view for the whole copy, and in WAL mode that stops no writer.
fn copy_pages(conn: &Connection, to: &Path) -> rusqlite::Result<bool> {
    let mut copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let done = Backup::new(conn, &mut copy)?.step(-1)? == StepResult::Done;
    copy.close().map_err(|(_, error)| error)?;
    Ok(done)
}

fn place_copy(backup: &Path, dir: &Path) -> Result<(), StoreError> {
    make_dir(dir)?;
    check_empty(dir)?;
    let _lock = DirectoryLock::take(dir, system_clock())?;
    let to = file_in(dir);
    let part = Part::beside(&to)?;
    std::fs::copy(backup, &part.path).map_err(|error| io_error("cannot copy the backup", &error))?;
    check_copy(&part.path)?;
    part.finish(&to)
}

/// The key to the secrets may be there already, and the empty lock of an earlier attempt.
fn check_empty(dir: &Path) -> Result<(), StoreError> {
    let unreadable = |error: std::io::Error| io_error("cannot read the data directory", &error);
    for file in std::fs::read_dir(dir).map_err(unreadable)? {
        let name = file.map_err(unreadable)?.file_name();
        if name != KEY_FILE && name != super::lock::FILE {
            return Err(StoreError::Invalid(
                "the data directory is not empty; restore into a new one".to_owned(),
            ));
        }
    }
    Ok(())
}

fn check_copy(path: &Path) -> Result<(), StoreError> {
    let check = || {
        let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        let tables: i64 = conn.query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name IN ('ledger', 'entry')",
            [],
            |row| row.get(0),
        )?;
        conn.close().map_err(|(_, error)| error)?;
        Ok(verdict == "ok" && tables == 2)
    };
    match check() {
        Ok(true) => Ok(()),
        Ok(false) => Err(StoreError::Damaged("the backup is not a whole store".to_owned())),
        Err(error) => Err(store_error(&error)),
    }
}

/// A file that is not finished; it goes away again unless it gets its final name.
struct Part {
    path: PathBuf,
    finished: bool,
}

impl Part {
    fn beside(to: &Path) -> Result<Self, StoreError> {
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let path = to.with_file_name(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io_error("cannot remove an unfinished copy", &error));
            }
            Ok(()) | Err(_) => {}
        }
        make_file(&path)?;
        Ok(Self { path, finished: false })
    }

    fn finish(mut self, to: &Path) -> Result<(), StoreError> {
        File::open(&self.path)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&self.path, to))
            .map_err(|error| io_error("cannot finish the copy", &error))?;
        self.finished = true;
        match to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => sync_dir(parent),
            None => sync_dir(Path::new(".")),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.finished {
            // Best effort: the name says what it is, and the next copy removes it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
