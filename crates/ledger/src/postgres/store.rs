//! [`Source`] and [`Store`] for PostgreSQL.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::broadcast;

use super::read::{self, signed};
use super::{PostgresStore, append, base, moving, snapshots};
use crate::base::{ArchivedValue, Archiving, Base, BaseState, Unarchiving};
use crate::entry::{CommandId, Disclosed, Disclosure, LedgerId, Micros, Revision};
use crate::page::{page, values};
use crate::plan::{Plan, check_realm};
use crate::source::Source;
use crate::store::{
    Append, Appended, Checkpoint, Head, Row, SealedSecret, SnapshotMeta, Store, StoreError, StoredRow,
};

#[async_trait]
impl Source for PostgresStore {
    async fn realms(&self) -> Result<Vec<String>, StoreError> {
        self.ask(async |client| read::realms(client).await).await
    }

    async fn head(&self, realm: &str) -> Result<Head, StoreError> {
        self.ask(async |client| read::head_row(client, realm).await)
            .await?
            .ok_or_else(|| StoreError::NoLedger(realm.to_owned()))
    }

    async fn entries(
        &self,
        realm: &str,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Disclosed>, StoreError> {
        let (head, rows, values) =
            self.ask(async |client| read::page_rows(client, realm, after, limit).await).await?;
        let head = head.ok_or_else(|| StoreError::NoLedger(realm.to_owned()))?;
        let page = page(after, limit, &head, rows, values);
        if page.is_ok() {
            return page;
        }
        let base = self.ask(async |client| base::revision(client, realm).await).await?;
        base::or_archived(page, after, base)
    }

    async fn secrets(&self) -> Result<Vec<(String, SealedSecret)>, StoreError> {
        self.ask(async |client| read::secrets(client).await).await
    }

    async fn all_rows(
        &self,
        realm: &str,
        after: Option<(&str, &[u8])>,
        limit: usize,
    ) -> Result<Vec<StoredRow>, StoreError> {
        self.ask(async |client| moving::all_rows(client, realm, after, limit).await).await
    }

    async fn checkpoints(&self, realm: &str) -> Result<Vec<Checkpoint>, StoreError> {
        let rows = self.ask(async |client| read::checkpoint_rows(client, realm).await).await?;
        rows.iter().map(read::checkpoint_of).collect()
    }

    async fn base_state(&self, realm: &str) -> Result<Option<BaseState>, StoreError> {
        base::base_state(self, realm).await
    }

    async fn archived_values(
        &self,
        realm: &str,
        owner: Option<&str>,
    ) -> Result<Vec<ArchivedValue>, StoreError> {
        self.ask(async |client| base::archived_values(client, realm, owner).await).await
    }

    async fn disclosures(
        &self,
        realm: &str,
        after: Revision,
        last: Revision,
    ) -> Result<Vec<(Revision, Disclosure)>, StoreError> {
        let last = signed(last);
        values(self.ask(async |client| read::disclosure_rows(client, realm, after, last).await).await?)
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn is_shared(&self) -> bool {
        true
    }

    async fn now(&self) -> Result<Micros, StoreError> {
        self.ask(async |client| {
            let statement = client.prepare_cached(read::NOW).await?;
            client.query_one(&statement, &[]).await?.try_get(0)
        })
        .await
    }

    async fn create(&self, realm: &str, ledger_id: LedgerId) -> Result<Head, StoreError> {
        check_realm(realm)?;
        let head = Head::empty(ledger_id);
        let made = self
            .change(async |client| {
                client
                    .execute(
                        "INSERT INTO ledger (realm, ledger_id, revision, hash, time) VALUES ($1, $2, 0, $3, 0)
                         ON CONFLICT (realm) DO NOTHING",
                        &[&realm, &ledger_id.0.as_bytes().as_slice(), &head.hash.0.as_slice()],
                    )
                    .await
            })
            .await?;
        if made == 1 { Ok(head) } else { Err(StoreError::LedgerExists(realm.to_owned())) }
    }

    async fn heads(&self, realms: &[String]) -> Result<(Micros, Vec<(String, Head)>), StoreError> {
        self.ask(async |client| read::heads(client, realms).await).await
    }

    fn announcements(&self) -> Option<broadcast::Receiver<Arc<str>>> {
        Some(self.announcer().listen())
    }

    async fn append(&self, append: Append) -> Appended {
        match Plan::of(append) {
            Ok(plan) => {
                let appended = append::append(self, &plan).await;
                // Rows alone are read from the store by whoever needs them.
                if matches!(appended, Appended::Durable(_)) && !plan.entries.is_empty() {
                    self.announcer().say(&plan.realm);
                }
                appended
            }
            Err(error) => Appended::Rejected(error),
        }
    }

    async fn find_commands(
        &self,
        realm: &str,
        ids: &[CommandId],
    ) -> Result<Vec<(CommandId, Revision)>, StoreError> {
        self.ask(async |client| read::find_commands(client, realm, ids).await).await
    }

    async fn reopen(&self) -> Result<(), StoreError> {
        if self.pool.is_closed() {
            return Err(StoreError::Unavailable("the store was closed".to_owned()));
        }
        self.pool.retain(|_, _| false);
        self.settle_all().await?;
        self.now().await.map(|_| ())
    }

    async fn row(
        &self,
        realm: &str,
        kind: &str,
        key: &[u8],
        now: Micros,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(async |client| read::row(client, realm, kind, key, now).await).await
    }

    async fn row_values(
        &self,
        realm: &str,
        kind: &str,
        keys: &[Vec<u8>],
        now: Micros,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.ask(async |client| read::row_values(client, realm, kind, keys, now).await).await
    }

    async fn rows(
        &self,
        realm: &str,
        kind: &str,
        prefix: &[u8],
        now: Micros,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.ask(async |client| read::rows(client, realm, kind, prefix, now, limit).await).await
    }

    async fn purge_rows(&self, now: Micros, limit: usize) -> Result<usize, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let purged = self
            .change(async |client| {
                client
                    .execute(
                        "DELETE FROM ephemeral_row WHERE (realm, kind, key) IN
                         (SELECT realm, kind, key FROM ephemeral_row WHERE expires <= $1
                          ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED)",
                        &[&now, &limit],
                    )
                    .await
            })
            .await?;
        Ok(usize::try_from(purged).unwrap_or(usize::MAX))
    }

    async fn secret(&self, realm: &str, name: &str) -> Result<Option<SealedSecret>, StoreError> {
        self.ask(async |client| {
            let sql =
                "SELECT realm, name, version, key_id, sealed FROM secret WHERE realm = $1 AND name = $2";
            let row = client.query_opt(sql, &[&realm, &name]).await?;
            row.map(|row| read::secret_of(&row).map(|(_, secret)| secret)).transpose()
        })
        .await
    }

    async fn adopt_rows(&self, realm: &str, rows: Vec<StoredRow>) -> Result<(), StoreError> {
        self.change(async |client| moving::adopt_rows(client, realm, &rows).await).await
    }

    async fn clear_side_data(&self, realm: &str) -> Result<(), StoreError> {
        self.change(async |client| moving::clear_side_data(client, realm).await).await
    }

    async fn unfinished(&self) -> Result<Option<String>, StoreError> {
        self.ask(async |client| moving::unfinished(client).await).await
    }

    async fn set_unfinished(&self, command: Option<&str>) -> Result<(), StoreError> {
        self.change(async |client| moving::set_unfinished(client, command).await).await
    }

    async fn put_snapshot(&self, realm: &str, meta: &SnapshotMeta, state: &[u8]) -> Result<(), StoreError> {
        snapshots::put(self, realm, meta, state).await
    }

    async fn snapshot(&self, realm: &str) -> Result<Option<(SnapshotMeta, Vec<u8>)>, StoreError> {
        snapshots::newest(self, realm).await
    }

    async fn put_checkpoint(&self, realm: &str, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.head(realm).await?;
        self.change(async |client| {
            client
                .execute(
                    "INSERT INTO checkpoint
                     (realm, revision, time, ledger_id, head_hash, state_hash, public_key, signature)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
                    &[
                        &realm,
                        &signed(checkpoint.revision),
                        &checkpoint.time,
                        &checkpoint.ledger_id.0.as_bytes().as_slice(),
                        &checkpoint.head_hash.0.as_slice(),
                        &checkpoint.state_hash.0.as_slice(),
                        &checkpoint.public_key.as_slice(),
                        &checkpoint.signature.as_slice(),
                    ],
                )
                .await
        })
        .await
        .map(|_| ())
    }

    async fn base(&self, realm: &str) -> Result<Option<Base>, StoreError> {
        base::base(self, realm).await
    }

    async fn archive(&self, archiving: Archiving) -> Result<(), StoreError> {
        base::archive(self, &archiving).await
    }

    async fn unarchive(&self, unarchiving: Unarchiving) -> Result<(), StoreError> {
        base::unarchive(self, unarchiving).await
    }

    async fn adopt_base(&self, realm: &str, base: BaseState) -> Result<Head, StoreError> {
        base::adopt_base(self, realm, &base).await
    }

    async fn adopt_values(
        &self,
        realm: &str,
        values: Vec<(Revision, Disclosure)>,
        owners: Vec<ArchivedValue>,
    ) -> Result<(), StoreError> {
        base::adopt_values(self, realm, &values, &owners).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.pool.close();
        if let Some(announcer) = self.announcer.get() {
            announcer.stop();
        }
        Ok(())
    }
}
