//! The base of a ledger: entries taken out of it and put back, each in one transaction.
//!
//! Nothing in it holds the row of the ledger's head, so that appends go on meanwhile. The statements go over few entries
//! each, so that none of them takes long.

use tokio_postgres::Error;

use super::error::{store_error, warned};
use super::read::signed;
use super::session::Session;
use super::{BEGIN, Busy, PostgresStore};
use crate::base::{
    ArchivedValue, Archiving, Base, BaseRow, BaseState, Unarchiving, archived, damaged_state, incomplete,
    moved,
};
use crate::chunks::{PIECE, count, pack};
use crate::entry::{Disclosed, Disclosure, Entry, Revision};
use crate::store::{Head, StoreError};

/// How many entries or values one statement writes or removes.
const SLICE: usize = 2_000;

/// Revision of the base, 0 without one.
pub(super) async fn revision(client: &Session, realm: &str) -> Result<Revision, Error> {
    let found = client.query_opt("SELECT revision FROM base WHERE realm = $1", &[&realm]).await?;
    Ok(found.map_or(Ok(0), |row| row.try_get::<_, i64>(0))?.unsigned_abs())
}

/// What a page of entries is, if something of it is missing: perhaps it was archived. Only looked at then, so that reading
/// costs nothing more.
pub(super) fn or_archived(
    page: Result<Vec<Disclosed>, StoreError>,
    after: Revision,
    base: Revision,
) -> Result<Vec<Disclosed>, StoreError> {
    match page {
        Err(StoreError::Damaged(_)) if after < base => Err(archived(base)),
        page => page,
    }
}

pub(super) async fn base(store: &PostgresStore, realm: &str) -> Result<Option<Base>, StoreError> {
    let found = store.ask(async |client| client.query_opt(BASE_ROW, &[&realm]).await).await?;
    found.map(|row| base_row(&row)?.base()).transpose()
}

