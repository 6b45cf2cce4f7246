//! Durable single-grant writes over HTTP from 64 clients, next to one INSERT per transaction.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::bench::Bench;
use crate::http::closed;
use crate::http::requests::{Says, post};
use crate::http::server::Server;
use crate::http::site::Site;
use crate::options::Options;
use crate::pairs::measure;
use crate::ratio::{grouped, median, short};
use crate::slow_sync;
use crate::table::{Figure, Row, Target};
use crate::workloads::evaluation::note;

const CLIENTS: usize = 64;

/// Numbers the written relationships over all runs, so that each is new.
static NEXT: AtomicU64 = AtomicU64::new(0);

pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let slow = slow_sync::build(directory.path())?;
    for preload in [Some(&*slow), None] {
        row(bench, preload)?;
    }
    bench.table.note(
        "**One INSERT per transaction** is a bare process on a SQLite file of its own, on the same disk with the same sync setting, \
         without HTTP, authentication, JSON or a hash chain. It has one client, because SQLite has one writer; grantd has 64 clients that \
         share syncs. Where the disk answers a sync from a cache, the ratio without the 2 ms is smaller.",
    );
    Ok(())
}

fn row(bench: &mut Bench, preload: Option<&Path>) -> anyhow::Result<()> {
    let options = &bench.options;
    let site = Site::make(options.small, preload)?;
    let file = site.directory.path().join("insert.db");
    let mut cpu = Vec::new();
    let pairs = measure(
        options.pairs,
        || note(grants(options, &site.server)?, &mut cpu),
        || inserts(options, &file, preload),
    )?;
    let (disk, target) = match preload {
        Some(_) => ("2 ms more a sync", Target::AtLeast(20.0)),
        None => ("this disk as it is", Target::Recorded),
    };
    let [a, b] = [pairs.median_a(), pairs.median_b()].map(grouped);
    bench.table.row(&Row {
        what: format!(
            "durable single-grant writes over HTTP, {CLIENTS} clients, {}, {disk}",
            site.scale.title()
        ),
        against: "one INSERT per transaction".to_owned(),
        figure: Figure::Ratio(pairs.a_to_b()),
        medians: format!("{a}/s against {b}/s; server CPU {} us a write", short(median(cpu))),
        target,
    });
    Ok(())
}

fn grants(options: &Options, server: &Server) -> anyhow::Result<(f64, f64)> {
    let before = server.cpu_seconds()?;
    let served = closed::run(server.addr, CLIENTS, options.half, |_| {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let relationship = json!({
            "resource": format!("role:bench-{:06}", n / 100), "relation": "member", "subject": format!("user:new-{n:010}"),
        });
        let body = json!({ "write": [relationship] }).to_string();
        post("/api/v1/relationships", &body, Says::text("\"written\":1"))
    })?;
    Ok((served.per_second, (server.cpu_seconds()? - before) / served.requests as f64 * 1e6))
}

fn inserts(options: &Options, file: &Path, preload: Option<&Path>) -> anyhow::Result<f64> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("insert-for").arg(file).arg(options.half.as_secs_f64().to_string());
    if let Some(library) = preload {
        command.env("LD_PRELOAD", library);
    }
    let done = command.output()?;
    ensure!(done.status.success(), "the inserts failed: {}", String::from_utf8_lossy(&done.stderr));
    std::str::from_utf8(&done.stdout)?.trim().parse().context("the rate of the inserts")
}
