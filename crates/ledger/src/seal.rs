//! Sealing secrets that must be readable again, under the master key.
//!
//! AES-256-GCM with a random nonce; realm, name and version are authenticated with it, so that a sealed secret cannot be
//! moved to another name or rolled back to an older version without being noticed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::secret::Secret;
use crate::store::{SealedSecret, StoreError};

const KEY_LENGTH: usize = 32;

/// Keys that one file may hold: the one in force, the next, and some to spare.
const MOST_KEYS: usize = 8;

/// Keeps the key's id apart from every other hash. Never changes.
const KEY_ID_CONTEXT: &str = "grantd master key id, format 1";

/// Keeps these ciphertexts apart from every other use of the key. Never changes.
const DOMAIN: &[u8] = b"grantd sealed secret, format 1\0";

/// Why a secret was not sealed or opened. Never holds any of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key file cannot be read or made.
    #[error("cannot {what} the master key file: {why}")]
    File {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        why: String,
    },
    /// The key file is not one.
    #[error(
        "the master key file must hold a key of 32 bytes, or up to 8 of them one after the other; this one holds {0} bytes; \
         name the right file"
    )]
    Length(u64),
    /// Others on the machine can read the key.
    #[error(
        "the master key file can be used by others than its owner (mode {0:03o}); run `chmod 600` on it, \
         and make a new key if somebody may have read it"
    )]
    Mode(u32),
    /// The secret was sealed under another master key.
    #[error(
        "the secret `{name}` is sealed under master key {sealed}, but this one is {present}; name the right key file"
    )]
    OtherKey {
        /// Name of the secret.
        name: String,
        /// Id of the key it was sealed under.
        sealed: String,
        /// Id of the key at hand.
        present: String,
    },
    /// The sealed bytes were changed, or moved from another name, realm or version.
    #[error("the secret `{0}` is damaged")]
    Damaged(String),
    /// The machine has no random bytes, or the cipher failed.
    #[error("the cryptographic library failed")]
    Library,
}

