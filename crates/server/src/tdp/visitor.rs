//! A request of who need not be signed in: on which realm, and from where.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use grantd_node::Realm;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::session::{Device, ShownSession};
use http::{HeaderMap, Method, Uri, header};

use super::cookies;
use super::errors::Error;
use crate::app::{App, SharedApp};
use crate::call::{RealmName, realm};
use crate::edge::{Source, read_bytes, sender_address};

/// A request, whoever makes it.
pub(super) struct Visitor {
    pub(super) app: SharedApp,
    pub(super) realm: Arc<Realm>,
    pub(super) headers: HeaderMap,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) source: Source,
    pub(super) body: Bytes,
    address: IpAddr,
}

impl FromRequest<SharedApp> for Visitor {
    type Rejection = Error;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let name = parts.extensions.get::<RealmName>().map_or(DEFAULT, |realm| realm.0.as_str());
        let realm = realm(app, name).await?;
        let address = sender_address(&parts, app.trusted_hops).to_canonical();
        Ok(Self {
            app: app.clone(),
            realm,
            source: Source::of(address),
            address,
            headers: parts.headers,
            method: parts.method,
            uri: parts.uri,
            body: read_bytes(body).await?,
        })
    }
}

impl Visitor {
    /// From where, for the list of sessions.
    pub(super) fn device(&self) -> Device {
        let agent = self.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Device { agent: agent.unwrap_or_default().to_owned(), address: self.address.to_string() }
    }

    /// The key of the row of the session that the client has now, live or not.
    pub(super) fn session_key(&self) -> Option<Vec<u8>> {
        let cookie = cookies::session(&self.headers, self.realm.name());
        cookie.and_then(ShownSession::parse).map(|shown| shown.key())
    }

    /// What stands in front of every path of this realm's pages; no slash at the end.
    pub(super) fn base(&self) -> String {
        pages_of(&self.app, self.realm.name())
    }
}

/// What stands in front of every path of a realm's pages.
pub(super) fn pages_of(app: &App, realm: &str) -> String {
    match realm {
        DEFAULT => app.public_path().to_owned(),
        realm => format!("{}/r/{realm}", app.public_path()),
    }
}
