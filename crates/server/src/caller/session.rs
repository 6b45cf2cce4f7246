//! Callers by session cookie.

use std::sync::Arc;

use grantd_node::realm::Caller;
use grantd_node::realm::caller::Actor;
use grantd_node::realm::session::{Entrance, NoteUse, SESSION_ROWS, Session, ShownSession};
use grantd_node::{Realm, Request};

use crate::app::App;
use crate::face::CallError;

/// The session of a cookie, if it stands for somebody now; this is a use of it.
pub(crate) async fn find(app: &App, realm: &Arc<Realm>, cookie: &str) -> Result<Option<Session>, CallError> {
    find_at(app, realm, cookie, Entrance::Pages).await
}

/// The same, of another entrance.
pub(crate) async fn find_at(
    app: &App,
    realm: &Arc<Realm>,
    cookie: &str,
    entrance: Entrance,
) -> Result<Option<Session>, CallError> {
    let session = look_at(app, realm, cookie, entrance).await?;
    if let Some(session) = &session
        && session.is_to_be_noted(app.node.now(), app.session_limits(entrance))
    {
        note_use(app, realm.clone(), session.clone());
    }
    Ok(session)
}

/// The session of a cookie, if it stands for somebody now.
///
/// The row is read from the store and the user's record at its head, so that what ended a session on another node ends it
/// here at once.
pub(crate) async fn look(app: &App, realm: &Arc<Realm>, cookie: &str) -> Result<Option<Session>, CallError> {
    look_at(app, realm, cookie, Entrance::Pages).await
}

async fn look_at(
    app: &App,
    realm: &Arc<Realm>,
    cookie: &str,
    entrance: Entrance,
) -> Result<Option<Session>, CallError> {
    let Some(shown) = ShownSession::parse(cookie) else { return Ok(None) };
    realm.catch_up().await?;
    let (now, key) = (app.node.now(), shown.key());
    let Some(row) = realm.row(SESSION_ROWS, &key, now).await? else { return Ok(None) };
    let session = match Session::read(&key, &row) {
        Ok(session) => session,
        Err(error) => {
            tracing::error!(realm = realm.name(), %error, "a session cannot be read");
            return Ok(None);
        }
    };
    let is_live = |limits| session.is_live(&realm.published().state, now, limits);
    if !shown.proves(&session) || session.entrance != entrance || !is_live(app.session_limits(entrance)) {
        return Ok(None);
    }
    Ok(Some(session))
}

/// Nobody waits for it, and it may be lost.
fn note_use(app: &App, realm: Arc<Realm>, session: Session) {
    let caller = Caller::local(Actor::User(session.login.clone()));
    let limits = app.session_limits(session.entrance);
    let command = NoteUse { session, limits };
    let request = Request { command, caller, via: "session", reason: None, idempotency: None };
    tokio::spawn(async move {
        if let Err(error) = realm.submit(request).await {
            tracing::debug!(realm = realm.name(), %error, "the use of a session could not be noted");
        }
    });
}
