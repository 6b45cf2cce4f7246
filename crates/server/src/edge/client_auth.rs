//! Client certificates in the handshake: asked for, and never insisted on.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

/// Asks for a certificate of these authorities, and takes any that the client proves to hold the key of.
///
/// Which authority a certificate has to be of depends on the realm, which is known only when the request is. So what comes out
/// of the handshake says that the other side holds the key, and nothing of whom the certificate names.
#[derive(Debug)]
pub(super) struct ProofOfPossession {
    algorithms: WebPkiSupportedAlgorithms,
    asked_for: Vec<DistinguishedName>,
}

impl ProofOfPossession {
    /// Asks for certificates of authorities with these names (DER).
    pub(super) fn new(provider: &CryptoProvider, authorities: &[&[u8]]) -> Arc<Self> {
        Arc::new(Self {
            algorithms: provider.signature_verification_algorithms,
            asked_for: authorities.iter().map(|name| DistinguishedName::from(name.to_vec())).collect(),
        })
    }
}

impl ClientCertVerifier for ProofOfPossession {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.asked_for
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use std::sync::Mutex;

    use rcgen::KeyPair;
    use rustls::client::ResolvesClientCert;
    use rustls::crypto::aws_lc_rs::{default_provider, sign::any_supported_type};
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
    use rustls::sign::CertifiedKey;
    use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion, version};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;

    /// Shows a certificate with whatever key it was given, and notes whose certificates it was asked for.
    #[derive(Debug)]
    struct Shows {
        shown: Option<Arc<CertifiedKey>>,
        asked_for: Mutex<Vec<Vec<u8>>>,
    }

    impl ResolvesClientCert for Shows {
        fn resolve(&self, names: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
            *self.asked_for.lock().unwrap() = names.iter().map(|name| name.to_vec()).collect();
            self.shown.clone()
        }

        fn has_certs(&self) -> bool {
            true
        }
    }

    fn made() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(KeyPair::serialize_der(&pair.signing_key));
        (pair.cert.der().clone(), key.into())
    }

    /// The certificate that comes out of a handshake; `None` in it if the client shows none. An error: there is no handshake.
    async fn handshake(
        version: &'static SupportedProtocolVersion,
        client: &Arc<Shows>,
    ) -> Result<Option<CertificateDer<'static>>, std::io::Error> {
        let provider = Arc::new(default_provider());
        let (certificate, key) = made();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let asks = ProofOfPossession::new(&provider, &[b"\x30\x00"]);
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(asks)
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(client.clone());
        let (near, far) = tokio::io::duplex(1 << 16);
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let accepting = TlsAcceptor::from(Arc::new(server)).accept(far);
        // The client stays until the server is done: it may be done first.
        let (_client, accepted) = tokio::join!(connector.connect(name, near), accepting);
        let accepted = accepted?;
        Ok(accepted.get_ref().1.peer_certificates().and_then(|chain| chain.first().cloned()))
    }

    fn shows(certificate: &CertificateDer<'static>, key: &PrivateKeyDer<'static>) -> Arc<Shows> {
        let key = CertifiedKey::new(vec![certificate.clone()], any_supported_type(key).unwrap());
        Arc::new(Shows { shown: Some(Arc::new(key)), asked_for: Mutex::default() })
    }

    #[tokio::test]
    async fn whoever_shows_a_certificate_holds_its_key() {
        let ((certificate, key), (_, another)) = (made(), made());
        for version in [&version::TLS12, &version::TLS13] {
            let honest = shows(&certificate, &key);
            assert_eq!(handshake(version, &honest).await.unwrap(), Some(certificate.clone()));
            assert_eq!(*honest.asked_for.lock().unwrap(), [b"\x30\x00"]);
            assert!(handshake(version, &shows(&certificate, &another)).await.is_err(), "another's key");
            let garbage = CertificateDer::from(vec![0x30, 0x03, 1, 2, 3]);
            assert!(handshake(version, &shows(&garbage, &key)).await.is_err(), "no certificate at all");
        }
    }

    #[tokio::test]
    async fn nobody_needs_one() {
        for version in [&version::TLS12, &version::TLS13] {
            let none = Arc::new(Shows { shown: None, asked_for: Mutex::default() });
            assert_eq!(handshake(version, &none).await.unwrap(), None);
        }
    }
}
