//! A real server in a process of its own, and what asks it.

pub(crate) mod closed;
pub(crate) mod connection;
pub(crate) mod open;
pub(crate) mod requests;
pub(crate) mod server;
pub(crate) mod site;
