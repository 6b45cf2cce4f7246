//! The compare-and-set append: one transaction, of which the head's row is the lock.

use std::sync::atomic::{AtomicBool, Ordering};

use deadpool_postgres::{Client, Object, Transaction};
use tokio_postgres::{Error, IsolationLevel};

use super::PostgresStore;
use super::error::{store_error, too_slow};
use super::read::{head_row, signed};
use crate::plan::{Plan, Taking};
use crate::store::{Appended, RowWrite, SealedSecret, SecretWrite, StoreError};

pub(super) async fn append(store: &PostgresStore, plan: &Plan) -> Appended {
    let mut client = match store.client().await {
        Ok(client) => client,
        Err(error) => return Appended::Rejected(error),
    };
    let committing = AtomicBool::new(false);
    let attempt = tokio::time::timeout(store.options.patience(), attempt(&mut client, plan, &committing));
    let appended = match attempt.await {
        Ok(Ok(appended)) => return appended,
        Ok(Err(error)) => Err(store_error(&error)),
        Err(_) => Err(too_slow()),
    };
    // The connection may be in the middle of anything: it does not go back to the others. When no COMMIT was sent on
    // it, the server rolls back as it goes.
    drop(Object::take(client));
    match appended {
        Ok(appended) => appended,
        Err(error) if committing.load(Ordering::Relaxed) => {
            store.unsettled(&plan.realm);
            Appended::Unknown(error)
        }
        Err(error) => Appended::Rejected(error),
    }
}

async fn attempt(client: &mut Client, plan: &Plan, committing: &AtomicBool) -> Result<Appended, Error> {
    let change = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
    if !take_head(&change, plan).await? {
        let now = head_row(&change, &plan.realm).await?;
        change.rollback().await?;
        return Ok(match now {
            Some(head) => Appended::Conflict(head),
            None => Appended::Rejected(StoreError::NoLedger(plan.realm.clone())),
        });
    }
    let untaken = untaken(&change, plan).await?;
    if !untaken.is_empty() {
        change.rollback().await?;
        return Ok(Appended::Untaken(untaken));
    }
    write_entries(&change, plan).await?;
    write_disclosures(&change, plan).await?;
    for row in &plan.rows {
        write_row(&change, &plan.realm, row).await?;
    }
    for secret in &plan.secrets {
        write_secret(&change, &plan.realm, secret).await?;
    }
    if !plan.erase.is_empty() {
        erase(&change, plan).await?;
    }
    committing.store(true, Ordering::Relaxed);
    // Even an error that the server answers may come after the commit was written (a shutdown while it waits for a
    // replica), so none of them is taken for a no.
    change.commit().await?;
    Ok(Appended::Durable(plan.head))
}

/// Sets the head if it is the expected one. A second appender waits here for the first to end, and then finds another.
async fn take_head(change: &Transaction<'_>, plan: &Plan) -> Result<bool, Error> {
    let (expected, head) = (&plan.expected, &plan.head);
    let realm = &plan.realm;
    let found = if head == expected {
        let statement = change
            .prepare_cached(
                "SELECT realm FROM ledger
                 WHERE realm = $1 AND ledger_id = $2 AND revision = $3 AND hash = $4 AND time = $5 FOR UPDATE",
            )
            .await?;
        let rows = change
            .query(
                &statement,
                &[
                    realm,
                    &expected.ledger_id.0.as_bytes().as_slice(),
                    &signed(expected.revision),
                    &expected.hash.0.as_slice(),
                    &expected.time,
                ],
            )
            .await?;
        rows.len()
    } else {
        let statement = change
            .prepare_cached(
                "UPDATE ledger SET ledger_id = $6, revision = $7, hash = $8, time = $9
                 WHERE realm = $1 AND ledger_id = $2 AND revision = $3 AND hash = $4 AND time = $5",
            )
            .await?;
        let changed = change
            .execute(
                &statement,
                &[
                    realm,
                    &expected.ledger_id.0.as_bytes().as_slice(),
                    &signed(expected.revision),
                    &expected.hash.0.as_slice(),
                    &expected.time,
                    &head.ledger_id.0.as_bytes().as_slice(),
                    &signed(head.revision),
                    &head.hash.0.as_slice(),
                    &head.time,
                ],
            )
            .await?;
        usize::try_from(changed).unwrap_or(usize::MAX)
    };
    Ok(found == 1)
}

/// All entries in one statement: a group of a hundred commands costs one round trip.
async fn write_entries(change: &Transaction<'_>, plan: &Plan) -> Result<(), Error> {
    if plan.entries.is_empty() {
        return Ok(());
    }
    let revisions: Vec<i64> = plan.entries.iter().map(|placed| signed(placed.entry.revision)).collect();
    let commands: Vec<&[u8]> =
        plan.entries.iter().map(|placed| placed.entry.command_id.0.as_slice()).collect();
    let hashes: Vec<&[u8]> = plan.entries.iter().map(|placed| placed.entry.hash.0.as_slice()).collect();
    let bytes: Vec<&[u8]> = plan.entries.iter().map(|placed| placed.bytes.as_slice()).collect();
    let statement = change
        .prepare_cached(
            "INSERT INTO entry (realm, revision, command_id, hash, bytes)
             SELECT $1, * FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[])",
        )
        .await?;
    change.execute(&statement, &[&plan.realm, &revisions, &commands, &hashes, &bytes]).await?;
    Ok(())
}

