//! The tests of the node: the writer, recovery, loading, the first start, and the golden ledgers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod agreement;
mod archive;
mod bootstrap;
mod conflicts;
mod contradictions;
mod deciding;
mod following;
mod giving_up;
mod golden;
mod group_commit;
mod idempotency;
mod loading;
mod of_oneself;
mod offline;
mod pins;
mod realms;
mod resealing;
mod rows;
mod shared;
mod stopping;
mod support;
mod taking;
mod unknown;
mod unloading;
mod waiting;
