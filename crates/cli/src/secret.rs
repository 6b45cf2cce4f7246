//! Random secrets for people.

use grantd_node::realm::entropy::Entropy;

/// A new secret of 256 bits, in letters and digits.
pub(crate) fn random() -> anyhow::Result<String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(Entropy::new(&seed).secret(""))
}
