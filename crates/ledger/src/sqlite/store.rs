//! [`Source`] and [`Store`] for SQLite.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, params};

use super::apply::signed;
use super::error::{closed, read_only, store_error};
use super::writer::Job;
use super::{SqliteStore, base, moving, read, snapshots};
use crate::base::{ArchivedValue, Archiving, Base, BaseState, Unarchiving};
use crate::entry::{CommandId, Disclosed, Disclosure, LedgerId, Micros, Revision};
use crate::plan::{Plan, check_realm};
use crate::source::Source;
use crate::store::{
    Append, Appended, Checkpoint, Head, Row, SealedSecret, SnapshotMeta, Store, StoreError, StoredRow,
};

#[async_trait]
impl Source for SqliteStore {
    async fn realms(&self) -> Result<Vec<String>, StoreError> {
        self.readers.read(|conn| read::realms(conn)).await
    }

    async fn head(&self, realm: &str) -> Result<Head, StoreError> {
        let realm = realm.to_owned();
        self.readers.read(move |conn| read::head(conn, &realm)).await
    }

    async fn entries(
        &self,
        realm: &str,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Disclosed>, StoreError> {
        let realm = realm.to_owned();
        self.readers.read(move |conn| read::entries(conn, &realm, after, limit)).await
    }

    async fn secrets(&self) -> Result<Vec<(String, SealedSecret)>, StoreError> {
        self.readers.read(|conn| read::secrets(conn)).await
    }

    async fn all_rows(
        &self,
        realm: &str,
        after: Option<(&str, &[u8])>,
        limit: usize,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let realm = realm.to_owned();
        let after = after.map(|(kind, key)| (kind.to_owned(), key.to_vec()));
        self.readers.read(move |conn| moving::all_rows(conn, &realm, after, limit)).await
    }

    async fn checkpoints(&self, realm: &str) -> Result<Vec<Checkpoint>, StoreError> {
        let realm = realm.to_owned();
        self.readers.read(move |conn| read::checkpoints(conn, &realm)).await
    }

    async fn base_state(&self, realm: &str) -> Result<Option<BaseState>, StoreError> {
        let realm = realm.to_owned();
        self.readers.read(move |conn| base::base_state(conn, &realm)).await
    }

    async fn archived_values(
        &self,
        realm: &str,
        owner: Option<&str>,
    ) -> Result<Vec<ArchivedValue>, StoreError> {
        let (realm, owner) = (realm.to_owned(), owner.map(str::to_owned));
        self.readers.read(move |conn| base::archived_values(conn, &realm, owner.as_deref())).await
    }

    async fn disclosures(
        &self,
        realm: &str,
        after: Revision,
        last: Revision,
    ) -> Result<Vec<(Revision, Disclosure)>, StoreError> {
        let realm = realm.to_owned();
        self.readers.read(move |conn| base::disclosures(conn, &realm, after, last)).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn now(&self) -> Result<Micros, StoreError> {
        Ok((self.options.clock)())
    }

    async fn create(&self, realm: &str, ledger_id: LedgerId) -> Result<Head, StoreError> {
        check_realm(realm)?;
        let realm = realm.to_owned();
        self.write(move |conn| {
            let head = Head::empty(ledger_id);
            let made = conn
                .execute(
                    "INSERT INTO ledger (realm, ledger_id, revision, hash, time) VALUES (?1, ?2, 0, ?3, 0)
                     ON CONFLICT (realm) DO NOTHING",
                    params![realm, ledger_id.0.as_bytes(), head.hash.0],
                )
                .map_err(|error| store_error(&error))?;
            if made == 1 { Ok(head) } else { Err(StoreError::LedgerExists(realm)) }
        })
        .await
    }

    async fn heads(&self, realms: &[String]) -> Result<(Micros, Vec<(String, Head)>), StoreError> {
        let realms = realms.to_vec();
        let heads = self.readers.read(move |conn| read::heads(conn, realms)).await?;
        Ok((self.now().await?, heads))
    }

    async fn append(&self, append: Append) -> Appended {
        let plan = match Plan::of(append) {
            Ok(plan) => plan,
            Err(error) => return Appended::Rejected(error),
        };
        let (reply, answer) = tokio::sync::oneshot::channel();
        let Some(jobs) = &self.jobs else { return Appended::Rejected(read_only()) };
        if jobs.send(Job::Append(Box::new(plan), reply)).await.is_err() {
            return Appended::Rejected(closed());
        }
        answer.await.unwrap_or_else(|_| {
            Appended::Unknown(StoreError::Unavailable("the writing thread has ended".to_owned()))
        })
    }

    async fn find_commands(
        &self,
        realm: &str,
        ids: &[CommandId],
    ) -> Result<Vec<(CommandId, Revision)>, StoreError> {
        let (realm, ids) = (realm.to_owned(), ids.to_vec());
        self.readers.read(move |conn| read::find_commands(conn, &realm, &ids)).await
    }

    async fn reopen(&self) -> Result<(), StoreError> {
        if self.jobs.is_none() {
            let gate = self.readers.gate();
            let mut pool = gate.write().await;
            pool.shut(closed());
            pool.open();
            return Ok(());
        }
        self.ask(Job::Reopen).await?
    }

    async fn row(
        &self,
        realm: &str,
        kind: &str,
        key: &[u8],
        now: Micros,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let (realm, kind, key) = (realm.to_owned(), kind.to_owned(), key.to_vec());
        self.readers.read(move |conn| read::row(conn, &realm, &kind, &key, now)).await
    }

    async fn row_values(
        &self,
        realm: &str,
        kind: &str,
        keys: &[Vec<u8>],
        now: Micros,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let (realm, kind, keys) = (realm.to_owned(), kind.to_owned(), keys.to_vec());
        let values = move |conn: &mut rusqlite::Connection| {
            keys.iter().map(|key| read::row(conn, &realm, &kind, key, now)).collect()
        };
        self.readers.read(values).await
    }

    async fn rows(
        &self,
        realm: &str,
        kind: &str,
        prefix: &[u8],
        now: Micros,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let (realm, kind, prefix) = (realm.to_owned(), kind.to_owned(), prefix.to_vec());
        self.readers.read(move |conn| read::rows(conn, &realm, &kind, &prefix, now, limit)).await
    }

    async fn purge_rows(&self, now: Micros, limit: usize) -> Result<usize, StoreError> {
        self.write(move |conn| {
            conn.execute(
                "DELETE FROM ephemeral_row WHERE (realm, kind, key) IN
                 (SELECT realm, kind, key FROM ephemeral_row WHERE expires <= ?1 ORDER BY expires LIMIT ?2)",
                params![now, i64::try_from(limit).unwrap_or(i64::MAX)],
            )
            .map_err(|error| store_error(&error))
        })
        .await
    }

    async fn secret(&self, realm: &str, name: &str) -> Result<Option<SealedSecret>, StoreError> {
        let (realm, name) = (realm.to_owned(), name.to_owned());
        self.readers.read(move |conn| read::secret(conn, &realm, &name)).await
    }

    async fn adopt_rows(&self, realm: &str, rows: Vec<StoredRow>) -> Result<(), StoreError> {
        let realm = realm.to_owned();
        self.write(move |conn| moving::adopt_rows(conn, &realm, &rows)).await
    }

    async fn clear_side_data(&self, realm: &str) -> Result<(), StoreError> {
        let realm = realm.to_owned();
        self.write(move |conn| moving::clear_side_data(conn, &realm)).await
    }

    async fn unfinished(&self) -> Result<Option<String>, StoreError> {
        self.readers.read(|conn| moving::unfinished(conn)).await
    }

    async fn set_unfinished(&self, command: Option<&str>) -> Result<(), StoreError> {
        let command = command.map(str::to_owned);
        self.write(move |conn| moving::set_unfinished(conn, command.as_deref())).await
    }

    async fn put_snapshot(&self, realm: &str, meta: &SnapshotMeta, state: &[u8]) -> Result<(), StoreError> {
        snapshots::put(self, realm, meta, state).await
    }

    async fn snapshot(&self, realm: &str) -> Result<Option<(SnapshotMeta, Vec<u8>)>, StoreError> {
        let realm = realm.to_owned();
        self.readers.read(move |conn| snapshots::newest(conn, &realm)).await
    }

    async fn put_checkpoint(&self, realm: &str, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let (realm, checkpoint) = (realm.to_owned(), checkpoint.clone());
        self.write(move |conn| {
            let known = conn
                .query_row("SELECT 1 FROM ledger WHERE realm = ?1", [&realm], |_| Ok(()))
                .optional()
                .map_err(|error| store_error(&error))?;
            if known.is_none() {
                return Err(StoreError::NoLedger(realm));
            }
            conn.execute(
                "INSERT INTO checkpoint
                 (realm, revision, time, ledger_id, head_hash, state_hash, public_key, signature)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
                params![
                    realm,
                    signed(checkpoint.revision),
                    checkpoint.time,
                    checkpoint.ledger_id.0.as_bytes(),
                    checkpoint.head_hash.0,
                    checkpoint.state_hash.0,
                    checkpoint.public_key,
                    checkpoint.signature
                ],
            )
            .map(|_| ())
            .map_err(|error| store_error(&error))
        })
        .await
    }

    async fn base(&self, realm: &str) -> Result<Option<Base>, StoreError> {
        let realm = realm.to_owned();
        self.readers.read(move |conn| base::base(conn, &realm)).await
    }

    async fn archive(&self, archiving: Archiving) -> Result<(), StoreError> {
        self.write(move |conn| base::archive(conn, &archiving)).await
    }

    async fn unarchive(&self, unarchiving: Unarchiving) -> Result<(), StoreError> {
        self.write(move |conn| base::unarchive(conn, unarchiving)).await
    }

    async fn adopt_base(&self, realm: &str, base: BaseState) -> Result<Head, StoreError> {
        let realm = realm.to_owned();
        self.write(move |conn| base::adopt_base(conn, &realm, &base)).await
    }

    async fn adopt_values(
        &self,
        realm: &str,
        values: Vec<(Revision, Disclosure)>,
        owners: Vec<ArchivedValue>,
    ) -> Result<(), StoreError> {
        let realm = realm.to_owned();
        self.write(move |conn| base::adopt_values(conn, &realm, &values, &owners)).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        if self.jobs.is_none() {
            self.readers.gate().write().await.shut(closed());
            return Ok(());
        }
        self.ask(Job::Close).await?
    }
}
