//! Callers by bearer secret: API keys and identities' tokens.

use grantd_node::realm::caller::{Actor, Authority, Caller};
use grantd_node::realm::entropy::secret_hash;
use grantd_node::realm::token::Bearer;
use grantd_node::realm::{Micros, State};
use grantd_node::{Published, Realm};

use super::wrong;
use crate::app::App;
use crate::edge::Source;
use crate::face::{CallError, Unauthorized};

/// Whose secret it is; one that nobody knows counts against its source.
pub(crate) async fn find(
    app: &App,
    realm: &Realm,
    secret: &str,
    source: Source,
) -> Result<Caller, CallError> {
    let hash = secret_hash(secret);
    if let Some(caller) = known(app, &realm.published(), &hash) {
        return Ok(caller);
    }
    realm.catch_up().await?;
    app.system.catch_up().await?;
    known(app, &realm.published(), &hash).ok_or_else(|| wrong(app, source, Unauthorized::Unknown))
}

/// Whose secret it is on the states that are published, by its hash.
pub(crate) fn known(app: &App, published: &Published, hash: &[u8; 32]) -> Option<Caller> {
    let now = app.node.now();
    if let Some(bearer) = published.state.bearer(hash) {
        return match bearer {
            Bearer::ApiKey(id) => {
                valid_key(&published.state, id, now).then(|| Caller::local(Actor::ApiKey(id)))
            }
            Bearer::Token { identity, .. } => Some(Caller::local(Actor::Identity(identity))),
            // An organization's own token speaks for it in the app-permissions dialect alone.
            Bearer::Organization { .. } => None,
        };
    }
    if app.system.is_served().is_err() {
        return None;
    }
    let system = app.system.published();
    let Some(Bearer::ApiKey(id)) = system.state.bearer(hash) else { return None };
    valid_key(&system.state, id, now).then(|| {
        let local = Caller::local(Actor::ApiKey(id));
        let conferred = Authority::ALL.into_iter().filter(|a| local.holds(*a, &system.state, now)).collect();
        Caller { actor: Actor::SystemKey(id), conferred: Some(conferred) }
    })
}

fn valid_key(state: &State, id: uuid::Uuid, now: Micros) -> bool {
    state.api_keys().get(id).is_some_and(|key| key.expires.is_none_or(|expires| now < expires))
}
