//! GET `/.well-known/oauth-authorization-server`: where everything is, and what it can do (RFC 8414). It is the same for
//! everybody, so nobody is asked who they are.

use axum::Json;
use axum::extract::{Extension, State};
use grantd_node::realm::realms::DEFAULT;
use serde::Serialize;

use super::errors::Error;
use super::issuer;
use crate::app::SharedApp;
use crate::call::{RealmName, realm};

/// The metadata of a realm's authorization server (section 2).
#[derive(Serialize)]
pub(super) struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    scopes_supported: Vec<String>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    code_challenge_methods_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 3],
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
    introspection_endpoint_auth_methods_supported: [&'static str; 3],
    authorization_response_iss_parameter_supported: bool,
    ui_locales_supported: [&'static str; 2],
}

/// How a client says who it is: with its secret in the header or in the body, or, if it is a public one, with its id alone.
const CLIENTS: [&str; 3] = ["client_secret_basic", "client_secret_post", "none"];

/// The metadata of a realm.
pub(super) async fn show_metadata(
    State(app): State<SharedApp>,
    named: Option<Extension<RealmName>>,
) -> Result<Json<Metadata>, Error> {
    let name = named.as_ref().map_or(DEFAULT, |realm| realm.0.0.as_str());
    let realm = realm(&app, name).await?;
    let issuer = issuer(&app, name);
    let endpoint = |path: &str| format!("{issuer}/oauth2/{path}");
    Ok(Json(Metadata {
        authorization_endpoint: endpoint("authorize"),
        token_endpoint: endpoint("tokens"),
        revocation_endpoint: endpoint("revoke"),
        introspection_endpoint: endpoint("introspect"),
        scopes_supported: supported(&realm.published().state),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: CLIENTS,
        revocation_endpoint_auth_methods_supported: CLIENTS,
        introspection_endpoint_auth_methods_supported: [
            "client_secret_basic",
            "client_secret_post",
            "Bearer",
        ],
        authorization_response_iss_parameter_supported: true,
        ui_locales_supported: ["en", "nl"],
        issuer,
    }))
}

/// The scopes that are worth asking for.
fn supported(state: &grantd_node::realm::State) -> Vec<String> {
    state.scopes().iter().filter(|scope| !scope.deprecated).map(|scope| scope.id.to_string()).collect()
}
