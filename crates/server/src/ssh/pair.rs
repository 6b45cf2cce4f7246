//! Key pairs for SSH: made here, and found again among the sealed secrets.

use aws_lc_rs::rand;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grantd_node::realm::Micros;
use grantd_node::realm::command::Secret;
use grantd_node::realm::ssh_public_key::PublicKey;
use grantd_node::realm::vm::{KeyPair, Vm, gateway_secret};
use grantd_node::{Realm, StoreError};

use crate::edge::EdgeError;

/// What an Ed25519 pair follows from (RFC 8032). It is nowhere in the open but here and where it signs.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Seed([u8; 32]);

impl Seed {
    /// The 32 bytes.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The pair.
    pub(crate) fn pair(&self) -> Option<Ed25519KeyPair> {
        Ed25519KeyPair::from_seed_unchecked(&self.0).ok()
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// A new pair.
pub(crate) fn make() -> Result<KeyPair, EdgeError> {
    let mut seed = Seed([0; 32]);
    rand::fill(&mut seed.0).map_err(|_| EdgeError::Internal)?;
    let pair = seed.pair().ok_or(EdgeError::Internal)?;
    let public = pair.public_key().as_ref().try_into().map_err(|_| EdgeError::Internal)?;
    Ok(KeyPair { public: PublicKey::ed25519(public), private: Secret(STANDARD.encode(seed.0)) })
}

/// The private half that is sealed under a name; `None` if it is not there, or not what belongs to this public one.
pub(crate) async fn find(realm: &Realm, name: &str, public: &PublicKey) -> Result<Option<Seed>, StoreError> {
    let found = match realm.secret(name).await {
        Err(StoreError::Damaged(problem)) => {
            tracing::warn!(realm = realm.name(), problem, "a private SSH key is lost");
            None
        }
        other => other?,
    };
    let seed = found.and_then(|text| STANDARD.decode(text).ok()?.try_into().ok()).map(Seed);
    let is_its_own = |seed: &Seed| {
        let pair = seed.pair();
        let key = pair.as_ref().and_then(|pair| pair.public_key().as_ref().try_into().ok());
        key.is_some_and(|key| PublicKey::ed25519(key) == *public)
    };
    Ok(seed.filter(is_its_own))
}

/// The private keys by which the gateway may sign in to a VM at a time, newest first. None: they were lost with a master key of before,
/// and `POST /api/v1/vms/{id}/gateway-key` makes another one.
pub(crate) async fn of_gateway(realm: &Realm, vm: &Vm, now: Micros) -> Result<Vec<Seed>, StoreError> {
    let mut seeds = Vec::new();
    for key in vm.gateway_keys(now) {
        seeds.extend(find(realm, &gateway_secret(key.id), &key.public).await?);
    }
    Ok(seeds)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn no_two_pairs_are_alike_and_the_public_half_follows_from_the_private_one() {
        let (one, two) = (make().unwrap(), make().unwrap());
        assert_ne!(one.public, two.public);
        let seed = Seed(STANDARD.decode(&one.private.0).unwrap().try_into().unwrap());
        let pair = seed.pair().unwrap();
        let public = pair.public_key().as_ref().try_into().unwrap();
        assert_eq!(PublicKey::ed25519(public), one.public);
        assert_eq!(format!("{seed:?} {:?}", one.private), "*** ***");
    }
}
