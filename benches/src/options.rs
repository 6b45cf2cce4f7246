//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// What to measure.
pub(crate) enum What {
    All,
    Check,
    Writes,
    /// Not for people: the baseline of the writes, in a process of its own.
    Baseline {
        file: PathBuf,
        seconds: f64,
    },
}

pub(crate) struct Options {
    pub(crate) what: What,
    /// How many A/B pairs.
    pub(crate) pairs: usize,
    /// How long each half of a pair runs.
    pub(crate) half: Duration,
    /// How many relationships there are already.
    pub(crate) sizes: Vec<usize>,
}

impl Options {
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut options = Self {
            what: What::All,
            pairs: 15,
            half: Duration::from_millis(1_000),
            sizes: vec![10_000, 1_000_000],
        };
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("`{argument}` needs a value"));
            match argument.as_str() {
                "check" => options.what = What::Check,
                "writes" => options.what = What::Writes,
                "baseline" => {
                    let file = value()?.into();
                    options.what = What::Baseline { file, seconds: value()?.parse()? };
                }
                "--pairs" => options.pairs = value()?.parse()?,
                "--seconds" => options.half = Duration::from_secs_f64(value()?.parse()?),
                "--sizes" => options.sizes = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?,
                other => bail!("unknown argument `{other}`"),
            }
        }
        Ok(options)
    }
}
