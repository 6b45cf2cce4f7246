//! A request as a page sees it: on which realm, signed in as whom, and where its links begin.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts as _, Query, RawPathParams, Request};
use grantd_node::realm::Caller;
use grantd_node::realm::caller::Actor;
use grantd_node::realm::command::{Command, Secret};
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::session::{Device, Session, ShownSession};
use grantd_node::{Done, Realm, Request as Submission};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::VIA;
use super::consent::Texts;
use super::errors::PageError;
use super::frame::Frame;
use crate::app::SharedApp;
use crate::call::{RealmName, realm};
use crate::edge::{EdgeError, Source, read_bytes, sender_address};
use crate::face::CallError;
use crate::{caller, csrf, session_cookie};

/// The cookie that a form is bound to while nobody is signed in.
const FORM_COOKIE: &str = "grantd_form";

/// A request of a browser.
pub(super) struct Visit {
    pub(super) app: SharedApp,
    pub(super) realm: Arc<Realm>,
    /// The session of who is signed in.
    pub(super) session: Option<Session>,
    pub(super) source: Source,
    address: IpAddr,
    headers: HeaderMap,
    uri: Uri,
    method: Method,
    params: Vec<(String, String)>,
    /// Value of the cookie that forms are bound to as long as nobody is signed in, and whether the browser has it yet.
    form_cookie: (String, bool),
}

impl FromRequest<SharedApp> for Visit {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, PageError> {
        Self::of(request.into_parts().0, app).await
    }
}

impl Visit {
    async fn of(mut parts: Parts, app: &SharedApp) -> Result<Self, PageError> {
        let name = parts.extensions.get::<RealmName>().map_or(DEFAULT, |realm| realm.0.as_str());
        let realm = realm(app, name).await?;
        let address = sender_address(&parts, app.trusted_hops).to_canonical();
        let cookie = session_cookie::name(realm.name(), app.is_secure());
        let session = match session_cookie::read(&parts.headers, &cookie) {
            Some(cookie) => caller::session::find(app, &realm, cookie).await?,
            None => None,
        };
        let form = session_cookie::named(FORM_COOKIE, realm.name(), app.is_secure());
        let form_cookie = match session_cookie::read(&parts.headers, &form).filter(|value| value.len() == 64)
        {
            Some(value) => (value.to_owned(), true),
            None => (format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()), false),
        };
        let not_utf8 = |_| CallError::from(EdgeError::BadRequest("the path is not valid UTF-8".into()));
        let params = RawPathParams::from_request_parts(&mut parts, app).await.map_err(not_utf8)?;
        let params = params.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Ok(Self {
            app: app.clone(),
            realm,
            session,
            source: Source::of(address),
            address,
            headers: parts.headers,
            uri: parts.uri,
            method: parts.method,
            params,
            form_cookie,
        })
    }

    /// Who is signed in; else the way to the sign-in page, and back.
    pub(super) fn signed_in(&self) -> Result<&Session, PageError> {
        self.session.as_ref().ok_or_else(|| PageError::SignIn(self.to_sign_in()))
    }

    /// Whether that session still is one; for answers that go on. This is no use of it: an open page alone does not keep
    /// anybody signed in.
    pub(super) async fn is_still_signed_in(&self) -> bool {
        let (Some(session), Some(cookie)) = (&self.session, self.cookie()) else { return false };
        match caller::session::look(&self.app, &self.realm, cookie).await {
            Ok(found) => found.is_some_and(|found| found.id == session.id),
            Err(_) => false,
        }
    }

    /// Whether a script of ours asks for a piece of a page instead of all of it.
    pub(super) fn asks_for_piece(&self) -> bool {
        self.headers.contains_key("grantd-fragment")
    }

    /// The sign-in page's address, with the way back to this page if it is one to come back to.
    fn to_sign_in(&self) -> String {
        let base = self.base();
        let here = self.uri.path_and_query().map_or("/account", PathAndQuery::as_str);
        // The page of a form of the consent is at the form's own address.
        let leads_back = self.method == Method::GET || self.uri.path() == "/oauth2/authorize";
        if !leads_back || here == "/account" {
            return format!("{base}/login");
        }
        match serde_urlencoded::to_string([("next", format!("{base}{here}"))]) {
            Ok(query) => format!("{base}/login?{query}"),
            Err(_) => format!("{base}/login"),
        }
    }

    /// What stands in front of every path of this realm's pages; no slash at the end.
    pub(super) fn base(&self) -> String {
        match self.realm.name() {
            DEFAULT => self.app.public_path().to_owned(),
            realm => format!("{}/r/{realm}", self.app.public_path()),
        }
    }

    /// What a page is framed by.
    pub(super) fn frame(&self, title: &'static str) -> Frame {
        Frame {
            title,
            base: self.base(),
            realm: Some(self.realm.name()).filter(|name| *name != DEFAULT).map(Into::into),
            login: self.session.as_ref().map(|session| session.login.clone()),
            csrf: self.csrf(),
            path: self.uri.path().to_owned(),
        }
    }

    /// The token of this page's forms.
    fn csrf(&self) -> String {
        match (&self.session, self.cookie()) {
            (Some(_), Some(cookie)) => csrf::token(&self.app, cookie),
            _ => csrf::token(&self.app, &self.form_cookie.0),
        }
    }

    /// The value of the session cookie that the browser sent, whether or not it stands for somebody.
    fn cookie(&self) -> Option<&str> {
        session_cookie::read(&self.headers, &session_cookie::name(self.realm.name(), self.app.is_secure()))
    }

    /// `Set-Cookie` for the forms of who is not signed in, if the browser needs it.
    pub(super) fn set_form_cookie(&self) -> Option<HeaderValue> {
        let (value, known) = &self.form_cookie;
        if *known || self.session.is_some() {
            return None;
        }
        let secure = self.app.is_secure();
        let name = session_cookie::named(FORM_COOKIE, self.realm.name(), secure);
        session_cookie::set(&name, value, secure)
    }

    /// `Set-Cookie` for a new session.
    pub(super) fn set_session_cookie(&self, secret: &Secret) -> Option<HeaderValue> {
        let secure = self.app.is_secure();
        session_cookie::set(&session_cookie::name(self.realm.name(), secure), &secret.0, secure)
    }

    /// `Set-Cookie` that ends a session in the browser.
    pub(super) fn clear_session_cookie(&self) -> Option<HeaderValue> {
        let secure = self.app.is_secure();
        session_cookie::clear(&session_cookie::name(self.realm.name(), secure), secure)
    }

    /// The value of another cookie of ours.
    pub(super) fn cookie_named(&self, name: &str) -> Option<&str> {
        session_cookie::read(&self.headers, name)
    }

    /// The key of the row of the session that the browser has now, live or not.
    pub(super) fn session_key(&self) -> Option<Vec<u8>> {
        self.cookie().and_then(ShownSession::parse).map(|shown| shown.key())
    }

    /// From where, for the list of sessions.
    pub(super) fn device(&self) -> Device {
        let agent = self.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Device { agent: agent.unwrap_or_default().to_owned(), address: self.address.to_string() }
    }

    /// A parameter of the path.
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    /// The query; what cannot be read counts as not given.
    pub(super) fn query<T: DeserializeOwned + Default>(&self) -> T {
        Query::<T>::try_from_uri(&self.uri).map(|query| query.0).unwrap_or_default()
    }

    /// The query as it came.
    pub(super) fn query_text(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// Whether one of our own pages led here, by a form, a link or a redirect of these. The browser says so itself.
    pub(super) fn comes_from_own_page(&self) -> bool {
        self.headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin")
    }

    /// The words of pages that speak several languages: that of a locale if it is given, else what the browser asks for.
    pub(super) fn texts(&self, locale: Option<&str>) -> &'static Texts {
        let accepted = self.headers.get(header::ACCEPT_LANGUAGE).and_then(|accepted| accepted.to_str().ok());
        Texts::of(locale, accepted)
    }

    /// The address that the visitor comes from.
    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    /// A path of this realm's pages that somebody asks to go to, if it is one.
    pub(super) fn own_path(&self, wanted: Option<&str>) -> Option<String> {
        let wanted = wanted?;
        let rest = wanted.strip_prefix(&self.base())?;
        let fits = rest.starts_with('/')
            && !rest.starts_with("//")
            && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        fits.then(|| wanted.to_owned())
    }

    /// Carries out a command of a user's own; returns once it is durable.
    pub(super) async fn submit<C: Command>(
        &self,
        login: &str,
        command: C,
    ) -> Result<Done<C::Answer>, PageError> {
        let caller = Caller::local(Actor::User(login.to_owned()));
        let request = Submission { command, caller, via: VIA, reason: None, idempotency: None };
        Ok(self.realm.submit(request).await.map_err(CallError::from)?)
    }
}

