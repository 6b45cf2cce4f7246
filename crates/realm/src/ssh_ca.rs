//! The realm's authority for SSH: it signs short-lived certificates, with which identities log in to VMs.
//!
//! Its public half is in the ledger: it says whose signature is believed, and since when. The private one is a sealed secret.

use uuid::Uuid;

use crate::State;
use crate::caller::Authority;
use crate::change::{Change, SshChange};
use crate::command::{Command, Context, Decision, SealedWrite};
use crate::refusal::Refusal;
use crate::ssh_public_key::PublicKey;
use crate::vm::KeyPair;

/// The authority in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshCa {
    /// Names its private half: see [`ca_secret`]. Never used again.
    pub id: Uuid,
    /// What VMs are to trust.
    pub public: PublicKey,
}

/// The name of the sealed secret that holds the private key: 32 bytes in Base64, from which an Ed25519 pair follows.
pub fn ca_secret(id: Uuid) -> String {
    format!("ssh-ca/{id}")
}

/// Puts an authority in force, in place of another one, if it is still that.
#[derive(Debug, Clone)]
pub struct MakeSshCa {
    /// Its keys.
    pub pair: KeyPair,
    /// Which one it replaces; `None`: there is none yet.
    pub replaces: Option<Uuid>,
}

impl Command for MakeSshCa {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let current = state.ssh_ca().map(|ca| ca.id);
        if current != self.replaces {
            // Somebody else was faster; theirs is as good.
            return Ok(Decision::unchanged(()));
        }
        let ca = SshCa { id: cx.entropy.uuid(), public: self.pair.public.clone() };
        let (name, value) = (ca_secret(ca.id), self.pair.private.clone());
        let mut sealed = vec![SealedWrite::Put { name, version: 1, value }];
        sealed.extend(current.map(|before| SealedWrite::Delete { name: ca_secret(before) }));
        Ok(Decision { sealed, ..Decision::one(Change::ssh(SshChange::CaMade { ca }), ()) })
    }
}
