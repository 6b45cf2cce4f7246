//! What can be done to a store without a server: verify, copy, erase, sign, seal anew, and let an operator back in.
//!
//! These are functions over an opened store; see [`crate::open`] for the ways to open one.

mod admin;
mod archive;
mod archive_file;
mod backup;
mod checkpoint;
mod copy;
mod erase;
mod fill;
mod key;
mod owners;
mod reseal;
mod restore;
mod unarchive;
mod verify;
mod walk;

pub use admin::{Reset, ResetError, reset_admin};
pub use archive::{Archival, ArchiveFailed, Archived, archive};
pub use archive_file::{ArchiveFileError, realm_of_archive};
pub use backup::{BackupError, backup};
pub use checkpoint::{CheckpointFailed, SignedCheckpoint, checkpoint, signing_key};
pub use copy::{Copied, CopyError, Copying, copy};
pub use erase::{EraseError, Erased, Erasure, erase};
pub use fill::{FillError, Filled, Step, Told};
pub use key::KeyError;
pub use reseal::{ResealError, Resealed, Unopened, reseal};
pub use restore::{Continued, RestoreError, Restoring, restore};
pub use unarchive::{UnarchiveError, Unarchived, unarchive};
pub use verify::{Evidence, InArchives, Problem, Verified, VerifyError, verify, verify_with};
