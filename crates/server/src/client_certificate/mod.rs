//! Certificates with which people sign in on TLS connections.
//!
//! Each realm has an authority of its own. What it signs names a user, their uuid, the version of their password and the
//! generation of their sessions, so that a certificate dies with any of them. That its holder has the key is proven in the
//! handshake ([`crate::edge::tls`]); whose it is, is found out anew for each request.

mod issue;
mod name;
#[cfg(test)]
mod tests;

use std::time::Duration;

use grantd_node::realm::{Micros, State};
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use name::Holder;

pub(crate) use issue::{Issued, issue};
pub(crate) use name::AUTHORITY_NAME;

/// Whether a certificate says that an authority of one of our realms signed it. Anybody's may say so.
pub(crate) fn is_of_a_user(certificate: &[u8]) -> bool {
    let certificate = CertificateDer::from(certificate);
    EndEntityCert::try_from(&certificate).is_ok_and(|found| name::is_authoritys(found.issuer()))
}

/// The login of the user whose certificate it is, if it is one of this realm, and holds now.
pub(crate) fn holder(state: &State, certificate: &[u8], now: Micros) -> Option<String> {
    let authority = CertificateDer::from(&*state.client_ca()?.certificate);
    let holder = signed_by(&authority, certificate, now)?;
    let user = state.users().get(&holder.login)?;
    (user.active && holder == Holder::of(user)).then_some(holder.login)
}

/// Whom a certificate names, if this authority signed it for clients and its time is not over.
fn signed_by(authority: &CertificateDer<'_>, certificate: &[u8], now: Micros) -> Option<Holder> {
    let certificate = CertificateDer::from(certificate);
    let certificate = EndEntityCert::try_from(&certificate).ok()?;
    let anchors = [anchor_from_trusted_cert(authority).ok()?];
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
    let now = UnixTime::since_unix_epoch(Duration::from_micros(u64::try_from(now).ok()?));
    let usage = KeyUsage::client_auth();
    certificate.verify_for_usage(algorithms.all, &anchors, &[], now, usage, None, None).ok()?;
    let mut names = certificate.valid_uri_names();
    let holder = Holder::parse(names.next()?)?;
    names.next().is_none().then_some(holder)
}
