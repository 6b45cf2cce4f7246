//! The key that signs what triggers are sent, and how the world sees it.
//!
//! It follows from the master key, so that all nodes of a store have the same one and none has to be kept. While one master key takes
//! the place of another, both are at hand: each has its key here, and all are published, so that whatever node has signed is believed.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantd_node::Node;
use grantd_node::realm::Micros;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// How long a signature is to be believed, in seconds.
const LIFE: i64 = 300;

/// What the seed of each is derived for.
const PURPOSE: &str = "grantd push signatures 1";

/// The keys that follow from the master keys at hand.
pub(crate) struct PushKeys {
    first: PushKey,
    others: Vec<PushKey>,
}

/// An Ed25519 key with its name.
struct PushKey {
    pair: Ed25519KeyPair,
    public: String,
    name: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    body_sha256: String,
}

impl PushKeys {
    /// Those of a node; `None` if there can be none.
    pub(super) fn of(node: &Node) -> Option<Self> {
        Self::from_seeds(node.derived_keys(PURPOSE))
    }

    fn from_seeds(seeds: impl Iterator<Item = [u8; 32]>) -> Option<Self> {
        let mut keys = seeds.map(|seed| PushKey::of(&seed));
        Some(Self { first: keys.next()??, others: keys.collect::<Option<_>>()? })
    }

    /// All of them, as anybody may know them (RFC 7517).
    pub(super) fn published(&self) -> Value {
        let keys = std::iter::once(&self.first).chain(&self.others);
        json!({ "keys": keys.map(PushKey::published).collect::<Vec<_>>() })
    }

    /// A token (RFC 7519) by the first that vouches for a body: by whom, when, and the SHA-256 of its bytes.
    pub(super) fn sign(&self, issuer: &str, message: Uuid, body: &[u8], now: Micros) -> Option<String> {
        self.first.sign(issuer, message, body, now)
    }
}

impl PushKey {
    /// The key that follows from 32 bytes.
    fn of(seed: &[u8; 32]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key());
        // Its thumbprint (RFC 7638): the members in this order, and no white space.
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}"#);
        let name = URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()));
        Some(Self { pair, public, name })
    }

    /// As anybody may know it (RFC 8037).
    fn published(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": self.public, "kid": self.name, "alg": "EdDSA", "use": "sig" })
    }

    fn sign(&self, issuer: &str, message: Uuid, body: &[u8], now: Micros) -> Option<String> {
        let iat = now / 1_000_000;
        let claims = Claims {
            iss: issuer,
            iat,
            exp: iat + LIFE,
            jti: message.to_string(),
            body_sha256: hex(digest(&SHA256, body).as_ref()),
        };
        let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": self.name});
        let encode = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
        let (header, claims) = (serde_json::to_vec(&header).ok()?, serde_json::to_vec(&claims).ok()?);
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.pair.sign(signed.as_bytes());
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_body_is_vouched_for() {
        let key = PushKey::of(&[7; 32]).unwrap();
        let token = key.sign("https://x.example", Uuid::nil(), b"body", 1_700_000_000_000_000).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let published = key.published();
        let public = URL_SAFE_NO_PAD.decode(published["x"].as_str().unwrap()).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ED25519, public).verify(signed.as_bytes(), &signature).unwrap();
        let part = |n: usize| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split('.').nth(n).unwrap()).unwrap())
                .unwrap()
        };
        assert_eq!(part(0)["kid"], published["kid"]);
        // Worked out with `sha256sum`.
        let sum = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5";
        assert_eq!(part(1)["body_sha256"], sum);
        assert_eq!(
            (part(1)["iat"].as_i64(), part(1)["exp"].as_i64()),
            (Some(1_700_000_000), Some(1_700_000_300))
        );
    }

    #[test]
    fn the_first_signs_and_all_are_published() {
        let one = |seed| PushKeys::from_seeds([[seed; 32]].into_iter()).unwrap();
        let (old, new) = (one(1), one(2));
        let both = PushKeys::from_seeds([[2; 32], [1; 32]].into_iter()).unwrap();
        let sign = |keys: &PushKeys| keys.sign("https://x.example", Uuid::nil(), b"body", 0).unwrap();
        assert_eq!(sign(&both), sign(&new));
        let key = |keys: &PushKeys, n: usize| keys.published()["keys"][n].clone();
        assert_eq!((key(&both, 0), key(&both, 1)), (key(&new, 0), key(&old, 0)));
        assert_eq!(key(&both, 2), Value::Null);
    }

    /// The example of RFC 8037, appendix A: key, thumbprint.
    #[test]
    fn the_key_of_the_standard() {
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = PushKey::of(&seed.try_into().unwrap()).unwrap();
        assert_eq!(key.public, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(key.name, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
