//! The real binary, as people and programs run it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod admin;
mod approvals;
mod apps;
mod archiving;
mod client;
mod copies;
mod erasure;
mod help;
mod importing;
mod moving;
mod oauth_clients;
mod people;
mod realms;
mod schema;
mod serving;
mod support;
mod verifying;
