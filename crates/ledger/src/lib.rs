//! The ledger: one realm's entries, chained by hash and made durable.
//!
//! This crate knows bytes, revisions and hashes. It does not know what a change means, it knows nothing of
//! HTTP, and it decides nothing about who may do what. Two stores implement one trait, [`Store`]: SQLite
//! (embedded) and PostgreSQL (shared by many nodes); one conformance suite holds both to the same behaviour.

pub mod archive;
pub mod base;
pub mod chain;
pub mod checkpoint;
pub mod codec;
pub mod commitment;
pub mod entry;
pub mod postgres;
pub mod seal;
pub mod secret;
pub mod source;
pub mod sqlite;
pub mod store;

mod chunks;
mod page;
mod plan;
