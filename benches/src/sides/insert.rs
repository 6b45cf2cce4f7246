//! What the durable writes are measured against: one INSERT per transaction into the same kind of store.

use std::path::Path;
use std::time::{Duration, Instant};

/// Inserts for so long, one row a transaction, and prints the rows a second.
pub(crate) fn insert_for(file: &Path, seconds: f64) -> anyhow::Result<()> {
    let db = rusqlite::Connection::open(file)?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE IF NOT EXISTS relationship (resource TEXT, relation TEXT, subject TEXT,
             PRIMARY KEY (resource, relation, subject)) WITHOUT ROWID",
    )?;
    let mut insert = db.prepare("INSERT OR REPLACE INTO relationship VALUES (?1, 'member', ?2)")?;
    let before: i64 = db.query_row("SELECT count(*) FROM relationship", [], |row| row.get(0))?;
    let start = Instant::now();
    let mut rows = 0;
    while start.elapsed() < Duration::from_secs_f64(seconds) {
        insert
            .execute([format!("role:bench-{:06}", rows / 100), format!("user:new-{:010}", before + rows)])?;
        rows += 1;
    }
    println!("{}", rows as f64 / start.elapsed().as_secs_f64());
    Ok(())
}
