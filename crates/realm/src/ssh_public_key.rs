//! Public keys of OpenSSH: read as people paste them, kept as the bytes that sshd compares.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::refusal::Refusal;

/// The longest line that is read, in bytes: an RSA key of 16,384 bits is about 2,800.
const MAX_LINE: usize = 8_192;

/// The shortest and longest RSA modulus, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=16_384;

/// The kinds that are taken, with the length of a point of the curve, or of an Ed25519 key.
const KINDS: [(&str, Parts); 7] = [
    ("ssh-ed25519", Parts::Bytes(32)),
    ("ecdsa-sha2-nistp256", Parts::Point("nistp256", 65)),
    ("ecdsa-sha2-nistp384", Parts::Point("nistp384", 97)),
    ("ecdsa-sha2-nistp521", Parts::Point("nistp521", 133)),
    ("ssh-rsa", Parts::Rsa),
    ("sk-ssh-ed25519@openssh.com", Parts::HeldBytes(32)),
    ("sk-ecdsa-sha2-nistp256@openssh.com", Parts::HeldPoint("nistp256", 65)),
];

/// What follows the name of the kind (RFC 4253, RFC 5656, RFC 8709, OpenSSH's PROTOCOL.u2f).
#[derive(Clone, Copy)]
enum Parts {
    Bytes(usize),
    Point(&'static str, usize),
    Rsa,
    /// The same on a security key, whose application comes after it.
    HeldBytes(usize),
    HeldPoint(&'static str, usize),
}

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
        let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        let (name, text) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let kind = KINDS.iter().find(|(known, _)| *known == name);
        let Some((_, parts)) = kind else {
            let known = KINDS.map(|(known, _)| known).join(", ");
            return Err(invalid(&format!(
                "must begin with the kind of the key, without options in front of it; known: {known}"
            )));
        };
        let blob = STANDARD.decode(text).map_err(|_| invalid("the key behind its kind must be Base64"))?;
        let mut fields = Fields(&blob);
        if fields.text() != Some(name.as_bytes()) || !parts.fit(&mut fields) || !fields.0.is_empty() {
            return Err(invalid("is no such key as its first word says; RSA keys need 2048 bits or more"));
        }
        Ok(Self { blob: blob.into() })
    }

    /// An Ed25519 key.
    pub fn ed25519(key: &[u8; 32]) -> Self {
        let mut blob = Vec::new();
        for part in [&b"ssh-ed25519"[..], &key[..]] {
            blob.extend(u32::try_from(part.len()).unwrap_or_default().to_be_bytes());
            blob.extend(part);
        }
        Self { blob: blob.into() }
    }

    /// A key that was judged when it came.
    pub(crate) fn stored(blob: &[u8]) -> Self {
        Self { blob: blob.into() }
    }

    /// Its bytes as they go over the wire.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// Its kind, as sshd names it.
    pub fn kind(&self) -> &str {
        Fields(&self.blob).text().and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }

    /// The bytes in Base64: the second word of its line.
    pub fn text(&self) -> String {
        STANDARD.encode(&self.blob)
    }

    /// The SHA-256 of its bytes.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.blob).into()
    }

    /// The same, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(self.hash()))
    }

    /// Whether the gateway knows hosts by such keys. Those on security keys sign only while somebody touches them, and RSA is not needed: every sshd
    /// has one of the other kinds as well.
    pub fn is_for_hosts(&self) -> bool {
        self.kind() == "ssh-ed25519" || self.kind().starts_with("ecdsa-")
    }
}

/// `ssh-ed25519 AAAA...`
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.text())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Byte strings, each with its length in front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn text(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (text, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }

    /// The bits of a whole number above zero, in its one form.
    fn bits(&mut self) -> Option<usize> {
        let number = self.text()?;
        let digits = match number {
            [0, rest @ ..] if rest.first().is_some_and(|byte| *byte >= 0x80) => rest,
            [first, ..] if (1..0x80).contains(first) => number,
            _ => return None,
        };
        let first = digits.first()?;
        Some(digits.len() * 8 - first.leading_zeros() as usize)
    }
}

impl Parts {
    fn fit(self, fields: &mut Fields<'_>) -> bool {
        let mut point = |curve: &str, length| {
            fields.text() == Some(curve.as_bytes())
                && fields.text().is_some_and(|point| point.len() == length && point.first() == Some(&4))
        };
        match self {
            Self::Bytes(length) => fields.text().is_some_and(|key| key.len() == length),
            Self::Point(curve, length) => point(curve, length),
            Self::Rsa => {
                fields.bits().is_some_and(|bits| bits > 1)
                    && fields.bits().is_some_and(|bits| RSA_BITS.contains(&bits))
            }
            Self::HeldBytes(length) => {
                fields.text().is_some_and(|key| key.len() == length) && fields.text().is_some()
            }
            Self::HeldPoint(curve, length) => point(curve, length) && fields.text().is_some(),
        }
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
        let blob = STANDARD.decode(text).unwrap();
        let cut = STANDARD.encode(&blob[..blob.len() - 1]);
        let longer = STANDARD.encode([&blob[..], &[0]].concat());
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