pub(super) async fn base_state(store: &PostgresStore, realm: &str) -> Result<Option<BaseState>, StoreError> {
    let client = store.client().await?;
    let busy = Busy::on(&client);
    let said = async |sql| client.batch_execute(sql).await.map_err(|error| store_error(&error));
    said("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let found = state_in(&client, realm).await?;
    said("ROLLBACK").await?;
    busy.done();
    Ok(found)
}

/// The base with its state, on a connection that sees both as they were at one moment.
pub(super) async fn state_in(view: &Session, realm: &str) -> Result<Option<BaseState>, StoreError> {
    let Some(row) = view.query_opt(BASE_ROW, &[&realm]).await.map_err(|error| store_error(&error))? else {
        return Ok(None);
    };
    let row = base_row(&row)?;
    let (base, mut joiner) = row.joiner()?;
    for number in 0..row.chunks {
        let sql = "SELECT checksum, bytes FROM base_chunk WHERE realm = $1 AND number = $2";
        let piece = view.query_opt(sql, &[&realm, &number]).await.map_err(|error| store_error(&error))?;
        let piece = piece.ok_or_else(damaged_state)?;
        let mut joined = || Ok(joiner.push(piece.try_get(0)?, piece.try_get(1)?));
        joined().map_err(|error: Error| store_error(&error))?.ok_or_else(damaged_state)?;
    }
    let state = joiner.finish().ok_or_else(damaged_state)?;
    Ok(Some(BaseState { base, state }))
}

pub(super) async fn archive(store: &PostgresStore, archiving: &Archiving) -> Result<(), StoreError> {
    let Archiving { realm, from, to, values } = archiving;
    let last = to.base.head.revision;
    change(store, async |change| {
        // First of all, so that two that do it at once wait for each other here.
        replace_base(change, realm, *from, Some(to)).await?;
        let removed = remove_entries(change, realm, *from, last, &to.base.head.hash.0).await;
        let removed = removed.map_err(|error| store_error(&error))?;
        if last.checked_sub(*from) != Some(removed) {
            return Err(incomplete());
        }
        for values in values.chunks(SLICE) {
            write_values(change, realm, values).await.map_err(|error| store_error(&error))?;
        }
        Ok(())
    })
    .await
}

pub(super) async fn unarchive(store: &PostgresStore, unarchiving: Unarchiving) -> Result<(), StoreError> {
    let Unarchiving { realm, from, to, mut entries } = unarchiving;
    let present = base(store, &realm).await?.filter(|base| base.head.revision == from).ok_or_else(moved)?;
    let begin = to.as_ref().map_or(0, |to| to.base.head.revision);
    change(store, async |change| {
        replace_base(change, &realm, from, to.as_ref()).await?;
        let mut last = None;
        let mut written: u64 = 0;
        loop {
            let slice = entries.by_ref().take(SLICE).collect::<Result<Vec<_>, _>>()?;
            let Some(end) = slice.last() else { break };
            last = Some(end.hash);
            written += u64::try_from(slice.len()).unwrap_or(u64::MAX);
            write_entries(change, &realm, &slice).await.map_err(|error| store_error(&error))?;
        }
        if last != Some(present.head.hash) || from.checked_sub(begin) != Some(written) {
            return Err(incomplete());
        }
        let sql = "DELETE FROM archived_value WHERE realm = $1 AND revision > $2";
        change.execute(sql, &[&realm, &signed(begin)]).await.map_err(|error| store_error(&error))?;
        Ok(())
    })
    .await
}

/// Those of one owner, or of everybody.
pub(super) async fn archived_values(
    client: &Session,
    realm: &str,
    owner: Option<&str>,
) -> Result<Vec<ArchivedValue>, Error> {
    let sql = "SELECT revision, slot, owner, is_reason FROM archived_value
               WHERE realm = $1 AND ($2::text IS NULL OR owner = $2) ORDER BY revision, slot, owner, is_reason";
    let value = |row: &tokio_postgres::Row| {
        Ok(ArchivedValue {
            revision: row.try_get::<_, i64>(0)?.unsigned_abs(),
            slot: u32::try_from(row.try_get::<_, i64>(1)?).unwrap_or(u32::MAX),
            owner: row.try_get(2)?,
            is_reason: row.try_get(3)?,
        })
    };
    client.query(sql, &[&realm, &owner]).await?.iter().map(value).collect()
}

pub(super) async fn adopt_base(
    store: &PostgresStore,
    realm: &str,
    base: &BaseState,
) -> Result<Head, StoreError> {
    let head = base.base.head;
    change(store, async |change| {
        let set = change
            .execute(
                "UPDATE ledger SET ledger_id = $2, revision = $3, hash = $4, time = $5
                 WHERE realm = $1 AND revision = 0",
                &[
                    &realm,
                    &head.ledger_id.0.as_bytes().as_slice(),
                    &signed(head.revision),
                    &head.hash.0.as_slice(),
                    &head.time,
                ],
            )
            .await
            .map_err(|error| store_error(&error))?;
        if set == 0 {
            return Err(StoreError::LedgerExists(realm.to_owned()));
        }
        replace_base(change, realm, 0, Some(base)).await
    })
    .await?;
    Ok(head)
}

pub(super) async fn adopt_values(
    store: &PostgresStore,
    realm: &str,
    values: &[(Revision, Disclosure)],
    owners: &[ArchivedValue],
) -> Result<(), StoreError> {
    change(store, async |change| {
        for values in values.chunks(SLICE) {
            write_disclosures(change, realm, values).await.map_err(|error| store_error(&error))?;
        }
        for owners in owners.chunks(SLICE) {
            write_values(change, realm, owners).await.map_err(|error| store_error(&error))?;
        }
        Ok(())
    })
    .await
}

/// Runs `work` in a transaction of its own, which may have many statements. A connection on which anything went wrong does
/// not go back to the others.
async fn change(
    store: &PostgresStore,
    work: impl AsyncFnOnce(&Session) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let client = store.client().await?;
    let busy = Busy::on(&client);
    let before = client.warnings();
    client.batch_execute(BEGIN).await.map_err(|error| store_error(&error))?;
    work(&client).await?;
    let not_known = |error: StoreError| {
        StoreError::Unavailable(format!(
            "{error}; whether it was done is not known: run the same command again"
        ))
    };
    client.batch_execute("COMMIT").await.map_err(|error| not_known(store_error(&error)))?;
    if client.warnings() != before {
        return Err(not_known(warned()));
    }
    busy.done();
    Ok(())
}

const BASE_ROW: &str =
    "SELECT revision, ledger_id, hash, time, state_hash, signed, public_key, signature, format, length, chunks
     FROM base WHERE realm = $1";

fn base_row(row: &tokio_postgres::Row) -> Result<BaseRow, StoreError> {
    let read = || {
        Ok(BaseRow {
            revision: row.try_get(0)?,
            ledger_id: row.try_get(1)?,
            hash: row.try_get(2)?,
            time: row.try_get(3)?,
            state_hash: row.try_get(4)?,
            signed: row.try_get(5)?,
            public_key: row.try_get(6)?,
            signature: row.try_get(7)?,
            format: row.try_get(8)?,
            length: row.try_get(9)?,
            chunks: row.try_get(10)?,
        })
    };
    read().map_err(|error: Error| store_error(&error))
}

/// Puts another base in the place of the one at revision `from`; none there is 0.
async fn replace_base(
    change: &Session,
    realm: &str,
    from: Revision,
    to: Option<&BaseState>,
) -> Result<(), StoreError> {
    if from > 0 {
        let sql = "DELETE FROM base WHERE realm = $1 AND revision = $2";
        let removed = change.execute(sql, &[&realm, &signed(from)]).await;
        if removed.map_err(|error| store_error(&error))? == 0 {
            return Err(moved());
        }
    }
    let Some(BaseState { base, state }) = to else { return Ok(()) };
    let made = change
        .execute(
            "INSERT INTO base
             (realm, revision, ledger_id, hash, time, state_hash, signed, public_key, signature, format, length, chunks)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (realm) DO NOTHING",
            &[
                &realm,
                &signed(base.head.revision),
                &base.head.ledger_id.0.as_bytes().as_slice(),
                &base.head.hash.0.as_slice(),
                &base.head.time,
                &base.state_hash.0.as_slice(),
                &base.signed,
                &base.public_key.as_slice(),
                &base.signature.as_slice(),
                &i64::from(base.format),
                &i64::try_from(state.len()).unwrap_or(i64::MAX),
                &i64::try_from(count(state.len())).unwrap_or(i64::MAX),
            ],
        )
        .await
        .map_err(|error| store_error(&error))?;
    if made == 0 {
        return Err(moved());
    }
    for (number, piece) in (0_i64..).zip(state.chunks(PIECE)) {
        let chunk = pack(piece)?;
        change
            .execute(
                "INSERT INTO base_chunk (realm, number, checksum, bytes) VALUES ($1, $2, $3, $4)",
                &[&realm, &number, &chunk.checksum.as_slice(), &chunk.bytes],
            )
            .await
            .map_err(|error| store_error(&error))?;
    }
    Ok(())
}

/// Removes the entries after `after` up to `last`, if the last is the one with this hash; tells how many.
async fn remove_entries(
    change: &Session,
    realm: &str,
    after: Revision,
    last: Revision,
    hash: &[u8],
) -> Result<u64, Error> {
    let sql = "SELECT 1 FROM entry WHERE realm = $1 AND revision = $2 AND hash = $3";
    if change.query_opt(sql, &[&realm, &signed(last), &hash]).await?.is_none() {
        return Ok(0);
    }
    let slice = u64::try_from(SLICE).unwrap_or(u64::MAX);
    let (mut after, mut removed) = (after, 0);
    while after < last {
        let upto = after.saturating_add(slice).min(last);
        let sql = "DELETE FROM entry WHERE realm = $1 AND revision > $2 AND revision <= $3";
        removed += change.execute(sql, &[&realm, &signed(after), &signed(upto)]).await?;
        after = upto;
    }
    Ok(removed)
}

/// One that was erased meanwhile has nobody any more.
async fn write_values(change: &Session, realm: &str, values: &[ArchivedValue]) -> Result<(), Error> {
    let revisions: Vec<i64> = values.iter().map(|value| signed(value.revision)).collect();
    let slots: Vec<i64> = values.iter().map(|value| i64::from(value.slot)).collect();
    let owners: Vec<&str> = values.iter().map(|value| value.owner.as_str()).collect();
    let reasons: Vec<bool> = values.iter().map(|value| value.is_reason).collect();
    // Locked, so that an erasure under way ends before or takes these rows with it.
    change
        .execute(
            "INSERT INTO archived_value (realm, revision, slot, owner, is_reason)
             SELECT d.realm, d.revision, d.slot, v.owner, v.is_reason
             FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::boolean[]) AS v (revision, slot, owner, is_reason)
             JOIN disclosure d ON d.realm = $1 AND d.revision = v.revision AND d.slot = v.slot
             FOR KEY SHARE OF d
             ON CONFLICT DO NOTHING",
            &[&realm, &revisions, &slots, &owners, &reasons],
        )
        .await?;
    Ok(())
}

