//! The median of ratios, and how sure it is.

use std::fmt;

/// A median with its 95 % interval, by order statistics: no assumption about how the values are spread.
pub(crate) struct Ratio {
    median: f64,
    low: f64,
    high: f64,
    pairs: usize,
}

impl Ratio {
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let pairs = values.len();
        let at = |index: usize| values.get(index.min(pairs.saturating_sub(1))).copied().unwrap_or(f64::NAN);
        let outside = outside_of_interval(pairs);
        Self { median: at(pairs / 2), low: at(outside), high: at(pairs.saturating_sub(1 + outside)), pairs }
    }
}

/// How many values at each end are outside of the interval: the largest `k - 1` for which fewer than `k` of n fair coins
/// show heads with a probability of at most 2.5 %. With 15 values that leaves the 4th to the 12th.
fn outside_of_interval(pairs: usize) -> usize {
    let mut probability = 0.5_f64.powi(i32::try_from(pairs).unwrap_or(i32::MAX));
    let (mut sum, mut k) = (probability, 0_usize);
    while sum <= 0.025 && k < pairs {
        k += 1;
        probability *= (pairs - k + 1) as f64 / k as f64;
        sum += probability;
    }
    k.saturating_sub(1)
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} [{:.2}, {:.2}] of {} pairs", self.median, self.low, self.high, self.pairs)
    }
}

/// The median of plain figures.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
