//! Logging in to machines: by the gateway, or by a machine's own sshd, which asks.

pub mod certificate;
pub mod gateway;
pub(crate) mod logins;
pub(crate) mod pair;
