//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::workloads::ALL;

/// What to do.
pub(crate) enum What {
    /// These workloads, in this order.
    Rows(Vec<String>),
    /// The names of the workloads.
    List,
    /// The relationships at scale as JSON lines, to standard output.
    Lines,
    /// Not for people: a part of a workload that needs a process of its own.
    Insert { file: PathBuf, seconds: f64 },
    /// Not for people: builds the graph at scale and prints what it takes.
    Memory,
}

pub(crate) struct Options {
    pub(crate) what: What,
    /// How many A/B pairs.
    pub(crate) pairs: usize,
    /// How long each half of a pair runs over HTTP.
    pub(crate) half: Duration,
    /// How long each half of a pair runs in process.
    pub(crate) short_half: Duration,
    /// How many relationships a small realm has.
    pub(crate) small: usize,
    /// How many relationships a large realm has.
    pub(crate) large: usize,
    /// Where one question is asked over HTTP; found out if it is not given.
    pub(crate) check_path: Option<String>,
}

pub(crate) const HELP: &str = "\
usage: grantd-benches [WORKLOAD ...] [--pairs N] [--seconds S] [--small N] [--large N] [--check-path PATH]
       grantd-benches list                  the workloads
       grantd-benches lines [--large N]     the relationships at scale as JSON lines, for `grantd import`

  --pairs N          A/B pairs of each ratio (15)
  --seconds S        length of one half of a pair over HTTP (1); a fifth of it in process
  --small N          relationships of a small realm (10000)
  --large N          relationships of a large realm (10000000)
  --check-path PATH  where one question is asked (/access/v1/evaluation; /api/v1/check where that is not there)";

impl Options {
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut options = Self {
            what: What::Rows(Vec::new()),
            pairs: 15,
            half: Duration::from_secs(1),
            short_half: Duration::from_millis(200),
            small: 10_000,
            large: 10_000_000,
            check_path: None,
        };
        let mut names = Vec::new();
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            let mut value =
                || arguments.next().with_context(|| format!("`{argument}` needs a value\n{HELP}"));
            match argument.as_str() {
                "insert-for" => {
                    let file = value()?.into();
                    options.what = What::Insert { file, seconds: value()?.parse()? };
                }
                "memory-of" => options.what = What::Memory,
                "list" => options.what = What::List,
                "lines" => options.what = What::Lines,
                "--pairs" => options.pairs = value()?.parse()?,
                "--seconds" => {
                    options.half = Duration::from_secs_f64(value()?.parse()?);
                    options.short_half = options.half / 5;
                }
                "--small" => options.small = value()?.parse()?,
                "--large" => options.large = value()?.parse()?,
                "--check-path" => options.check_path = Some(value()?),
                name if ALL.iter().any(|workload| workload.name == name) => names.push(name.to_owned()),
                other => bail!("unknown argument `{other}`\n{HELP}"),
            }
        }
        ensure!(options.pairs > 0, "`--pairs` must be at least 1");
        ensure!(options.small.min(options.large) >= 1_000, "a realm has at least 1000 relationships here");
        if let What::Rows(rows) = &mut options.what {
            *rows = names;
        }
        Ok(options)
    }
}
