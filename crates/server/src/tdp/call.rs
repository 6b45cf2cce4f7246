//! A call of the dialect: its caller is signed in, made it by a page of theirs, and keeps the catalogue where that is needed.

use std::ops::Deref;

use axum::extract::{FromRequest, Request, State};
use axum::response::Response;
use grantd_node::realm::reserved::keeps_catalogue;
use http::header;

use super::Tdp;
use super::body::{self, Body};
use super::errors::Error;
use super::forgery::{self, TOKEN_FIELD};
use super::metadata;
use super::visitor::Visitor;
use crate::app::SharedApp;
use crate::face::{CallError, Credential, Face as _};

/// A request by who is signed in.
pub(super) struct SignedIn(crate::call::Call<Tdp>);

impl FromRequest<SharedApp> for SignedIn {
    type Rejection = Error;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, Error> {
        let call = Self(crate::call::Call::from_request(request, app).await?);
        call.require_own_page().await?;
        Ok(call)
    }
}

impl SignedIn {
    /// The value of the session cookie, if it is by that that the caller is known.
    pub(super) fn session(&self) -> Option<&str> {
        match Tdp::credential(&self.0.shown()) {
            Credential::CatalogueSession(cookie) => Some(cookie),
            _ => None,
        }
    }

    async fn require_own_page(&self) -> Result<(), Error> {
        let (Some(session), false) = (self.session(), self.method().is_safe()) else { return Ok(()) };
        forgery::require_origin(&self.app, self.headers())?;
        let in_form = if self.method() == http::Method::POST { self.token_in_form().await } else { None };
        forgery::require_token(&self.app, self.realm.name(), self.headers(), session, in_form.as_deref())
    }

    /// A form that cannot be read has no token; what is wrong with it is said later.
    async fn token_in_form(&self) -> Option<String> {
        let is_form = self.header(header::CONTENT_TYPE).is_some_and(body::is_form);
        match is_form {
            true => self.body_of_call().await.ok()?.text(TOKEN_FIELD).filter(|token| !token.is_empty()),
            false => None,
        }
    }

    /// The body, whatever form it has.
    pub(super) async fn body_of_call(&self) -> Result<Body, Error> {
        Body::read(self.headers(), self.body()).await
    }
}

impl Deref for SignedIn {
    type Target = crate::call::Call<Tdp>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A request by who keeps the catalogue: a super user, or a member of the role `admin`.
pub(super) struct Call(SignedIn);

impl FromRequest<SharedApp> for Call {
    type Rejection = Error;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, Error> {
        let call = Self::kept(request, app).await?;
        call.negotiate()?;
        Ok(call)
    }
}

impl Call {
    async fn kept(request: Request, app: &SharedApp) -> Result<Self, Error> {
        let call = Self(SignedIn::from_request(request, app).await?);
        if !call.keeps_catalogue() {
            // A no is confirmed at the head of the store.
            call.realm.catch_up().await.map_err(CallError::from)?;
            if !call.keeps_catalogue() {
                return Err(call.no_admin());
            }
        }
        Ok(call)
    }

    fn keeps_catalogue(&self) -> bool {
        keeps_catalogue(&self.published().state, &self.caller, self.now())
    }

    /// The page says that who is no admin makes the server fail.
    fn no_admin(&self) -> Error {
        let is_on_the_page = self.uri().path().starts_with("/v1/permissions");
        if self.app.catalogue.as_documented && is_on_the_page {
            Error::as_documented()
        } else {
            Error::denied()
        }
    }

    /// There is JSON and nothing else.
    fn negotiate(&self) -> Result<(), Error> {
        let asked: Format = self.query().unwrap_or_default();
        if asked.format.is_some_and(|format| format != "json") {
            return Err(Error::not_found());
        }
        match self.header(header::ACCEPT) {
            Some(accept) if !accepts_json(accept) => Err(Error::not_acceptable()),
            _ => Ok(()),
        }
    }
}

impl Deref for Call {
    type Target = SignedIn;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[derive(Default, serde::Deserialize)]
struct Format {
    format: Option<String>,
}

fn accepts_json(accept: &str) -> bool {
    let types = accept.split(',').map(|one| one.split(';').next().unwrap_or_default().trim());
    let mut types = types.filter(|one| !one.is_empty()).peekable();
    types.peek().is_none()
        || types.any(|one| {
            ["*/*", "application/*", "application/json"].iter().any(|ours| one.eq_ignore_ascii_case(ours))
        })
}

/// A method that a record does not take; said to who may know that there is one.
pub(super) async fn wrong_method(State(app): State<SharedApp>, request: Request) -> Error {
    match Call::kept(request, &app).await {
        Ok(call) => Error::wrong_method(call.method()),
        Err(error) => error,
    }
}

/// The same, said to whoever is signed in.
pub(super) async fn wrong_method_for_anyone(call: SignedIn) -> Result<Response, Error> {
    metadata::if_asked(call.method(), call.uri().path())
}

/// The same, said to anybody.
pub(super) async fn wrong_method_for_nobody(visitor: Visitor) -> Result<Response, Error> {
    metadata::if_asked(&visitor.method, visitor.uri.path())
}
