//! What can be done to a store without a server: verify, copy, erase, sign, seal anew, and let an operator back in.
//!
//! These are functions over an opened store; see [`crate::open`] for the ways to open one.

mod admin;
mod backup;
mod checkpoint;
mod copy;
mod erase;
mod fill;
mod key;
mod reseal;
mod restore;
mod verify;
mod walk;

pub use admin::{Reset, ResetError, reset_admin};
pub use backup::{BackupError, backup};
pub use checkpoint::{CheckpointFailed, SignedCheckpoint, checkpoint};
pub use copy::{Copied, CopyError, Copying, copy};
pub use erase::{EraseError, Erased, Erasure, erase};
pub use fill::{FillError, Filled, Step, Told};
pub use key::KeyError;
pub use reseal::{ResealError, Resealed, Unopened, reseal};
pub use restore::{Continued, RestoreError, Restoring, restore};
pub use verify::{Problem, Verified, VerifyError, verify};
