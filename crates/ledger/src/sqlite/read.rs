//! The questions to the store, on a connection that reads.

use rusqlite::{Connection, OptionalExtension, params};

use super::apply::{read_head, signed};
use super::base;
use super::error::store_error;
use crate::base::archived;
use crate::entry::{CommandId, Disclosed, Hash, LedgerId, Micros, Revision};
use crate::page::{DisclosureRow, EntryRow, page};
use crate::store::{Checkpoint, Head, Row, SealedSecret, StoreError, behind};

pub(super) fn realms(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let read = || {
        conn.prepare_cached("SELECT realm FROM ledger ORDER BY realm")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<String>>>()
    };
    read().map_err(|error| store_error(&error))
}

pub(super) fn head(conn: &Connection, realm: &str) -> Result<Head, StoreError> {
    read_head(conn, realm)
        .map_err(|error| store_error(&error))?
        .ok_or_else(|| StoreError::NoLedger(realm.to_owned()))
}

/// All in one view; realms without a ledger are left out.
pub(super) fn heads(conn: &mut Connection, realms: Vec<String>) -> Result<Vec<(String, Head)>, StoreError> {
    let read = || {
        let view = conn.transaction()?;
        let mut heads = Vec::with_capacity(realms.len());
        for realm in realms {
            if let Some(head) = read_head(&view, &realm)? {
                heads.push((realm, head));
            }
        }
        Ok(heads)
    };
    read().map_err(|error: rusqlite::Error| store_error(&error))
}

pub(super) fn entries(
    conn: &mut Connection,
    realm: &str,
    after: Revision,
    limit: usize,
) -> Result<Vec<Disclosed>, StoreError> {
    // One view for the head, the entries and their values.
    let view = conn.transaction().map_err(|error| store_error(&error))?;
    let head = head(&view, realm)?;
    let base = base::revision(&view, realm)?;
    if after < base {
        return Err(archived(base));
    }
    let rows = entry_rows(&view, realm, after, limit).map_err(|error| store_error(&error))?;
    let last = rows.last().map_or(0, |row| row.revision);
    let values = disclosure_rows(&view, realm, after, last).map_err(|error| store_error(&error))?;
    page(after, limit, &head, rows, values)
}

fn entry_rows(
    conn: &Connection,
    realm: &str,
    after: Revision,
    limit: usize,
) -> rusqlite::Result<Vec<EntryRow>> {
    conn.prepare_cached(
        "SELECT revision, command_id, hash, bytes FROM entry
         WHERE realm = ?1 AND revision > ?2 ORDER BY revision LIMIT ?3",
    )?
    .query_map(params![realm, signed(after), i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        Ok(EntryRow { revision: row.get(0)?, command_id: row.get(1)?, hash: row.get(2)?, bytes: row.get(3)? })
    })?
    .collect()
}

pub(super) fn disclosure_rows(
    conn: &Connection,
    realm: &str,
    after: Revision,
    last: i64,
) -> rusqlite::Result<Vec<DisclosureRow>> {
    conn.prepare_cached(
        "SELECT revision, slot, salt, value FROM disclosure
         WHERE realm = ?1 AND revision > ?2 AND revision <= ?3 ORDER BY revision, slot",
    )?
    .query_map(params![realm, signed(after), last], |row| {
        Ok(DisclosureRow { revision: row.get(0)?, slot: row.get(1)?, salt: row.get(2)?, value: row.get(3)? })
    })?
    .collect()
}

pub(super) fn find_commands(
    conn: &Connection,
    realm: &str,
    ids: &[CommandId],
) -> Result<Vec<(CommandId, Revision)>, StoreError> {
    let read = || {
        let mut statement = conn.prepare_cached(
            "SELECT revision FROM entry WHERE realm = ?1 AND command_id = ?2 ORDER BY revision",
        )?;
        let mut found = Vec::new();
        for id in ids {
            let mut rows = statement.query(params![realm, id.0])?;
            while let Some(row) = rows.next()? {
                found.push((*id, row.get::<_, i64>(0)?.unsigned_abs()));
            }
        }
        Ok(found)
    };
    read().map_err(|error: rusqlite::Error| store_error(&error))
}

pub(super) fn row(
    conn: &Connection,
    realm: &str,
    kind: &str,
    key: &[u8],
    now: Micros,
) -> Result<Option<Vec<u8>>, StoreError> {
    let read = || {
        conn.prepare_cached(
            "SELECT value FROM ephemeral_row WHERE realm = ?1 AND kind = ?2 AND key = ?3 AND expires > ?4",
        )?
        .query_row(params![realm, kind, key, now], |row| row.get(0))
        .optional()
    };
    read().map_err(|error| store_error(&error))
}

pub(super) fn rows(
    conn: &Connection,
    realm: &str,
    kind: &str,
    prefix: &[u8],
    now: Micros,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let read = || {
        conn.prepare_cached(
            "SELECT key, value FROM ephemeral_row
             WHERE realm = ?1 AND kind = ?2 AND key >= ?3 AND (?4 IS NULL OR key < ?4) AND expires > ?5
             ORDER BY key LIMIT ?6",
        )?
        .query_map(params![realm, kind, prefix, behind(prefix), now, limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|error: rusqlite::Error| store_error(&error))
}

pub(super) fn secret(conn: &Connection, realm: &str, name: &str) -> Result<Option<SealedSecret>, StoreError> {
    let read = || {
        conn.prepare_cached(
            "SELECT realm, name, version, key_id, sealed FROM secret WHERE realm = ?1 AND name = ?2",
        )?
        .query_row([realm, name], secret_row)
        .optional()
    };
    read().map(|found| found.map(|(_, secret)| secret)).map_err(|error| store_error(&error))
}

pub(super) fn secrets(conn: &Connection) -> Result<Vec<(String, SealedSecret)>, StoreError> {
    let read = || {
        conn.prepare_cached("SELECT realm, name, version, key_id, sealed FROM secret ORDER BY realm, name")?
            .query_map([], secret_row)?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|error: rusqlite::Error| store_error(&error))
}

fn secret_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<(String, SealedSecret)> {
    let secret =
        SealedSecret { name: row.get(1)?, version: row.get(2)?, key_id: row.get(3)?, sealed: row.get(4)? };
    Ok((row.get(0)?, secret))
}

pub(super) fn checkpoints(conn: &Connection, realm: &str) -> Result<Vec<Checkpoint>, StoreError> {
    let read = || {
        conn.prepare_cached(
            "SELECT ledger_id, revision, head_hash, state_hash, time, public_key, signature
             FROM checkpoint WHERE realm = ?1 ORDER BY revision, time",
        )?
        .query_map([realm], |row| {
            Ok(Checkpoint {
                ledger_id: LedgerId(uuid::Uuid::from_bytes(row.get(0)?)),
                revision: row.get::<_, i64>(1)?.unsigned_abs(),
                head_hash: Hash(row.get(2)?),
                state_hash: Hash(row.get(3)?),
                time: row.get(4)?,
                public_key: row.get(5)?,
                signature: row.get(6)?,
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|error: rusqlite::Error| store_error(&error))
}
