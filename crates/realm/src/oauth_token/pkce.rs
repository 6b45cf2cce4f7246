//! Proof that who redeems a code is who asked for it (RFC 7636), by the only method that proves anything: S256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::refusal::{GrantProblem, Refusal};

/// A code challenge: the SHA-256 of a verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge(pub(super) [u8; 32]);

impl Challenge {
    /// Reads `code_challenge` and `code_challenge_method`. Without a method the standard means `plain`, which is refused.
    pub fn parse(text: &str, method: Option<&str>) -> Result<Self, Refusal> {
        if method != Some("S256") {
            return Err(Refusal::invalid("code_challenge_method", "must be `S256`"));
        }
        let unfit = || Refusal::invalid("code_challenge", "must be 43 characters of base64url: a SHA-256");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| unfit())?;
        bytes.try_into().map(Self).map_err(|_| unfit())
    }

    /// Whether the verifier is the one that it was made of.
    fn fits(self, verifier: &str) -> bool {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let hash: [u8; 32] = Sha256::digest(verifier.as_bytes()).into();
        // In constant time, as BLAKE3 compares its hashes.
        (43..=128).contains(&verifier.len())
            && verifier.bytes().all(plain)
            && blake3::Hash::from(hash) == blake3::Hash::from(self.0)
    }
}

/// Refuses what does not prove it. A verifier without a challenge is refused too: somebody has taken the challenge away on its way
/// here (RFC 9700 section 2.1.1).
pub(super) fn check_verifier(challenge: Option<Challenge>, verifier: Option<&str>) -> Result<(), Refusal> {
    let proves = match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => challenge.fits(verifier),
        _ => false,
    };
    if proves { Ok(()) } else { Err(Refusal::Grant(GrantProblem::Verifier)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard() {
        // RFC 7636 appendix B.
        let challenge = Challenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Some("S256"));
        let challenge = Some(challenge.unwrap_or(Challenge([0; 32])));
        assert_eq!(check_verifier(challenge, Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")), Ok(()));
        for wrong in [None, Some(""), Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK")] {
            assert!(check_verifier(challenge, wrong).is_err());
        }
        assert!(check_verifier(None, Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).is_err());
        assert!(check_verifier(None, None).is_ok());
    }

    #[test]
    fn what_is_no_challenge() {
        for (text, method) in [
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", None),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Some("plain")),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", Some("S256")),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw", Some("S256")),
            ("", Some("S256")),
        ] {
            assert!(Challenge::parse(text, method).is_err(), "{text} {method:?}");
        }
    }
}
