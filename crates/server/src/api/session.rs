//! `/api/v1/session`: who is signed in, for pages that call this API with the session cookie.

use axum::Json;
use grantd_node::realm::session::Session as Record;
use serde::Serialize;
use uuid::Uuid;

use super::Call;
use super::errors::Error;
use crate::time::rfc3339;

/// The caller's session.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Session {
    /// Whose.
    login: String,
    /// Names it in lists; no secret.
    id: Uuid,
    issued_at: String,
    /// The last use that was noted: one a minute is.
    last_used_at: String,
    /// When it ends if it is not used again.
    ends_at: String,
    /// To be sent as `Grantd-Csrf` with every call that changes something.
    csrf: String,
}

/// Reads the session of who is signed in to the pages. With a bearer key there is none.
#[utoipa::path(
    get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = Session), (status = 401))
)]
pub(super) async fn get_session(call: Call) -> Result<Json<Session>, Error> {
    let (session, csrf): (Record, String) = call.session().await?;
    Ok(Json(Session {
        id: session.id,
        issued_at: rfc3339(session.issued_at),
        last_used_at: rfc3339(session.last_used),
        ends_at: rfc3339(session.ends(call.app.sessions)),
        login: session.login,
        csrf,
    }))
}
