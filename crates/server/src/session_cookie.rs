//! The cookie that a session is.
//!
//! Each realm has a cookie of its own, so that one browser can be signed in to several. On TLS its name begins with
//! `__Host-`: no page of a neighbouring host, and none without TLS, can put one of its own in its place.

use grantd_node::realm::realms::DEFAULT;
use http::{HeaderMap, HeaderValue, header};

/// `grantd_session`, with `.<realm>` behind it for any realm but the default one.
pub(crate) fn name(realm: &str, secure: bool) -> String {
    named("grantd_session", realm, secure)
}

/// The name of a cookie of a realm.
pub(crate) fn named(cookie: &str, realm: &str, secure: bool) -> String {
    let prefix = if secure { "__Host-" } else { "" };
    match realm {
        DEFAULT => format!("{prefix}{cookie}"),
        other => format!("{prefix}{cookie}.{other}"),
    }
}

/// The value of a cookie. Two of one name are none: which of them is ours?
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(found, _)| *found == name).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

/// `Set-Cookie`, for as long as the browser keeps it.
pub(crate) fn set(name: &str, value: &str, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}")).ok()
}

/// `Set-Cookie` that removes it.
pub(crate) fn clear(name: &str, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}")).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn one_of_a_name_is_read() {
        let value = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            read(&headers, "grantd_session").map(str::to_owned)
        };
        assert_eq!(value(&["a=b; grantd_session=x; c=d"]).as_deref(), Some("x"));
        assert_eq!(value(&["a=b", "grantd_session=x"]).as_deref(), Some("x"));
        assert_eq!(value(&["grantd_session=x=y"]).as_deref(), Some("x=y"));
        assert_eq!(value(&["grantd_session.acme=x; grantd_sessions=y; grantd_session"]), None);
        assert_eq!(value(&["grantd_session=x; grantd_session=y"]), None);
        assert_eq!(value(&["grantd_session=x", "grantd_session=x"]), None);
    }

    #[test]
    fn realms_and_tls_have_names_of_their_own() {
        assert_eq!(name("default", false), "grantd_session");
        assert_eq!(name("acme", false), "grantd_session.acme");
        assert_eq!(name("acme", true), "__Host-grantd_session.acme");
    }
}
