//! The master key beside a store that is being made.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use grantd_ledger::seal::{MasterKey, SealError};
use grantd_ledger::store::SealedSecret;

/// Its usual name in a data directory.
pub(super) const MASTER_KEY: &str = "master.key";

/// What is wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It does not open the secrets.
    #[error("master key `{path}`: {error}")]
    Wrong {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        error: SealError,
    },
    /// There is another one in the place where it belongs.
    #[error("`{0}` is there already and is another key than the one given with --master-key-file")]
    OtherThere(PathBuf),
    /// Nobody said where it is.
    #[error(
        "the store holds {secrets} sealed secrets; name the file of the master key that opens them with \
         --master-key-file"
    )]
    NotGiven {
        /// How many.
        secrets: usize,
    },
    /// A file cannot be read or written.
    #[error("`{path}`: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

/// Whether the key opens every one of these secrets.
pub(super) fn check(path: &Path, secrets: &[(String, SealedSecret)]) -> Result<(), KeyError> {
    let wrong = |error| KeyError::Wrong { path: path.to_owned(), error };
    let key = MasterKey::load(path).map_err(wrong)?;
    for (realm, secret) in secrets {
        key.open(realm, secret).map_err(wrong)?;
    }
    Ok(())
}

/// The key's bytes, if they have to be put at `there`: not if a key is there already that opens the secrets as well, which may be
/// one of several in its file.
pub(super) fn to_be_put(
    key: &Path,
    there: &Path,
    secrets: &[(String, SealedSecret)],
) -> Result<Option<Vec<u8>>, KeyError> {
    let bytes = read(key)?;
    if !there.exists() {
        return Ok(Some(bytes));
    }
    if read(there)? == bytes || (!secrets.is_empty() && check(there, secrets).is_ok()) {
        return Ok(None);
    }
    Err(KeyError::OtherThere(there.to_owned()))
}

/// Writes the key for its owner only, under another name first, so that it never exists half.
pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(&fresh)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&fresh, path))
        .and_then(|()| path.parent().map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all()));
    written.map_err(|error| about(path, error))
}

fn read(path: &Path) -> Result<Vec<u8>, KeyError> {
    fs::read(path).map_err(|error| about(path, error))
}

fn about(path: &Path, error: std::io::Error) -> KeyError {
    KeyError::File { path: path.to_owned(), error }
}
