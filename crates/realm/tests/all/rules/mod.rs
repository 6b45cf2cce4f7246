//! The rules, one by one.

mod giving;
mod keys;
mod managed;
mod models;
mod names;
mod refusals;
mod relationships;
mod repositories;
mod starting_again;
mod vms;
