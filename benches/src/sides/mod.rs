//! What is measured, and what it is measured against.

#[cfg(feature = "baselines")]
pub(crate) mod casbin;
#[cfg(feature = "baselines")]
pub(crate) mod cedar;
pub(crate) mod engine;
pub(crate) mod floor;
pub(crate) mod insert;

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::data::Ask;

/// Asks questions in turn for so long, at least one, and gives nanoseconds for each. A wrong answer ends the measurement.
pub(crate) struct Asking<'a> {
    asks: &'a [Ask],
    next: usize,
}

impl<'a> Asking<'a> {
    pub(crate) fn new(asks: &'a [Ask]) -> Self {
        Self { asks, next: 0 }
    }

    pub(crate) fn run(
        &mut self,
        lasting: Duration,
        mut side: impl FnMut(&Ask) -> anyhow::Result<bool>,
    ) -> anyhow::Result<f64> {
        ensure!(!self.asks.is_empty(), "there are no questions");
        let start = Instant::now();
        let (mut asked, mut wrong, mut chunk) = (0_usize, 0_usize, 1_usize);
        let mut took = Duration::ZERO;
        while took < lasting {
            for _ in 0..chunk {
                let ask = &self.asks[self.next];
                self.next += 1;
                if self.next == self.asks.len() {
                    self.next = 0;
                }
                wrong += usize::from(side(ask)? != ask.allowed);
                asked += 1;
            }
            // The clock is asked seldom where a question takes less than asking it.
            chunk = (chunk * 2).min(1_024);
            let before = took;
            took = start.elapsed();
            if took - before > Duration::from_millis(20) {
                chunk = 1;
            }
        }
        ensure!(wrong == 0, "{wrong} of {asked} answers are wrong");
        Ok(took.as_nanos() as f64 / asked as f64)
    }

    /// Asks each question once, so that everything is warm and every answer was right before anything is measured.
    pub(crate) fn prove(&mut self, mut side: impl FnMut(&Ask) -> anyhow::Result<bool>) -> anyhow::Result<()> {
        for ask in self.asks {
            let got = side(ask)?;
            let Ask { subject, action, resource, allowed, .. } = ask;
            ensure!(got == *allowed, "may `{subject}` {action} `{resource}`: {got} is wrong");
        }
        Ok(())
    }
}
