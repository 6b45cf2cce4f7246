//! The authorization server.

mod attacks;
mod authorize;
mod consent;
mod introspection;
mod metadata;
mod permissions;
mod revocation;
mod tokens;
mod world;
