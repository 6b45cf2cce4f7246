//! The base of a ledger: entries taken out of it and put back, each in one transaction.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::apply::signed;
use super::error::store_error;
use super::read::disclosure_rows;
use crate::base::{
    ArchivedValue, Archiving, Base, BaseRow, BaseState, Unarchiving, damaged_state, incomplete, moved,
};
use crate::chunks::{PIECE, count, pack};
use crate::entry::{Disclosure, Entry, Revision};
use crate::page::values;
use crate::store::{Head, StoreError};

/// Revision of the base, 0 without one.
pub(super) fn revision(conn: &Connection, realm: &str) -> Result<Revision, StoreError> {
    let read = || {
        conn.prepare_cached("SELECT revision FROM base WHERE realm = ?1")?
            .query_row([realm], |row| row.get::<_, i64>(0))
            .optional()
    };
    Ok(read().map_err(|error| store_error(&error))?.unwrap_or_default().unsigned_abs())
}

pub(super) fn base(conn: &Connection, realm: &str) -> Result<Option<Base>, StoreError> {
    base_row(conn, realm)?.map(|row| row.base()).transpose()
}

pub(super) fn base_state(conn: &mut Connection, realm: &str) -> Result<Option<BaseState>, StoreError> {
    let view = conn.transaction().map_err(|error| store_error(&error))?;
    let Some(row) = base_row(&view, realm)? else { return Ok(None) };
    let (base, mut joiner) = row.joiner()?;
    let mut expected = 0_i64;
    let mut join = || {
        let mut pieces = view.prepare_cached(
            "SELECT number, checksum, bytes FROM base_chunk WHERE realm = ?1 ORDER BY number",
        )?;
        let mut pieces = pieces.query([realm])?;
        while let Some(piece) = pieces.next()? {
            let number: i64 = piece.get(0)?;
            let (checksum, bytes) = (piece.get_ref(1)?.as_blob()?, piece.get_ref(2)?.as_blob()?);
            if number != expected || joiner.push(checksum, bytes).is_none() {
                return Ok(false);
            }
            expected += 1;
        }
        Ok(expected == row.chunks)
    };
    let whole = join().map_err(|error: rusqlite::Error| store_error(&error))?;
    let state = joiner.finish().filter(|_| whole).ok_or_else(damaged_state)?;
    Ok(Some(BaseState { base, state }))
}

pub(super) fn archive(conn: &mut Connection, archiving: &Archiving) -> Result<(), StoreError> {
    let Archiving { realm, from, to, values } = archiving;
    let change = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| store_error(&error))?;
    if revision(&change, realm)? != *from {
        return Err(moved());
    }
    let work = || {
        let (revision, hash) = (signed(to.base.head.revision), to.base.head.hash.0);
        let last_is_it = change
            .prepare_cached("SELECT 1 FROM entry WHERE realm = ?1 AND revision = ?2 AND hash = ?3")?
            .exists(params![realm, revision, hash])?;
        change.execute("DELETE FROM base WHERE realm = ?1", [realm])?;
        let removed = change.execute(
            "DELETE FROM entry WHERE realm = ?1 AND revision > ?2 AND revision <= ?3",
            params![realm, signed(*from), revision],
        )?;
        for value in values {
            write_value(&change, realm, value)?;
        }
        let expected = to.base.head.revision.checked_sub(*from);
        Ok(last_is_it && u64::try_from(removed).ok() == expected)
    };
    if !work().map_err(|error: rusqlite::Error| store_error(&error))? {
        return Err(incomplete());
    }
    write_base(&change, realm, to)?;
    change.commit().map_err(|error| store_error(&error))
}

pub(super) fn unarchive(conn: &mut Connection, unarchiving: Unarchiving) -> Result<(), StoreError> {
    let Unarchiving { realm, from, to, entries } = unarchiving;
    let change = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| store_error(&error))?;
    let Some(present) = base(&change, &realm)?.filter(|base| base.head.revision == from) else {
        return Err(moved());
    };
    let begin = to.as_ref().map_or(0, |to| to.base.head.revision);
    let mut last = None;
    let mut written: u64 = 0;
    for entry in entries {
        let entry = entry?;
        write_entry(&change, &realm, &entry).map_err(|error| store_error(&error))?;
        written += 1;
        last = Some(entry.hash);
    }
    if last != Some(present.head.hash) || from.checked_sub(begin) != Some(written) {
        return Err(incomplete());
    }
    let work = || {
        change.execute("DELETE FROM base WHERE realm = ?1", [&realm])?;
        change.execute(
            "DELETE FROM archived_value WHERE realm = ?1 AND revision > ?2",
            params![realm, signed(begin)],
        )
    };
    work().map_err(|error: rusqlite::Error| store_error(&error))?;
    if let Some(to) = &to {
        write_base(&change, &realm, to)?;
    }
    change.commit().map_err(|error| store_error(&error))
}

