//! Erasing what the ledger knows of a person, without breaking its hashes.

use std::sync::Arc;

use grantd_ledger::entry::{CommandId, Revision};
use grantd_ledger::store::{Append, Appended, Store, StoreError};
use grantd_realm::Refusal;
use grantd_realm::caller::Caller;
use grantd_realm::command::{Context, decide};
use grantd_realm::engine::{Object, Schema};
use grantd_realm::entropy::Entropy;
use grantd_realm::erasure::EraseFields;

use super::owners::owned_values;
use super::walk::Walk;
use crate::entry::{FoldError, Heading, commit, draft};
use crate::load::{LoadError, load_verified};

/// How often it is tried again when nodes that share the store append meanwhile.
const ATTEMPTS: usize = 16;

/// What to erase.
#[derive(Debug, Clone)]
pub struct Erasure {
    /// Whose names and texts: `user:<login>`, `role:<key>`, `api_key:<id>`, `fs_repo:<id>`.
    pub object: Object,
    /// Also the reasons that it gave for its own changes.
    pub reasons: bool,
}

/// What was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// How many values; 0: there was nothing (left), and nothing was written.
    pub values: usize,
    /// The revision that says so, or the present one.
    pub revision: Revision,
}

/// Why nothing was erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The realm cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// An entry cannot be read.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// That object has nothing to erase by its nature.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The machine has no random bytes.
    #[error("the system gives no random bytes")]
    Random,
    /// The store failed in the middle.
    #[error(
        "whether it was erased is not known: {0}; run the same command again, it erases only what is left"
    )]
    Unknown(StoreError),
    /// Other nodes append without pause.
    #[error("other nodes change this realm all the time; try again")]
    Busy,
}

/// Removes the values from the store for good and puts on record that they were erased, in one append.
pub async fn erase(
    store: &dyn Store,
    realm: &str,
    schema: Arc<Schema>,
    erasure: &Erasure,
) -> Result<Erased, EraseError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| EraseError::Random)?;
    for _ in 0..ATTEMPTS {
        let published = load_verified(store, realm, schema.clone()).await?;
        let found = match find(store, realm, published.head.revision, erasure).await {
            // Archived while they were read; now it is known whose their values are.
            Err(EraseError::Store(StoreError::Archived { .. })) => continue,
            found => found?,
        };
        let mut entropy = Entropy::new(&seed);
        let command_id = CommandId(entropy.bytes());
        let caller = Caller::system("cli");
        let now = store.now().await?.max(published.head.time);
        let mut cx = Context { caller: &caller, now, entropy, commit };
        let decision = decide(&EraseFields { object: erasure.object.clone() }, &published.state, &mut cx)?;
        if found.is_empty() {
            return Ok(Erased { values: 0, revision: published.head.revision });
        }
        let heading =
            Heading { time: now, actor: caller.actor.to_string(), via: "cli", command_id, reason: None };
        let values = found.len();
        let mut append = Append::on(realm, published.head);
        append.drafts.push(draft(&decision.changes, heading));
        append.erase = found;
        match store.append(append).await {
            Appended::Durable(head) => return Ok(Erased { values, revision: head.revision }),
            Appended::Conflict(_) | Appended::Untaken(_) => {}
            Appended::Rejected(error) => return Err(error.into()),
            Appended::Unknown(error) => return Err(EraseError::Unknown(error)),
        }
    }
    Err(EraseError::Busy)
}

/// Where the values stand that are still there, also those of archived entries.
async fn find(
    store: &dyn Store,
    realm: &str,
    last: Revision,
    erasure: &Erasure,
) -> Result<Vec<(Revision, u32)>, EraseError> {
    let base = store.base(realm).await?.map_or(0, |base| base.head.revision);
    let owner = erasure.object.to_string();
    let archived = store.archived_values(realm, Some(&owner)).await?;
    let archived = archived.into_iter().filter(|value| erasure.reasons || !value.is_reason);
    let mut found: Vec<_> = archived.map(|value| (value.revision, value.slot)).collect();
    let mut walk = Walk::between(base, last, store, realm);
    while let Some(disclosed) = walk.next().await? {
        let owned = owned_values(&disclosed)?.into_iter();
        let wanted = owned.filter(|value| value.owner == owner && (erasure.reasons || !value.is_reason));
        found.extend(wanted.map(|value| (value.revision, value.slot)));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
