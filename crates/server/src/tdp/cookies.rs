//! The dialect's cookies: `sessionid`, which is the session, and `csrftoken`, which a page's script reads to show that it is one of
//! theirs. Those of a realm beside the default one have its name behind them.

use grantd_node::realm::command::Secret;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::session::SESSION_PREFIX;
use http::{HeaderMap, HeaderValue};

use crate::app::App;
use crate::session_cookie::read;

/// How long a browser keeps the token: a year without a day, in seconds.
const TOKEN_AGE: u64 = 31_449_600;

fn name(cookie: &str, realm: &str) -> String {
    match realm {
        DEFAULT => cookie.to_owned(),
        other => format!("{cookie}.{other}"),
    }
}

/// The value of the session cookie.
pub(super) fn session<'a>(headers: &'a HeaderMap, realm: &str) -> Option<&'a str> {
    read(headers, &name("sessionid", realm)).filter(|value| value.starts_with(SESSION_PREFIX))
}

/// The value of the token's cookie.
pub(super) fn token<'a>(headers: &'a HeaderMap, realm: &str) -> Option<&'a str> {
    read(headers, &name("csrftoken", realm)).filter(|value| !value.is_empty())
}

/// `Set-Cookie` for a new session and its token.
pub(super) fn set(app: &App, realm: &str, session: &Secret, token: &str) -> Vec<HeaderValue> {
    let age = u64::try_from(app.catalogue.sessions.absolute / 1_000_000).unwrap_or_default();
    let secure = secure(app);
    let session = format!(
        "{}={}; HttpOnly; Max-Age={age}; Path=/; SameSite=Lax{secure}",
        name("sessionid", realm),
        session.0
    );
    let token =
        format!("{}={token}; Max-Age={TOKEN_AGE}; Path=/; SameSite=Lax{secure}", name("csrftoken", realm));
    [session, token].iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()).collect()
}

/// `Set-Cookie` that removes the session.
pub(super) fn clear(app: &App, realm: &str) -> Vec<HeaderValue> {
    let secure = secure(app);
    let cleared = format!(
        "{}=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Max-Age=0; Path=/; SameSite=Lax{secure}",
        name("sessionid", realm)
    );
    HeaderValue::from_str(&cleared).into_iter().collect()
}

fn secure(app: &App) -> &'static str {
    if app.is_secure() { "; Secure" } else { "" }
}
