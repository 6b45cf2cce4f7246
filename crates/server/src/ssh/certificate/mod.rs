//! Short-lived certificates, by which identities log in to VMs whose own sshd asks grantd.
//!
//! The realm's authority signs that somebody is who they are; whether they may come in is asked when they do. So a certificate's principals are
//! not the names of Linux users but `<user>@<vm>`, which no sshd takes by itself: its `AuthorizedPrincipalsCommand` has to name them, and does so
//! only for who may log in right then.

mod authority;
mod name;

use std::sync::Arc;

use aws_lc_rs::rand;
use grantd_node::Realm;
use grantd_node::realm::Micros;
use grantd_node::realm::ssh_public_key::PublicKey;
use ssh_key::certificate::{Builder, CertType};
use ssh_key::private::{Ed25519Keypair, PrivateKey};

pub(crate) use authority::{Authority, authority};
pub(crate) use name::{KeyId, principal};

use crate::edge::EdgeError;
use crate::face::CallError;

/// The shortest and longest life of a certificate, in seconds. Settings may bound it further.
pub const LIVES: std::ops::RangeInclusive<u64> = 30..=3_600;

/// That of one of which nothing is said.
pub(crate) const LIFE: u64 = 300;

/// For clocks that are slow, in seconds.
const BEFORE: u64 = 60;

/// A certificate to be made.
pub(crate) struct Wanted<'a> {
    /// Which key.
    pub(crate) key: &'a PublicKey,
    /// Of whom, for which VM.
    pub(crate) key_id: &'a str,
    /// For which users of it.
    pub(crate) principals: &'a [String],
    /// For how many seconds.
    pub(crate) life: u64,
}

/// A certificate at the moment of its making.
pub(crate) struct Issued {
    /// `<kind> <base64>`: what goes into a `-cert.pub` file.
    pub(crate) line: String,
    pub(crate) serial: u64,
    /// From then on it is worth nothing, in seconds since 1970.
    pub(crate) until: u64,
}

/// Has the realm's authority sign it.
pub(crate) async fn issue(realm: &Arc<Realm>, wanted: &Wanted<'_>, now: Micros) -> Result<Issued, CallError> {
    let authority = authority(realm).await?;
    let internal = |_| CallError::Edge(EdgeError::Internal);
    let (mut nonce, mut serial) = ([0; 32], [0; 8]);
    rand::fill(&mut nonce).and_then(|()| rand::fill(&mut serial)).map_err(internal)?;
    let now = u64::try_from(now / 1_000_000).unwrap_or_default();
    let issued = sign(&authority, wanted, &nonce, u64::from_be_bytes(serial), now);
    issued.map_err(|error| {
        tracing::error!(%error, "an SSH certificate cannot be made");
        CallError::Edge(EdgeError::Internal)
    })
}

/// It lets its holder have a terminal, and forward nothing.
fn sign(
    authority: &Authority,
    wanted: &Wanted<'_>,
    nonce: &[u8],
    serial: u64,
    now: u64,
) -> Result<Issued, ssh_key::Error> {
    let key = ssh_key::PublicKey::from_bytes(wanted.key.blob())?;
    let until = now.saturating_add(wanted.life);
    let mut builder = Builder::new(nonce, key, now.saturating_sub(BEFORE), until)?;
    builder.serial(serial)?.cert_type(CertType::User)?.key_id(wanted.key_id)?.extension("permit-pty", "")?;
    for principal in wanted.principals {
        builder.valid_principal(principal)?;
    }
    let pair = PrivateKey::from(Ed25519Keypair::from_seed(authority.seed.bytes()));
    Ok(Issued { line: builder.sign(&pair)?.to_openssh()?, serial, until })
}
