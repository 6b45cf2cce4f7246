//! What a browser takes along on its way to the provider and back.
//!
//! It holds a secret in a cookie. From that and the `state` of the trip follow the nonce and the PKCE verifier, so that neither
//! stands anywhere: the store knows hashes only. One browser may be on several trips at once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::session_cookie;

/// The cookie that a sign-in on its way is bound to.
const COOKIE: &str = "grantd_oidc";

/// Its name, for a realm.
pub(crate) fn cookie_name(realm: &str, secure: bool) -> String {
    session_cookie::named(COOKIE, realm, secure)
}

/// A trip of one browser.
pub(super) struct Trip<'a> {
    pub(super) browser: &'a str,
    pub(super) state: &'a str,
}

impl Trip<'_> {
    /// Ties the ID token to this trip (OpenID Connect Core, section 3.1.2.1).
    pub(super) fn nonce(&self) -> String {
        self.derived("grantd oidc nonce 1")
    }

    /// Ties the code to this trip (RFC 7636, section 4.1).
    pub(super) fn verifier(&self) -> String {
        self.derived("grantd oidc verifier 1")
    }

    /// 43 letters, digits, `-` and `_`, which hold 256 bits.
    fn derived(&self, context: &str) -> String {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(&(self.browser.len() as u64).to_le_bytes());
        hasher.update(self.browser.as_bytes());
        hasher.update(self.state.as_bytes());
        URL_SAFE_NO_PAD.encode(hasher.finalize().as_bytes())
    }
}

/// The secret that the browser has, if it is one of ours.
pub(super) fn known(cookie: Option<&str>) -> Option<&str> {
    cookie.filter(|value| value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A new secret: 64 hexadecimal digits, 244 of their bits random.
pub(super) fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trip_has_its_own() {
        let browser = secret();
        let one = Trip { browser: &browser, state: "one" };
        let two = Trip { browser: &browser, state: "two" };
        assert_eq!(one.nonce(), Trip { browser: &browser, state: "one" }.nonce());
        assert_ne!(one.nonce(), two.nonce());
        assert_ne!(one.nonce(), one.verifier());
        assert_eq!(one.verifier().len(), 43);
    }

    #[test]
    fn a_secret_is_one_of_ours() {
        let ours = secret();
        assert_eq!(known(Some(&ours)), Some(ours.as_str()));
        for other in ["", "x", &"g".repeat(64), &"a".repeat(63), &"a".repeat(65)] {
            assert_eq!(known(Some(other)), None, "{other}");
        }
        assert_eq!(known(None), None);
    }
}
