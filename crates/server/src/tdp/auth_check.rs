//! Who is signed in.

use axum::Json;
use grantd_node::realm::State;
use grantd_node::realm::caller::Actor;
use grantd_node::realm::personal::Personal;

use super::call::SignedIn;
use super::errors::Error;
use super::forgery;
use super::wire::{Checked, User};

pub(super) async fn auth_check(call: SignedIn) -> Result<Json<Checked>, Error> {
    let csrf = call.session().map(|session| forgery::token(&call.app, session));
    let user = match &call.caller.actor {
        Actor::User(login) => user(&call.published().state, login),
        other => User { email: other.to_string(), first_name: String::new(), last_name: String::new() },
    };
    Ok(Json(Checked { authenticated: true, user, csrf }))
}

/// A user as the dialect shows them: the last word of their name is the last name.
pub(super) fn user(state: &State, login: &str) -> User {
    let name = state.users().get(login).and_then(|user| user.name.as_ref()).and_then(Personal::text);
    let name = name.unwrap_or_default().trim();
    let (first_name, last_name) = name.rsplit_once(' ').unwrap_or((name, ""));
    User { email: login.into(), first_name: first_name.trim_end().into(), last_name: last_name.into() }
}
