//! Signing in by the OpenID provider, as the portal does: `v1/login/oidc` leads there, and the provider back to `v1/login`.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use grantd_node::realm::linked_account::NotSignedIn;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::session::Entrance;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::errors::Error;
use super::login::{found, show_login};
use super::visitor::Visitor;
use super::{Tdp, cookies, forgery};
use crate::edge::EdgeError;
use crate::face::Face as _;
use crate::oidc::{Back, OidcError, Sent, Start, begin, cookie_name, finish};
use crate::session_cookie;

#[derive(Deserialize, Default)]
struct Asked {
    next: Option<String>,
}

/// Sends the browser to the provider.
pub(super) async fn go_to_provider(visitor: Visitor) -> Result<Response, Error> {
    let asked: Asked = query(&visitor);
    let start = Start {
        via: Tdp::VIA,
        source: visitor.source,
        cookie: cookie(&visitor),
        redirect_uri: redirect_uri(&visitor),
        next: asked.next,
    };
    match begin(&visitor.app, &visitor.realm, start).await {
        Ok(started) => {
            let mut response = found(&started.location);
            if let Some(cookie) = started.cookie {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            Ok(response)
        }
        Err(error) => refused(error),
    }
}

/// Takes what the provider sends the browser back with. With nothing of that it is the way to the sign-in page.
pub(super) async fn come_back(visitor: Visitor) -> Result<Response, Error> {
    let sent: Sent = query(&visitor);
    if sent.state.is_none() || sent.code.is_none() && sent.error.is_none() {
        return show_login(visitor).await;
    }
    let back = Back {
        via: Tdp::VIA,
        sent,
        cookie: cookie(&visitor),
        redirect_uri: redirect_uri(&visitor),
        instead_of: visitor.session_key(),
        device: visitor.device(),
        entrance: Entrance::Catalogue,
        limits: visitor.app.session_limits(Entrance::Catalogue),
    };
    match finish(&visitor.app, &visitor.realm, back).await {
        Ok(finished) => {
            let token = forgery::token(&visitor.app, &finished.secret.0);
            let next = finished.next.filter(|next| is_path(next));
            let mut response = found(&next.unwrap_or_else(|| format!("{}/login", visitor.base())));
            for cookie in cookies::set(&visitor.app, visitor.realm.name(), &finished.secret, &token) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            Ok(response)
        }
        Err(error) => refused(error),
    }
}

/// Whether it is a path of this host, and nothing that a browser takes for another one.
fn is_path(next: &str) -> bool {
    next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

fn query<T: serde::de::DeserializeOwned + Default>(visitor: &Visitor) -> T {
    axum::extract::Query::try_from_uri(&visitor.uri).map(|query| query.0).unwrap_or_default()
}

fn cookie(visitor: &Visitor) -> Option<&str> {
    let name = cookie_name(visitor.realm.name(), visitor.app.is_secure());
    session_cookie::read(&visitor.headers, &name)
}

/// The provider knows it by heart, so that it is the same wherever the dialect was reached.
fn redirect_uri(visitor: &Visitor) -> String {
    match visitor.realm.name() {
        DEFAULT => format!("{}/tdp/v1/login", visitor.app.public_url),
        realm => format!("{}/r/{realm}/tdp/v1/login", visitor.app.public_url),
    }
}

fn refused(error: OidcError) -> Result<Response, Error> {
    let said = |status: StatusCode, text: &str| {
        let mut response = (status, Json(json!({ "error": text }))).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    };
    match error {
        OidcError::Unserved => Err(EdgeError::NotFound.into()),
        OidcError::Call(error) => Err(error.into()),
        OidcError::Expired => said(StatusCode::UNAUTHORIZED, "The token is expired."),
        OidcError::NotSignedIn(NotSignedIn::UnverifiedEmail) => {
            said(StatusCode::BAD_REQUEST, "Unverified email!")
        }
        OidcError::NotSignedIn(other) => said(StatusCode::FORBIDDEN, &format!("{other}.")),
        OidcError::Stale | OidcError::Declined | OidcError::Down | OidcError::Unproven => {
            said(StatusCode::BAD_REQUEST, "Invalid Validation Code Or OpenID Connect Authenticator Down!")
        }
    }
}
