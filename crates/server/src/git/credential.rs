//! What a git client shows of its caller.

use grantd_node::realm::command::Secret;
use http::{HeaderMap, header};

use crate::face::{Credential, authorization, basic};

/// Shown by a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// Nothing. Git asks so first, even where its URL holds a password.
    Nothing,
    /// An identity's token or an API key: the password of `Basic`, whatever the user name is, or what stands behind `Bearer`.
    Secret(Secret),
    /// Something that is no credential.
    Malformed,
}

impl Shown {
    /// Reads `Authorization`.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if !headers.contains_key(header::AUTHORIZATION) {
            return Self::Nothing;
        }
        match authorization(headers) {
            Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => Self::secret(secret.into()),
            _ => match basic(headers) {
                Credential::Basic { password, .. } => Self::secret(password.0),
                _ => Self::Malformed,
            },
        }
    }

    fn secret(secret: String) -> Self {
        if secret.is_empty() { Self::Malformed } else { Self::Secret(Secret(secret)) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn shown(value: &str) -> Shown {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        Shown::of(&headers)
    }

    #[test]
    fn the_password_counts_whatever_the_user_name_is() {
        let encoded = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let secret = |text: &str| Shown::Secret(Secret(text.into()));
        assert_eq!(shown(&encoded("x-access-token:gdi_1")), secret("gdi_1"));
        assert_eq!(shown(&encoded(":gdi_1")), secret("gdi_1"));
        assert_eq!(shown(&encoded("gdi_2:gdi_1")), secret("gdi_1"));
        assert_eq!(shown("Bearer gdk_1"), secret("gdk_1"));
        assert_eq!(shown("bEARER  gdk_1"), secret("gdk_1"));
    }

    #[test]
    fn nothing_is_no_mistake_and_the_rest_is() {
        assert_eq!(Shown::of(&HeaderMap::new()), Shown::Nothing);
        let empty = format!("Basic {}", STANDARD.encode("gdi_1:"));
        for value in ["", "Bearer", "Bearer ", "Basic !", "Basic", "Digest x", "gdi_1", &empty] {
            assert_eq!(shown(value), Shown::Malformed, "{value}");
        }
    }
}
