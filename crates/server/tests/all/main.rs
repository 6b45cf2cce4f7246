//! The tests of the faces, over a real socket.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a failed test panics"
)]

mod bodies;
mod callers;
mod consistency;
mod errors;
mod idempotency;
mod ledger;
mod lists;
mod openapi;
mod realms;
mod route_table;
mod routes;
mod schema;
mod support;
mod vm_grants;
