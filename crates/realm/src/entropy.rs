//! Ids, secrets and salts of one command, all drawn from one seed.

use uuid::Uuid;

/// A stream of unpredictable bytes from a 32-byte seed (BLAKE3 in its extendable-output mode).
///
/// A command keeps its seed, so that deciding it a second time, on a newer head, gives the same ids and
/// secrets as the first.
pub struct Entropy {
    stream: blake3::OutputReader,
}

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Entropy {
    /// The stream of this seed, from its start.
    pub fn new(seed: &[u8; 32]) -> Self {
        Self { stream: blake3::Hasher::new_keyed(seed).update(b"grantd command entropy 1").finalize_xof() }
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream.fill(&mut bytes);
        bytes
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// A bearer secret: the prefix and 43 characters of `[A-Za-z0-9]`, which hold 256 bits and live unescaped in
    /// URLs, headers and SSH user names.
    pub fn secret(&mut self, prefix: &str) -> String {
        self.letters(prefix, 43)
    }

    /// The prefix and so many characters of `[A-Za-z0-9]`, each of which holds nearly 6 bits.
    pub fn letters(&mut self, prefix: &str, count: usize) -> String {
        let mut secret = String::from(prefix);
        let end = prefix.len() + count;
        while secret.len() < end {
            let [byte] = self.bytes();
            // 248 = 4 * 62: bytes above it would favour the first letters.
            if byte < 248
                && let Some(letter) = ALPHABET.get(usize::from(byte % 62))
            {
                secret.push(char::from(*letter));
            }
        }
        secret
    }
}

/// What is kept of a bearer secret: a hash that finds it again. The secrets are 256 random bits, so that a slow
/// password hash would add nothing.
pub fn secret_hash(secret: &str) -> [u8; 32] {
    blake3::derive_key("grantd bearer secret 1", secret.as_bytes())
}
