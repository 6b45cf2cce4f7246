//! The rules, one by one.

mod approvals;
mod catalogue;
mod client_ca;
mod entities;
mod expiry;
mod giving;
mod import;
mod keys;
mod managed;
mod models;
mod names;
mod pulp;
mod realms;
mod refusals;
mod relationships;
mod repositories;
mod reserved;
mod roles;
mod sessions;
mod starting_again;
mod supposing;
mod vms;
mod webhooks;
