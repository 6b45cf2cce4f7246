//! A call: a request whose caller and realm are known.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts as _, Query, RawPathParams, Request};
use bytes::Bytes;
use grantd_node::LoadError;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::command::Command;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::{Caller, Micros, Refusal};
use grantd_node::{Done, Idempotency, Published, Realm, Request as Submission};
use http::{HeaderMap, Method, Uri};
use serde::de::DeserializeOwned;

use crate::app::SharedApp;
use crate::caller;
use crate::consistency::{RevisionNote, RevisionToken, settle};
use crate::edge::{
    EdgeError, JsonRules, Peer, Source, check_content_type, client_address, parse_json, read_bytes,
};
use crate::face::{CallError, Face};

/// The realm that a path names with `/r/<realm>`; in the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct RealmName(pub(crate) String);

/// The longest reason and idempotency key, in bytes.
const MAX_REASON: usize = 1_000;
const MAX_IDEMPOTENCY_KEY: usize = 255;

/// A request whose caller and realm are known. A handler of a face that has callers takes one of these, and so
/// cannot forget to ask who calls.
pub struct Call<F> {
    /// What every face shares.
    pub app: SharedApp,
    /// Who calls.
    pub caller: Caller,
    /// On which realm.
    pub realm: Arc<Realm>,
    headers: HeaderMap,
    source: Source,
    uri: Uri,
    method: Method,
    params: Vec<(String, String)>,
    body: Bytes,
    note: RevisionNote,
    face: PhantomData<F>,
}

impl<F: Face> FromRequest<SharedApp> for Call<F> {
    type Rejection = F::Error;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, Self::Rejection> {
        Self::read(request, app).await.map_err(F::Error::from)
    }
}

impl<F: Face> Call<F> {
    async fn read(request: Request, app: &SharedApp) -> Result<Self, CallError> {
        let (mut parts, body) = request.into_parts();
        let name = parts.extensions.get::<RealmName>().map_or(DEFAULT, |realm| realm.0.as_str());
        let realm = realm(app, name).await?;
        let note = parts.extensions.get::<RevisionNote>().cloned().unwrap_or_default();
        note_head(&note, &realm.published());
        let peer = parts.extensions.get::<Peer>();
        let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.addr.ip());
        let source = Source::of(client_address(peer, &parts.headers, app.trusted_hops));
        let caller = caller::find(app, &realm, F::credential(&parts.headers), source).await?;
        settle(&realm, &parts.headers).await?;
        if F::READS_AT_HEAD && parts.method == Method::GET {
            realm.catch_up().await?;
        }
        note_head(&note, &realm.published());
        let params = RawPathParams::from_request_parts(&mut parts, app).await.map_err(|_| not_utf8())?;
        let params = params.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let (method, headers, uri) = (parts.method, parts.headers, parts.uri);
        let body = read_bytes(body).await?;
        Ok(Self {
            app: app.clone(),
            caller,
            realm,
            headers,
            source,
            uri,
            method,
            params,
            body,
            note,
            face: PhantomData,
        })
    }

    /// Finds out anew who calls, after a wait: keys are revoked and expire.
    pub async fn recognise(&mut self) -> Result<(), CallError> {
        let credential = F::credential(&self.headers);
        self.caller = caller::find(&self.app, &self.realm, credential, self.source).await?;
        Ok(())
    }

    /// The time, for questions.
    pub fn now(&self) -> Micros {
        self.app.node.now()
    }

    /// The state that a question reads; the answer will name its revision.
    pub fn published(&self) -> Arc<Published> {
        let published = self.realm.published();
        note_head(&self.note, &published);
        published
    }

    /// The state, for a caller who holds at least one of these authorities.
    pub fn published_for(&self, any_of: &[Authority]) -> Result<Arc<Published>, CallError> {
        let published = self.published();
        let now = self.now();
        if any_of.iter().any(|authority| self.caller.holds(*authority, &published.state, now)) {
            return Ok(published);
        }
        let first = any_of.first().copied().unwrap_or(Authority::Admin);
        Err(CallError::Refused(Refusal::NotAllowed(first)))
    }

    /// A parameter of the path, percent-decoded; empty if the route has none of that name.
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    /// Whether the client asks for JSON before anything else.
    pub fn prefers_json(&self) -> bool {
        let accept = self.headers.get(http::header::ACCEPT).and_then(|value| value.to_str().ok());
        accept.is_some_and(|accept| accept.trim_start().starts_with("application/json"))
    }

    /// The query.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        let read = Query::<T>::try_from_uri(&self.uri);
        read.map(|query| query.0).map_err(|_| EdgeError::BadRequest("the query cannot be read".into()).into())
    }

    /// The body, a JSON object.
    pub fn json<T: DeserializeOwned>(&self, rules: JsonRules) -> Result<T, CallError> {
        check_content_type(&self.headers, rules.content_type)?;
        // serde would also take an array for a struct, by position.
        if self.body.trim_ascii_start().first().is_some_and(|first| *first == b'[') {
            return Err(EdgeError::BadRequest("the body must be a JSON object".into()).into());
        }
        Ok(parse_json(&self.body, rules)?)
    }

    /// The body as it came.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Carries out a command; returns once it is durable.
    pub async fn submit<C: Command>(&self, command: C) -> Result<Done<C::Answer>, CallError> {
        let reason = self.text_header("grantd-reason", MAX_REASON)?.map(Into::into);
        let idempotency = self
            .text_header("idempotency-key", MAX_IDEMPOTENCY_KEY)?
            .map(|key| Idempotency::new(&self.caller, &self.route(), key, &self.body));
        let caller = self.caller.clone();
        let request = Submission { command, caller, via: F::VIA, reason, idempotency };
        let done = self.realm.submit(request).await?;
        let published = self.realm.published();
        self.note.set(RevisionToken { ledger_id: published.head.ledger_id.0, revision: done.revision });
        Ok(done)
    }

    /// What an idempotency key is bound to besides its caller.
    fn route(&self) -> String {
        format!("{} {} {}", self.method, self.realm.name(), self.uri.path())
    }

    fn text_header(&self, name: &'static str, max: usize) -> Result<Option<&str>, CallError> {
        let Some(value) = self.headers.get(name) else { return Ok(None) };
        let text = std::str::from_utf8(value.as_bytes()).ok().map(str::trim);
        match text.filter(|text| !text.is_empty() && text.len() <= max && !text.chars().any(char::is_control))
        {
            Some(text) => Ok(Some(text)),
            None => Err(CallError::Refused(Refusal::invalid(
                name,
                format!("must be 1 to {max} bytes of plain UTF-8"),
            ))),
        }
    }
}

fn not_utf8() -> CallError {
    EdgeError::BadRequest("the path is not valid UTF-8".into()).into()
}

async fn realm(app: &SharedApp, name: &str) -> Result<Arc<Realm>, CallError> {
    if name == app.system.name() {
        return Ok(app.system.clone());
    }
    match app.node.realm(name).await {
        Ok(realm) => Ok(realm),
        Err(LoadError::Store(grantd_node::StoreError::NoLedger(_))) => Err(CallError::UnknownRealm),
        Err(other) => Err(other.into()),
    }
}

fn note_head(note: &RevisionNote, published: &Published) {
    note.set(published.head.into());
}