async fn write_disclosures(
    change: &Session,
    realm: &str,
    values: &[(Revision, Disclosure)],
) -> Result<(), Error> {
    let revisions: Vec<i64> = values.iter().map(|(revision, _)| signed(*revision)).collect();
    let slots: Vec<i64> = values.iter().map(|(_, value)| i64::from(value.slot)).collect();
    let salts: Vec<&[u8]> = values.iter().map(|(_, value)| value.salt.as_slice()).collect();
    let texts: Vec<&[u8]> = values.iter().map(|(_, value)| value.value.as_slice()).collect();
    change
        .execute(
            "INSERT INTO disclosure (realm, revision, slot, salt, value)
             SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])
             ON CONFLICT DO NOTHING",
            &[&realm, &revisions, &slots, &salts, &texts],
        )
        .await?;
    Ok(())
}

async fn write_entries(change: &Session, realm: &str, entries: &[Entry]) -> Result<(), Error> {
    let revisions: Vec<i64> = entries.iter().map(|entry| signed(entry.revision)).collect();
    let commands: Vec<&[u8]> = entries.iter().map(|entry| entry.command_id.0.as_slice()).collect();
    let hashes: Vec<&[u8]> = entries.iter().map(|entry| entry.hash.0.as_slice()).collect();
    let bytes: Vec<Vec<u8>> = entries.iter().map(Entry::encode).collect();
    change
        .execute(
            "INSERT INTO entry (realm, revision, command_id, hash, bytes)
             SELECT $1, * FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[])",
            &[&realm, &revisions, &commands, &hashes, &bytes],
        )
        .await?;
    Ok(())
}