/// Those of one owner, or of everybody.
pub(super) fn archived_values(
    conn: &Connection,
    realm: &str,
    owner: Option<&str>,
) -> Result<Vec<ArchivedValue>, StoreError> {
    let read = || {
        conn.prepare_cached(
            "SELECT revision, slot, owner, is_reason FROM archived_value
             WHERE realm = ?1 AND (?2 IS NULL OR owner = ?2) ORDER BY revision, slot, owner, is_reason",
        )?
        .query_map(params![realm, owner], |row| {
            Ok(ArchivedValue {
                revision: row.get::<_, i64>(0)?.unsigned_abs(),
                slot: row.get(1)?,
                owner: row.get(2)?,
                is_reason: row.get(3)?,
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|error: rusqlite::Error| store_error(&error))
}

pub(super) fn adopt_base(conn: &mut Connection, realm: &str, base: &BaseState) -> Result<Head, StoreError> {
    let change = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| store_error(&error))?;
    let head = base.base.head;
    let set = change
        .execute(
            "UPDATE ledger SET ledger_id = ?2, revision = ?3, hash = ?4, time = ?5
             WHERE realm = ?1 AND revision = 0",
            params![realm, head.ledger_id.0.as_bytes(), signed(head.revision), head.hash.0, head.time],
        )
        .map_err(|error| store_error(&error))?;
    if set == 0 {
        return Err(StoreError::LedgerExists(realm.to_owned()));
    }
    write_base(&change, realm, base)?;
    change.commit().map_err(|error| store_error(&error))?;
    Ok(head)
}

pub(super) fn adopt_values(
    conn: &mut Connection,
    realm: &str,
    values: &[(Revision, Disclosure)],
    owners: &[ArchivedValue],
) -> Result<(), StoreError> {
    let mut work = || {
        let change = conn.transaction()?;
        for (revision, Disclosure { slot, salt, value }) in values {
            change
                .prepare_cached(
                    "INSERT INTO disclosure (realm, revision, slot, salt, value) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO NOTHING",
                )?
                .execute(params![realm, signed(*revision), slot, salt, value])?;
        }
        for owner in owners {
            write_value(&change, realm, owner)?;
        }
        change.commit()
    };
    work().map_err(|error: rusqlite::Error| store_error(&error))
}

pub(super) fn disclosures(
    conn: &Connection,
    realm: &str,
    after: Revision,
    last: Revision,
) -> Result<Vec<(Revision, Disclosure)>, StoreError> {
    values(disclosure_rows(conn, realm, after, signed(last)).map_err(|error| store_error(&error))?)
}

fn base_row(conn: &Connection, realm: &str) -> Result<Option<BaseRow>, StoreError> {
    let read = || {
        conn.prepare_cached(
            "SELECT revision, ledger_id, hash, time, state_hash, signed, public_key, signature, format, length, chunks
             FROM base WHERE realm = ?1",
        )?
        .query_row([realm], |row| {
            Ok(BaseRow {
                revision: row.get(0)?,
                ledger_id: row.get(1)?,
                hash: row.get(2)?,
                time: row.get(3)?,
                state_hash: row.get(4)?,
                signed: row.get(5)?,
                public_key: row.get(6)?,
                signature: row.get(7)?,
                format: row.get(8)?,
                length: row.get(9)?,
                chunks: row.get(10)?,
            })
        })
        .optional()
    };
    read().map_err(|error| store_error(&error))
}

fn write_base(
    conn: &Connection,
    realm: &str,
    BaseState { base, state }: &BaseState,
) -> Result<(), StoreError> {
    let chunks = i64::try_from(count(state.len())).unwrap_or(i64::MAX);
    conn.execute(
        "INSERT INTO base
         (realm, revision, ledger_id, hash, time, state_hash, signed, public_key, signature, format, length, chunks)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            realm,
            signed(base.head.revision),
            base.head.ledger_id.0.as_bytes(),
            base.head.hash.0,
            base.head.time,
            base.state_hash.0,
            base.signed,
            base.public_key,
            base.signature,
            base.format,
            i64::try_from(state.len()).unwrap_or(i64::MAX),
            chunks
        ],
    )
    .map_err(|error| store_error(&error))?;
    for (number, piece) in (0_i64..).zip(state.chunks(PIECE)) {
        let chunk = pack(piece)?;
        conn.execute(
            "INSERT INTO base_chunk (realm, number, checksum, bytes) VALUES (?1, ?2, ?3, ?4)",
            params![realm, number, chunk.checksum, chunk.bytes],
        )
        .map_err(|error| store_error(&error))?;
    }
    Ok(())
}

/// One that was erased meanwhile has nobody any more.
fn write_value(conn: &Connection, realm: &str, value: &ArchivedValue) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO archived_value (realm, revision, slot, owner, is_reason)
         SELECT realm, revision, slot, ?4, ?5 FROM disclosure WHERE realm = ?1 AND revision = ?2 AND slot = ?3
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![realm, signed(value.revision), value.slot, value.owner, value.is_reason])
    .map(|_| ())
}

fn write_entry(conn: &Connection, realm: &str, entry: &Entry) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO entry (realm, revision, command_id, hash, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![realm, signed(entry.revision), entry.command_id.0, entry.hash.0, entry.encode()])
    .map(|_| ())
}
