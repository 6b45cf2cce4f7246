//! Whose signatures are believed, besides those of the master key in force.

use clap::Args;

use crate::hex;

/// Keys of before.
#[derive(Debug, Default, Args)]
pub(super) struct Signers {
    /// Public key (hexadecimal) that may have signed archives, from before the master key was replaced
    #[arg(long = "signed-by", value_name = "KEY", value_parser = read)]
    signed_by: Vec<[u8; 32]>,
}

impl Signers {
    /// These keys.
    pub(super) fn keys(&self) -> Vec<[u8; 32]> {
        self.signed_by.clone()
    }

    /// These and another one.
    pub(super) fn with(&self, key: [u8; 32]) -> Vec<[u8; 32]> {
        self.signed_by.iter().copied().chain([key]).collect()
    }
}

fn read(text: &str) -> Result<[u8; 32], String> {
    hex::decode(text)
        .ok_or_else(|| "a public key has 64 hexadecimal digits, as `ledger verify` prints it".to_owned())
}
