//! Signing where a ledger and its state stand.

use std::sync::Arc;

use grantd_ledger::checkpoint::{CheckpointError, CheckpointSigner};
use grantd_ledger::seal::MasterKey;
use grantd_ledger::secret::Secret;
use grantd_ledger::store::{Checkpoint, Store, StoreError};
use grantd_realm::engine::Schema;

use super::verify::{VerifyError, verify};

/// The signing key follows from the master key, so that nothing more has to be kept. Never changes.
const SIGNING_KEY: &str = "grantd ledger checkpoint signing key 1";

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointFailed {
    /// The ledger cannot be read.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// A signature would vouch for something that is broken.
    #[error("nothing was signed: {0}")]
    Broken(String),
    /// The key cannot be used.
    #[error(transparent)]
    Signer(#[from] CheckpointError),
    /// It was signed but not stored.
    #[error("the checkpoint cannot be stored: {0}")]
    Store(StoreError),
}

/// A checkpoint that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What was signed, and the signature.
    pub checkpoint: Checkpoint,
    /// Whether the store keeps a copy, which every later verification compares.
    pub stored: bool,
}

/// Verifies a realm's ledger and signs where it stands; `store_it` leaves a copy in the store, which must then be open
/// for writing.
pub async fn checkpoint(
    store: &dyn Store,
    realm: &str,
    schema: Arc<Schema>,
    master_key: &MasterKey,
    store_it: bool,
) -> Result<SignedCheckpoint, CheckpointFailed> {
    let verified = verify(store, realm, schema, &[]).await?;
    if let Some(problem) = verified.problem {
        return Err(CheckpointFailed::Broken(problem.what));
    }
    let signer = signer(master_key)?;
    let time = store.now().await.map_err(CheckpointFailed::Store)?;
    let head = verified.head;
    let checkpoint = signer.sign(head.ledger_id, head.revision, head.hash, verified.state_hash, time)?;
    if store_it {
        store.put_checkpoint(realm, &checkpoint).await.map_err(CheckpointFailed::Store)?;
    }
    Ok(SignedCheckpoint { checkpoint, stored: store_it })
}

/// Who signs the checkpoints of a store.
pub(super) fn signer(master_key: &MasterKey) -> Result<CheckpointSigner, CheckpointError> {
    CheckpointSigner::from_seed(&Secret::new(master_key.derive(SIGNING_KEY)))
}

/// The public key that the checkpoints of a store are signed with.
pub fn signing_key(master_key: &MasterKey) -> Result<[u8; 32], CheckpointError> {
    Ok(signer(master_key)?.public_key())
}
