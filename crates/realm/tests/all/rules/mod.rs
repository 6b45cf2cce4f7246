//! The rules, one by one.

mod app_events;
mod approvals;
mod apps;
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
mod tokens;
mod vms;
mod webhooks;
