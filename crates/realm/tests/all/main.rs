//! The tests of the realm: what holds for every history of commands, and the rules one by one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a failed test panics"
)]

mod change_forms;
mod erasure;
mod histories;
mod implied;
mod raising;
mod rule_cases;
mod rules;
mod support;
