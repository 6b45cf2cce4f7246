//! Whether a state that was read from a snapshot is the one that its ledger makes.
//!
//! The pieces of a snapshot carry checksums, and its head is compared with the ledger before it is served. That its
//! relationships are the right ones, only the hash of the whole state says, which takes seconds for millions of them. So
//! it is made while the realm is served already. If it differs, the realm is served no longer; whoever asks next waits
//! until it is made from the ledger itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use grantd_ledger::entry::Hash;
use grantd_realm::State;

use crate::running::Shared;

/// A state with the hash that its snapshot says it has.
pub(crate) struct Unverified {
    pub(crate) state: State,
    pub(crate) hash: Hash,
}

/// What is known about the state that a realm began with.
pub(crate) struct Trust(AtomicU8);

const OPEN: u8 = 0;
const GIVEN: u8 = 1;
const LOST: u8 = 2;

impl Trust {
    pub(crate) fn new(given: bool) -> Self {
        Self(AtomicU8::new(if given { GIVEN } else { OPEN }))
    }

    /// Whether the state is what the ledger makes. Before that is known no snapshot of it is kept: it would carry an
    /// error on.
    pub(crate) fn is_given(&self) -> bool {
        self.0.load(Ordering::Acquire) == GIVEN
    }

    /// Whether the state is another one, and must not be served.
    pub(crate) fn is_lost(&self) -> bool {
        self.0.load(Ordering::Acquire) == LOST
    }
}

/// Makes the hash off everybody's way, and says whether it is the right one.
pub(crate) async fn verify(shared: Arc<Shared>, unverified: Unverified) {
    let Unverified { state, hash } = unverified;
    let realm = shared.name();
    // A panic on the way is no proof.
    let is_right = tokio::task::spawn_blocking(move || state.hash() == hash.0).await.unwrap_or(false);
    if is_right {
        tracing::debug!(realm, "the state snapshot is what the ledger makes");
    } else {
        tracing::error!(
            realm,
            "the state snapshot is NOT what the ledger makes: the realm is no longer served from it, \
             but folded from its ledger again; run `grantd ledger verify`"
        );
    }
    shared.trust().0.store(if is_right { GIVEN } else { LOST }, Ordering::Release);
}
