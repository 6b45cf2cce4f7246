//! What only copies of whole stores need: rows as they are, and the mark of a store that is being filled.

use tokio_postgres::Error;

use super::options::PostgresOptions;
use super::session::Session;
use crate::store::StoredRow;

pub(super) async fn all_rows(
    client: &Session,
    realm: &str,
    after: Option<(&str, &[u8])>,
    limit: usize,
) -> Result<Vec<StoredRow>, Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // No kind is empty, so that nothing lies before this.
    let (kind, key) = after.unwrap_or_default();
    let statement = client
        .prepare_cached(
            "SELECT kind, key, value, expires FROM ephemeral_row
             WHERE realm = $1 AND (kind, key) > ($2, $3) ORDER BY kind, key LIMIT $4",
        )
        .await?;
    client
        .query(&statement, &[&realm, &kind, &key, &limit])
        .await?
        .iter()
        .map(|row| {
            Ok(StoredRow {
                kind: row.try_get(0)?,
                key: row.try_get(1)?,
                value: row.try_get(2)?,
                expires: row.try_get(3)?,
            })
        })
        .collect()
}

pub(super) async fn adopt_rows(client: &Session, realm: &str, rows: &[StoredRow]) -> Result<(), Error> {
    let kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    let keys: Vec<&[u8]> = rows.iter().map(|row| row.key.as_slice()).collect();
    let values: Vec<&[u8]> = rows.iter().map(|row| row.value.as_slice()).collect();
    let expires: Vec<i64> = rows.iter().map(|row| row.expires).collect();
    let statement = client
        .prepare_cached(
            "INSERT INTO ephemeral_row (realm, kind, key, value, expires)
             SELECT $1, * FROM unnest($2::text[], $3::bytea[], $4::bytea[], $5::bigint[])
             ON CONFLICT (realm, kind, key) DO UPDATE SET value = excluded.value, expires = excluded.expires",
        )
        .await?;
    client.execute(&statement, &[&realm, &kinds, &keys, &values, &expires]).await.map(|_| ())
}

pub(super) async fn clear_side_data(client: &Session, realm: &str) -> Result<(), Error> {
    client.execute("DELETE FROM ephemeral_row WHERE realm = $1", &[&realm]).await?;
    client.execute("DELETE FROM secret WHERE realm = $1", &[&realm]).await.map(|_| ())
}

/// How many sessions of servers the database has, as far as this user may see them.
pub(super) async fn sessions_of_servers(client: &Session) -> Result<i64, Error> {
    let sql =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1";
    client.query_one(sql, &[&PostgresOptions::SERVER]).await?.try_get(0)
}

pub(super) async fn unfinished(client: &Session) -> Result<Option<String>, Error> {
    let row = client.query_opt("SELECT command FROM unfinished LIMIT 1", &[]).await?;
    row.map(|row| row.try_get(0)).transpose()
}

pub(super) async fn set_unfinished(client: &Session, command: Option<&str>) -> Result<(), Error> {
    match command {
        Some(command) => {
            let put = "INSERT INTO unfinished (command) VALUES ($1) ON CONFLICT (command) DO NOTHING";
            client.execute(put, &[&command]).await
        }
        None => client.execute("DELETE FROM unfinished", &[]).await,
    }
    .map(|_| ())
}
