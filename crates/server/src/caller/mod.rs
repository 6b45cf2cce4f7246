//! The one place that finds out who calls.

pub(crate) mod access_token;
pub(crate) mod bearer;
pub(crate) mod password;
pub(crate) mod session;

use std::sync::Arc;

use grantd_node::Realm;
use grantd_node::realm::Caller;
use grantd_node::realm::caller::Actor;
use grantd_node::realm::oauth_token::ShownAccess;
use grantd_node::realm::session::Entrance;

use crate::app::App;
use crate::client_certificate;
use crate::edge::{Limited, Source};
use crate::face::{CallError, Credential, Unauthorized};

/// Finds the caller behind a credential, on a realm.
///
/// Who is unknown is looked for once more at the head of the store, so that a key made on another node a moment ago
/// is never refused. Wrong credentials count against their source, and wrong passwords against their account as well;
/// right ones are never refused for others'.
pub(crate) async fn find(
    app: &App,
    realm: &Arc<Realm>,
    credential: Credential<'_>,
    source: Source,
) -> Result<Caller, CallError> {
    match credential {
        Credential::None => Err(Unauthorized::NoCredential.into()),
        Credential::Malformed => Err(wrong(app, source, Unauthorized::Unknown)),
        Credential::Bearer(secret) => match ShownAccess::parse(secret) {
            Some(shown) => Ok(access_token::caller(&*access_token::find(app, realm, &shown, source).await?)),
            None => bearer::find(app, realm, secret, source).await,
        },
        Credential::Basic { login, password } => {
            password::verify(app, realm, &login, password, source).await?;
            Ok(Caller::local(Actor::User(login)))
        }
        Credential::Session(cookie) => match session::find(app, realm, cookie).await? {
            Some(session) => Ok(Caller::local(Actor::User(session.login))),
            None => Err(wrong(app, source, Unauthorized::SessionOver)),
        },
        // No guess of one can be right, and a browser shows an old one again and again.
        Credential::CatalogueSession(cookie) => {
            match session::find_at(app, realm, cookie, Entrance::Catalogue).await? {
                Some(session) => Ok(Caller::local(Actor::User(session.login))),
                None => Err(Unauthorized::SessionOver.into()),
            }
        }
        Credential::Certificate(certificate) => match by_certificate(app, realm, certificate).await? {
            Some(login) => Ok(Caller::local(Actor::User(login))),
            None => Err(wrong(app, source, Unauthorized::WrongCertificate)),
        },
    }
}

/// Whose certificate it is. Whatever may have ended it is looked for at the head of the store.
async fn by_certificate(app: &App, realm: &Realm, certificate: &[u8]) -> Result<Option<String>, CallError> {
    realm.catch_up().await?;
    Ok(client_certificate::holder(&realm.published().state, certificate, app.node.now()))
}

/// Counts a wrong credential and says what it was, or that there were too many.
fn wrong(app: &App, source: Source, why: Unauthorized) -> CallError {
    or_limited(app.failures.failed(source), why)
}

fn or_limited(counted: Result<(), Limited>, why: Unauthorized) -> CallError {
    match counted {
        Ok(()) => why.into(),
        Err(limited) => CallError::Edge(limited.into()),
    }
}