async fn write_disclosures(change: &Transaction<'_>, plan: &Plan) -> Result<(), Error> {
    let (mut revisions, mut slots) = (Vec::new(), Vec::new());
    let (mut salts, mut values) = (Vec::<&[u8]>::new(), Vec::<&[u8]>::new());
    for placed in &plan.entries {
        for disclosure in &placed.disclosures {
            revisions.push(signed(placed.entry.revision));
            slots.push(i64::from(disclosure.slot));
            salts.push(&disclosure.salt);
            values.push(&disclosure.value);
        }
    }
    if revisions.is_empty() {
        return Ok(());
    }
    let statement = change
        .prepare_cached(
            "INSERT INTO disclosure (realm, revision, slot, salt, value)
             SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])",
        )
        .await?;
    change.execute(&statement, &[&plan.realm, &revisions, &slots, &salts, &values]).await?;
    Ok(())
}

/// Looked at under the head's lock, before anything is written: nobody else appends to this ledger meanwhile.
async fn untaken(change: &Transaction<'_>, plan: &Plan) -> Result<Vec<usize>, Error> {
    let mut taking = Taking::default();
    for (index, row) in plan.rows.iter().enumerate() {
        if let Some((kind, key)) = taking.judge(index, row) {
            let statement = change
                .prepare_cached(
                    "SELECT value FROM ephemeral_row WHERE realm = $1 AND kind = $2 AND key = $3 FOR UPDATE",
                )
                .await?;
            let found = change.query_opt(&statement, &[&plan.realm, &kind, &key]).await?;
            let value: Option<Vec<u8>> = found.map(|found| found.get(0));
            taking.found(index, row, value.as_deref());
        }
    }
    Ok(taking.untaken())
}

async fn write_row(change: &Transaction<'_>, realm: &str, row: &RowWrite) -> Result<(), Error> {
    match row {
        RowWrite::Put { kind, key, value, expires } => {
            let statement = change
                .prepare_cached(
                    "INSERT INTO ephemeral_row (realm, kind, key, value, expires) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (realm, kind, key) DO UPDATE
                     SET value = excluded.value, expires = excluded.expires",
                )
                .await?;
            change.execute(&statement, &[&realm, kind, key, value, expires]).await?;
        }
        RowWrite::Renew { kind, key, value, expires } => {
            let statement = change
                .prepare_cached(
                    "UPDATE ephemeral_row SET value = $4, expires = $5
                     WHERE realm = $1 AND kind = $2 AND key = $3",
                )
                .await?;
            change.execute(&statement, &[&realm, kind, key, value, expires]).await?;
        }
        RowWrite::Move { kind, key, to, value, expires } => {
            let statement = change
                .prepare_cached(
                    "UPDATE ephemeral_row SET key = $4, value = $5, expires = $6
                     WHERE realm = $1 AND kind = $2 AND key = $3",
                )
                .await?;
            change.execute(&statement, &[&realm, kind, key, to, value, expires]).await?;
        }
        RowWrite::Delete { kind, key } | RowWrite::Take { kind, key, .. } => {
            let statement = change
                .prepare_cached("DELETE FROM ephemeral_row WHERE realm = $1 AND kind = $2 AND key = $3")
                .await?;
            change.execute(&statement, &[&realm, kind, key]).await?;
        }
    }
    Ok(())
}

async fn write_secret(change: &Transaction<'_>, realm: &str, secret: &SecretWrite) -> Result<(), Error> {
    match secret {
        SecretWrite::Put(SealedSecret { name, version, key_id, sealed }) => {
            let statement = change
                .prepare_cached(
                    "INSERT INTO secret (realm, name, version, key_id, sealed) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (realm, name) DO UPDATE
                     SET version = excluded.version, key_id = excluded.key_id, sealed = excluded.sealed",
                )
                .await?;
            let version = i64::from(*version);
            change.execute(&statement, &[&realm, name, &version, &key_id.as_slice(), sealed]).await?;
        }
        SecretWrite::Delete(name) => {
            let statement =
                change.prepare_cached("DELETE FROM secret WHERE realm = $1 AND name = $2").await?;
            change.execute(&statement, &[&realm, name]).await?;
        }
    }
    Ok(())
}

/// Removes the values, and every state snapshot, whose bytes may hold them too. The fence keeps out a snapshot that
/// was folded before and arrives after.
async fn erase(change: &Transaction<'_>, plan: &Plan) -> Result<(), Error> {
    let revisions: Vec<i64> = plan.erase.iter().map(|(revision, _)| signed(*revision)).collect();
    let slots: Vec<i64> = plan.erase.iter().map(|(_, slot)| i64::from(*slot)).collect();
    change
        .execute(
            "DELETE FROM disclosure WHERE realm = $1
             AND (revision, slot) IN (SELECT * FROM unnest($2::bigint[], $3::bigint[]))",
            &[&plan.realm, &revisions, &slots],
        )
        .await?;
    change.execute("DELETE FROM snapshot WHERE realm = $1", &[&plan.realm]).await?;
    let fence = signed(plan.expected.revision.saturating_add(1));
    change.execute("UPDATE ledger SET fence = $2 WHERE realm = $1", &[&plan.realm, &fence]).await?;
    Ok(())
}
