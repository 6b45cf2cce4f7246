//! Personal and free-text fields, which can be erased without breaking the ledger's hashes.

use std::sync::Arc;

/// Makes the commitment `H(salt, value)` that stands in an entry's hash instead of the value. The ledger
/// defines it; it is handed in so that the realm needs to know nothing of the ledger.
pub type Commit = fn(salt: &[u8; 32], value: &[u8]) -> [u8; 32];

/// A name, note or reason: what it is, if it was not erased, and what the ledger committed to.
///
/// No decision may depend on the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personal {
    /// `H(salt, value)`; stays after an erasure.
    pub commitment: [u8; 32],
    /// Known only while the field is on its way into an entry.
    pub salt: Option<[u8; 32]>,
    /// The text; `None` once erased.
    pub value: Option<Arc<str>>,
}

impl Personal {
    /// A field that is about to be written.
    pub fn new(value: &str, salt: [u8; 32], commit: Commit) -> Self {
        Self { commitment: commit(&salt, value.as_bytes()), salt: Some(salt), value: Some(value.into()) }
    }

    /// The field as the state keeps it.
    pub fn stored(&self) -> Self {
        Self { salt: None, ..self.clone() }
    }

    /// The field after its erasure.
    pub fn erased(&self) -> Self {
        Self { commitment: self.commitment, salt: None, value: None }
    }

    /// The text, if it is still known.
    pub fn text(&self) -> Option<&str> {
        self.value.as_deref()
    }
}
