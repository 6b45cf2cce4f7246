//! What a whole store is copied from: a store, or a view of one.

use async_trait::async_trait;

use crate::base::{ArchivedValue, BaseState};
use crate::entry::{Disclosed, Disclosure, Revision};
use crate::store::{Checkpoint, Head, SealedSecret, Store, StoreError, StoredRow};

/// Everything that a copy reads. Each method does what [`Store`]'s of the same name does.
#[async_trait]
pub trait Source: Send + Sync {
    /// The realms that have a ledger here, by name.
    async fn realms(&self) -> Result<Vec<String>, StoreError>;

    /// Where the realm's ledger ends.
    async fn head(&self, realm: &str) -> Result<Head, StoreError>;

    /// Up to `limit` entries after `after`.
    async fn entries(&self, realm: &str, after: Revision, limit: usize)
    -> Result<Vec<Disclosed>, StoreError>;

    /// The ephemeral rows of a realm, page by page.
    async fn all_rows(
        &self,
        realm: &str,
        after: Option<(&str, &[u8])>,
        limit: usize,
    ) -> Result<Vec<StoredRow>, StoreError>;

    /// Every sealed secret, over all realms.
    async fn secrets(&self) -> Result<Vec<(String, SealedSecret)>, StoreError>;

    /// The checkpoints kept, oldest first.
    async fn checkpoints(&self, realm: &str) -> Result<Vec<Checkpoint>, StoreError>;

    /// Where the ledger begins, if entries were archived, with the state there.
    async fn base_state(&self, realm: &str) -> Result<Option<BaseState>, StoreError>;

    /// The values of archived entries that are left of an owner, or of everybody.
    async fn archived_values(
        &self,
        realm: &str,
        owner: Option<&str>,
    ) -> Result<Vec<ArchivedValue>, StoreError>;

    /// The values that are left of the entries behind `after` up to `last`.
    async fn disclosures(
        &self,
        realm: &str,
        after: Revision,
        last: Revision,
    ) -> Result<Vec<(Revision, Disclosure)>, StoreError>;
}

#[async_trait]
impl<S: Store + ?Sized> Source for S {
    async fn realms(&self) -> Result<Vec<String>, StoreError> {
        Store::realms(self).await
    }

    async fn head(&self, realm: &str) -> Result<Head, StoreError> {
        Store::head(self, realm).await
    }

    async fn entries(
        &self,
        realm: &str,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Disclosed>, StoreError> {
        Store::entries(self, realm, after, limit).await
    }

    async fn all_rows(
        &self,
        realm: &str,
        after: Option<(&str, &[u8])>,
        limit: usize,
    ) -> Result<Vec<StoredRow>, StoreError> {
        Store::all_rows(self, realm, after, limit).await
    }

    async fn secrets(&self) -> Result<Vec<(String, SealedSecret)>, StoreError> {
        Store::secrets(self).await
    }

    async fn checkpoints(&self, realm: &str) -> Result<Vec<Checkpoint>, StoreError> {
        Store::checkpoints(self, realm).await
    }

    async fn base_state(&self, realm: &str) -> Result<Option<BaseState>, StoreError> {
        Store::base_state(self, realm).await
    }

    async fn archived_values(
        &self,
        realm: &str,
        owner: Option<&str>,
    ) -> Result<Vec<ArchivedValue>, StoreError> {
        Store::archived_values(self, realm, owner).await
    }

    async fn disclosures(
        &self,
        realm: &str,
        after: Revision,
        last: Revision,
    ) -> Result<Vec<(Revision, Disclosure)>, StoreError> {
        Store::disclosures(self, realm, after, last).await
    }
}
