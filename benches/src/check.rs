//! `/api/v1/check` next to the constant-answer route, which does all the same but decide.

use serde_json::json;

use crate::load::{post, run as load};
use crate::options::Options;
use crate::ratio::{Ratio, median};
use crate::server::{KEY, Server, resource, subject};

pub(crate) fn run_pairs(
    options: &Options,
    server: &Server,
    size: usize,
    connections: usize,
) -> anyhow::Result<String> {
    // Every other question is about somebody who is no member.
    let body = move |n: u64| {
        let i = (n as usize).wrapping_mul(7_919) % size;
        let who = if n.is_multiple_of(2) { subject(i) } else { subject(size + i) };
        json!({ "subject": who, "action": "member", "resource": resource(i) }).to_string()
    };
    let half = |path: &'static str| -> anyhow::Result<(f64, f64)> {
        let before = server.cpu_seconds()?;
        let served = load(server.addr, connections, options.half, move |n| post(path, KEY, &body(n)))?;
        Ok((served.per_second, (server.cpu_seconds()? - before) / served.requests as f64 * 1e6))
    };
    half("/api/v1/check")?;
    let (mut ratios, mut checks, mut constants, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.pairs {
        let (check, check_cpu) = half("/api/v1/check")?;
        let (constant, _) = half("/bench/constant")?;
        ratios.push(check / constant);
        checks.push(check);
        constants.push(constant);
        cpu.push(check_cpu);
    }
    Ok(format!(
        "| check over HTTP, {connections} connections, {size} relationships | constant-answer route, same body | {} | \
         {:.0}/s against {:.0}/s | {:.1} us |",
        Ratio::of(ratios),
        median(checks),
        median(constants),
        median(cpu),
    ))
}

pub(crate) fn run_size(options: &Options, size: usize) -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path(), None)?;
    server.fill(size)?;
    for connections in [32, 128] {
        println!("{}", run_pairs(options, &server, size, connections)?);
    }
    println!(
        "| resident memory at {size} relationships | - | - | {:.0} bytes each | - |",
        server.resident()? / size as f64
    );
    Ok(())
}

/// Prints the rows.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    println!("| what | against | ratio, median and 95 % interval | rates, medians | server CPU a request |");
    println!("|---|---|---|---|---|");
    options.sizes.iter().try_for_each(|size| run_size(options, *size))
}
