//! The tests of the faces, over a real socket.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a failed test panics"
)]

mod across_realms;
mod apps;
mod authzen;
mod authzen_search;
mod bodies;
mod browser;
mod callers;
mod client_certificates;
mod consistency;
mod crowd;
mod decisions;
mod deleting;
mod errors;
mod forward;
mod idempotency;
mod import_export;
mod inbox;
mod ledger;
mod lists;
mod mix;
mod nodes;
mod oauth;
mod oidc;
mod openapi;
mod pages;
mod provider;
mod pulp_stories;
mod raising;
mod realm_life;
mod realms;
mod requests;
mod roles;
mod route_table;
mod routes;
mod schema;
mod searches;
mod sessions;
mod signing_in;
mod ssh;
mod support;
mod tdp;
mod unhindered;
mod user_permissions;
mod vm_grants;
mod vms;
mod webhooks;
