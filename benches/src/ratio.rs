//! The median of ratios, and how sure it is.

use std::fmt;

/// A median with its 95 % interval, by order statistics: no assumption about how the values are spread.
#[derive(Clone, Copy)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pairs: usize,
}

impl Ratio {
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let pairs = values.len();
        let at = |index: usize| values.get(index.min(pairs.saturating_sub(1))).copied().unwrap_or(f64::NAN);
        let outside = outside_of_interval(pairs);
        Self {
            median: median(values.clone()),
            low: at(outside),
            high: at(pairs.saturating_sub(1 + outside)),
            pairs,
        }
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
        let Self { median, low, high, pairs } = *self;
        write!(f, "{} [{}, {}] of {pairs} pairs", short(median), short(low), short(high))
    }
}

/// A figure with about three digits that count.
pub(crate) fn short(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 => grouped(figure),
        size if size >= 10.0 => format!("{figure:.1}"),
        size if size >= 0.095 || size == 0.0 => format!("{figure:.2}"),
        _ => format!("{figure:.4}"),
    }
}

/// A whole number with commas.
pub(crate) fn grouped(figure: f64) -> String {
    let digits = format!("{:.0}", figure.abs());
    let mut text = String::from(if figure < 0.0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The median of plain figures.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    if values.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.wrapping_sub(1)), at(middle)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_values_leave_the_fourth_to_the_twelfth() {
        let ratio = Ratio::of((1..=15).rev().map(f64::from).collect());
        assert_eq!([ratio.low, ratio.median, ratio.high], [4.0, 8.0, 12.0]);
    }

    #[test]
    fn few_values_claim_no_more_than_their_ends() {
        let ratio = Ratio::of(vec![3.0, 1.0]);
        assert_eq!([ratio.low, ratio.median, ratio.high], [1.0, 2.0, 3.0]);
    }

    #[test]
    fn figures_keep_what_counts() {
        let shown: Vec<_> = [1_234_567.0, 100.0, 12.34, 0.914, 0.001_234].into_iter().map(short).collect();
        assert_eq!(shown, ["1,234,567", "100", "12.3", "0.91", "0.0012"]);
    }
}
