//! Public keys of OpenSSH: read as people paste them, kept as the bytes that sshd compares.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use ssh_key::{Algorithm, Fingerprint};

use crate::refusal::Refusal;

/// The longest line that is read, in bytes: an RSA key of 16,384 bits is about 2,800.
const MAX_LINE: usize = 8_192;

/// The shortest and longest RSA modulus, in bits.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2_048..=16_384;

/// A public key. Comments and options are no part of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    blob: Arc<[u8]>,
}

impl PublicKey {
    /// Reads the line of a `.pub` file; the comment behind the key is left out. Whoever pastes options in front of it is told that
    /// they would not count.
    pub fn parse(field: &'static str, line: &str) -> Result<Self, Refusal> {
        let invalid = |problem: &str| Refusal::invalid(field, problem);
        let line = line.trim();
        if line.is_empty() || line.len() > MAX_LINE || line.chars().any(|c| c.is_control() && c != '\t') {
            return Err(invalid("must be one line, as in a `.pub` file: `ssh-ed25519 AAAA...`"));
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).take(2).collect();
        let key = ssh_key::PublicKey::from_openssh(&words.join(" ")).ok().filter(is_taken);
        let blob = key.and_then(|key| key.to_bytes().ok()).ok_or_else(|| {
            invalid(
                "must be an Ed25519, ECDSA or RSA key of 2048 bits or more, or one on a security key, without options in \
                 front of it",
            )
        })?;
        Ok(Self { blob: blob.into() })
    }

    /// An Ed25519 key.
    pub fn ed25519(key: &[u8; 32]) -> Self {
        let key = ssh_key::PublicKey::from(ssh_key::public::Ed25519PublicKey(*key));
        Self { blob: key.to_bytes().unwrap_or_default().into() }
    }

    /// A key that was judged when it came.
    pub(crate) fn stored(blob: &[u8]) -> Self {
        Self { blob: blob.into() }
    }

    /// Its bytes as they go over the wire.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The SHA-256 of its bytes.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.blob).into()
    }

    /// The same, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> String {
        Fingerprint::Sha256(self.hash()).to_string()
    }

    /// Whether the gateway knows hosts by such keys. Those on security keys sign only while somebody touches them, and RSA is not needed: every sshd
    /// has one of the other kinds as well.
    pub fn is_for_hosts(&self) -> bool {
        let key = ssh_key::PublicKey::from_bytes(&self.blob);
        key.is_ok_and(|key| matches!(key.algorithm(), Algorithm::Ed25519 | Algorithm::Ecdsa { .. }))
    }
}

/// Whether sshd takes it from who wants to log in.
fn is_taken(key: &ssh_key::PublicKey) -> bool {
    match key.algorithm() {
        Algorithm::Ed25519
        | Algorithm::Ecdsa { .. }
        | Algorithm::SkEd25519
        | Algorithm::SkEcdsaSha2NistP256 => true,
        Algorithm::Rsa { .. } => key.key_data().rsa().is_some_and(|key| RSA_BITS.contains(&key.key_size())),
        _ => false,
    }
}

/// `ssh-ed25519 AAAA...`
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = ssh_key::PublicKey::from_bytes(&self.blob).and_then(|key| key.to_openssh());
        f.write_str(key.unwrap_or_default().trim_end())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]
    use super::*;

    /// Made by `ssh-keygen`, with the fingerprint that `ssh-keygen -l` says.
    const MADE: [(&str, &str); 4] = [
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAY6aTWiBWhR/7iEfoSCoHrjB5HqA6CLYwzYLh0mV3V1",
            "SHA256:bfHkOc6ULUdaNFQ8/87KtfpJcnNOihn7/NSw2oN6/AE",
        ),
        (
            "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFyNfX3UOo6pnFortvLJS9jR+gqJNN9AWrYdkKvU69Q5xB583C2UrGNUcbokXg7/AgP96zgTtfwVHp10PUEc2BU=",
            "SHA256:S75faQ4zjYnhKqzWsn38Viz+QKlpayirB41cH4lZ62c",
        ),
        (
            "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAGy14vGsjGzJynL7cyALU5XiBCANlivqA4bPsX0OpFIwGtLdHsnUgkXww7bI9EVsVBGT8+IcWLvp7kvH0CgdP+rogFqqyw6tpV5GlAaiaxHwbxojLchDUa/6i29ripceaTgOoWawM+DqMjcMWyFP6vn8dKxaG4kjmTozZ63PnPEU/eGcQ==",
            "SHA256:2XuRY6VvwASV0ioEv6TakXp+q/LUsC7gJmdR33/Bbyc",
        ),
        (
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCr7iiYmrz64SfiqET6Alt3tAap0//gID60Pj06ABRBQ5cgGOzJIh385S+dqdn0k/0SBXbgFmFyF6wKJI6tSLy5eqKrXrd/K4b23ioS6DQuuoS1iZuGp6Ne6irdmvm42Iq/euUKaeztm6e7zi3U97/XMBJ0eH9YznijFtkYv8eOnJIeQlnXsLLIxtjUwIbBg1yaJCCpegEfe5gwQ3hCzaFd9C3oyWkiuKknNB5VtfdoNCzHlx7+T7lxQa4DF7swK//iq+VsGxPVF98603j+NJpq2GdZH5OkYM/hq4OcfSuGG8ffvQL/RFeGR6QvFgYG14LU2gFg6XGQ/wssq0MuGGKd",
            "SHA256:5XTjbfP5/uevAZOQIC7mwaOwMZwcUhqljS0d4W0jj4c",
        ),
    ];

    fn read(line: &str) -> Result<PublicKey, Refusal> {
        PublicKey::parse("public_key", line)
    }

    #[test]
    fn keys_are_read_as_ssh_keygen_writes_them() {
        for (line, fingerprint) in MADE {
            let key = read(&format!(" {line} anna@laptop of mine\n")).unwrap();
            assert_eq!(key.to_string(), line);
            assert_eq!(key.fingerprint(), fingerprint);
            assert_eq!(PublicKey::stored(key.blob()), key);
        }
    }

    #[test]
    fn what_sshd_would_not_take_is_refused() {
        let (ed25519, _) = MADE[0];
        let (kind, text) = ed25519.split_once(' ').unwrap();
        let cut = &text[..text.len() - 4];
        let longer = format!("{text}AAAA");
        for line in [
            String::new(),
            kind.to_owned(),
            format!("{kind} AAAA!"),
            format!("{kind} {cut}"),
            format!("{kind} {longer}"),
            format!("ssh-rsa {text}"),
            format!("ssh-dss {text}"),
            format!("ssh-ed25519-cert-v01@openssh.com {text}"),
            format!("restrict {ed25519}"),
            format!("command=\"sh\" {ed25519}"),
            format!("{ed25519}\n{ed25519}"),
            format!("{ed25519} {}", "x".repeat(MAX_LINE)),
            SHORT_RSA.to_owned(),
        ] {
            assert!(read(&line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_key_made_here_is_one_that_is_read() {
        let key = PublicKey::ed25519(&[7; 32]);
        assert_eq!(read(&key.to_string()).unwrap(), key);
        assert!(key.is_for_hosts());
    }

    /// 1,024 bits.
    const SHORT_RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC1J50pd0jZ6Rug/B/eKQcw0hybAbSmdzf3/DPrFf1suAMXlg1IVsRDlGZeFE8DHoYDUrF177ClTlaeDPbVs9i+MtxumBenabEugRSLHUhNlLZJqIj86T3eRKivw+QzTEXqig3aMUPFPgWzIWG3awLVdr17CmjgNaCCzp6dusAghw==";
}
