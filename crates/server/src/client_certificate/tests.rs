//! Names of certificates, and what is believed.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use uuid::Uuid;

use super::is_of_a_user;
use super::name::{AUTHORITY, Holder};

fn self_signed(common_name: &str) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

#[test]
fn the_handshake_asks_for_what_the_authorities_call_themselves() {
    assert!(is_of_a_user(&self_signed(AUTHORITY)));
    assert!(!is_of_a_user(&self_signed("somebody else")));
    assert!(!is_of_a_user(b"no certificate"));
}

#[test]
fn a_holder_is_read_as_it_was_written() {
    let uri = format!("urn:grantd:user:a.b@c+d:{}:3:4", Uuid::from_u128(5));
    let holder = Holder::parse(&uri).unwrap();
    assert_eq!((holder.login.as_str(), holder.uri()), ("a.b@c+d", uri.clone()));
    let broken =
        [format!("{uri}:6"), uri.replace(":4", ""), uri.replace("user:", ""), uri.replace(":3:", ":x:")];
    assert!(broken.iter().all(|uri| Holder::parse(uri).is_none()));
}
