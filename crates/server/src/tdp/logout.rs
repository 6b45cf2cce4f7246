//! Signing out.

use axum::response::Response;
use grantd_node::Realm;
use grantd_node::Request;
use grantd_node::realm::Caller;
use grantd_node::realm::caller::Actor;
use grantd_node::realm::session::{Entrance, SignOut};
use http::header;
use std::sync::Arc;

use super::call::SignedIn;
use super::errors::Error;
use super::login::found;
use super::visitor::{Visitor, pages_of};
use super::{Tdp, cookies};
use crate::app::App;
use crate::caller::session::find_at;
use crate::face::{CallError, Face as _};

/// Ends the session, and leads to the sign-in page. Who shows a key has no session to end.
pub(super) async fn logout(call: SignedIn) -> Result<Response, Error> {
    sign_out(&call.app, &call.realm, call.session()).await
}

/// The same for anybody. The portal goes to the provider here if it has kept a token of it; grantd keeps none.
pub(super) async fn logout_oidc(visitor: Visitor) -> Result<Response, Error> {
    let cookie = cookies::session(&visitor.headers, visitor.realm.name());
    sign_out(&visitor.app, &visitor.realm, cookie).await
}

async fn sign_out(app: &App, realm: &Arc<Realm>, cookie: Option<&str>) -> Result<Response, Error> {
    let session = match cookie {
        Some(cookie) => find_at(app, realm, cookie, Entrance::Catalogue).await?,
        None => None,
    };
    if let Some(session) = session {
        let caller = Caller::local(Actor::User(session.login.clone()));
        let command = SignOut { login: session.login, user: session.user, id: session.id };
        let request = Request { command, caller, via: Tdp::VIA, reason: None, idempotency: None };
        realm.submit(request).await.map_err(CallError::from)?;
    }
    let mut response = found(&format!("{}/login", pages_of(app, realm.name())));
    for cookie in cookies::clear(app, realm.name()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
