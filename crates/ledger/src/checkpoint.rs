//! Signed checkpoints: whoever kept one can tell later whether the ledger was cut or rewritten.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::entry::{Hash, LedgerId, Micros, Revision};
use crate::secret::Secret;
use crate::store::Checkpoint;

/// Keeps these signatures apart from every other use of the key. Never changes.
const DOMAIN: &[u8] = b"grantd ledger checkpoint, format 1\0";

/// Why a checkpoint was not made or not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The signature is not that of this content under this key.
    #[error("the signature of the checkpoint is wrong")]
    Signature,
    /// Signed with another key than the one that is trusted.
    #[error("the checkpoint was signed with another key than the one expected")]
    OtherKey,
    /// The key cannot be used.
    #[error("the signing key cannot be used")]
    Key,
}

impl Checkpoint {
    /// The bytes that are signed: domain, ledger id, revision, head hash, state hash, time; integers big-endian.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(DOMAIN.len() + 96);
        message.extend_from_slice(DOMAIN);
        message.extend_from_slice(self.ledger_id.0.as_bytes());
        message.extend_from_slice(&self.revision.to_be_bytes());
        message.extend_from_slice(&self.head_hash.0);
        message.extend_from_slice(&self.state_hash.0);
        message.extend_from_slice(&self.time.to_be_bytes());
        message
    }

    /// Whether it was signed by the key that it names. Who that key belongs to, it cannot say; see
    /// [`Checkpoint::verify_by`].
    ///
    /// # Errors
    /// [`CheckpointError::Signature`].
    pub fn verify(&self) -> Result<(), CheckpointError> {
        UnparsedPublicKey::new(&ED25519, self.public_key)
            .verify(&self.message(), &self.signature)
            .map_err(|_| CheckpointError::Signature)
    }

    /// Whether it was signed by this key.
    ///
    /// # Errors
    /// [`CheckpointError::OtherKey`], [`CheckpointError::Signature`].
    pub fn verify_by(&self, trusted: &[u8; 32]) -> Result<(), CheckpointError> {
        if self.public_key == *trusted { self.verify() } else { Err(CheckpointError::OtherKey) }
    }
}

/// The key that signs a realm's checkpoints.
pub struct CheckpointSigner {
    key: Ed25519KeyPair,
    public_key: [u8; 32],
}

impl CheckpointSigner {
    /// From a 32-byte seed, which is kept as a sealed secret.
    ///
    /// # Errors
    /// [`CheckpointError::Key`] when the seed has another length.
    pub fn from_seed(seed: &Secret) -> Result<Self, CheckpointError> {
        let key = Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| CheckpointError::Key)?;
        let public_key = key.public_key().as_ref().try_into().map_err(|_| CheckpointError::Key)?;
        Ok(Self { key, public_key })
    }

    /// The public half, for those who keep checkpoints.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.public_key
    }

    /// Signs where the ledger and its state stand.
    ///
    /// # Errors
    /// [`CheckpointError::Key`] when the library fails to sign.
    pub fn sign(
        &self,
        ledger_id: LedgerId,
        revision: Revision,
        head_hash: Hash,
        state_hash: Hash,
        time: Micros,
    ) -> Result<Checkpoint, CheckpointError> {
        let public_key = self.public_key;
        let mut checkpoint =
            Checkpoint { ledger_id, revision, head_hash, state_hash, time, public_key, signature: [0; 64] };
        let signature = self.key.try_sign(&checkpoint.message()).map_err(|_| CheckpointError::Key)?;
        checkpoint.signature = signature.as_ref().try_into().map_err(|_| CheckpointError::Key)?;
        Ok(checkpoint)
    }
}

impl std::fmt::Debug for CheckpointSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CheckpointSigner(***)")
    }
}
