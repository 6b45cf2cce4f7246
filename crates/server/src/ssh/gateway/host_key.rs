//! The key by which clients know the gateway.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{Algorithm, HashAlg, PrivateKey};

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// The file cannot be read, or made.
    #[error("the SSH host key `{}` cannot be read or made: {source}", path.display())]
    File {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in the file is no such key.
    #[error(
        "`{}` holds no private key in the form of OpenSSH; make one with `ssh-keygen -t ed25519 -N '' -f FILE`",
        path.display()
    )]
    NoKey {
        /// Its file.
        path: PathBuf,
    },
    /// It needs a passphrase.
    #[error("the SSH host key `{}` has a passphrase; take it off with `ssh-keygen -p -N '' -f FILE`", path.display())]
    Encrypted {
        /// Its file.
        path: PathBuf,
    },
    /// A kind that is not spoken.
    #[error("the SSH host key `{}` must be of the kind ed25519 or ecdsa", path.display())]
    Kind {
        /// Its file.
        path: PathBuf,
    },
}

/// Reads it. An Ed25519 key is made where there is no file yet, which only its owner may read.
pub(super) fn read_or_make(path: &Path) -> Result<PrivateKey, HostKeyError> {
    let failed = |source| HostKeyError::File { path: path.into(), source };
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return make(path).map_err(failed),
        text => text.map_err(failed)?,
    };
    let key = PrivateKey::from_openssh(&text).map_err(|_| HostKeyError::NoKey { path: path.into() })?;
    if key.is_encrypted() {
        return Err(HostKeyError::Encrypted { path: path.into() });
    }
    match key.algorithm() {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } => Ok(key),
        _ => Err(HostKeyError::Kind { path: path.into() }),
    }
}

/// As `ssh-keygen -l` and a client's question show it.
pub(super) fn fingerprint(key: &PrivateKey) -> String {
    key.public_key().fingerprint(HashAlg::Sha256).to_string()
}

fn make(path: &Path) -> io::Result<PrivateKey> {
    let mut seed = [0; 32];
    rand::fill(&mut seed).map_err(|_| io::Error::other("no randomness"))?;
    let key = of_seed(&seed);
    let text = key.to_openssh(LineEnding::LF).map_err(io::Error::other)?;
    // Under another name until it is whole: half a key would be refused at the next start.
    let unfinished = path.with_added_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    Ok(key)
}

/// The Ed25519 key that follows from 32 bytes.
pub(super) fn of_seed(seed: &[u8; 32]) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(seed))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let made = read_or_make(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fingerprint(&read_or_make(&path).unwrap()), fingerprint(&made));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_key_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        std::fs::write(&path, "ssh-ed25519 AAAA").unwrap();
        assert!(matches!(read_or_make(&path), Err(HostKeyError::NoKey { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "ssh-ed25519 AAAA");
        assert!(matches!(read_or_make(directory.path()), Err(HostKeyError::File { .. })));
    }
}
