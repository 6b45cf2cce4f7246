//! The authorization server.

mod apps_page;
mod attacks;
mod authorize;
mod consent;
mod introspection;
mod metadata;
mod permissions;
mod revocation;
mod tokens;
mod world;
