//! The Model Context Protocol: an agent's own way to ask.
//!
//! Three tools (`tools.rs`), served over streamable HTTP at `/mcp` here and over stdio by `grantd mcp`, which asks a server through
//! its API. The protocol itself is the `rmcp` crate's.

mod errors;
mod http;
mod tools;

pub(crate) use http::routes;
pub use tools::{Approvals, Ask, Listing, Outcome, Tools};
