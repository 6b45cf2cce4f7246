//! TLS to the server, by the modes of libpq.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::invalid;
use crate::store::StoreError;

pub(super) type Connect = MakeRustlsConnect;

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// Not at all.
    Disable,
    /// Encrypted if the server offers it; against nobody who sits in between.
    Prefer,
    /// Encrypted; with `sslrootcert` as [`Self::VerifyCa`].
    Require,
    /// The certificate must be signed by a known authority.
    VerifyCa,
    /// And be for the host's name.
    VerifyFull,
}

impl Protection {
    pub(super) fn mode(self) -> SslMode {
        match self {
            Self::Disable => SslMode::Disable,
            Self::Prefer => SslMode::Prefer,
            Self::Require | Self::VerifyCa | Self::VerifyFull => SslMode::Require,
        }
    }
}

/// Files of PEM that an address names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Files {
    /// The authorities; without it the public ones.
    pub(super) root: Option<PathBuf>,
    /// Our certificate.
    pub(super) certificate: Option<PathBuf>,
    /// Its key.
    pub(super) key: Option<PathBuf>,
}

impl Files {
    /// Each file can be read, whether or not it will be needed.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if let Some(root) = &self.root {
            certificates(root, "sslrootcert")?;
        }
        self.identity().map(|_| ())
    }

    fn identity(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, StoreError> {
        match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                let chain = certificates(certificate, "sslcert")?;
                let key =
                    PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, "sslkey", &error))?;
                Ok(Some((chain, key)))
            }
            (None, None) => Ok(None),
            _ => Err(invalid("has one of `sslcert` and `sslkey`; give both")),
        }
    }
}

pub(super) fn connector(mode: Protection, files: &Files, direct: bool) -> Result<Connect, StoreError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::of(mode, files, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid(&format!("cannot be reached by TLS: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match files.identity()? {
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| invalid(&format!("has an `sslcert` and `sslkey` that do not fit: {error}")))?,
        None => builder.with_no_client_auth(),
    };
    if direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

fn certificates(path: &Path, setting: &str) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let read: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| unreadable(path, setting, &error))?.collect();
    match read {
        Ok(found) if found.is_empty() => Err(unreadable(path, setting, &"it holds no certificate")),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(path, setting, &error)),
    }
}

fn unreadable(path: &Path, setting: &str, why: &dyn std::fmt::Display) -> StoreError {
    invalid(&format!("has an `{setting}` that cannot be read: `{}`: {why}", path.display()))
}

/// Which certificate of a server will do.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// `None`: every one.
    authorities: Option<Authorities>,
}

#[derive(Debug)]
struct Authorities {
    chain: Arc<WebPkiServerVerifier>,
    /// The certificates of `sslrootcert`: one that a server shows itself needs nobody else's word.
    given: Vec<CertificateDer<'static>>,
    check_name: bool,
}

impl Verifier {
    fn of(mode: Protection, files: &Files, provider: &Arc<CryptoProvider>) -> Result<Self, StoreError> {
        let provider = Arc::clone(provider);
        let blind = match mode {
            Protection::Disable | Protection::Prefer => true,
            Protection::Require => files.root.is_none(),
            Protection::VerifyCa | Protection::VerifyFull => false,
        };
        if blind {
            return Ok(Self { provider, authorities: None });
        }
        let mut roots = RootCertStore::empty();
        let mut given = Vec::new();
        match &files.root {
            Some(path) => {
                given = certificates(path, "sslrootcert")?;
                roots.add_parsable_certificates(given.iter().cloned());
            }
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        }
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| {
                invalid(&format!("has an `sslrootcert` without a usable certificate: {error}"))
            })?;
        let check_name = mode == Protection::VerifyFull;
        Ok(Self { provider, authorities: Some(Authorities { chain, given, check_name }) })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authorities) = &self.authorities else { return Ok(ServerCertVerified::assertion()) };
        if authorities.given.iter().any(|given| given == shown) {
            if authorities.check_name {
                verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        // Whose signature it bears is looked at before the name is.
        match authorities.chain.verify_server_cert(shown, intermediates, name, stapled, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !authorities.check_name => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, shown, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, shown, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What to do about a connection that could not be protected as the address asks.
pub(super) fn advice(error: &tokio_postgres::Error) -> Option<&'static str> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(inner) = cause {
        // What an I/O error wraps is not its source.
        let wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let found = wrapped.and_then(|wrapped| wrapped.downcast_ref::<Error>()).or(inner.downcast_ref());
        if let Some(error) = found {
            return Some(match error {
                Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                ) => {
                    "use a host name that its certificate is for, or `sslmode=verify-ca` in the address of the store"
                }
                Error::InvalidCertificate(_) => {
                    "set `sslrootcert=FILE` in the address of the store to the certificate of the authority that signed \
                     the server's"
                }
                _ => "see what `ssl` settings the server has",
            });
        }
        if inner.to_string().contains("does not support TLS") {
            return Some(
                "switch `ssl` on at the server, or set `sslmode=disable` in the address of the store if the way to it \
                 is safe",
            );
        }
        cause = inner.source();
    }
    None
}
