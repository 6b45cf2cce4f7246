//! Whether a call by session was made by a page of theirs: where a browser says that it comes from, and a token that only their own
//! pages can read.

use http::{HeaderMap, HeaderName, header};

use super::cookies;
use super::errors::Error;
use crate::app::App;
use crate::csrf::is_same_origin;

/// The token, in a header.
const TOKEN: HeaderName = HeaderName::from_static("x-csrftoken");

/// The token, in a form.
pub(super) const TOKEN_FIELD: &str = "csrfmiddlewaretoken";

/// How long a token is, in letters and digits.
const LENGTH: usize = 32;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The longest origin that is repeated to who sent it.
const MAX_ORIGIN: usize = 200;

/// The token of a session.
pub(super) fn token(app: &App, session: &str) -> String {
    let mut hasher = blake3::Hasher::new_keyed(&app.csrf_key);
    let mut stream = hasher.update(b"catalogue csrftoken ").update(session.as_bytes()).finalize_xof();
    let mut token = String::with_capacity(LENGTH);
    while token.len() < LENGTH {
        let mut byte = [0];
        stream.fill(&mut byte);
        let [byte] = byte;
        // 248 = 4 * 62: bytes above it would favour the first letters.
        if byte < 248
            && let Some(letter) = ALPHABET.get(usize::from(byte % 62))
        {
            token.push(char::from(*letter));
        }
    }
    token
}

/// Refuses what comes from a page of another origin.
pub(super) fn require_origin(app: &App, headers: &HeaderMap) -> Result<(), Error> {
    if is_same_origin(app, headers) {
        return Ok(());
    }
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let origin = origin.filter(|origin| origin.len() <= MAX_ORIGIN).unwrap_or("null");
    Err(Error::forgery(&format!("Origin checking failed - {origin} does not match any trusted origins.")))
}

/// Refuses a call whose token is not that of its session. `in_form` is the one of a form.
pub(super) fn require_token(
    app: &App,
    realm: &str,
    headers: &HeaderMap,
    session: &str,
    in_form: Option<&str>,
) -> Result<(), Error> {
    let Some(cookie) = cookies::token(headers, realm) else {
        return Err(Error::forgery("CSRF cookie not set."));
    };
    let in_header = || headers.get(TOKEN).map(|token| token.to_str().unwrap_or_default());
    let (given, source) = match (in_form, in_header()) {
        (Some(token), _) => (token, "POST"),
        (None, Some(token)) => (token, "the 'X-Csrftoken' HTTP header"),
        (None, None) => return Err(Error::forgery("CSRF token missing.")),
    };
    let wrong = |problem: &str| Err(Error::forgery(&format!("CSRF token from {source} {problem}.")));
    if given.len() != LENGTH {
        return wrong("has incorrect length");
    }
    if !given.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return wrong("has invalid characters");
    }
    // Hashes are compared in constant time.
    let same = |a: &str, b: &str| blake3::hash(a.as_bytes()) == blake3::hash(b.as_bytes());
    if !same(given, cookie) || !same(given, &token(app, session)) {
        return wrong("incorrect");
    }
    Ok(())
}
