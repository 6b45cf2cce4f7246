//! Callers by OAuth access token: apps that an organization has agreed with, and organizations themselves.

use std::sync::Arc;

use grantd_node::Realm;
use grantd_node::realm::Caller;
use grantd_node::realm::caller::{Actor, Authorities};
use grantd_node::realm::oauth_token::{AccessToken, ShownAccess};

use super::wrong;
use crate::app::App;
use crate::edge::Source;
use crate::face::{CallError, Unauthorized};

/// The token, if it stands for somebody now. Whether it does is judged on the newest state each time: what ended the
/// authorization ends the token at once.
pub(crate) async fn find(
    app: &App,
    realm: &Realm,
    shown: &ShownAccess,
    source: Source,
) -> Result<Arc<AccessToken>, CallError> {
    if let Some(token) = live(app, realm, shown).await? {
        return Ok(token);
    }
    // What it is a token of may have been agreed on another node a moment ago.
    realm.catch_up().await?;
    live(app, realm, shown).await?.ok_or_else(|| wrong(app, source, Unauthorized::Unknown))
}

async fn live(app: &App, realm: &Realm, shown: &ShownAccess) -> Result<Option<Arc<AccessToken>>, CallError> {
    let found = realm.access_token(shown).await?;
    Ok(found.filter(|token| token.is_live(&realm.published().state, app.node.now())))
}

/// Who calls with it. They hold nothing on grantd itself: a token says what its app may do to others.
pub(super) fn caller(token: &AccessToken) -> Caller {
    match token.app() {
        Some(client_id) => Caller::local(Actor::App(client_id.to_string())),
        None => Caller { actor: Actor::System("organization"), conferred: Some(Authorities::default()) },
    }
}
