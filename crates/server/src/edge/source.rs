//! Where a request comes from, as far as limits are concerned.

use std::net::{IpAddr, Ipv6Addr};

use http::request::Parts;
use http::{HeaderMap, HeaderName};

use super::Peer;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What wrong credentials are counted by: an IPv4 address, or the /64 of an IPv6 address (one customer has at least that
/// many, so single addresses would count nothing).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source(IpAddr);

impl Source {
    /// The source that an address belongs to; an IPv4-mapped IPv6 address is its IPv4 address.
    #[must_use]
    pub fn of(addr: IpAddr) -> Self {
        match addr.to_canonical() {
            IpAddr::V6(addr) => {
                let network = u128::from(addr) & (u128::MAX << 64);
                Self(IpAddr::V6(Ipv6Addr::from(network)))
            }
            v4 => Self(v4),
        }
    }
}

/// The client's address, `trusted_hops` proxies away from the socket.
///
/// 0 is the socket's peer. With n > 0 it is the n-th address of `X-Forwarded-For` **from the right**: each proxy of ours
/// appends whom it heard from, while everything further left is the client's own claim. With fewer entries than hops, or
/// one that is no address, the nearest address that can be trusted is taken.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted_hops: usize) -> IpAddr {
    let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
    let entries = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    entries.take(trusted_hops).map_while(parse_entry).last().unwrap_or(peer)
}

/// [`client_address`] of a request, by the connection that it came on.
pub(crate) fn sender_address(parts: &Parts, trusted_hops: usize) -> IpAddr {
    let peer = parts.extensions.get::<Peer>();
    let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.addr.ip());
    client_address(peer, &parts.headers, trusted_hops)
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`.
fn parse_entry(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let plain = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|addr| addr.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    plain.or_else(with_port).or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn client(lines: &[&'static str], hops: usize) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, http::HeaderValue::from_static(line));
        }
        client_address("10.0.0.9".parse().unwrap(), &headers, hops).to_string()
    }

    #[test]
    fn hops_count_from_the_right() {
        assert_eq!(client(&["6.6.6.6, 192.0.2.1, 10.0.0.1"], 0), "10.0.0.9");
        assert_eq!(client(&["6.6.6.6, 192.0.2.1, 10.0.0.1"], 1), "10.0.0.1");
        assert_eq!(client(&["6.6.6.6, 192.0.2.1, 10.0.0.1"], 2), "192.0.2.1");
        assert_eq!(client(&["6.6.6.6", "192.0.2.1:4711,[2001:db8::1]:5"], 1), "2001:db8::1");
        assert_eq!(client(&["6.6.6.6", "192.0.2.1:4711,[2001:db8::1]"], 2), "192.0.2.1");
    }

    #[test]
    fn a_missing_or_broken_entry_leaves_the_last_that_can_be_trusted() {
        assert_eq!(client(&[], 2), "10.0.0.9");
        assert_eq!(client(&["192.0.2.1"], 3), "192.0.2.1");
        assert_eq!(client(&["6.6.6.6, unknown"], 2), "10.0.0.9");
        assert_eq!(client(&["6.6.6.6, unknown, 192.0.2.1"], 3), "192.0.2.1");
    }

    #[test]
    fn a_source_is_an_address_or_a_64() {
        let source = |text: &str| Source::of(text.parse().unwrap());
        assert_eq!(source("2001:db8:1:2:3::4"), source("2001:db8:1:2:ffff::"));
        assert_ne!(source("2001:db8:1:2::"), source("2001:db8:1:3::"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.2"), source("192.0.2.1"));
    }
}
