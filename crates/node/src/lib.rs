//! Running realms: the writer, group commit, recovery, waiting, start-up and what can be done without a server.
//!
//! This crate joins the pure `realm` to the durable `ledger`: it is the only one that knows both. It knows
//! nothing of HTTP and of no dialect.

pub use grantd_ledger as ledger;
pub use grantd_realm as realm;

mod attend;
pub mod bootstrap;
pub mod clock;
mod contradiction;
pub mod decision_log;
pub mod entry;
mod follow;
mod job;
mod level;
mod load;
mod master_key;
pub mod node;
mod oauth;
pub mod observer;
pub mod offline;
pub mod open;
mod others;
mod pins;
pub mod question;
mod reach;
mod readiness;
pub mod realms;
mod recover;
mod retired;
pub mod running;
mod store_clock;
pub mod submit;
mod taking;
mod tokens;
mod trust;
mod upkeep;
mod waiting;
mod writer;

pub use grantd_ledger::store::{Head, StoreError};

pub use clock::{Clock, SystemClock};
pub use contradiction::Contradiction;
pub use follow::Follow;
pub use load::LoadError;
pub use node::{Node, Settings};
pub use readiness::Unready;
pub use realms::{RealmChange, RealmError};
pub use running::{Published, Realm};
pub use submit::{Done, Idempotency, Request, SubmitError};
pub use waiting::{Followed, Subject};
