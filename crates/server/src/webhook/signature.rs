//! Signatures as Standard Webhooks has them (specification, "Signature scheme", symmetric): HMAC-SHA256 over id, time and body.

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grantd_node::realm::webhook::SECRET_PREFIX;

/// `v1,<Base64>` by each of these secrets; `None` if one of them is none.
pub(super) fn signatures(secrets: &[String], id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let signed: Option<Vec<_>> =
        secrets.iter().map(|secret| signature(secret, id, timestamp, body)).collect();
    signed.filter(|signed| !signed.is_empty()).map(|signed| signed.join(" "))
}

fn signature(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
    let mut hmac = Context::with_key(&Key::new(HMAC_SHA256, &key));
    hmac.update(format!("{id}.{timestamp}.").as_bytes());
    hmac.update(body);
    Some(format!("v1,{}", STANDARD.encode(hmac.sign())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out with another implementation: Python's `hmac` and `base64`.
    const SECRET: &str = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
    const SIGNED: &str = "v1,hg5uQk23npPulLqo2Yb/3oGdx4p6BPgMcwlcRyVSwnI=";

    #[test]
    fn a_body_is_signed() {
        let secrets = [SECRET.to_owned()];
        let signed = signatures(&secrets, "msg_1", 1_700_000_000, br#"{"a":1}"#);
        assert_eq!(signed.as_deref(), Some(SIGNED));
    }

    #[test]
    fn two_secrets_sign_side_by_side() {
        let secrets = [SECRET.to_owned(), SECRET.to_owned()];
        let signed = signatures(&secrets, "msg_1", 1_700_000_000, br#"{"a":1}"#);
        assert_eq!(signed, Some(format!("{SIGNED} {SIGNED}")));
    }

    #[test]
    fn what_is_no_secret_signs_nothing() {
        for secret in ["", "whsec_!", "gdk_QUJD"] {
            assert_eq!(signatures(&[secret.to_owned()], "msg_1", 1, b""), None);
        }
        assert_eq!(signatures(&[], "msg_1", 1, b""), None);
    }
}
