//! The users-and-roles dialect: Pulp 2's API of users, roles, permissions and sign-in.
//!
//! A translation and nothing else; the rules are in `realm`. What a caller may do here is itself a question to the engine, on
//! the path of the call.

mod actions;
mod call;
mod criteria;
mod envelope;
mod errors;
mod input;
mod permissions;
mod place;
mod python;
mod role_users;
mod roles;
mod routes;
mod search;
mod users;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use http::Method;

use crate::app::SharedApp;
use crate::client_certificate;
use crate::edge::layers::{LayerSettings, stack_part};
use crate::face::{Credential, Face, Shown, basic, bearer};
use crate::telemetry::Metrics;

pub(crate) use place::settle;

/// The face.
pub struct Pulp;

impl Face for Pulp {
    const VIA: &'static str = "pulp";
    type Error = errors::Error;

    fn begins_at_head(_method: &Method, _path: &str) -> bool {
        true
    }

    /// Basic first, then the certificate of the connection. An API key is taken as well; other schemes are ignored. A session is no
    /// credential here: a page of somebody else could use it.
    fn credential<'a>(shown: &Shown<'a>) -> Credential<'a> {
        match (basic(shown.headers), bearer(shown.headers)) {
            (Credential::None, Credential::Bearer(key)) => Credential::Bearer(key),
            (Credential::None, _) => match shown.certificate {
                Some(certificate) if client_certificate::is_of_a_user(certificate) => {
                    Credential::Certificate(certificate)
                }
                _ => Credential::None,
            },
            (basic, _) => basic,
        }
    }
}

/// Every route, with the layers around it.
pub(crate) fn face(metrics: Arc<Metrics>) -> Router<SharedApp> {
    let layers = LayerSettings::new("pulp").renderer(errors::render);
    stack_part(routes::routes().fallback(call::nowhere), layers, metrics).layer(from_fn(envelope::finish))
}
