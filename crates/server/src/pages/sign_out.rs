//! Signing out: here, one other session, everywhere.

use axum::response::Response;
use grantd_node::realm::session::{SignOut, SignOutEverywhere};
use serde::Deserialize;
use uuid::Uuid;

use super::errors::PageError;
use super::frame::see_other;
use super::visit::{Submitted, Visit};
use crate::edge::EdgeError;
use crate::face::CallError;

/// A form with nothing but its token.
#[derive(Deserialize)]
pub(super) struct Nothing {}

/// A form that may say where somebody goes on who signs in again.
#[derive(Deserialize)]
pub(super) struct Leaving {
    next: Option<String>,
}

/// Ends the session of this browser.
pub(super) async fn sign_out(submitted: Submitted<Leaving>) -> Result<Response, PageError> {
    let Submitted { visit, form } = submitted;
    let (login, user, id) = own(&visit)?;
    visit.submit(&login, SignOut { login: login.clone(), user, id }).await?;
    let next = visit.own_path(form.next.as_deref());
    let next = next.and_then(|next| serde_urlencoded::to_string([("next", next)]).ok());
    let next = next.map(|next| format!("&{next}")).unwrap_or_default();
    Ok(see_other(&format!("{}/login?signed_out{next}", visit.base()), visit.clear_session_cookie()))
}

/// Ends one session of whoever is signed in.
pub(super) async fn end_session(submitted: Submitted<Nothing>) -> Result<Response, PageError> {
    let visit = submitted.visit;
    let (login, user, own) = own(&visit)?;
    let unknown = |_| CallError::Edge(EdgeError::NotFound);
    let id = Uuid::try_parse(visit.param("id")).map_err(unknown)?;
    visit.submit(&login, SignOut { login: login.clone(), user, id }).await?;
    if id == own {
        return Ok(see_other(&format!("{}/login?signed_out", visit.base()), visit.clear_session_cookie()));
    }
    Ok(see_other(&format!("{}/account?done=session", visit.base()), None))
}

/// Ends every session of whoever is signed in, this one included.
pub(super) async fn sign_out_everywhere(submitted: Submitted<Nothing>) -> Result<Response, PageError> {
    let visit = submitted.visit;
    let (login, ..) = own(&visit)?;
    visit.submit(&login, SignOutEverywhere { login: login.clone() }).await?;
    Ok(see_other(&format!("{}/login?signed_out=everywhere", visit.base()), visit.clear_session_cookie()))
}

fn own(visit: &Visit) -> Result<(String, Uuid, Uuid), PageError> {
    let session = visit.signed_in()?;
    Ok((session.login.clone(), session.user, session.id))
}
