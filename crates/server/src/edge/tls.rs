//! Certificates, and what a listener needs to speak TLS.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::client_auth::ProofOfPossession;

/// File names of the self-signed pair in the data directory.
const SELF_SIGNED_CERT: &str = "tls-self-signed.crt";
const SELF_SIGNED_KEY: &str = "tls-self-signed.key";

/// Everything a listener needs to speak TLS 1.2 and 1.3, with h2 and http/1.1 (RFC 7301). Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    pub(super) config: Arc<ServerConfig>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(..)")
    }
}

/// Why TLS cannot start. No message holds anything of a key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing or not ours to read.
    #[error("cannot read the TLS file `{path}`: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A self-signed pair could not be stored.
    #[error("cannot write the TLS file `{path}`: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is there, but not what it should be.
    #[error("there is no {what} in PEM form in `{path}`")]
    NothingInIt {
        /// `certificate` or `private key`.
        what: &'static str,
        /// Which.
        path: PathBuf,
    },
    /// The file is PEM, and broken.
    #[error("the {what} in `{path}` is broken PEM")]
    Broken {
        /// `certificate` or `private key`.
        what: &'static str,
        /// Which.
        path: PathBuf,
    },
    /// Both are fine, but do not belong together.
    #[error("the private key in `{key}` does not belong to the first certificate in `{cert}`")]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// rustls will not have it.
    #[error("the certificate and key cannot be used: {0}")]
    Refused(rustls::Error),
    /// A self-signed pair could not be made.
    #[error("cannot make a self-signed certificate: {0}")]
    SelfSigned(#[from] rcgen::Error),
}

impl Tls {
    /// From a certificate chain (the server's own first) and its key, both PEM.
    ///
    /// Clients are asked for certificates of the authorities with these names (DER), if there are any. One that a client shows
    /// comes out in [`super::Peer::certificate`], and whose it is has still to be found out.
    ///
    /// # Errors
    /// A file that is missing, has none in it or is broken; a key of another certificate.
    pub fn from_pem_files(cert: &Path, key: &Path, client_authorities: &[&[u8]]) -> Result<Self, TlsError> {
        let chain = read_chain(cert)?;
        let secret = read_key(key)?;
        // Named here and not taken from the process: which provider is the default is up to whoever comes first.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let clients = ProofOfPossession::new(&provider, client_authorities);
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Refused)?;
        let builder = match client_authorities {
            [] => builder.with_no_client_auth(),
            _ => builder.with_client_cert_verifier(clients),
        };
        let mut config = builder.with_single_cert(chain, secret).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError::Mismatch { cert: cert.to_owned(), key: key.to_owned() }
            }
            other => TlsError::Refused(other),
        })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config) })
    }

    /// The same with a self-signed certificate for these names (DNS names or IP addresses), made at the first call and kept in the
    /// directory: a restart keeps what clients have come to trust, also when the names have changed since.
    ///
    /// # Errors
    /// A directory that cannot be written, a pair in it that cannot be read, a name that is none.
    pub fn self_signed(
        directory: &Path,
        names: &[String],
        client_authorities: &[&[u8]],
    ) -> Result<Self, TlsError> {
        let (cert, key) = self_signed_paths(directory);
        if !cert.exists() || !key.exists() {
            let pair = rcgen::generate_simple_self_signed(names)?;
            // The key first: a certificate without its key would pass for a complete pair.
            write_new(&key, &pair.signing_key.serialize_pem(), 0o600)?;
            write_new(&cert, &pair.cert.pem(), 0o644)?;
        }
        Self::from_pem_files(&cert, &key, client_authorities)
    }
}

/// Where [`Tls::self_signed`] keeps the certificate and the key; the first is what a client is told to trust.
#[must_use]
pub fn self_signed_paths(directory: &Path) -> (PathBuf, PathBuf) {
    (directory.join(SELF_SIGNED_CERT), directory.join(SELF_SIGNED_KEY))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(TlsError::NothingInIt { what: "certificate", path: path.to_owned() }),
        Err(_) => Err(TlsError::Broken { what: "certificate", path: path.to_owned() }),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NothingInIt { what: "private key", path: path.to_owned() },
        _ => TlsError::Broken { what: "private key", path: path.to_owned() },
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })
}

/// Writes beside the file and renames, so that a crash leaves no half of one; the mode is set before a byte is in it.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let beside = path.with_extension("new");
    let written = (|| {
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = options(mode).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    written.map_err(|source| TlsError::Write { path: path.to_owned(), source })
}

#[cfg(unix)]
fn options(mode: u32) -> fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    options
}

#[cfg(not(unix))]
fn options(_mode: u32) -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    options
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn names() -> Vec<String> {
        vec!["localhost".to_owned()]
    }

    #[test]
    fn a_restart_keeps_the_certificate_and_the_key_is_ours_alone() {
        let dir = tempfile::tempdir().unwrap();
        Tls::self_signed(dir.path(), &names(), &[]).unwrap();
        let (cert, key) = self_signed_paths(dir.path());
        let first = fs::read(&cert).unwrap();
        Tls::self_signed(dir.path(), &names(), &[]).unwrap();
        assert_eq!(fs::read(&cert).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn each_mistake_is_named() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for dir in [&one, &two] {
            Tls::self_signed(dir.path(), &names(), &[]).unwrap();
        }
        let (cert, key) = self_signed_paths(one.path());
        let (_, other_key) = self_signed_paths(two.path());
        let message = |cert: &Path, key: &Path| Tls::from_pem_files(cert, key, &[]).unwrap_err().to_string();
        assert!(message(&one.path().join("none"), &key).contains("cannot read the TLS file"));
        assert!(message(&key, &key).contains("there is no certificate"));
        assert!(message(&cert, &cert).contains("there is no private key"));
        assert!(message(&cert, &other_key).contains("does not belong"));
    }
}
