//! Everything that listens: the edge, the faces, the caller finder.
//!
//! A request passes the edge (sockets, TLS, limits), then [`dispatch`] (which face, which realm), then the face's router and its
//! handler, which takes a [`call::Call`]: a request whose caller and realm are known. This crate decides nothing about who may do
//! what; it translates between wire and realm.

mod admission;
pub mod api;
pub mod app;
pub mod authzen;
pub mod call;
mod caller;
mod client_certificate;
pub mod consistency;
mod csrf;
mod cursor;
pub mod dispatch;
pub mod edge;
mod explanation;
pub mod face;
pub mod forward;
pub mod freestyle;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod git;
pub mod ledger_view;
pub mod mcp;
pub mod mix;
mod mollie;
mod movement;
mod oauth;
pub mod oidc;
mod operations;
pub mod outbound;
mod pages;
pub mod password;
mod properties;
pub mod pulp;
pub mod serve;
mod session_cookie;
pub mod ssh;
pub mod tdp;
pub mod telemetry;
pub mod time;
pub mod webhook;
