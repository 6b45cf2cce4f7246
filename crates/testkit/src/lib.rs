//! What the tests of all crates share.

/// For tests that may not name the ledger as a dependency of their crate's own.
pub use grantd_ledger as ledger;

pub mod cases;
pub mod clock;
pub mod faulty_store;
pub mod history;
pub mod random;
pub mod reference;
pub mod verifier;
pub mod world;
