//! Where a request goes, as the resource that it needs a permission on.

use grantd_node::realm::engine::{path, segment};

use super::answer::Refused;

/// The longest address, in bytes.
const MAX: usize = 1_000;

/// A host and a path in their one spelling: `/shop.example/orders/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place(String);

impl Place {
    /// The place of a path on a host. The query does not count. What two readers could take for two paths is none: the service behind
    /// the proxy may be the other reader.
    pub(super) fn of(host: &str, uri: &str) -> Result<Self, Refused> {
        let (host, path) = (spell_host(host)?, path_of(uri));
        if host.len() + path.len() > MAX {
            return Err(Refused::NoPath("it is too long"));
        }
        let inside = path.strip_prefix('/').ok_or(Refused::NoPath("it does not begin with `/`"))?;
        let inside = inside.strip_suffix('/').unwrap_or(inside);
        if path != "/" {
            inside.split('/').try_for_each(check_segment)?;
        }
        let mut id = format!("/{}/", segment::encode(&host));
        if !inside.is_empty() {
            id.push_str(inside);
            id.push('/');
        }
        let normal = path::normalise(&id).map_err(|_| Refused::NoPath("it has too many segments"))?;
        Ok(Self(normal.into_owned()))
    }

    /// The id of the resource.
    pub(super) fn id(&self) -> &str {
        &self.0
    }
}

fn path_of(uri: &str) -> &str {
    uri.split(['?', '#']).next().unwrap_or_default()
}

/// A host in lower case, without a dot at its end and without the ports that go without saying.
fn spell_host(host: &str) -> Result<String, Refused> {
    let host = host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")).unwrap_or(host);
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (name, Some(port))
        }
        _ => (host, None),
    };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let is_address = name.starts_with('[') && name.ends_with(']');
    let plain = |b: u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_') || (is_address && b"[]:".contains(&b))
    };
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(Refused::NoPath("its host is no host name"));
    }
    Ok(match port {
        Some(port) => format!("{name}:{port}"),
        None => name,
    })
}

fn check_segment(raw: &str) -> Result<(), Refused> {
    let bad = |what| Err(Refused::NoPath(what));
    if raw.is_empty() {
        return bad("it has an empty segment (`//`)");
    }
    let plain = segment::decode(raw);
    if plain == "." || plain == ".." {
        return bad("it has a segment `.` or `..`");
    }
    if plain.contains(['/', '\\']) {
        return bad("it has a slash in percent-encoded form, or a backslash");
    }
    if plain.contains(';') {
        return bad("it has a `;`, which some servers cut off with what follows");
    }
    if plain.chars().any(char::is_control) {
        return bad("it has a control character");
    }
    // What is not encoded as it should be stays as it is, and what is no UTF-8 becomes the character for that.
    if plain.contains(['%', '\u{fffd}']) {
        return bad("its percent-encoding is broken, or twofold");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn one_place_has_one_spelling() {
        for (host, uri, id) in [
            ("shop.example", "/", "/shop.example/"),
            ("shop.example", "/orders", "/shop.example/orders/"),
            ("shop.example", "/orders/?a=../x", "/shop.example/orders/"),
            ("Shop.Example.", "/orders/7#x", "/shop.example/orders/7/"),
            ("shop.example:443", "/%6Frders/a%20b", "/shop.example/orders/a%20b/"),
            ("shop.example:80", "/caf%C3%A9", "/shop.example/caf%C3%A9/"),
            ("shop.example", "/café", "/shop.example/caf%C3%A9/"),
            ("shop.example:8443", "/a:b", "/shop.example%3A8443/a%3Ab/"),
            ("[::1]:8080", "/a", "/%5B%3A%3A1%5D%3A8080/a/"),
            ("shop.example", "?a=b", ""),
        ] {
            let place = Place::of(host, uri);
            match id {
                "" => assert!(place.is_err(), "{uri}"),
                id => assert_eq!(place.unwrap().id(), id, "{host} {uri}"),
            }
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_no_place() {
        for uri in [
            "",
            "x",
            "//",
            "/a//b",
            "//a",
            "/a//",
            "/a/../b",
            "/..",
            "/./a",
            "/a/%2e%2e/b",
            "/a/.%2E/",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/a;x=1",
            "/a%3bx",
            "/a/..;/b",
            "/a%00",
            "/a%0a",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%ff",
            "/a%252e%252e",
            "/%25",
            "/a\u{7f}",
        ] {
            assert!(Place::of("shop.example", uri).is_err(), "{uri}");
        }
        for host in ["", "a b", "a/b", "a@b", "é.example", "a:b", ".", "[::1", "a%2eb", "a:1:2"] {
            assert!(Place::of(host, "/").is_err(), "{host}");
        }
        let long = format!("/{}", "a".repeat(MAX));
        assert!(Place::of("shop.example", &long).is_err());
        assert!(Place::of("shop.example", &"/a".repeat(64)).is_err(), "65 segments with the host");
    }
}