impl From<SealError> for StoreError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Damaged(_) => Self::Damaged(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

/// The keys that the sealed secrets of a store are under.
///
/// The first one seals; each one opens what is under it. So one key takes the place of another while nodes run: added
/// behind it in the file, put before it, and alone once everything is sealed anew.
pub struct MasterKey {
    first: Key,
    others: Vec<Key>,
}

/// One of them.
struct Key {
    bytes: [u8; KEY_LENGTH],
    id: [u8; 8],
}

impl Key {
    fn new(bytes: [u8; KEY_LENGTH]) -> Self {
        let hash = blake3::derive_key(KEY_ID_CONTEXT, &bytes);
        let mut id = [0; 8];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Self { bytes, id }
    }

    fn cipher(&self) -> Result<LessSafeKey, SealError> {
        UnboundKey::new(&AES_256_GCM, &self.bytes).map(LessSafeKey::new).map_err(|_| SealError::Library)
    }
}

impl MasterKey {
    /// Reads the keys from their file; makes the file, for its owner only, if it is not there.
    ///
    /// # Errors
    /// [`SealError::Mode`], [`SealError::Length`], [`SealError::File`].
    pub fn load_or_make(path: &Path) -> Result<Self, SealError> {
        match std::fs::symlink_metadata(path) {
            Ok(_) => Self::load(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path),
            Err(error) => Err(file_error("look at", &error)),
        }
    }

    /// Reads the keys from their file, which must be there.
    ///
    /// # Errors
    /// [`SealError::Mode`], [`SealError::Length`], [`SealError::File`].
    pub fn load(path: &Path) -> Result<Self, SealError> {
        let file = File::open(path).map_err(|error| file_error("open", &error))?;
        let about = file.metadata().map_err(|error| file_error("look at", &error))?;
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777;
            if mode & 0o077 != 0 {
                return Err(SealError::Mode(mode));
            }
        }
        let most = KEY_LENGTH * MOST_KEYS;
        let mut bytes = Vec::with_capacity(most + 1);
        // One byte more than the keys, so that a longer file shows.
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit).read_to_end(&mut bytes).map_err(|error| file_error("read", &error))?;
        let (keys, rest) = bytes.as_chunks::<KEY_LENGTH>();
        match keys {
            [first, others @ ..] if rest.is_empty() => {
                Ok(Self { first: Key::new(*first), others: others.iter().copied().map(Key::new).collect() })
            }
            _ => Err(SealError::Length(about.len().max(u64::try_from(bytes.len()).unwrap_or(u64::MAX)))),
        }
    }

    /// From one key itself.
    #[must_use]
    pub fn from_bytes(key: [u8; KEY_LENGTH]) -> Self {
        Self { first: Key::new(key), others: Vec::new() }
    }

    /// A key for another purpose, that says nothing about this one. `context` is a constant of the program and names the
    /// purpose.
    #[must_use]
    pub fn derive(&self, context: &str) -> [u8; KEY_LENGTH] {
        blake3::derive_key(context, &self.first.bytes)
    }

    /// The same of each key at hand, the one that seals first.
    pub fn derive_each(&self, context: &str) -> impl Iterator<Item = [u8; KEY_LENGTH]> {
        self.keys().map(|key| blake3::derive_key(context, &key.bytes))
    }

    /// Tells keys apart without saying anything about them: the id of the one that seals.
    #[must_use]
    pub fn id(&self) -> [u8; 8] {
        self.first.id
    }

    /// Seals a secret of a realm.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn seal(
        &self,
        realm: &str,
        name: &str,
        version: u32,
        secret: &[u8],
    ) -> Result<SealedSecret, SealError> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Library)?;
        let mut sealed = secret.to_vec();
        self.first
            .cipher()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated(realm, name, version)),
                &mut sealed,
            )
            .map_err(|_| SealError::Library)?;
        sealed.splice(0..0, nonce);
        Ok(SealedSecret { name: name.to_owned(), version, key_id: self.first.id, sealed })
    }

    /// Opens a sealed secret of a realm.
    ///
    /// # Errors
    /// [`SealError::OtherKey`], [`SealError::Damaged`].
    pub fn open(&self, realm: &str, sealed: &SealedSecret) -> Result<Secret, SealError> {
        let name = &sealed.name;
        let Some(key) = self.keys().find(|key| key.id == sealed.key_id) else {
            return Err(SealError::OtherKey {
                name: name.clone(),
                sealed: hex(&sealed.key_id),
                present: hex(&self.first.id),
            });
        };
        let damaged = || SealError::Damaged(name.clone());
        let (nonce, ciphertext) = sealed.sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
        let mut opened = ciphertext.to_vec();
        let plain = key
            .cipher()?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(associated(realm, name, sealed.version)),
                &mut opened,
            )
            .map_err(|_| damaged())?
            .len();
        opened.truncate(plain);
        Ok(Secret::new(opened))
    }

    /// The same secret under the key that seals now.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::seal`].
    pub fn reseal(&self, realm: &str, sealed: &SealedSecret) -> Result<SealedSecret, SealError> {
        let opened = self.open(realm, sealed)?;
        self.seal(realm, &sealed.name, sealed.version, opened.expose())
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterKey").field("id", &hex(&self.first.id)).finish_non_exhaustive()
    }
}

/// Makes the file under another name first, so that it never exists half: a disk that was full, or a power cut, would
/// leave a file that is no key and that no later start may replace.
fn make(path: &Path) -> Result<MasterKey, SealError> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(format!(".{}.new", std::process::id()));
    let made = write_key(Path::new(&fresh)).and_then(|key| match std::fs::hard_link(&fresh, path) {
        // Another process was faster; its key counts.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => MasterKey::load(path),
        Err(error) => Err(file_error("name", &error)),
        Ok(()) => Ok(key),
    });
    // What is left behind by a failure here is a key that nothing was sealed under.
    let _left = std::fs::remove_file(&fresh);
    let key = made?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| file_error("sync", &error))?;
    Ok(key)
}

/// The secrets are worthless without the key: it must be on the disk before the first of them is.
fn write_key(path: &Path) -> Result<MasterKey, SealError> {
    let mut key = [0; KEY_LENGTH];
    getrandom::fill(&mut key).map_err(|_| SealError::Library)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| file.write_all(&key).and_then(|()| file.sync_all()))
        .map_err(|error| file_error("write", &error))?;
    Ok(MasterKey::from_bytes(key))
}

/// What is authenticated besides the secret. The lengths keep `a` + `bc` and `ab` + `c` apart.
fn associated(realm: &str, name: &str, version: u32) -> Vec<u8> {
    let mut bytes = DOMAIN.to_vec();
    for part in [realm, name] {
        bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes.extend_from_slice(&version.to_be_bytes());
    bytes
}

fn file_error(what: &'static str, error: &std::io::Error) -> SealError {
    SealError::File { what, why: error.to_string() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
