//! The rules, one by one.

mod entities;
mod giving;
mod keys;
mod managed;
mod names;
mod refusals;
mod relationships;
mod repositories;
mod starting_again;
mod supposing;
mod vms;
