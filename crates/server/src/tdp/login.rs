//! Signing in with a login and a password, which the portal leaves to a provider.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use grantd_node::Request;
use grantd_node::realm::Caller;
use grantd_node::realm::caller::Actor;
use grantd_node::realm::command::Secret;
use grantd_node::realm::session::{Entrance, SignIn, Verified};
use http::{HeaderValue, StatusCode, header};

use super::auth_check::user;
use super::body::Body;
use super::errors::Error;
use super::fields::Fields;
use super::visitor::Visitor;
use super::wire::Checked;
use super::{Tdp, cookies, forgery};
use crate::caller::password;
use crate::edge::EdgeError;
use crate::face::{CallError, Face as _};

/// How often a password is verified when the account changes under our hands.
const ATTEMPTS: usize = 3;

/// The longest login and password, in characters; no account has longer ones.
const MAX_LOGIN: usize = 150;
const MAX_PASSWORD: usize = 1_024;

/// Where a browser signs in: the pages.
pub(super) async fn show_login(visitor: Visitor) -> Result<Response, Error> {
    Ok(found(&format!("{}/login", visitor.base())))
}

/// 302.
pub(super) fn found(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/login"));
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}

/// Verifies the password and begins a session under a new secret, whatever the client had before.
pub(super) async fn login(visitor: Visitor) -> Result<Response, Error> {
    forgery::require_origin(&visitor.app, &visitor.headers)?;
    let (login, password) = credentials(&visitor)?;
    for _ in 0..ATTEMPTS {
        let verified =
            password::verify(&visitor.app, &visitor.realm, &login, Secret(password.clone()), visitor.source);
        let account = verified.await?;
        let command = SignIn {
            login: login.clone(),
            verified: Verified { user: account.uuid, password: account.version },
            instead_of: visitor.session_key(),
            device: visitor.device(),
            entrance: Entrance::Catalogue,
            limits: visitor.app.session_limits(Entrance::Catalogue),
        };
        let caller = Caller::local(Actor::User(login.clone()));
        let request = Request { command, caller, via: Tdp::VIA, reason: None, idempotency: None };
        let done = visitor.realm.submit(request).await.map_err(CallError::from)?;
        if let Some(secret) = done.answer.secret {
            return Ok(signed_in(&visitor, &login, &secret));
        }
    }
    Err(EdgeError::Unavailable { retry_after_secs: 1 }.into())
}

/// The answer that signs in: who it is, and the cookies.
pub(super) fn signed_in(visitor: &Visitor, login: &str, secret: &Secret) -> Response {
    let token = forgery::token(&visitor.app, &secret.0);
    let cookies = cookies::set(&visitor.app, visitor.realm.name(), secret, &token);
    let user = user(&visitor.realm.published().state, login);
    let mut response = Json(Checked { authenticated: true, user, csrf: Some(token) }).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Login and password. A password is taken as it is, blanks and all.
fn credentials(visitor: &Visitor) -> Result<(String, String), Error> {
    let body = Body::read_json(&visitor.headers, &visitor.body)?;
    let mut fields = Fields::of(&body, false);
    let login = fields.text("username", MAX_LOGIN);
    let password = fields.text("password", MAX_PASSWORD);
    match (login, password.and(body.text("password"))) {
        (Some(login), Some(password)) if fields.problems.are_none() => Ok((login, password)),
        (_, _) if fields.problems.are_none() => Err(Error::field("password", "Not a valid string.")),
        _ => Err(Error::fields(fields.problems)),
    }
}
