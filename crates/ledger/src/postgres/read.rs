//! The questions to the store.

use std::collections::HashMap;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};
use uuid::Uuid;

use super::session::Session;
use crate::chunks::hash_column;
use crate::entry::{CommandId, LedgerId, Micros, Revision};
use crate::page::{DisclosureRow, EntryRow};
use crate::store::{Checkpoint, Head, SealedSecret, StoreError, behind};

/// The store's clock, in microseconds.
pub(super) const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

pub(super) async fn realms(client: &Session) -> Result<Vec<String>, Error> {
    let rows = client.query("SELECT realm FROM ledger ORDER BY realm", &[]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

const HEAD: &str = "SELECT ledger_id, revision, hash, time FROM ledger WHERE realm = $1";

pub(super) async fn head_row(client: &Session, realm: &str) -> Result<Option<Head>, Error> {
    let statement = client.prepare_cached(HEAD).await?;
    client.query_opt(&statement, &[&realm]).await?.map(|row| head_of(&row)).transpose()
}

/// As [`head_row`], with how often the ledger was settled.
pub(super) async fn head_and_epoch(client: &Session, realm: &str) -> Result<Option<(Head, i64)>, Error> {
    let sql = "SELECT ledger_id, revision, hash, time, epoch FROM ledger WHERE realm = $1";
    let statement = client.prepare_cached(sql).await?;
    let row = client.query_opt(&statement, &[&realm]).await?;
    row.map(|row| Ok((head_of(&row)?, row.try_get(4)?))).transpose()
}

/// The values of these rows, expired or not, in their order.
pub(super) async fn values_of(
    client: &Session,
    realm: &str,
    kinds: &[&str],
    keys: &[&[u8]],
) -> Result<Vec<Option<Vec<u8>>>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let statement = client
        .prepare_cached(
            "SELECT r.value FROM unnest($2::text[], $3::bytea[]) WITH ORDINALITY AS asked (kind, key, place)
             LEFT JOIN ephemeral_row r ON r.realm = $1 AND r.kind = asked.kind AND r.key = asked.key
             ORDER BY asked.place",
        )
        .await?;
    client.query(&statement, &[&realm, &kinds, &keys]).await?.iter().map(|row| row.try_get(0)).collect()
}

/// A row that begins with `ledger_id, revision, hash, time`.
fn head_of(row: &Row) -> Result<Head, Error> {
    Ok(Head {
        // The lengths of both are held by the table's own checks.
        ledger_id: LedgerId(Uuid::from_slice(row.try_get(0)?).unwrap_or_default()),
        revision: row.try_get::<_, i64>(1)?.unsigned_abs(),
        hash: hash_column(row.try_get(2)?).unwrap_or_default(),
        time: row.try_get(3)?,
    })
}

/// Where these ledgers end, and the store's clock; both are sent before the first answer is there.
pub(super) async fn heads(
    client: &Session,
    realms: &[String],
) -> Result<(Micros, Vec<(String, Head)>), Error> {
    let (now, heads) = tokio::try_join!(
        client.prepare_cached(NOW),
        client.prepare_cached(
            "SELECT ledger_id, revision, hash, time, realm FROM ledger WHERE realm = ANY($1) ORDER BY realm",
        )
    )?;
    let asked: [&(dyn ToSql + Sync); 1] = [&realms];
    let (now, rows) = tokio::try_join!(biased; client.query_one(&now, &[]), client.query(&heads, &asked))?;
    let heads = rows.iter().map(|row| Ok((row.try_get(4)?, head_of(row)?))).collect::<Result<_, Error>>()?;
    Ok((now.try_get(0)?, heads))
}

pub(super) async fn row_values(
    client: &Session,
    realm: &str,
    kind: &str,
    keys: &[Vec<u8>],
    now: Micros,
) -> Result<Vec<Option<Vec<u8>>>, Error> {
    let statement = client
        .prepare_cached(
            "SELECT key, value FROM ephemeral_row
             WHERE realm = $1 AND kind = $2 AND key = ANY($3) AND expires > $4",
        )
        .await?;
    let rows = client.query(&statement, &[&realm, &kind, &keys, &now]).await?;
    let found: HashMap<Vec<u8>, Vec<u8>> =
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, Error>>()?;
    Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
}

const ENTRIES: &str = "SELECT revision, command_id, hash, bytes FROM entry
    WHERE realm = $1 AND revision > $2 ORDER BY revision LIMIT $3";

/// The head, and a page of what is behind `after`. All three are sent before the first is answered, and asked in this order:
/// entries that come in between are more than the head promises, and values more than the entries need, never fewer.
pub(super) async fn page_rows(
    client: &Session,
    realm: &str,
    after: Revision,
    limit: usize,
) -> Result<(Option<Head>, Vec<EntryRow>, Vec<DisclosureRow>), Error> {
    let head = client.prepare_cached(HEAD).await?;
    let entries = client.prepare_cached(ENTRIES).await?;
    let disclosures = client
        .prepare_cached(
            "SELECT revision, slot, salt, value FROM disclosure
             WHERE realm = $1 AND revision > $2 AND revision <= (
                SELECT max(revision) FROM (
                    SELECT revision FROM entry WHERE realm = $1 AND revision > $2 ORDER BY revision LIMIT $3) page)
             ORDER BY revision, slot",
        )
        .await?;
    let (after, limit) = (signed(after), i64::try_from(limit).unwrap_or(i64::MAX));
    let whose: [&(dyn ToSql + Sync); 1] = [&realm];
    let which: [&(dyn ToSql + Sync); 3] = [&realm, &after, &limit];
    let (head, entries, disclosures) = tokio::try_join!(
        biased;
        client.query_opt(&head, &whose),
        client.query(&entries, &which),
        client.query(&disclosures, &which),
    )?;
    let head = head.map(|row| head_of(&row)).transpose()?;
    Ok((head, entries.iter().map(entry_of).collect::<Result<_, _>>()?, disclosures_of(&disclosures)?))
}

pub(super) async fn entry_rows(
    client: &Session,
    realm: &str,
    after: Revision,
    limit: usize,
) -> Result<Vec<EntryRow>, Error> {
    let statement = client.prepare_cached(ENTRIES).await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    client.query(&statement, &[&realm, &signed(after), &limit]).await?.iter().map(entry_of).collect()
}

fn entry_of(row: &Row) -> Result<EntryRow, Error> {
    Ok(EntryRow {
        revision: row.try_get(0)?,
        command_id: row.try_get(1)?,
        hash: row.try_get(2)?,
        bytes: row.try_get(3)?,
    })
}

pub(super) async fn disclosure_rows(
    client: &Session,
    realm: &str,
    after: Revision,
    last: i64,
) -> Result<Vec<DisclosureRow>, Error> {
    let statement = client
        .prepare_cached(
            "SELECT revision, slot, salt, value FROM disclosure
             WHERE realm = $1 AND revision > $2 AND revision <= $3 ORDER BY revision, slot",
        )
        .await?;
    disclosures_of(&client.query(&statement, &[&realm, &signed(after), &last]).await?)
}

fn disclosures_of(rows: &[Row]) -> Result<Vec<DisclosureRow>, Error> {
    rows.iter()
        .map(|row| {
            Ok(DisclosureRow {
                revision: row.try_get(0)?,
                slot: row.try_get(1)?,
                salt: row.try_get(2)?,
                value: row.try_get(3)?,
            })
        })
        .collect()
}

pub(super) async fn find_commands(
    client: &Session,
    realm: &str,
    ids: &[CommandId],
) -> Result<Vec<(CommandId, Revision)>, Error> {
    let asked: Vec<&[u8]> = ids.iter().map(|id| id.0.as_slice()).collect();
    let statement = client
        .prepare_cached(
            "SELECT command_id, revision FROM entry WHERE realm = $1 AND command_id = ANY($2) ORDER BY revision",
        )
        .await?;
    let mut found = Vec::new();
    for row in client.query(&statement, &[&realm, &asked]).await? {
        if let Ok(id) = <[u8; 16]>::try_from(row.try_get::<_, &[u8]>(0)?) {
            found.push((CommandId(id), row.try_get::<_, i64>(1)?.unsigned_abs()));
        }
    }
    Ok(found)
}

pub(super) async fn row(
    client: &Session,
    realm: &str,
    kind: &str,
    key: &[u8],
    now: Micros,
) -> Result<Option<Vec<u8>>, Error> {
    let statement = client
        .prepare_cached(
            "SELECT value FROM ephemeral_row WHERE realm = $1 AND kind = $2 AND key = $3 AND expires > $4",
        )
        .await?;
    client.query_opt(&statement, &[&realm, &kind, &key, &now]).await?.map(|row| row.try_get(0)).transpose()
}

pub(super) async fn rows(
    client: &Session,
    realm: &str,
    kind: &str,
    prefix: &[u8],
    now: Micros,
    limit: usize,
) -> Result<Vec<crate::store::Row>, Error> {
    let statement = client
        .prepare_cached(
            "SELECT key, value FROM ephemeral_row
             WHERE realm = $1 AND kind = $2 AND key >= $3 AND ($4::bytea IS NULL OR key < $4) AND expires > $5
             ORDER BY key LIMIT $6",
        )
        .await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    client
        .query(&statement, &[&realm, &kind, &prefix, &behind(prefix), &now, &limit])
        .await?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

pub(super) async fn secrets(client: &Session) -> Result<Vec<(String, SealedSecret)>, Error> {
    let sql = "SELECT realm, name, version, key_id, sealed FROM secret ORDER BY realm, name";
    client.query(sql, &[]).await?.iter().map(secret_of).collect()
}

/// A row of `realm, name, version, key_id, sealed`.
pub(super) fn secret_of(row: &Row) -> Result<(String, SealedSecret), Error> {
    let version: i64 = row.try_get(2)?;
    let key_id: &[u8] = row.try_get(3)?;
    let secret = SealedSecret {
        name: row.try_get(1)?,
        // A version or key id that does not fit makes the secret one that does not open.
        version: u32::try_from(version).unwrap_or_default(),
        key_id: key_id.try_into().unwrap_or_default(),
        sealed: row.try_get(4)?,
    };
    Ok((row.try_get(0)?, secret))
}

/// Rows for [`checkpoint_of`], oldest first.
pub(super) async fn checkpoint_rows(client: &Session, realm: &str) -> Result<Vec<Row>, Error> {
    let sql = "SELECT ledger_id, revision, head_hash, state_hash, time, public_key, signature
               FROM checkpoint WHERE realm = $1 ORDER BY revision, time";
    client.query(sql, &[&realm]).await
}

/// A row of `ledger_id, revision, head_hash, state_hash, time, public_key, signature`.
pub(super) fn checkpoint_of(row: &Row) -> Result<Checkpoint, StoreError> {
    let read = || -> Result<Option<Checkpoint>, Error> {
        let ledger_id = Uuid::from_slice(row.try_get(0)?);
        let hashes = (hash_column(row.try_get(2)?), hash_column(row.try_get(3)?));
        let public_key = <[u8; 32]>::try_from(row.try_get::<_, &[u8]>(5)?);
        let signature = <[u8; 64]>::try_from(row.try_get::<_, &[u8]>(6)?);
        let (Ok(ledger_id), (Some(head_hash), Some(state_hash)), Ok(public_key), Ok(signature)) =
            (ledger_id, hashes, public_key, signature)
        else {
            return Ok(None);
        };
        Ok(Some(Checkpoint {
            ledger_id: LedgerId(ledger_id),
            revision: row.try_get::<_, i64>(1)?.unsigned_abs(),
            head_hash,
            state_hash,
            time: row.try_get(4)?,
            public_key,
            signature,
        }))
    };
    read()
        .map_err(|error| super::error::store_error(&error))?
        .ok_or_else(|| StoreError::Damaged("a checkpoint has a field of the wrong length".to_owned()))
}

/// A revision as the database's integer. `Plan` gives out none beyond its range; one that is asked for beyond it finds
/// nothing.
pub(super) fn signed(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}
