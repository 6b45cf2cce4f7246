//! A call: a request whose caller and realm are known.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts as _, Query, RawPathParams, Request};
use bytes::Bytes;
use grantd_node::LoadError;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::command::Command;
use grantd_node::realm::oauth_token::{AccessToken, ShownAccess};
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::session::Session;
use grantd_node::realm::{Caller, Micros, Refusal};
use grantd_node::{Done, Idempotency, Published, Realm, Request as Submission};
use http::{Extensions, HeaderMap, Method, Uri};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::app::{App, SharedApp};
use crate::consistency::{RevisionNote, RevisionToken, at_head, settle};
use crate::edge::layers::ORDINARY_TIMEOUT;
use crate::edge::{
    EdgeError, JsonRules, Peer, Source, check_content_type, parse_object, read_bytes, sender_address,
};
use crate::face::{CallError, Credential, Face, Shown, Unauthorized};
use crate::{caller, csrf};

/// The realm that a path names with `/r/<realm>`; in the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct RealmName(pub(crate) String);

/// The longest reason and idempotency key, in bytes.
const MAX_REASON: usize = 1_000;
const MAX_IDEMPOTENCY_KEY: usize = 255;

/// Does long work off the threads that answer everybody else. A panic in it is the request's.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CallError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(EdgeError::Unavailable { retry_after_secs: 1 }.into()),
        },
    }
}

/// Until when long work goes on: as long as somebody waits for its answer.
#[derive(Clone, Copy)]
pub(crate) struct Patience(Instant);

impl Patience {
    /// From now.
    pub(crate) fn new() -> Self {
        Self(Instant::now() + ORDINARY_TIMEOUT)
    }

    /// An error once it is over.
    pub(crate) fn lasts(self) -> Result<(), CallError> {
        if Instant::now() < self.0 { Ok(()) } else { Err(EdgeError::Timeout.into()) }
    }
}

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
    certificate: Option<Arc<[u8]>>,
    source: Source,
    uri: Uri,
    method: Method,
    params: Vec<(String, String)>,
    body: Bytes,
    note: RevisionNote,
    extensions: Extensions,
    face: PhantomData<F>,
}

impl<F: Face> FromRequest<SharedApp> for Call<F> {
    type Rejection = F::Error;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, Self::Rejection> {
        Self::read(request, app).await.map_err(F::Error::from)
    }
}

/// A call whose body is still to come: for streams, which are never in memory as a whole. The caller is known before the
/// first byte of it is read.
pub struct Streaming<F> {
    /// The call, with an empty body.
    pub call: Call<F>,
    /// The body.
    pub body: Body,
}

impl<F: Face> FromRequest<SharedApp> for Streaming<F> {
    type Rejection = F::Error;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, Self::Rejection> {
        let (call, body) = Call::begin(request, app).await?;
        Ok(Self { call, body })
    }
}

impl<F: Face> Call<F> {
    async fn read(request: Request, app: &SharedApp) -> Result<Self, CallError> {
        let (call, body) = Self::begin(request, app).await?;
        Ok(Self { body: read_bytes(body).await?, ..call })
    }

    /// All but the body.
    async fn begin(request: Request, app: &SharedApp) -> Result<(Self, Body), CallError> {
        let (mut parts, body) = request.into_parts();
        let name = parts.extensions.get::<RealmName>().map_or(DEFAULT, |realm| realm.0.as_str());
        let realm = realm(app, name).await?;
        let note = parts.extensions.get::<RevisionNote>().cloned().unwrap_or_default();
        note.set_newest(&app.node, &realm);
        let source = Source::of(sender_address(&parts, app.trusted_hops));
        let certificate = parts.extensions.get::<Peer>().and_then(|peer| peer.certificate.clone());
        let shown = shown(app, &realm, &parts.headers, certificate.as_deref());
        let is_forged = match F::credential(&shown) {
            _ if parts.method.is_safe() => false,
            Credential::Session(cookie) => !proves_its_page(app, cookie, &parts.headers),
            // A browser shows it for anybody's page as well.
            Credential::Certificate(_) => !csrf::is_same_origin(app, &parts.headers),
            _ => false,
        };
        if is_forged {
            return Err(CallError::Forgery);
        }
        if F::begins_at_head(&parts.method, parts.uri.path()) {
            at_head(app, &realm).await?;
            // Another node may just have deleted it.
            if realm.is_deleted() {
                return Err(CallError::UnknownRealm);
            }
        }
        let mut caller = who::<F>(app, &realm, &shown, source).await?;
        if settle(app, &realm, &parts.headers).await? {
            if realm.is_deleted() {
                return Err(CallError::UnknownRealm);
            }
            // What was waited for may be that the caller is nobody any more.
            caller = who::<F>(app, &realm, &shown, source).await?;
        }
        note.set_newest(&app.node, &realm);
        let params = RawPathParams::from_request_parts(&mut parts, app).await.map_err(|_| not_utf8())?;
        let params = params.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let (method, headers, uri, extensions) = (parts.method, parts.headers, parts.uri, parts.extensions);
        let call = Self {
            app: app.clone(),
            caller,
            realm,
            headers,
            certificate,
            source,
            uri,
            method,
            params,
            body: Bytes::new(),
            note,
            extensions,
            face: PhantomData,
        };
        Ok((call, body))
    }

