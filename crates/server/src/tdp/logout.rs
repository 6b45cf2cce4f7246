//! Signing out.

use axum::response::Response;
use grantd_node::realm::session::SignOut;
use http::header;

use super::call::SignedIn;
use super::cookies;
use super::errors::Error;
use super::login::found;
use super::visitor::pages_of;
use crate::caller::session::find_at;
use grantd_node::realm::session::Entrance;

/// Ends the session, and leads to the sign-in page. Who shows a key has no session to end.
pub(super) async fn logout(call: SignedIn) -> Result<Response, Error> {
    if let Some(cookie) = call.session()
        && let Some(session) = find_at(&call.app, &call.realm, cookie, Entrance::Catalogue).await?
    {
        let (user, id) = (session.user, session.id);
        call.submit(SignOut { login: session.login, user, id }).await?;
    }
    let mut response = found(&format!("{}/login", pages_of(&call.app, call.realm.name())));
    for cookie in cookies::clear(&call.app, call.realm.name()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
