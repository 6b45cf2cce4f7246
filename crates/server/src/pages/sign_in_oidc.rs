//! Signing in by the OpenID provider: there and back.

use axum::response::Response;
use grantd_node::realm::session::Entrance;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::VIA;
use super::errors::PageError;
use super::frame::see_other;
use super::sign_in::instead;
use super::visit::Visit;
use crate::edge::EdgeError;
use crate::face::CallError;
use crate::oidc::{Back, OidcError, Sent, Start, begin, cookie_name, finish};

#[derive(Deserialize, Default)]
struct Asked {
    next: Option<String>,
}

/// Sends the browser to the provider. By GET: nothing is changed by it but what this browser is about to do.
pub(super) async fn go_to_provider(visit: Visit) -> Result<Response, PageError> {
    let asked: Asked = visit.query();
    let next = visit.own_path(asked.next.as_deref());
    if visit.session.is_some() {
        return Ok(see_other(&next.unwrap_or_else(|| account(&visit)), None));
    }
    let start = Start {
        via: VIA,
        source: visit.source,
        cookie: visit.cookie_named(&cookie_name(visit.realm.name(), visit.app.is_secure())),
        redirect_uri: redirect_uri(&visit),
        next: next.clone(),
    };
    match begin(&visit.app, &visit.realm, start).await {
        Ok(started) => Ok(see_other(&started.location, started.cookie)),
        Err(error) => refused(&visit, &error, next),
    }
}

/// Takes what the provider sends the browser back with.
pub(super) async fn come_back(visit: Visit) -> Result<Response, PageError> {
    let sent: Sent = visit.query();
    let back = Back {
        via: VIA,
        sent,
        cookie: visit.cookie_named(&cookie_name(visit.realm.name(), visit.app.is_secure())),
        redirect_uri: redirect_uri(&visit),
        instead_of: visit.session_key(),
        device: visit.device(),
        entrance: Entrance::Pages,
        limits: visit.app.sessions,
    };
    match finish(&visit.app, &visit.realm, back).await {
        Ok(finished) => {
            let next = visit.own_path(finished.next.as_deref()).unwrap_or_else(|| account(&visit));
            Ok(see_other(&next, visit.set_session_cookie(&finished.secret)))
        }
        Err(error) => refused(&visit, &error, None),
    }
}

fn account(visit: &Visit) -> String {
    format!("{}/account", visit.base())
}

/// Where the provider sends browsers back to; it knows this address by heart.
fn redirect_uri(visit: &Visit) -> String {
    let base = visit.base();
    let path = base.strip_prefix(visit.app.public_path()).unwrap_or(&base);
    format!("{}{path}/login/oidc/callback", visit.app.public_url)
}

fn refused(visit: &Visit, error: &OidcError, next: Option<String>) -> Result<Response, PageError> {
    let status = match error {
        OidcError::Unserved => return Err(CallError::Edge(EdgeError::NotFound).into()),
        OidcError::Call(error) => return Err(error.clone().into()),
        OidcError::Down => StatusCode::SERVICE_UNAVAILABLE,
        OidcError::Stale | OidcError::Declined | OidcError::Unproven | OidcError::Expired => {
            StatusCode::BAD_REQUEST
        }
        OidcError::NotSignedIn(_) => StatusCode::FORBIDDEN,
    };
    let mut response = instead(visit, status, &error.to_string(), next);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    }
    Ok(response)
}
