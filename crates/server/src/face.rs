//! What tells one face from another: how a caller shows who they are, and how an error is said.

use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grantd_node::realm::command::Secret;
use grantd_node::realm::{Caller, Refusal};
use grantd_node::{LoadError, RealmError, StoreError, SubmitError};
use http::{HeaderMap, Method};

use crate::app::App;
use crate::edge::EdgeError;
use crate::session_cookie;
use crate::telemetry::NowAndThen;

/// A face: one dialect, or grantd's own API.
pub trait Face: Send + Sync + 'static {
    /// Its name in the ledger and the metrics.
    const VIA: &'static str;

    /// Whether a request begins at the store's head where other nodes append, who calls included, whatever it says of consistency: for
    /// clients that know nothing of the consistency headers, expect to find what they wrote, and may be sent to another node each time.
    /// Checks need not, and commands do by themselves.
    fn begins_at_head(_method: &Method, _path: &str) -> bool {
        false
    }

    /// How it says what went wrong.
    type Error: From<CallError> + IntoResponse + Send;

    /// The credential of a request. By default that of `Authorization: Bearer` (RFC 6750).
    fn credential<'a>(shown: &Shown<'a>) -> Credential<'a> {
        bearer(shown.headers)
    }

    /// Who calls without any credential. By default such a call is refused.
    fn nobody(_app: &App, _shown: &Shown<'_>) -> Option<Caller> {
        None
    }
}

/// What a request shows of its caller; a face says which of it counts, and in which order.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The client certificate of the connection (DER), whose key the client has proved to hold; see [`crate::edge::Peer`].
    pub certificate: Option<&'a [u8]>,
    /// The realm, and whether the world reaches this server by TLS: they name the session cookie.
    pub(crate) realm: &'a str,
    pub(crate) secure: bool,
}

impl<'a> Shown<'a> {
    /// The value of the realm's session cookie.
    pub fn session(&self) -> Option<&'a str> {
        if !self.headers.contains_key(http::header::COOKIE) {
            return None;
        }
        session_cookie::read(self.headers, &session_cookie::name(self.realm, self.secure))
    }
}

/// What a caller shows.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential<'a> {
    /// Nothing.
    None,
    /// A bearer secret.
    Bearer(&'a str),
    /// A person's login and password (RFC 7617).
    Basic {
        /// Who they say they are.
        login: String,
        /// What should prove it.
        password: Secret,
    },
    /// The value of a session cookie.
    Session(&'a str),
    /// The value of the catalogue dialect's own session cookie.
    CatalogueSession(&'a str),
    /// A client certificate (DER).
    Certificate(&'a [u8]),
    /// Something that is no credential here.
    Malformed,
}

/// The credential of `Authorization: Bearer`; any other scheme is malformed.
pub fn bearer(headers: &HeaderMap) -> Credential<'_> {
    if !headers.contains_key(http::header::AUTHORIZATION) {
        return Credential::None;
    }
    match authorization(headers) {
        Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => Credential::Bearer(secret),
        _ => Credential::Malformed,
    }
}

/// The credential of `Authorization: Basic`; nothing if there is none or it has another scheme.
pub fn basic(headers: &HeaderMap) -> Credential<'_> {
    match authorization(headers) {
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => {
            decode_basic(encoded).unwrap_or(Credential::Malformed)
        }
        _ => Credential::None,
    }
}

fn decode_basic(encoded: &str) -> Option<Credential<'static>> {
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    // The first colon ends the login: a password may hold more of them.
    let (login, password) = decoded.split_once(':')?;
    Some(Credential::Basic { login: login.into(), password: Secret(password.into()) })
}

/// Scheme and what follows it.
pub(crate) fn authorization(headers: &HeaderMap) -> Option<(&str, &str)> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    Some((scheme, rest.trim()))
}

/// Why somebody is not who they would have to be. The text is the same whatever is wrong with a credential of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unauthorized {
    /// Nothing was shown.
    #[error("no credential: send `Authorization: Bearer <key>`")]
    NoCredential,
    /// A key or token that is unknown, or something that is no credential here.
    #[error("the credential is not valid: it is unknown, expired or revoked")]
    Unknown,
    /// A login and a password that do not belong together. Says nothing of whether there is such an account.
    #[error("the login or the password is wrong")]
    WrongPassword {
        /// As it was given.
        login: String,
    },
    /// A question about the session of who has none.
    #[error("this is for who is signed in to the pages: sign in at `/login`")]
    NoSession,
    /// A session that is over, or never was.
    #[error("the session is over: sign in again")]
    SessionOver,
    /// A client certificate that nobody may use, or no longer.
    #[error("the client certificate is not valid: it is unknown, expired or revoked")]
    WrongCertificate,
}

