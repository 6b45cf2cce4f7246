//! Two things measured in turn, so that both see the same machine.

use crate::ratio::{Ratio, median};

/// What the halves of the pairs came to.
pub(crate) struct Pairs {
    pub(crate) a: Vec<f64>,
    pub(crate) b: Vec<f64>,
}

/// Measures `a` and `b` so many times in turn, each once before without being counted. Every other pair begins with `b`,
/// so that neither always has what the other leaves behind.
pub(crate) fn measure(
    pairs: usize,
    mut a: impl FnMut() -> anyhow::Result<f64>,
    mut b: impl FnMut() -> anyhow::Result<f64>,
) -> anyhow::Result<Pairs> {
    a()?;
    b()?;
    let mut measured = Pairs { a: Vec::new(), b: Vec::new() };
    for pair in 0..pairs {
        if pair % 2 == 0 {
            measured.a.push(a()?);
            measured.b.push(b()?);
        } else {
            measured.b.push(b()?);
            measured.a.push(a()?);
        }
    }
    Ok(measured)
}

impl Pairs {
    /// What `a` is of `b`, pair by pair.
    pub(crate) fn a_to_b(&self) -> Ratio {
        Ratio::of(self.a.iter().zip(&self.b).map(|(a, b)| a / b).collect())
    }

    /// What `b` is of `a`, pair by pair.
    #[cfg(feature = "baselines")]
    pub(crate) fn b_to_a(&self) -> Ratio {
        Ratio::of(self.a.iter().zip(&self.b).map(|(a, b)| b / a).collect())
    }

    pub(crate) fn median_a(&self) -> f64 {
        median(self.a.clone())
    }

    pub(crate) fn median_b(&self) -> f64 {
        median(self.b.clone())
    }
}
