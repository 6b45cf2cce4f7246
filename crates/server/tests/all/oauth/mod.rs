//! The authorization server.

mod attacks;
mod authorize;
mod introspection;
mod metadata;
mod revocation;
mod tokens;
mod world;
