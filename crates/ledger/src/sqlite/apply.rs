//! One append inside an open transaction: the compare-and-set and what follows it.

use rusqlite::{Connection, OptionalExtension, params};

use crate::entry::{Hash, LedgerId};
use crate::plan::{Placed, Plan, Taking};
use crate::store::{Head, RowWrite, SealedSecret, SecretWrite, StoreError};

/// What an append came to, if its transaction commits.
pub(super) enum Verdict {
    /// Written; the new head.
    Applied(Head),
    /// Nothing was written, the head is this one.
    Conflict(Head),
    /// Nothing was written, these rows cannot be taken.
    Untaken(Vec<usize>),
    /// Nothing was written.
    Refused(StoreError),
}

/// Writes the plan if the head is the expected one. After an error the transaction must be rolled back.
pub(super) fn apply(conn: &Connection, plan: &Plan) -> rusqlite::Result<Verdict> {
    let Some(head) = read_head(conn, &plan.realm)? else {
        return Ok(Verdict::Refused(StoreError::NoLedger(plan.realm.clone())));
    };
    if head != plan.expected {
        return Ok(Verdict::Conflict(head));
    }
    let untaken = untaken(conn, plan)?;
    if !untaken.is_empty() {
        return Ok(Verdict::Untaken(untaken));
    }
    for placed in &plan.entries {
        write_entry(conn, &plan.realm, placed)?;
    }
    if plan.head != plan.expected {
        conn.prepare_cached(
            "UPDATE ledger SET ledger_id = ?2, revision = ?3, hash = ?4, time = ?5 WHERE realm = ?1",
        )?
        .execute(params![
            plan.realm,
            plan.head.ledger_id.0.as_bytes(),
            signed(plan.head.revision),
            plan.head.hash.0,
            plan.head.time
        ])?;
    }
    for row in &plan.rows {
        write_row(conn, &plan.realm, row)?;
    }
    for secret in &plan.secrets {
        write_secret(conn, &plan.realm, secret)?;
    }
    if !plan.erase.is_empty() {
        erase(conn, plan)?;
    }
    Ok(Verdict::Applied(plan.head))
}

/// The realm's head, or none when it has no ledger.
pub(super) fn read_head(conn: &Connection, realm: &str) -> rusqlite::Result<Option<Head>> {
    conn.prepare_cached("SELECT ledger_id, revision, hash, time FROM ledger WHERE realm = ?1")?
        .query_row([realm], |row| {
            Ok(Head {
                ledger_id: LedgerId(uuid::Uuid::from_bytes(row.get(0)?)),
                revision: row.get::<_, i64>(1)?.unsigned_abs(),
                hash: Hash(row.get(2)?),
                time: row.get(3)?,
            })
        })
        .optional()
}

fn write_entry(conn: &Connection, realm: &str, placed: &Placed) -> rusqlite::Result<()> {
    let Placed { entry, bytes, disclosures } = placed;
    conn.prepare_cached(
        "INSERT INTO entry (realm, revision, command_id, hash, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![realm, signed(entry.revision), entry.command_id.0, entry.hash.0, bytes])?;
    if disclosures.is_empty() {
        return Ok(());
    }
    let mut insert = conn.prepare_cached(
        "INSERT INTO disclosure (realm, revision, slot, salt, value) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for disclosure in disclosures {
        insert.execute(params![
            realm,
            signed(entry.revision),
            disclosure.slot,
            disclosure.salt,
            disclosure.value
        ])?;
    }
    Ok(())
}

/// Looked at before anything is written, so that nothing has to be taken back.
fn untaken(conn: &Connection, plan: &Plan) -> rusqlite::Result<Vec<usize>> {
    let mut taking = Taking::default();
    for (index, row) in plan.rows.iter().enumerate() {
        if let Some((kind, key)) = taking.judge(index, row) {
            let found: Option<Vec<u8>> = conn
                .prepare_cached(
                    "SELECT value FROM ephemeral_row WHERE realm = ?1 AND kind = ?2 AND key = ?3",
                )?
                .query_row(params![plan.realm, kind, key], |row| row.get(0))
                .optional()?;
            taking.found(index, row, found.as_deref());
        }
    }
    Ok(taking.untaken())
}

fn write_row(conn: &Connection, realm: &str, row: &RowWrite) -> rusqlite::Result<()> {
    match row {
        RowWrite::Put { kind, key, value, expires } => conn
            .prepare_cached(
                "INSERT INTO ephemeral_row (realm, kind, key, value, expires) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (realm, kind, key) DO UPDATE SET value = excluded.value, expires = excluded.expires",
            )?
            .execute(params![realm, kind, key, value, expires])?,
        RowWrite::Renew { kind, key, value, expires } => conn
            .prepare_cached(
                "UPDATE ephemeral_row SET value = ?4, expires = ?5 WHERE realm = ?1 AND kind = ?2 AND key = ?3",
            )?
            .execute(params![realm, kind, key, value, expires])?,
        RowWrite::Move { kind, key, to, value, expires } => conn
            .prepare_cached(
                "UPDATE ephemeral_row SET key = ?4, value = ?5, expires = ?6
                 WHERE realm = ?1 AND kind = ?2 AND key = ?3",
            )?
            .execute(params![realm, kind, key, to, value, expires])?,
        RowWrite::Delete { kind, key } | RowWrite::Take { kind, key, .. } => conn
            .prepare_cached("DELETE FROM ephemeral_row WHERE realm = ?1 AND kind = ?2 AND key = ?3")?
            .execute(params![realm, kind, key])?,
    };
    Ok(())
}

fn write_secret(conn: &Connection, realm: &str, secret: &SecretWrite) -> rusqlite::Result<()> {
    match secret {
        SecretWrite::Put(SealedSecret { name, version, key_id, sealed }) => conn
            .prepare_cached(
                "INSERT INTO secret (realm, name, version, key_id, sealed) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (realm, name) DO UPDATE
                 SET version = excluded.version, key_id = excluded.key_id, sealed = excluded.sealed",
            )?
            .execute(params![realm, name, version, key_id, sealed])?,
        SecretWrite::Delete(name) => conn
            .prepare_cached("DELETE FROM secret WHERE realm = ?1 AND name = ?2")?
            .execute(params![realm, name])?,
    };
    Ok(())
}

/// Removes the values, and every state snapshot, whose bytes may hold them too. The fence keeps out a snapshot that
/// was folded before and arrives after.
fn erase(conn: &Connection, plan: &Plan) -> rusqlite::Result<()> {
    let mut delete =
        conn.prepare_cached("DELETE FROM disclosure WHERE realm = ?1 AND revision = ?2 AND slot = ?3")?;
    for (revision, slot) in &plan.erase {
        delete.execute(params![plan.realm, signed(*revision), slot])?;
    }
    conn.execute("DELETE FROM snapshot WHERE realm = ?1", [&plan.realm])?;
    conn.execute(
        "UPDATE ledger SET fence = ?2 WHERE realm = ?1",
        params![plan.realm, signed(plan.expected.revision.saturating_add(1))],
    )?;
    Ok(())
}

/// A revision as SQLite's integer. `Plan` gives out none beyond its range; one that is asked for beyond it finds nothing.
pub(super) fn signed(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}
