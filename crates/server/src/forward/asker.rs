//! Whose request it is that a proxy asks about.

use std::sync::Arc;

use grantd_node::Realm;
use grantd_node::realm::Caller;
use grantd_node::realm::caller::Actor;
use http::{HeaderMap, header};

use crate::app::App;
use crate::caller;
use crate::edge::Source;
use crate::face::{CallError, Credential, Shown, authorization, basic, bearer};

/// Somebody who was found by what the request shows, or nobody known.
pub(super) struct Asker {
    caller: Caller,
    known: bool,
}

impl Asker {
    /// Finds out by `Authorization`, Basic or Bearer, and without it by the cookie of the pages' session.
    pub(super) async fn find(
        app: &App,
        realm: &Arc<Realm>,
        headers: &HeaderMap,
        source: Source,
    ) -> Result<Self, CallError> {
        // A certificate on this connection is the proxy's own.
        let shown = Shown { headers, certificate: None, realm: realm.name(), secure: app.is_secure() };
        match credential(&shown) {
            Credential::None => Ok(Self::nobody()),
            // An old cookie is shown with every picture of a page: it is nobody's, and no guess.
            Credential::Session(cookie) => Ok(match caller::session::find(app, realm, cookie).await? {
                Some(session) => Self::known(Caller::local(Actor::User(session.login))),
                None => Self::nobody(),
            }),
            credential => caller::find(app, realm, credential, source).await.map(Self::known),
        }
    }

    fn known(caller: Caller) -> Self {
        Self { caller, known: true }
    }

    fn nobody() -> Self {
        Self { caller: Caller::visitor(), known: false }
    }

    /// Whether they showed a credential that counts.
    pub(super) fn is_known(&self) -> bool {
        self.known
    }

    /// Who asks.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The login, if it is a person.
    pub(super) fn login(&self) -> Option<&str> {
        match &self.caller.actor {
            Actor::User(login) => Some(login),
            _ => None,
        }
    }
}

fn credential<'a>(shown: &Shown<'a>) -> Credential<'a> {
    if !shown.headers.contains_key(header::AUTHORIZATION) {
        return shown.session().map_or(Credential::None, Credential::Session);
    }
    match authorization(shown.headers) {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("basic") => basic(shown.headers),
        _ => bearer(shown.headers),
    }
}
