//! Bytes that a relationship takes: names, both directions, everything.

use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::bench::Bench;
use crate::data::scale::{DOCUMENTS, MODEL, Scale};
use crate::memory::of_process;
use crate::sides::engine;
use crate::table::{Figure, Row, Target};

/// The most bytes that a relationship may take.
pub(crate) const STEADY: f64 = 64.0;
/// The most that it may take while relationships are written or merged.
pub(crate) const PEAK: f64 = 2.5 * STEADY;

pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    // In a process of its own: nothing that was freed before is there to be used again.
    let done = Command::new(std::env::current_exe()?)
        .args(["memory-of", "--large", &bench.options.large.to_string()])
        .output()?;
    ensure!(done.status.success(), "the graph was not built: {}", String::from_utf8_lossy(&done.stderr));
    let figures = std::str::from_utf8(&done.stdout)?
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<Vec<f64>, _>>()
        .context("the figures of the graph")?;
    let [steady, peak, seconds] = figures[..] else { anyhow::bail!("three figures are wanted") };
    let title = Scale { relationships: bench.options.large }.title();
    let row = |what: &str, bytes, medians, target| Row {
        what: format!("{what}, {title}"),
        against: "-".to_owned(),
        figure: Figure::Once(bytes, "bytes each"),
        medians,
        target: Target::AtMost(target),
    };
    let built = format!("built in {seconds:.0} s");
    bench.table.row(&row("memory of the graph, steady", steady, built, STEADY));
    let times = format!("{:.2} times the steady", peak / steady);
    bench.table.row(&row("memory of the graph, most while it is written and merged", peak, times, PEAK));
    bench.table.note(
        "**Memory** is how much the resident set of a process grows that builds the graph one relationship at a time, with \
         the allocator of the server; its ids have 26 bytes on average. That of a server is in the rows of the import.",
    );
    Ok(())
}

/// Builds the graph and prints its steady and its greatest growth in bytes a relationship, and the seconds that it took.
pub(crate) fn in_this_process(relationships: usize) -> anyhow::Result<()> {
    let scale = Scale { relationships };
    let before = of_process("self", "VmRSS")?;
    let start = std::time::Instant::now();
    let graph = engine::build(MODEL, scale.facts(DOCUMENTS))?;
    let seconds = start.elapsed().as_secs_f64();
    let [steady, peak] = [of_process("self", "VmRSS")?, of_process("self", "VmHWM")?]
        .map(|bytes| (bytes - before) / graph.len() as f64);
    println!("{steady} {peak} {seconds}");
    Ok(())
}
