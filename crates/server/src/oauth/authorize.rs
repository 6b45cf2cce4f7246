//! GET `/mollie/oauth2/authorize`: people consent at the one address that the metadata names, where they are signed in.

use axum::extract::{Extension, RawQuery, State};
use axum::response::{IntoResponse, Response};
use grantd_node::realm::realms::DEFAULT;
use http::{HeaderValue, StatusCode, header};

use super::errors::Error;
use super::issuer;
use crate::app::SharedApp;
use crate::call::RealmName;

/// Leads there. An address that cannot be in a header is none that anybody could have sent.
pub(super) async fn go_to_authorize(
    State(app): State<SharedApp>,
    named: Option<Extension<RealmName>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let name = named.as_ref().map_or(DEFAULT, |realm| realm.0.0.as_str());
    let there = format!("{}/oauth2/authorize?{}", issuer(&app, name), query.unwrap_or_default());
    let there =
        HeaderValue::from_str(&there).map_err(|_| Error::invalid_request("The query cannot be read"))?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, there)]).into_response())
}
