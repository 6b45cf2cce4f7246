//! The store as it was at one moment, for who reads all of it while others write.

use async_trait::async_trait;
use tokio_postgres::Error;

use super::connect::Client;
use super::options::PostgresOptions;
use super::{PostgresStore, base, moving, read, within};
use crate::base::{ArchivedValue, BaseState};
use crate::entry::{Disclosed, Disclosure, Revision};
use crate::page::{page, values};
use crate::source::Source;
use crate::store::{Checkpoint, Head, SealedSecret, StoreError, StoredRow};

/// One read-only transaction on a connection of its own. It stops nobody from writing.
pub struct PostgresView {
    client: Client,
    options: PostgresOptions,
}

impl PostgresStore {
    /// A view of everything as it is committed now.
    ///
    /// # Errors
    /// Whatever connecting may meet.
    pub async fn view(&self) -> Result<PostgresView, StoreError> {
        let view = PostgresView { client: self.client().await?, options: self.options.clone() };
        // Whoever writes the copy may take long between two questions.
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
                     SET LOCAL idle_in_transaction_session_timeout = 0;
                     SELECT count(*) FROM ledger";
        view.ask(async |client| client.batch_execute(begin).await).await?;
        Ok(view)
    }
}

impl PostgresStore {
    /// How many sessions of servers there are on this database. A hint: none are told of where the database has no such list.
    pub async fn sessions_of_servers(&self) -> i64 {
        self.ask(async |client| moving::sessions_of_servers(client).await).await.unwrap_or_default()
    }
}

impl PostgresView {
    async fn ask<T>(&self, work: impl AsyncFnOnce(&Client) -> Result<T, Error>) -> Result<T, StoreError> {
        within(&self.options, work(&self.client)).await
    }
}

impl Drop for PostgresView {
    /// Its connection must not go back to the others in the middle of a transaction.
    fn drop(&mut self) {
        self.client.break_off();
    }
}

#[async_trait]
impl Source for PostgresView {
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
        let (rows, values) = self
            .ask(async |client| {
                let rows = read::entry_rows(client, realm, after, limit).await?;
                let last = rows.last().map_or(0, |row| row.revision);
                Ok((rows, read::disclosure_rows(client, realm, after, last).await?))
            })
            .await?;
        let page = page(after, limit, &self.head(realm).await?, rows, values);
        if page.is_ok() {
            return page;
        }
        let base = self.ask(async |client| base::revision(client, realm).await).await?;
        base::or_archived(page, after, base)
    }

    async fn all_rows(
        &self,
        realm: &str,
        after: Option<(&str, &[u8])>,
        limit: usize,
    ) -> Result<Vec<StoredRow>, StoreError> {
        self.ask(async |client| moving::all_rows(client, realm, after, limit).await).await
    }

    async fn secrets(&self) -> Result<Vec<(String, SealedSecret)>, StoreError> {
        self.ask(async |client| read::secrets(client).await).await
    }

    async fn checkpoints(&self, realm: &str) -> Result<Vec<Checkpoint>, StoreError> {
        let rows = self.ask(async |client| read::checkpoint_rows(client, realm).await).await?;
        rows.iter().map(read::checkpoint_of).collect()
    }

    async fn base_state(&self, realm: &str) -> Result<Option<BaseState>, StoreError> {
        base::state_in(&self.client, realm).await
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
        let last = read::signed(last);
        values(self.ask(async |client| read::disclosure_rows(client, realm, after, last).await).await?)
    }
}
