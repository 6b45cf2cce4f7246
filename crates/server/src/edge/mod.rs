//! Everything between the socket and the routes: listeners, TLS, limits, and the errors that are raised there.
//!
//! A request passes, in this order: [`Server`] (accept loop, connection limit, TLS, the patience of each connection),
//! the router, then one combined layer per face ([`layers::stack`]: request id, body limit, time limit, panics, metrics,
//! access log), then the handler. This module knows nothing of dialects, callers or realms.

mod attempts;
mod client_auth;
mod conn;
mod drain;
mod error;
mod json;
pub mod layers;
mod peer;
mod problem;
mod rate_limit;
mod request_id;
mod server;
mod settings;
mod source;
pub mod tls;

pub use conn::{App, Cutter};
pub use drain::Drain;
pub use error::{EdgeError, InvalidBody, Renderer};
pub use json::{
    ContentTypeRule, Json, JsonRules, check_content_type, parse_json, parse_object, read_bytes, read_json,
};
pub use peer::Peer;
pub use problem::Problem;
pub use rate_limit::{Attempt, FailureLimits, FailureQuotas, Limited};
pub use request_id::{RequestId, RequestIds};
pub use server::{BindError, Server};
pub use settings::{EdgeSettings, Listen};
pub(crate) use source::sender_address;
pub use source::{Source, client_address};
