//! What a user name asks for: `VM[@REALM][+USER][:TOKEN]`. A comma does for the colon, as `scp` takes what is before a colon for a host.
//!
//! A user name may hold a token, so none is ever logged.

use grantd_node::realm::command::Secret;
use grantd_node::realm::realms::DEFAULT;
use percent_encoding::percent_decode_str;

/// The longest user name, in bytes: an id of a VM with every byte encoded, a user, a realm and a token.
const MAX: usize = 1_200;

/// The Linux user, where none is named.
const ROOT: &str = "root";

/// A machine, and who one wants to be there. Whether there are such, is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) realm: String,
    pub(super) vm: String,
    pub(super) user: String,
}

/// A user name, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UserName {
    /// `None` if it is no name of anything.
    pub(super) wanted: Option<Wanted>,
    /// Whatever stands behind the colon, if there is one.
    pub(super) token: Option<Secret>,
}

impl UserName {
    /// Reads it. There is none that cannot be read, only such that name nothing.
    pub(super) fn read(text: &str) -> Self {
        let (name, token) = match text.split_once([':', ',']) {
            Some((name, token)) => (name, Some(Secret(token.to_owned()))),
            None => (text, None),
        };
        Self { wanted: (text.len() <= MAX).then(|| Wanted::read(name)).flatten(), token }
    }
}

impl Wanted {
    fn read(name: &str) -> Option<Self> {
        let (target, user) = name.split_once('+').unwrap_or((name, ROOT));
        let (vm, realm) = target.rsplit_once('@').unwrap_or((target, DEFAULT));
        let wanted = Self { realm: realm.to_owned(), vm: decode(vm)?, user: user.to_owned() };
        (![realm, &wanted.vm, user].contains(&"")).then_some(wanted)
    }
}

/// The id of a VM may hold what parts a user name, percent-encoded.
fn decode(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, escape)) = rest.split_once('%') {
        let digits = escape.get(..2)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        rest = escape;
    }
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn read(text: &str) -> (Option<(String, String, String)>, Option<String>) {
        let name = UserName::read(text);
        let wanted = name.wanted.map(|wanted| (wanted.vm, wanted.user, wanted.realm));
        (wanted, name.token.map(|token| token.0))
    }

    fn wanted(vm: &str, user: &str, realm: &str) -> Option<(String, String, String)> {
        Some((vm.into(), user.into(), realm.into()))
    }

    #[test]
    fn each_form() {
        let token = Some("gdi_1".to_owned());
        for (text, expected, secret) in [
            ("build-1", wanted("build-1", "root", "default"), None),
            ("build-1:gdi_1", wanted("build-1", "root", "default"), token.clone()),
            ("build-1,gdi_1", wanted("build-1", "root", "default"), token.clone()),
            ("build-1+dev:gdi_1", wanted("build-1", "dev", "default"), token.clone()),
            ("build-1+dev,gdi_1", wanted("build-1", "dev", "default"), token.clone()),
            ("build-1+dev", wanted("build-1", "dev", "default"), None),
            ("build-1@acme+dev:gdi_1", wanted("build-1", "dev", "acme"), token.clone()),
            ("build-1@acme", wanted("build-1", "root", "acme"), None),
            ("a%2Bb%40c%3Ad%2Ce%25+dev:gdi_1", wanted("a+b@c:d,e%", "dev", "default"), token.clone()),
            ("%ce%b1/%2f..:gdi_1", wanted("α//..", "root", "default"), token),
            ("a@b@c", wanted("a@b", "root", "c"), None),
            ("a+b+c", wanted("a", "b+c", "default"), None),
        ] {
            assert_eq!(read(text), (expected, secret), "{text}");
        }
    }

    #[test]
    fn a_token_is_all_that_stands_behind_the_first_colon() {
        assert_eq!(read("a:b:c,d").1.unwrap(), "b:c,d");
        assert_eq!(read("a,b:c").1.unwrap(), "b:c");
        assert_eq!(read("a:").1.unwrap(), "", "shown, and no token of anybody");
        assert_eq!(read(":gdi_1"), (None, Some("gdi_1".into())));
    }

    #[test]
    fn what_names_nothing() {
        let long = "a".repeat(MAX + 1);
        for text in
            ["", "+dev", "@acme", "a@", "a@+dev", "a+", "%", "a%", "a%4", "a%4x", "%ff", "%c3%28", &long]
        {
            assert_eq!(read(text).0, None, "{text}");
        }
        assert_eq!(read(&format!("a:{long}")).0, None);
    }
}
