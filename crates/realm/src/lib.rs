//! One realm: one tenant's world, as a fold over its ledger.
//!
//! A [`command::Command`] is decided by a pure function of the [`state::State`] into [`change::Change`]s; applying them gives the
//! next state. Nothing here does I/O, reads a clock or makes a random number: time, entropy and the caller are
//! arguments. Nothing here knows of HTTP, SQL or a dialect's wire.

pub use grantd_engine as engine;

pub mod api_key;
pub mod app;
pub mod approval_session;
pub mod authorization;
pub mod basis;
pub mod builtin;
pub mod caller;
pub mod catalogue;
pub mod change;
pub mod client_ca;
pub mod codec;
pub mod command;
pub mod contextual;
pub mod entity;
pub mod entropy;
pub mod erasure;
pub mod expiry;
pub mod identity;
pub mod import;
pub mod linked_account;
pub mod managed;
pub mod model;
pub mod oauth_token;
pub mod organization;
pub mod personal;
pub mod pulp;
pub mod realms;
pub mod refusal;
pub mod relationship;
pub mod repository;
pub mod repository_grant;
pub mod request;
pub mod reserved;
pub mod role;
pub mod rule;
pub mod scope;
pub mod sealed;
pub mod session;
pub mod snapshot;
pub mod ssh_ca;
pub mod ssh_key;
pub mod ssh_public_key;
pub mod state;
pub mod token;
pub mod trigger;
pub mod user;
pub mod vm;
pub mod vm_grant;
pub mod webhook;

pub use basis::{Basis, Delegation};
pub use caller::{Actor, Authority, Caller};
pub use change::{Change, Stamp};
pub use command::{Command, Context, Decision};
pub use refusal::Refusal;
pub use state::State;

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;