/// Why a call has no answer, before a face says it in its own words.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// No credential, or a wrong one.
    #[error(transparent)]
    Unauthorized(#[from] Unauthorized),
    /// A change asked for with a session, by what cannot be told from a page of somebody else.
    #[error(
        "the request does not prove that a page of this server made it: send `Grantd-Csrf`, as `GET /api/v1/session` gives it, \
         from the same origin"
    )]
    Forgery,
    /// There is no such realm.
    #[error("there is no realm of that name")]
    UnknownRealm,
    /// A consistency header that cannot be read.
    #[error("`{0}` must be a token as given in `Grantd-Revision`, or `full`")]
    BadConsistency(&'static str),
    /// A revision token of another life of this ledger.
    #[error("the revision is of another ledger: this one was restored, copied or made again since")]
    OtherLedger,
    /// This node has not seen the revision yet.
    #[error("this node has not reached the revision yet; try again")]
    NotYet,
    /// A command was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A command was not carried out.
    #[error(transparent)]
    Submit(SubmitError),
    /// Raised at the edge.
    #[error(transparent)]
    Edge(#[from] EdgeError),
}

impl From<SubmitError> for CallError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => Self::Refused(refusal),
            other => Self::Submit(other),
        }
    }
}

impl From<RealmError> for CallError {
    fn from(error: RealmError) -> Self {
        match error {
            RealmError::Submit(error) => error.into(),
            RealmError::Load(error) => error.into(),
        }
    }
}

impl From<LoadError> for CallError {
    fn from(error: LoadError) -> Self {
        if let LoadError::Contradicted(_) = error {
            // The log has said how.
            return Self::Submit(SubmitError::Contradicted);
        }
        match error {
            LoadError::Store(error) => return error.into(),
            error => tracing::error!(%error, "a realm cannot be loaded"),
        }
        Self::Edge(EdgeError::Unavailable { retry_after_secs: 1 })
    }
}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> Self {
        static AWAY: NowAndThen = NowAndThen::new();
        // While the store is away this is each request's.
        if !matches!(error, StoreError::Unavailable(_)) || AWAY.is_due() {
            tracing::error!(%error, "the store cannot be read");
        }
        Self::Edge(EdgeError::Unavailable { retry_after_secs: 1 })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    /// What `Authorization` shows, as a login and a password; `None`: nothing, or nothing that can be read.
    fn shown(value: &str) -> Result<Option<(String, String)>, &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::AUTHORIZATION, value.parse().unwrap());
        match basic(&headers) {
            Credential::None => Ok(None),
            Credential::Basic { login, password } => Ok(Some((login, password.0))),
            _ => Err("malformed"),
        }
    }

    #[test]
    fn basic_is_a_login_and_a_password() {
        let pair = |login: &str, password: &str| Ok(Some((login.to_owned(), password.to_owned())));
        let encoded = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(shown(&encoded("ann:secret")), pair("ann", "secret"));
        assert_eq!(shown(&encoded("ann:se:cr:et")), pair("ann", "se:cr:et"));
        assert_eq!(shown(&encoded("ånn:sé")), pair("ånn", "sé"));
        assert_eq!(shown(&encoded(":")), pair("", ""));
        assert_eq!(shown("bAsIc  YTpi"), pair("a", "b"));
    }

    #[test]
    fn what_is_no_basic_is_nothing_or_malformed() {
        let encoded = |bytes: &[u8]| format!("Basic {}", STANDARD.encode(bytes));
        for value in ["Bearer x", "Digest YTpi", "Basic", "x"] {
            assert_eq!(shown(value), Ok(None), "{value}");
        }
        for value in ["Basic ", "Basic !", "Basic YTp", &encoded(b"no colon"), &encoded(b"\xff:x")] {
            assert_eq!(shown(value), Err("malformed"), "{value}");
        }
    }
}