    /// What the request shows of its caller.
    pub(crate) fn shown(&self) -> Shown<'_> {
        shown(&self.app, &self.realm, &self.headers, self.certificate.as_deref())
    }

    /// Finds out anew who calls, after a wait: keys are revoked and expire.
    pub async fn recognise(&mut self) -> Result<(), CallError> {
        if self.realm.is_deleted() {
            return Err(CallError::UnknownRealm);
        }
        self.caller = who::<F>(&self.app, &self.realm, &self.shown(), self.source).await?;
        Ok(())
    }

    /// The session that the caller is known by, and the token of its pages. Who is known by anything else has none.
    pub(crate) async fn session(&self) -> Result<(Session, String), CallError> {
        let Credential::Session(cookie) = F::credential(&self.shown()) else {
            return Err(Unauthorized::NoSession.into());
        };
        let session = caller::session::find(&self.app, &self.realm, cookie).await?;
        Ok((session.ok_or(Unauthorized::SessionOver)?, csrf::token(&self.app, cookie)))
    }

    /// The OAuth access token that the caller is known by, if that is what they showed.
    pub(crate) async fn access_token(&self) -> Result<Option<Arc<AccessToken>>, CallError> {
        let Credential::Bearer(secret) = F::credential(&self.shown()) else { return Ok(None) };
        let Some(shown) = ShownAccess::parse(secret) else { return Ok(None) };
        caller::access_token::find(&self.app, &self.realm, &shown, self.source).await.map(Some)
    }

    /// The time, for questions.
    pub fn now(&self) -> Micros {
        self.app.node.now()
    }

    /// The state that a question reads; the answer will name its revision.
    pub fn published(&self) -> Arc<Published> {
        self.note.set_newest(&self.app.node, &self.realm)
    }

    /// Has the answer name the revision of this state: an earlier one, for a later page.
    pub(crate) fn answers_by(&self, published: &Published) {
        self.note.set(RevisionToken::from(published.head));
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

    /// The query as it came.
    pub fn query_text(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// What was noted about the request on its way here.
    pub(crate) fn noted<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.get()
    }

    /// The query.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        let read = Query::<T>::try_from_uri(&self.uri);
        read.map(|query| query.0).map_err(|_| EdgeError::BadRequest("the query cannot be read".into()).into())
    }

    /// The body, a JSON object.
    pub fn json<'b, T: Deserialize<'b>>(&'b self, rules: JsonRules) -> Result<T, CallError> {
        check_content_type(&self.headers, rules.content_type)?;
        Ok(parse_object(&self.body, rules)?)
    }

    /// The method.
    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// The address, as the face's routes know it.
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body as it came.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Carries out a command; returns once it is durable.
    pub async fn submit<C: Command>(&self, command: C) -> Result<Done<C::Answer>, CallError> {
        let (reason, idempotency) = (self.reason()?, self.idempotency()?);
        let caller = self.caller.clone();
        let request = Submission { command, caller, via: F::VIA, reason, idempotency };
        let done = self.realm.submit(request).await?;
        self.note_revision(done.revision);
        Ok(done)
    }

    /// Why, in the caller's words.
    pub fn reason(&self) -> Result<Option<String>, CallError> {
        Ok(self.text_header("grantd-reason", MAX_REASON)?.map(Into::into))
    }

    /// The idempotency key, bound to who used it for what.
    pub fn idempotency(&self) -> Result<Option<Idempotency>, CallError> {
        let key = self.text_header("idempotency-key", MAX_IDEMPOTENCY_KEY)?;
        Ok(key.map(|key| Idempotency::new(&self.caller, &self.route(), key, &self.asked())))
    }

    /// What an idempotency key is bound to besides its caller. A realm of the same name made again is another one.
    fn route(&self) -> String {
        let account = self.realm.published().state.account();
        format!("{} {} {account} {}", self.method, self.realm.name(), self.uri.path())
    }

    /// What must be the same when a key is used again: the query and the body.
    fn asked(&self) -> Vec<u8> {
        [self.uri.query().unwrap_or_default().as_bytes(), &self.body].join(&b'\n')
    }

    /// A header as text; `None` if it is not there or no text.
    pub fn header(&self, name: http::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Notes the revision of the answer, for its header.
    pub fn note_revision(&self, revision: u64) {
        let ledger_id = self.realm.published().head.ledger_id.0;
        self.note.set(RevisionToken { ledger_id, revision });
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

/// The caller, as the face knows them.
async fn who<F: Face>(
    app: &App,
    realm: &Arc<Realm>,
    shown: &Shown<'_>,
    source: Source,
) -> Result<Caller, CallError> {
    let credential = F::credential(shown);
    match F::nobody(app, shown).filter(|_| credential == Credential::None) {
        Some(nobody) => Ok(nobody),
        None => caller::find(app, realm, credential, source).await,
    }
}

fn shown<'a>(
    app: &App,
    realm: &'a Realm,
    headers: &'a HeaderMap,
    certificate: Option<&'a [u8]>,
) -> Shown<'a> {
    Shown { headers, certificate, realm: realm.name(), secure: app.is_secure() }
}

/// Whether a change that is asked for with a session comes from a page of ours.
fn proves_its_page(app: &App, cookie: &str, headers: &HeaderMap) -> bool {
    let token = headers.get(csrf::CSRF).and_then(|token| token.to_str().ok());
    csrf::is_same_origin(app, headers) && token.is_some_and(|token| csrf::fits(app, cookie, token))
}

fn not_utf8() -> CallError {
    EdgeError::BadRequest("the path is not valid UTF-8".into()).into()
}

/// A realm by its name.
pub(crate) async fn realm(app: &SharedApp, name: &str) -> Result<Arc<Realm>, CallError> {
    if name == app.system.name() {
        app.system.is_served()?;
        return Ok(app.system.clone());
    }
    match app.node.realm(name).await {
        Ok(realm) => Ok(realm),
        Err(LoadError::Store(grantd_node::StoreError::NoLedger(_))) => Err(CallError::UnknownRealm),
        Err(other) => Err(other.into()),
    }
}
