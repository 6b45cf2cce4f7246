//! State snapshots: written piece by piece, each a statement of its own, and read in one view.

use tokio_postgres::{Error, IsolationLevel, Transaction};

use super::PostgresStore;
use super::error::store_error;
use super::read::signed;
use super::session::Session;
use crate::chunks::{Joiner, PIECE, check, count, hash_column, overtaken, pack};
use crate::store::{SnapshotMeta, StoreError};

pub(super) async fn put(
    store: &PostgresStore,
    realm: &str,
    meta: &SnapshotMeta,
    state: &[u8],
) -> Result<(), StoreError> {
    check(meta, state)?;
    let id = begin(store, realm, meta, count(state.len())).await?;
    for (number, piece) in (0_i64..).zip(state.chunks(PIECE)) {
        let piece = piece.to_vec();
        let chunk = tokio::task::spawn_blocking(move || pack(&piece))
            .await
            .map_err(|_| StoreError::Unavailable("compressing was broken off".to_owned()))??;
        // An erasure takes the unfinished snapshot's row away, and then nothing is inserted.
        let added = store
            .change(async |client| {
                client
                    .execute(
                        "INSERT INTO snapshot_chunk (snapshot, number, checksum, bytes)
                         SELECT id, $2, $3, $4 FROM snapshot WHERE id = $1",
                        &[&id, &number, &chunk.checksum.as_slice(), &chunk.bytes],
                    )
                    .await
            })
            .await?;
        if added == 0 {
            return Err(overtaken());
        }
    }
    let whole = store.change(async |client| finish(client, realm, id, meta.revision).await).await?;
    if whole { Ok(()) } else { Err(overtaken()) }
}

async fn begin(
    store: &PostgresStore,
    realm: &str,
    meta: &SnapshotMeta,
    chunks: usize,
) -> Result<i64, StoreError> {
    let begun = store.change(async |client| {
        // Held until the row is there: an erasure either moved the fence before, or finds the row and removes it.
        let fence = "SELECT fence FROM ledger WHERE realm = $1 FOR SHARE";
        let Some(row) = client.query_opt(fence, &[&realm]).await? else {
            return Ok(Err(StoreError::NoLedger(realm.to_owned())));
        };
        if signed(meta.revision) < row.try_get::<_, i64>(0)? {
            return Ok(Err(overtaken()));
        }
        let id: i64 = client
            .query_one(
                "INSERT INTO snapshot (realm, format, revision, head_hash, state_hash, length, chunks, whole)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 0) RETURNING id",
                &[
                    &realm,
                    &i64::from(meta.format),
                    &signed(meta.revision),
                    &meta.head_hash.0.as_slice(),
                    &meta.state_hash.0.as_slice(),
                    &signed(meta.length),
                    &i64::try_from(chunks).unwrap_or(i64::MAX),
                ],
            )
            .await?
            .try_get(0)?;
        Ok(Ok(id))
    });
    begun.await?
}

/// Makes the new one count and removes the older ones; whether the new one was still there.
async fn finish(client: &Session, realm: &str, id: i64, revision: u64) -> Result<bool, Error> {
    if client.execute("UPDATE snapshot SET whole = 1 WHERE id = $1", &[&id]).await? == 0 {
        return Ok(false);
    }
    client
        .execute(
            "DELETE FROM snapshot WHERE realm = $1 AND id < $2 AND (revision <= $3 OR whole = 0)",
            &[&realm, &id, &signed(revision)],
        )
        .await?;
    Ok(true)
}

/// The newest one that is whole, belongs to this ledger, and whose pieces are right.
pub(super) async fn newest(
    store: &PostgresStore,
    realm: &str,
) -> Result<Option<(SnapshotMeta, Vec<u8>)>, StoreError> {
    let mut client = store.client().await?;
    let work = async {
        let view = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await?;
        let mut newest = None;
        for (id, chunks, meta) in candidates(&view, realm).await? {
            if let Some(state) = read(&view, id, chunks, &meta).await? {
                newest = Some((meta, state));
                break;
            }
            tracing::warn!(realm, revision = meta.revision, "a state snapshot is damaged; it counts as none");
        }
        view.rollback().await?;
        Ok(newest)
    };
    work.await.map_err(|error: Error| store_error(&error))
}

async fn candidates(view: &Transaction<'_>, realm: &str) -> Result<Vec<(i64, i64, SnapshotMeta)>, Error> {
    let rows = view
        .query(
            "SELECT s.id, s.chunks, s.format, s.revision, s.head_hash, s.state_hash, s.length FROM snapshot s
             LEFT JOIN entry e ON e.realm = s.realm AND e.revision = s.revision
             WHERE s.realm = $1 AND s.whole = 1 AND (s.revision = 0 OR e.hash = s.head_hash)
             ORDER BY s.revision DESC, s.id DESC",
            &[&realm],
        )
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let (format, hashes) =
            (row.try_get::<_, i64>(2)?, (hash_column(row.try_get(4)?), hash_column(row.try_get(5)?)));
        let (Ok(format), (Some(head_hash), Some(state_hash))) = (u32::try_from(format), hashes) else {
            continue;
        };
        let revision = row.try_get::<_, i64>(3)?.unsigned_abs();
        let length = row.try_get::<_, i64>(6)?.unsigned_abs();
        let meta = SnapshotMeta { format, revision, head_hash, state_hash, length };
        found.push((row.try_get(0)?, row.try_get(1)?, meta));
    }
    Ok(found)
}

async fn read(
    view: &Transaction<'_>,
    id: i64,
    chunks: i64,
    meta: &SnapshotMeta,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(mut joiner) = Joiner::new(meta) else { return Ok(None) };
    for number in 0..chunks {
        let row = view
            .query_opt(
                "SELECT checksum, bytes FROM snapshot_chunk WHERE snapshot = $1 AND number = $2",
                &[&id, &number],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        if joiner.push(row.try_get(0)?, row.try_get(1)?).is_none() {
            return Ok(None);
        }
    }
    Ok(joiner.finish())
}
