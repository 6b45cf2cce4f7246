//! Secrets as clients show them. None prints.

use super::{ACCESS_PREFIX, CODE_PREFIX, LETTERS, REFRESH_PREFIX};
use crate::entropy::{Entropy, secret_hash};

/// The first letters of a refresh token, which stay when it is rotated: its family's handle, 71 bits. The others are 107.
pub(super) const HANDLE: usize = 12;

fn fits(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == LETTERS && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// A code.
#[derive(Clone)]
pub struct ShownCode(String);

impl ShownCode {
    /// `auth_` and 30 letters and digits; `None` if it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        fits(text, CODE_PREFIX).then(|| Self(text.to_owned()))
    }

    /// The key of its row.
    pub fn key(&self) -> Vec<u8> {
        blake3::derive_key("grantd oauth code 1", self.0.as_bytes()).to_vec()
    }

    /// The handle of the family that it gives. It follows from the code, so that whoever shows one that is used leads to what it gave.
    pub(super) fn handle(&self) -> String {
        let seed = blake3::derive_key("grantd oauth family of code 1", self.0.as_bytes());
        Entropy::new(&seed).letters("", HANDLE)
    }

    /// The key of the row of the family that it gives.
    pub fn family_key(&self) -> Vec<u8> {
        family_key(&self.handle())
    }
}

/// A refresh token.
#[derive(Clone)]
pub struct ShownRefresh(String);

impl ShownRefresh {
    /// `refresh_` and 30 letters and digits; `None` if it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        fits(text, REFRESH_PREFIX).then(|| Self(text.to_owned()))
    }

    /// A new one of a family.
    pub(super) fn new(handle: &str, entropy: &mut Entropy) -> Self {
        Self(entropy.letters(&format!("{REFRESH_PREFIX}{handle}"), LETTERS - HANDLE))
    }

    /// The next one of the same family.
    pub(super) fn next(&self, entropy: &mut Entropy) -> Self {
        Self::new(self.handle(), entropy)
    }

    /// The key of its family's row.
    pub fn family_key(&self) -> Vec<u8> {
        family_key(self.handle())
    }

    fn handle(&self) -> &str {
        self.0.strip_prefix(REFRESH_PREFIX).and_then(|rest| rest.get(..HANDLE)).unwrap_or_default()
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        blake3::derive_key("grantd oauth refresh token 1", self.0.as_bytes())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

fn family_key(handle: &str) -> Vec<u8> {
    blake3::derive_key("grantd oauth family 1", handle.as_bytes()).to_vec()
}

/// An access token, of an app or of an organization's own.
#[derive(Clone)]
pub struct ShownAccess(String);

impl ShownAccess {
    /// `access_` and 30 letters and digits; `None` if it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        fits(text, ACCESS_PREFIX).then(|| Self(text.to_owned()))
    }

    /// The key of its row, if it is an app's.
    pub fn key(&self) -> [u8; 32] {
        blake3::derive_key("grantd oauth access token 1", self.0.as_bytes())
    }

    /// What is kept of it, if it is an organization's own: see [`crate::State::bearer`].
    pub fn hash(&self) -> [u8; 32] {
        secret_hash(&self.0)
    }
}

impl std::fmt::Debug for ShownCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Debug for ShownRefresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Debug for ShownAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}
