//! Names of certificates, and what is believed.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

use grantd_node::realm::Micros;
use grantd_node::realm::client_ca::ClientCa;
use grantd_node::realm::command::Secret;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use uuid::Uuid;

use super::issue::{AUTHORITY_LIFE, LIFE, certify, make_authority};
use super::name::{AUTHORITY, Holder};
use super::{is_of_a_user, signed_by};

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

const NOW: Micros = 1_767_225_600_000_000;

fn authority() -> (ClientCa, Secret) {
    let (certificate, key) = make_authority(NOW, NOW + AUTHORITY_LIFE).unwrap();
    (ClientCa { version: 1, certificate: certificate.into(), until: NOW + AUTHORITY_LIFE }, key)
}

fn ann() -> Holder {
    Holder::parse(&format!("urn:grantd:user:ann:{}:1:0", Uuid::from_u128(5))).unwrap()
}

fn believed(by: &ClientCa, pem: &str, now: Micros) -> Option<Holder> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    signed_by(&CertificateDer::from(&*by.certificate), &certificate, now)
}

#[test]
fn a_certificate_is_believed_for_a_week_and_by_who_signed_it() {
    let ((ours, key), (other, _)) = (authority(), authority());
    let issued = certify(&ours, &key.0, &ann(), NOW).unwrap();
    for at in [NOW, NOW + LIFE - 1_000_000] {
        assert_eq!(believed(&ours, &issued.certificate, at), Some(ann()));
    }
    for at in [NOW - 3_600_000_000, NOW + LIFE + 1_000_000, -1] {
        assert_eq!(believed(&ours, &issued.certificate, at), None, "{at}");
    }
    assert_eq!(believed(&other, &issued.certificate, NOW), None);
}

#[test]
fn an_authority_is_nobody_and_signs_with_no_key_but_its_own() {
    let ((ours, key), (_, other)) = (authority(), authority());
    let own = &ours.certificate;
    assert_eq!(signed_by(&CertificateDer::from(&**own), own, NOW), None);
    assert!(certify(&ours, &other.0, &ann(), NOW).is_err());
    assert!(certify(&ours, &key.0, &ann(), NOW).is_ok());
}
