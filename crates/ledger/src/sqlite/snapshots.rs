//! State snapshots: written piece by piece, so that the writer can commit appends in between.

use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteStore;
use super::apply::signed;
use super::error::store_error;
use crate::chunks::{Chunk, Joiner, PIECE, check, count, hash_column, overtaken, pack};
use crate::store::{SnapshotMeta, StoreError};

pub(super) async fn put(
    store: &SqliteStore,
    realm: &str,
    meta: &SnapshotMeta,
    state: &[u8],
) -> Result<(), StoreError> {
    check(meta, state)?;
    let chunks = i64::try_from(count(state.len())).unwrap_or(i64::MAX);
    let (name, begun) = (realm.to_owned(), meta.clone());
    let id = store.write(move |conn| begin(conn, &name, &begun, chunks)).await?;
    for (number, piece) in (0_i64..).zip(state.chunks(PIECE)) {
        let piece = piece.to_vec();
        let chunk = tokio::task::spawn_blocking(move || pack(&piece))
            .await
            .map_err(|_| StoreError::Unavailable("compressing was broken off".to_owned()))??;
        store.write(move |conn| add(conn, id, number, &chunk)).await?;
    }
    let (name, revision) = (realm.to_owned(), meta.revision);
    let replaced = store.write(move |conn| finish(conn, &name, id, revision)).await?;
    for id in replaced {
        while store.write(move |conn| remove_piece(conn, id)).await? {}
    }
    Ok(())
}

fn begin(conn: &Connection, realm: &str, meta: &SnapshotMeta, chunks: i64) -> Result<i64, StoreError> {
    let fence: Option<i64> = conn
        .prepare_cached("SELECT fence FROM ledger WHERE realm = ?1")
        .and_then(|mut statement| statement.query_row([realm], |row| row.get(0)).optional())
        .map_err(|error| store_error(&error))?;
    let fence = fence.ok_or_else(|| StoreError::NoLedger(realm.to_owned()))?;
    if signed(meta.revision) < fence {
        return Err(overtaken());
    }
    conn.execute(
        "INSERT INTO snapshot (realm, format, revision, head_hash, state_hash, length, chunks, whole)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
        params![
            realm,
            meta.format,
            signed(meta.revision),
            meta.head_hash.0,
            meta.state_hash.0,
            signed(meta.length),
            chunks
        ],
    )
    .map_err(|error| store_error(&error))?;
    Ok(conn.last_insert_rowid())
}

fn add(conn: &Connection, id: i64, number: i64, chunk: &Chunk) -> Result<(), StoreError> {
    // An erasure takes the unfinished snapshot's row away, and then nothing is inserted.
    let added = conn
        .execute(
            "INSERT INTO snapshot_chunk (snapshot, number, checksum, bytes)
             SELECT id, ?2, ?3, ?4 FROM snapshot WHERE id = ?1",
            params![id, number, chunk.checksum, chunk.bytes],
        )
        .map_err(|error| store_error(&error))?;
    if added == 1 { Ok(()) } else { Err(overtaken()) }
}

/// Makes the new one count and the older ones not; tells which are to be removed.
fn finish(conn: &mut Connection, realm: &str, id: i64, revision: u64) -> Result<Vec<i64>, StoreError> {
    let mut work = || {
        let change = conn.transaction()?;
        if change.execute("UPDATE snapshot SET whole = 1 WHERE id = ?1", [id])? == 0 {
            return Ok(None);
        }
        change.execute(
            "UPDATE snapshot SET whole = 0 WHERE realm = ?1 AND id <> ?2 AND revision <= ?3",
            params![realm, id, signed(revision)],
        )?;
        let replaced = change
            .prepare_cached("SELECT id FROM snapshot WHERE realm = ?1 AND id < ?2 AND whole = 0")?
            .query_map(params![realm, id], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<i64>>>()?;
        change.commit()?;
        Ok(Some(replaced))
    };
    work().map_err(|error: rusqlite::Error| store_error(&error))?.ok_or_else(overtaken)
}

/// Removes one piece, or the row of a snapshot without pieces; whether there may be more.
fn remove_piece(conn: &mut Connection, id: i64) -> Result<bool, StoreError> {
    let work = || {
        let removed = conn.execute(
            "DELETE FROM snapshot_chunk WHERE snapshot = ?1
             AND number = (SELECT min(number) FROM snapshot_chunk WHERE snapshot = ?1)",
            [id],
        )?;
        if removed == 0 {
            conn.execute("DELETE FROM snapshot WHERE id = ?1", [id])?;
        }
        Ok(removed > 0)
    };
    work().map_err(|error: rusqlite::Error| store_error(&error))
}

/// The newest one that is whole, belongs to this ledger, and whose pieces are right.
pub(super) fn newest(
    conn: &mut Connection,
    realm: &str,
) -> Result<Option<(SnapshotMeta, Vec<u8>)>, StoreError> {
    let view = conn.transaction().map_err(|error| store_error(&error))?;
    for (id, chunks, meta) in candidates(&view, realm).map_err(|error| store_error(&error))? {
        if let Some(state) = read(&view, id, chunks, &meta).map_err(|error| store_error(&error))? {
            return Ok(Some((meta, state)));
        }
        tracing::warn!(realm, revision = meta.revision, "a state snapshot is damaged; it counts as none");
    }
    Ok(None)
}

type Candidate = (i64, i64, SnapshotMeta);

fn candidates(conn: &Connection, realm: &str) -> rusqlite::Result<Vec<Candidate>> {
    let mut statement = conn.prepare(
        "SELECT s.id, s.chunks, s.format, s.revision, s.head_hash, s.state_hash, s.length FROM snapshot s
         LEFT JOIN entry e ON e.realm = s.realm AND e.revision = s.revision
         WHERE s.realm = ?1 AND s.whole = 1 AND (s.revision = 0 OR e.hash = s.head_hash)
         ORDER BY s.revision DESC, s.id DESC",
    )?;
    let mut rows = statement.query([realm])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let head_hash = hash_column(row.get(4)?);
        let state_hash = hash_column(row.get(5)?);
        let (Some(head_hash), Some(state_hash)) = (head_hash, state_hash) else { continue };
        let meta = SnapshotMeta {
            format: row.get(2)?,
            revision: row.get::<_, i64>(3)?.unsigned_abs(),
            head_hash,
            state_hash,
            length: row.get::<_, i64>(6)?.unsigned_abs(),
        };
        found.push((row.get(0)?, row.get(1)?, meta));
    }
    Ok(found)
}

fn read(conn: &Connection, id: i64, chunks: i64, meta: &SnapshotMeta) -> rusqlite::Result<Option<Vec<u8>>> {
    let Some(mut joiner) = Joiner::new(meta) else { return Ok(None) };
    let mut statement = conn.prepare_cached(
        "SELECT number, checksum, bytes FROM snapshot_chunk WHERE snapshot = ?1 ORDER BY number",
    )?;
    let mut rows = statement.query([id])?;
    let mut expected = 0_i64;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        let checksum = row.get_ref(1)?.as_blob()?;
        let bytes = row.get_ref(2)?.as_blob()?;
        if number != expected || joiner.push(checksum, bytes).is_none() {
            return Ok(None);
        }
        expected += 1;
    }
    Ok(if expected == chunks { joiner.finish() } else { None })
}
