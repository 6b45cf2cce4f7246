//! The realm's own certificate authority, which signs what people sign in with instead of a password.
//!
//! The certificate is in the ledger: it says whose signature is believed, and since when. Its key is a sealed secret.

use std::sync::Arc;

use crate::caller::Authority;
use crate::change::Change;
use crate::command::{Command, Context, Decision, SealedWrite, Secret};
use crate::refusal::Refusal;
use crate::{Micros, State};

/// The authority in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCa {
    /// Counts up with each one that takes the place of another, which then signs for nobody any more.
    pub version: u32,
    /// Its certificate (DER).
    pub certificate: Arc<[u8]>,
    /// When it ends.
    pub until: Micros,
}

/// The name of the sealed secret that holds the private key (PKCS #8 in PEM).
pub fn key_secret(version: u32) -> String {
    format!("client-ca/{version}")
}

/// Puts an authority in force that signs client certificates; in place of that of an earlier version, if it is still that one.
pub struct MakeClientCa {
    /// Its certificate (DER).
    pub certificate: Vec<u8>,
    /// Its private key (PKCS #8 in PEM).
    pub key: Secret,
    /// When it ends.
    pub until: Micros,
    /// The version in whose place it comes; 0: there is none yet.
    pub replaces: u32,
}

impl Command for MakeClientCa {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let current = state.client_ca().map_or(0, |ca| ca.version);
        if current != self.replaces {
            // Somebody else was faster; theirs is as good.
            return Ok(Decision::unchanged(()));
        }
        let version = current.saturating_add(1);
        let change =
            Change::ClientCaMade { version, certificate: self.certificate.clone(), until: self.until };
        let mut sealed =
            vec![SealedWrite::Put { name: key_secret(version), version: 1, value: self.key.clone() }];
        if current > 0 {
            sealed.push(SealedWrite::Delete { name: key_secret(current) });
        }
        Ok(Decision { sealed, ..Decision::one(change, ()) })
    }
}