/// A form that a page of ours sent: from our own origin, with the token that is bound to the browser's session.
pub(super) struct Submitted<T> {
    pub(super) visit: Visit,
    pub(super) form: T,
}

#[derive(Deserialize, Default)]
struct Token {
    #[serde(default)]
    csrf: String,
}

impl<T: DeserializeOwned> FromRequest<SharedApp> for Submitted<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        let visit = Visit::of(parts, app).await?;
        if !csrf::is_same_origin(app, &visit.headers) {
            return Err(CallError::Forgery.into());
        }
        let body = read_bytes(body).await.map_err(CallError::from)?;
        let token: Token = serde_urlencoded::from_bytes(&body).unwrap_or_default();
        visit.require_token(&token.csrf)?;
        let unread = |_| CallError::from(EdgeError::BadRequest("the form cannot be read".into()));
        Ok(Self { form: serde_urlencoded::from_bytes(&body).map_err(unread)?, visit })
    }
}

impl Visit {
    fn require_token(&self, token: &str) -> Result<(), PageError> {
        let fits = |cookie: &str| csrf::fits(&self.app, cookie, token);
        match (&self.session, self.cookie()) {
            (Some(_), Some(cookie)) if fits(cookie) => Ok(()),
            // A page of ours, from before the sign-in.
            (Some(_), _) if self.form_cookie.1 && fits(&self.form_cookie.0) => {
                Err(PageError::SignIn(self.to_sign_in()))
            }
            (Some(_), _) => Err(CallError::Forgery.into()),
            (None, _) if self.form_cookie.1 && fits(&self.form_cookie.0) => Ok(()),
            // A page of ours, whose session has ended since.
            (None, Some(cookie)) if fits(cookie) => Err(PageError::SignIn(self.to_sign_in())),
            (None, _) => Err(CallError::Forgery.into()),
        }
    }
}
