//! What only copies of whole stores need: rows as they are, and the mark of a store that is being filled.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::store_error;
use crate::store::{StoreError, StoredRow};

pub(super) fn all_rows(
    conn: &Connection,
    realm: &str,
    after: Option<(String, Vec<u8>)>,
    limit: usize,
) -> Result<Vec<StoredRow>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // No kind is empty, so that nothing lies before this.
    let (kind, key) = after.unwrap_or_default();
    let read = || {
        conn.prepare_cached(
            "SELECT kind, key, value, expires FROM ephemeral_row
             WHERE realm = ?1 AND (kind, key) > (?2, ?3) ORDER BY kind, key LIMIT ?4",
        )?
        .query_map(params![realm, kind, key, limit], |row| {
            Ok(StoredRow { kind: row.get(0)?, key: row.get(1)?, value: row.get(2)?, expires: row.get(3)? })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|error| store_error(&error))
}

pub(super) fn adopt_rows(conn: &mut Connection, realm: &str, rows: &[StoredRow]) -> Result<(), StoreError> {
    let mut work = || {
        let change = conn.transaction()?;
        for StoredRow { kind, key, value, expires } in rows {
            change
                .prepare_cached(
                    "INSERT INTO ephemeral_row (realm, kind, key, value, expires) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (realm, kind, key) DO UPDATE
                     SET value = excluded.value, expires = excluded.expires",
                )?
                .execute(params![realm, kind, key, value, expires])?;
        }
        change.commit()
    };
    work().map_err(|error| store_error(&error))
}

pub(super) fn clear_side_data(conn: &mut Connection, realm: &str) -> Result<(), StoreError> {
    let mut work = || {
        let change = conn.transaction()?;
        change.execute("DELETE FROM ephemeral_row WHERE realm = ?1", [realm])?;
        change.execute("DELETE FROM secret WHERE realm = ?1", [realm])?;
        change.commit()
    };
    work().map_err(|error| store_error(&error))
}

pub(super) fn unfinished(conn: &Connection) -> Result<Option<String>, StoreError> {
    conn.query_row("SELECT command FROM unfinished", [], |row| row.get(0))
        .optional()
        .map_err(|error| store_error(&error))
}

pub(super) fn set_unfinished(conn: &mut Connection, command: Option<&str>) -> Result<(), StoreError> {
    let mut work = || {
        let change = conn.transaction()?;
        change.execute("DELETE FROM unfinished", [])?;
        if let Some(command) = command {
            change.execute("INSERT INTO unfinished (command) VALUES (?1)", [command])?;
        }
        change.commit()
    };
    work().map_err(|error| store_error(&error))
}
