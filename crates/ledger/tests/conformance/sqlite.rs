//! The embedded store in a directory that goes away with the test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use grantd_ledger::sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

use crate::world::{Tamper, World};

pub(crate) struct Subject {
    store: Arc<SqliteStore>,
    dir: TempDir,
}

pub(crate) async fn subject() -> Subject {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(open(dir.path()).await);
    Subject { store, dir }
}

pub(crate) async fn open(dir: &Path) -> SqliteStore {
    SqliteStore::open(dir, SqliteOptions::default()).await.unwrap()
}

impl Subject {
    pub(crate) fn world(&self) -> World {
        World {
            store: Arc::clone(&self.store) as _,
            tamper: Arc::new(Shell { file: self.dir.path().join("grantd.db") }),
        }
    }
}

pub(crate) struct Shell {
    pub(crate) file: PathBuf,
}

#[async_trait]
impl Tamper for Shell {
    async fn run(&self, sql: &str) {
        rusqlite::Connection::open(&self.file).unwrap().execute_batch(sql).unwrap();
    }
}
