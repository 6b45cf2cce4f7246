//! Who signs: made when it is first asked for, and anew if its key is lost.

use std::sync::Arc;

use grantd_node::realm::Caller;
use grantd_node::realm::ssh_ca::{MakeSshCa, SshCa, ca_secret};
use grantd_node::realm::ssh_public_key::PublicKey;
use grantd_node::{Realm, Request};
use uuid::Uuid;

use crate::edge::EdgeError;
use crate::face::CallError;
use crate::ssh::pair::{self, Seed};

/// The authority, with its private key.
pub(crate) struct Authority {
    pub(crate) public: PublicKey,
    pub(super) seed: Seed,
}

/// The authority in force.
pub(crate) async fn authority(realm: &Arc<Realm>) -> Result<Authority, CallError> {
    if in_force(realm).is_none() {
        realm.catch_up().await?;
    }
    let ca = match in_force(realm) {
        Some(ca) => ca,
        None => make(realm, None).await?,
    };
    match with_key(realm, &ca).await? {
        Some(authority) => Ok(authority),
        // Lost with a master key of before; or another node has just put a new one in its place, which is taken then.
        None => {
            let ca = make(realm, Some(ca.id)).await?;
            let unavailable = CallError::Edge(EdgeError::Unavailable { retry_after_secs: 1 });
            with_key(realm, &ca).await?.ok_or(unavailable)
        }
    }
}

async fn with_key(realm: &Realm, ca: &SshCa) -> Result<Option<Authority>, CallError> {
    let seed = pair::find(realm, &ca_secret(ca.id), &ca.public).await?;
    Ok(seed.map(|seed| Authority { public: ca.public.clone(), seed }))
}

fn in_force(realm: &Realm) -> Option<SshCa> {
    realm.published().state.ssh_ca().cloned()
}

/// Puts a new one in the place of another, unless somebody else did; gives the one in force.
async fn make(realm: &Arc<Realm>, replaces: Option<Uuid>) -> Result<SshCa, CallError> {
    let command = MakeSshCa { pair: pair::make()?, replaces };
    let request =
        Request { command, caller: Caller::system("ssh-ca"), via: "ssh-ca", reason: None, idempotency: None };
    realm.submit(request).await?;
    in_force(realm).ok_or(CallError::Edge(EdgeError::Internal))
}
