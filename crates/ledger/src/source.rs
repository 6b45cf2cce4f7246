//! What a whole store is copied from: a store, or a view of one.

use async_trait::async_trait;

use crate::base::{ArchivedValue, BaseState};
use crate::entry::{Disclosed, Disclosure, Revision};
use crate::store::{Checkpoint, Head, SealedSecret, StoreError, StoredRow};

/// Everything that a copy reads: a [`Store`](crate::store::Store) has more to it.
#[async_trait]
pub trait Source: Send + Sync {
    /// The realms that have a ledger here, by name.
    async fn realms(&self) -> Result<Vec<String>, StoreError>;

    /// Where the realm's ledger ends, as it is known here now.
    async fn head(&self, realm: &str) -> Result<Head, StoreError>;

    /// Up to `limit` entries after `after`, in order, each checked against its own hash and chained to the
    /// one before in the answer. [`StoreError::Damaged`] names the revision that does not fit,
    /// [`StoreError::Archived`] the first one that is not in an archive.
    async fn entries(&self, realm: &str, after: Revision, limit: usize)
    -> Result<Vec<Disclosed>, StoreError>;

    /// The ephemeral rows of a realm, expired or not, by kind and key, at most `limit`; only those behind `after`, the kind
    /// and key of a row, if given.
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

    /// Where the ledger begins, if entries were archived, with the state there. [`StoreError::Damaged`] when that is not what
    /// was written.
    async fn base_state(&self, realm: &str) -> Result<Option<BaseState>, StoreError>;

    /// The values of archived entries that are left of an owner, or of everybody.
    async fn archived_values(
        &self,
        realm: &str,
        owner: Option<&str>,
    ) -> Result<Vec<ArchivedValue>, StoreError>;

    /// The values that are left of the entries behind `after` up to `last`, archived or not, in order.
    async fn disclosures(
        &self,
        realm: &str,
        after: Revision,
        last: Revision,
    ) -> Result<Vec<(Revision, Disclosure)>, StoreError>;
}
