//! A request whose client is known: an app that showed its secret, or a public one that has none (RFC 6749 section 2.3).

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use grantd_node::Realm;
use grantd_node::realm::app::ShownClient;
use grantd_node::realm::caller::Actor;
use grantd_node::realm::command::{Command, Secret};
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::{Caller, Micros};
use grantd_node::{Published, Request as Submission};
use http::HeaderMap;

use super::VIA;
use super::errors::Error;
use super::parameters::Parameters;
use crate::app::SharedApp;
use crate::call::{RealmName, realm};
use crate::consistency::{RevisionNote, RevisionToken};
use crate::edge::{EdgeError, Source, read_bytes, sender_address};
use crate::face::{CallError, Credential, basic};

/// A request with its parameters, whose client is still to be known.
pub(super) struct Posted {
    pub(super) app: SharedApp,
    pub(super) realm: Arc<Realm>,
    parameters: Result<Parameters, Error>,
    pub(super) headers: HeaderMap,
    pub(super) source: Source,
    note: RevisionNote,
}

impl FromRequest<SharedApp> for Posted {
    type Rejection = Error;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let name = parts.extensions.get::<RealmName>().map_or(DEFAULT, |realm| realm.0.as_str());
        let realm = realm(app, name).await?;
        // Clients know nothing of nodes: what one of them was told is true for all.
        realm.catch_up().await.map_err(CallError::from)?;
        let source = Source::of(sender_address(&parts, app.trusted_hops));
        let note = parts.extensions.get::<RevisionNote>().cloned().unwrap_or_default();
        let body = read_bytes(body).await.map_err(CallError::from)?;
        let parameters = Parameters::read(&parts.headers, &body);
        Ok(Self { app: app.clone(), realm, parameters, headers: parts.headers, source, note })
    }
}

/// A request of a client.
pub(super) struct ClientCall {
    posted: Posted,
    /// Who the client is. Each command looks at it again, on the state that it is decided on.
    pub(super) client: ShownClient,
}

impl Posted {
    /// What the body says. Where a caller has to be known first, they learn only then that it cannot be read.
    pub(super) fn parameters(&self) -> Result<&Parameters, Error> {
        self.parameters.as_ref().map_err(Clone::clone)
    }

    /// The same, once it is sure which client it is of.
    pub(super) async fn by_client(self) -> Result<ClientCall, Error> {
        let client = self.client().await?;
        Ok(ClientCall { posted: self, client })
    }

    /// Finds out which client it is of. A bearer token beside the client's own credentials is none of them: one of the real
    /// clients sends the token that it is about to revoke.
    pub(super) async fn client(&self) -> Result<ShownClient, Error> {
        let client = self.shown_client()?.ok_or_else(Error::no_client)?;
        if client.verify(&self.realm.published().state).is_err() {
            return Err(self.wrong(&client).await);
        }
        Ok(client)
    }

    /// What it shows of its client: by HTTP Basic, or in the body.
    fn shown_client(&self) -> Result<Option<ShownClient>, Error> {
        let parameters = self.parameters()?;
        let (id, secret) = (parameters.get("client_id"), parameters.get("client_secret"));
        match (basic(&self.headers), id, secret) {
            (Credential::Basic { .. }, _, Some(_)) => Err(Error::invalid_request(
                "Send the client's secret in the header or in the body, not in both",
            )),
            (Credential::Basic { login, .. }, Some(id), None) if id != login => {
                Err(Error::invalid_request("The header and the body name two different clients"))
            }
            (Credential::Basic { login: client_id, password }, _, None) => {
                let secret = Some(password).filter(|secret| !secret.0.is_empty());
                Ok(Some(ShownClient { client_id, secret }))
            }
            (Credential::Malformed, ..) => {
                let counted = self.app.failures.failed(self.source);
                Err(counted.err().map_or_else(Error::wrong_client, |limited| EdgeError::from(limited).into()))
            }
            (_, Some(id), secret) => {
                let secret = secret.map(|secret| Secret(secret.to_owned()));
                Ok(Some(ShownClient { client_id: id.to_owned(), secret }))
            }
            (_, None, Some(_)) => Err(Error::invalid_request("Missing parameter: \"client_id\" is required")),
            (_, None, None) => Ok(None),
        }
    }

    /// Counts wrong credentials, for the client and for the source. They were looked at first: nobody's right ones are refused for
    /// others' wrong ones, and they are too long to be guessed meanwhile.
    async fn wrong(&self, client: &ShownClient) -> Error {
        let name = format!("{}/{}", self.realm.name(), client.client_id);
        let counted = match self.app.failures.attempt(&name, self.source).await {
            Ok(attempt) => attempt.wrong(),
            Err(limited) => Err(limited),
        };
        match counted {
            Ok(()) => Error::wrong_client(),
            Err(limited) => EdgeError::from(limited).into(),
        }
    }

    /// Whether it brings credentials of a client.
    pub(super) fn shows_client(&self) -> bool {
        let in_body = self.parameters.as_ref().ok().and_then(|parameters| parameters.get("client_id"));
        basic(&self.headers) != Credential::None || in_body.is_some()
    }

    /// The state that a question reads.
    pub(super) fn published(&self) -> Arc<Published> {
        let published = self.realm.published();
        self.note.set(RevisionToken::from(published.head));
        published
    }

    /// The time, for questions.
    pub(super) fn now(&self) -> Micros {
        self.app.node.now()
    }
}

impl ClientCall {
    /// A parameter, if it was sent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.posted.parameters.as_ref().ok().and_then(|parameters| parameters.get(name))
    }

    /// A parameter that there must be.
    pub(super) fn require(&self, name: &str) -> Result<&str, Error> {
        self.posted.parameters()?.require(name)
    }

    /// The realm.
    pub(super) fn realm(&self) -> &Realm {
        &self.posted.realm
    }

    /// Carries out a command as the client; returns once it is durable.
    pub(super) async fn submit<C: Command>(&self, command: C) -> Result<C::Answer, CallError> {
        let caller = Caller::local(Actor::App(self.client.client_id.clone()));
        let request = Submission { command, caller, via: VIA, reason: None, idempotency: None };
        let done = self.posted.realm.submit(request).await?;
        let ledger_id = self.posted.realm.published().head.ledger_id.0;
        self.posted.note.set(RevisionToken { ledger_id, revision: done.revision });
        Ok(done.answer)
    }
}
