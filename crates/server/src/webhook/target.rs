//! Where a webhook may lead.
//!
//! What a name leads to is known only when it is resolved, and may be another address each time. So addresses are judged twice:
//! one that stands in the URL when the webhook is made, and every one just before it is connected to.

use std::net::IpAddr;

use url::{Host, Url};

use crate::outbound::is_public;

/// What is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Targets {
    /// Addresses that are not public, any port, and no TLS.
    pub(crate) private: bool,
}

/// Why a URL leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadTarget {
    #[error("must be a URL with `https:`, such as https://example.com/hooks")]
    Malformed,
    #[error(
        "must begin with `https:`; without TLS anybody on the way could read it (`--webhook-allow-private` allows `http:`)"
    )]
    NoTls,
    #[error("must hold no login and no password: what is sent is signed, see `secret`")]
    Credentials,
    #[error("must have no fragment (`#...`): it is never sent")]
    Fragment,
    #[error("must have port 80, 443, or one above 1023 (`--webhook-allow-private` allows any)")]
    Port,
    #[error(
        "must lead to a public address, not to this machine or its network (`--webhook-allow-private` allows those)"
    )]
    Private,
}

impl Targets {
    /// The URL, as far as it can be judged before its name is resolved.
    pub(crate) fn check(self, text: &str) -> Result<Url, BadTarget> {
        let url = Url::parse(text).map_err(|_| BadTarget::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if self.private => {}
            "http" => return Err(BadTarget::NoTls),
            _ => return Err(BadTarget::Malformed),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadTarget::Credentials);
        }
        if url.fragment().is_some() {
            return Err(BadTarget::Fragment);
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if port == 0 || !(self.private || port == 80 || port == 443 || port > 1_023) {
            return Err(BadTarget::Port);
        }
        let literal = match url.host().ok_or(BadTarget::Malformed)? {
            Host::Domain(_) => return Ok(url),
            Host::Ipv4(ip) => IpAddr::V4(ip),
            Host::Ipv6(ip) => IpAddr::V6(ip),
        };
        if self.admits(literal) { Ok(url) } else { Err(BadTarget::Private) }
    }

    /// Whether an address may be connected to.
    pub(super) fn admits(self, ip: IpAddr) -> bool {
        let unicast = match ip {
            IpAddr::V4(ip) => !ip.is_multicast() && !ip.is_broadcast(),
            IpAddr::V6(ip) => !ip.is_multicast(),
        };
        unicast && (self.private || is_public(ip))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    const PUBLIC_ONLY: Targets = Targets { private: false };
    const ANY: Targets = Targets { private: true };

    #[test]
    fn private_ones_are_admitted_if_the_operator_says_so() {
        for address in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1"] {
            assert!(ANY.admits(address.parse().unwrap()), "{address}");
        }
        for address in ["224.0.0.1", "255.255.255.255", "ff02::1"] {
            assert!(!ANY.admits(address.parse().unwrap()), "{address}");
        }
        assert!(!PUBLIC_ONLY.admits("10.1.2.3".parse().unwrap()));
        assert!(PUBLIC_ONLY.admits("1.1.1.1".parse().unwrap()));
    }

    #[test]
    fn urls_are_judged_before_their_names_are_resolved() {
        let bad = |url: &str| PUBLIC_ONLY.check(url).err();
        for url in [
            "https://example.com",
            "https://example.com:8443/a?b=c",
            "https://93.184.215.14/",
            "HTTPS://EXAMPLE.com",
        ] {
            assert_eq!(bad(url), None, "{url}");
        }
        for url in [
            "",
            "example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "https://",
            "https://exa mple",
            "//a",
        ] {
            assert_eq!(bad(url), Some(BadTarget::Malformed), "{url}");
        }
        assert_eq!(bad("http://example.com"), Some(BadTarget::NoTls));
        assert_eq!(bad("https://a:b@example.com"), Some(BadTarget::Credentials));
        assert_eq!(bad("https://a@example.com"), Some(BadTarget::Credentials));
        assert_eq!(bad("https://example.com/#x"), Some(BadTarget::Fragment));
        for url in ["https://example.com:22", "https://example.com:25", "https://example.com:0"] {
            assert_eq!(bad(url), Some(BadTarget::Port), "{url}");
        }
        // However it is written.
        for url in [
            "https://127.0.0.1",
            "https://127.1",
            "https://0x7f000001",
            "https://2130706433",
            "https://0177.0.0.1",
            "https://[::1]",
            "https://[::ffff:127.0.0.1]",
            "https://10.0.0.1:8443",
            "https://0",
            "https://127.0.0.1.",
            "https://１２７.0.0.1",
        ] {
            assert_eq!(bad(url), Some(BadTarget::Private), "{url}");
        }
        for url in ["http://127.0.0.1:9/", "http://localhost:22", "https://10.0.0.1"] {
            assert!(ANY.check(url).is_ok(), "{url}");
        }
        assert_eq!(ANY.check("https://a:b@example.com").err(), Some(BadTarget::Credentials));
    }
}
