//! GET `/.well-known/authzen-configuration`: where everything is. It is the same for everybody, so nobody is asked who
//! they are.

use axum::extract::{Extension, State};
use axum::response::Response;
use grantd_node::realm::realms::DEFAULT;
use serde::Serialize;

use super::answer::json;
use super::errors::Error;
use crate::app::SharedApp;
use crate::call::{RealmName, realm};

/// The policy decision point's metadata (AuthZEN 1.0, section on metadata). Capabilities are left out: there are none.
#[derive(Serialize)]
struct Metadata {
    policy_decision_point: String,
    access_evaluation_endpoint: String,
    access_evaluations_endpoint: String,
    search_subject_endpoint: String,
    search_resource_endpoint: String,
    search_action_endpoint: String,
}

/// The metadata of a realm's decision point.
pub(super) async fn metadata(
    State(app): State<SharedApp>,
    named: Option<Extension<RealmName>>,
) -> Result<Response, Error> {
    let name = named.as_ref().map_or(DEFAULT, |realm| realm.0.0.as_str());
    realm(&app, name).await?;
    let point = match &named {
        None => app.public_url.clone(),
        Some(_) => format!("{}/r/{name}", app.public_url),
    };
    let endpoint = |path: &str| format!("{point}/access/v1/{path}");
    Ok(json(&Metadata {
        access_evaluation_endpoint: endpoint("evaluation"),
        access_evaluations_endpoint: endpoint("evaluations"),
        search_subject_endpoint: endpoint("search/subject"),
        search_resource_endpoint: endpoint("search/resource"),
        search_action_endpoint: endpoint("search/action"),
        policy_decision_point: point,
    }))
}
