//! `/authz/forward`: a proxy asks, for each request, whether it may go on (nginx `auth_request`, Caddy `forward_auth`, Traefik
//! ForwardAuth, Envoy `ext_authz` over HTTP). `docs/enforcement.md` has the settings of each.
//!
//! The answer is 200 with who it is, 401 to who shows no credential that counts, 403 to everybody else. It is about the request
//! that the proxy describes (`original.rs`): its method becomes an action (`rules.rs`), its host and path a resource (`place.rs`).
//! What can be read in more than one way is refused.

mod answer;
mod asker;
mod original;
mod place;
mod rules;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use grantd_node::realm::engine::ObjectRef;
use grantd_node::realm::realms::DEFAULT;

use crate::app::SharedApp;
use crate::call::{RealmName, realm};
use crate::consistency::RevisionNote;
use crate::edge::layers::{LayerSettings, stack};
use crate::edge::{Source, sender_address};
use crate::telemetry::Metrics;
use answer::Refused;
use asker::Asker;
use original::Original;
use place::Place;

pub use rules::{Rule, Rules};

/// Where it is asked. What follows in the path is the path that is asked about, as Envoy sends it.
pub(crate) const MOUNT: &str = "/authz/forward";

/// The type of what is guarded.
const URL_TYPE: &str = "url";

/// Whose `*` is everybody, with a credential or without.
const VISITOR_TYPE: &str = "visitor";

/// The face. It reads no body, so that a proxy may announce one and not send it.
pub(crate) fn face(metrics: &Arc<Metrics>) -> Router<SharedApp> {
    let layers =
        LayerSettings { body_limit: None, say_plain_errors_again: false, ..LayerSettings::new("forward") };
    let routes = Router::new().route(MOUNT, any(forward)).route("/authz/forward/{*path}", any(forward));
    stack(routes.route("/authz/forward/", any(forward)), layers.renderer(answer::render), metrics.clone())
}

async fn forward(State(app): State<SharedApp>, request: Request) -> Response {
    decide(&app, request).await.unwrap_or_else(Refused::into_response)
}

async fn decide(app: &SharedApp, request: Request) -> Result<Response, Refused> {
    let (parts, _) = request.into_parts();
    let original = Original::read(&parts)?;
    let place = Place::of(original.host, original.uri)?;
    let action = app.forward.action(original.method, place.id());
    let name = parts.extensions.get::<RealmName>().map_or(DEFAULT, |realm| realm.0.as_str());
    let realm = realm(app, name).await?;
    let source = Source::of(sender_address(&parts, app.trusted_hops));
    let asker = Asker::find(app, &realm, &parts.headers, source).await?;
    let note = parts.extensions.get::<RevisionNote>().cloned().unwrap_or_default();
    let published = note.set_newest(&app.node, &realm);
    let asking = app.node.asking_of_oneself(published, asker.caller());
    let resource = ObjectRef { kind: URL_TYPE, id: place.id() };
    let may = || asking.may(action, resource).is_allowed();
    let everybody_may = || asking.everybody_may(VISITOR_TYPE, action, resource).is_allowed();
    if (asker.is_known() && may()) || everybody_may() {
        return Ok(answer::allowed(&asker));
    }
    Err(if asker.is_known() { Refused::NotGranted { action, place } } else { Refused::NobodyKnown })
}
