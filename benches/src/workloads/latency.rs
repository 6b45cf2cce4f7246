//! The 99th percentile of checks while relationships are written, next to that of an idle server under the same load.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::anyhow;
use serde_json::json;

use crate::bench::Bench;
use crate::http::open::{self, Fared};
use crate::http::requests::{Request, Says, post};
use crate::http::site::Site;
use crate::pairs::measure;
use crate::ratio::{grouped, median, short};
use crate::table::{Figure, Row, Target};
use crate::workloads::evaluation::questions;

/// Single-grant writes a second.
const WRITES: f64 = 1_000.0;
/// Of what a closed loop gets.
const LOAD: f64 = 0.3;
const CONNECTIONS: usize = 32;
const WRITERS: usize = 32;

/// Numbers the written relationships over all runs, so that each is new.
static NEXT: AtomicU64 = AtomicU64::new(0);

pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let (small, large) = (bench.small()?, bench.large()?);
    row(bench, &small, &small)?;
    row(bench, &large, &large)?;
    row(bench, &small, &large)?;
    bench.table.note(
        "**Latency** is measured in an open loop: requests go out on a schedule fixed beforehand, and each latency counts from the \
         moment at which the request was due, so that a stall is counted for everybody who would have come meanwhile. Load and server \
         share the two cores, and the writes and their clients take processor time of the same two. How much of the ratio comes of \
         that alone, the row shows in which another server is written to: there, checks and writes share nothing but the cores.",
    );
    Ok(())
}

fn row(bench: &mut Bench, site: &Site, written_to: &Site) -> anyhow::Result<()> {
    let path = bench.check_path(&site.server)?;
    let asked = questions(site, &path);
    let capacity = capacity(bench, site, &asked)?;
    let rate = capacity * LOAD;
    // Threads share these.
    let asked: Arc<[Request]> = asked.iter().cloned().collect();
    let (mut served, mut written) = (Vec::new(), Vec::new());
    let pairs = measure(
        bench.options.pairs,
        || {
            let (mut checks, writes) = under_writes(bench, site, written_to, rate, &asked)?;
            served.push(checks.served());
            written.push(writes.served());
            Ok(checks.p99())
        },
        || Ok(checks(bench, site, rate, &asked)?.p99()),
    )?;
    let [a, b] = [pairs.median_a(), pairs.median_b()].map(|seconds| short(seconds * 1e3));
    let [offered, served, written] = [rate, median(served), median(written)].map(grouped);
    let is_same = std::ptr::eq(site, written_to);
    let to = if is_same { "" } else { " to another server" };
    bench.table.row(&Row {
        what: format!("p99 of checks under {} writes/s{to}, {}", grouped(WRITES), site.scale.title()),
        against: "p99 without writes, same load".to_owned(),
        figure: Figure::Ratio(pairs.a_to_b()),
        medians: format!(
            "{a} ms against {b} ms; offered {offered}/s (30 % of a closed loop), served {served}/s, written {written}/s"
        ),
        target: if is_same { Target::AtMost(2.0) } else { Target::Recorded },
    });
    Ok(())
}

fn capacity(bench: &Bench, site: &Site, asked: &Rc<[Request]>) -> anyhow::Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..3 {
        rates.push(bench.half(&site.server, CONNECTIONS, asked)?.0);
    }
    Ok(median(rates))
}

fn checks(bench: &Bench, site: &Site, rate: f64, asked: &Arc<[Request]>) -> anyhow::Result<Fared> {
    open::run(site.server.addr, CONNECTIONS, rate, bench.options.half, |n| {
        asked[(n as usize).wrapping_mul(7_919) % asked.len()].clone()
    })
}

fn under_writes(
    bench: &Bench,
    site: &Site,
    written_to: &Site,
    rate: f64,
    asked: &Arc<[Request]>,
) -> anyhow::Result<(Fared, Fared)> {
    let (addr, half) = (written_to.server.addr, bench.options.half);
    std::thread::scope(|scope| {
        let writes = scope.spawn(move || {
            open::run(addr, WRITERS, WRITES, half, |_| {
                let n = NEXT.fetch_add(1, Ordering::Relaxed);
                let relationship = json!({
                    "resource": format!("role:latency-{:06}", n / 100), "relation": "member",
                    "subject": format!("user:new-{n:010}"),
                });
                let body = json!({ "write": [relationship] }).to_string();
                post("/api/v1/relationships", &body, Says::text("\"written\":1"))
            })
        });
        let checks = checks(bench, site, rate, asked)?;
        Ok((checks, writes.join().map_err(|_| anyhow!("the writers stopped"))??))
    })
}
