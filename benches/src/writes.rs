//! Durable single-grant writes over HTTP from 64 clients, next to one INSERT per transaction.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::load::{post, run as load};
use crate::options::Options;
use crate::ratio::{Ratio, median};
use crate::server::{KEY, Server};
use crate::slow_sync;

const CLIENTS: usize = 64;

/// Numbers the written relationships over all runs, so that each is new.
static NEXT: AtomicU64 = AtomicU64::new(0);

fn grants(options: &Options, server: &Server) -> anyhow::Result<(f64, f64)> {
    let before = server.cpu_seconds()?;
    let served = load(server.addr, CLIENTS, options.half, |_| {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let relationship = json!({
            "resource": format!("role:bench-{:06}", n / 100), "relation": "member", "subject": format!("user:new-{n:010}"),
        });
        post("/api/v1/relationships", KEY, &json!({ "write": [relationship] }).to_string())
    })?;
    Ok((served.per_second, (server.cpu_seconds()? - before) / served.requests as f64 * 1e6))
}

fn inserts(options: &Options, file: &Path, preload: Option<&Path>) -> anyhow::Result<f64> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("baseline").arg(file).arg(options.half.as_secs_f64().to_string());
    if let Some(library) = preload {
        command.env("LD_PRELOAD", library);
    }
    let done = command.output()?;
    ensure!(done.status.success(), "the baseline failed: {}", String::from_utf8_lossy(&done.stderr));
    std::str::from_utf8(&done.stdout)?.trim().parse().context("the baseline's rate")
}

fn row(options: &Options, size: usize, preload: Option<&Path>) -> anyhow::Result<String> {
    let data = tempfile::tempdir()?;
    let server = Server::start(&data.path().join("data"), preload)?;
    server.fill(size)?;
    let file = data.path().join("baseline.db");
    grants(options, &server)?;
    let (mut ratios, mut ours, mut theirs, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.pairs {
        let (grants, used) = grants(options, &server)?;
        let inserts = inserts(options, &file, preload)?;
        ratios.push(grants / inserts);
        ours.push(grants);
        theirs.push(inserts);
        cpu.push(used);
    }
    let disk = if preload.is_some() { "2 ms more a sync" } else { "this disk as it is" };
    Ok(format!(
        "| durable grants over HTTP, {CLIENTS} clients, {size} relationships, {disk} | one INSERT per transaction | {} | \
         {:.0}/s against {:.0}/s | {:.1} us |",
        Ratio::of(ratios),
        median(ours),
        median(theirs),
        median(cpu),
    ))
}

/// Prints the rows.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let slow = slow_sync::build(directory.path())?;
    println!("| what | against | ratio, median and 95 % interval | rates, medians | server CPU a request |");
    println!("|---|---|---|---|---|");
    for size in &options.sizes {
        println!("{}", row(options, *size, Some(&slow))?);
        println!("{}", row(options, *size, None)?);
    }
    Ok(())
}
