//! Where a code may be sent (RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 section 2.1).

use url::{Host, Url};

use super::App;
use crate::refusal::Refusal;

/// How many an app can register.
pub const MAX_REDIRECTS: usize = 50;

/// The longest, in bytes.
pub const MAX_URI: usize = 2_048;

impl App {
    /// Whether a code may be sent there: the text is that of a registered URI. One exception: a loopback address that a public app
    /// has registered without a port stands for any port, because such apps listen where there is room (RFC 8252 section 7.3).
    pub fn redirects_to(&self, uri: &str) -> bool {
        let registered = &self.settings.redirect_uris;
        registered.iter().any(|known| known == uri)
            || self.settings.public && registered.iter().any(|known| is_same_but_for_port(known, uri))
    }

    /// The registered URI, if there is just one: where a request without any means.
    pub fn only_redirect(&self) -> Option<&str> {
        match &self.settings.redirect_uris[..] {
            [only] => Some(only),
            _ => None,
        }
    }
}

const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

fn is_same_but_for_port(registered: &str, shown: &str) -> bool {
    LOOPBACK.iter().any(|start| {
        let (Some(registered), Some(shown)) = (registered.strip_prefix(start), shown.strip_prefix(start))
        else {
            return false;
        };
        let Some(shown) = shown.strip_prefix(':') else { return false };
        let path = shown.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let port = shown.len() - path.len();
        (registered.is_empty() || registered.starts_with(['/', '?']))
            && (1..=5).contains(&port)
            && path == registered
    })
}

/// Refuses what no code may be sent to. The text stays as it is: it is compared as a text.
pub(super) fn check_redirect(uri: &str) -> Result<(), Refusal> {
    let unfit = |problem: &str| {
        Err(Refusal::invalid("redirect_uris", format!("{problem}; such as https://example.com/callback")))
    };
    if uri.len() > MAX_URI || !uri.bytes().all(|b| b.is_ascii_graphic()) || uri.contains('\\') {
        return unfit("each must be at most 2048 visible ASCII characters, percent-encoded where need be");
    }
    let Ok(url) = Url::parse(uri) else { return unfit("each must be an absolute URI") };
    if uri.contains('#') {
        return unfit("none may have a fragment");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return unfit("none may hold a user name or password");
    }
    match url.scheme() {
        "https" if url.host().is_some() => Ok(()),
        "http" if is_local(&url) => Ok(()),
        "http" => unfit("each must begin with https:, except on this very machine (http://127.0.0.1)"),
        // An app on a device: the reverse of a domain of its maker's, so that no other app takes it by mistake.
        scheme if scheme.contains('.') => Ok(()),
        _ => unfit("each must begin with https:, or with a scheme of the app's own that has a dot in it"),
    }
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Refuses what is no address of a web page.
pub(super) fn check_website(website: &str) -> Result<(), Refusal> {
    let is_web = |url: Url| matches!(url.scheme(), "https" | "http") && url.host().is_some();
    if website.len() <= MAX_URI && Url::parse(website).is_ok_and(is_web) {
        Ok(())
    } else {
        Err(Refusal::invalid("website", "must be the address of a web page, at most 2048 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_port_may_differ_and_only_where_none_is_registered() {
        let same = is_same_but_for_port;
        assert!(same("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"));
        assert!(same("http://[::1]/cb", "http://[::1]:1/cb"));
        assert!(same("http://127.0.0.1", "http://127.0.0.1:80"));
        for (registered, shown) in [
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:2/cb2"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:2@evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:123456/cb"),
            ("http://127.0.0.1.evil.example/cb", "http://127.0.0.1:2.evil.example/cb"),
            ("http://localhost/cb", "http://localhost:2/cb"),
            ("https://example.com/cb", "https://example.com:2/cb"),
        ] {
            assert!(!same(registered, shown), "{registered} {shown}");
        }
    }

    #[test]
    fn what_a_code_may_be_sent_to() {
        for good in [
            "https://example.com/callback?tenant=1",
            "http://localhost:8080/",
            "http://127.0.0.1/cb",
            "http://[::1]:9/cb",
            "com.example.app:/oauth",
        ] {
            assert!(check_redirect(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/callback",
            "example.com",
            "http://example.com/callback",
            "https://user@example.com/",
            "https://:secret@example.com/",
            "https://example.com/#here",
            "https://example.com/#",
            "https://exa mple.com/",
            "https://example.com/\u{e9}",
            "https:\\\\example.com",
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp:/cb",
            "http://127.0.0.1.evil.example/",
        ] {
            assert!(check_redirect(bad).is_err(), "{bad}");
        }
    }
}
