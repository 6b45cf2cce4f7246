//! A thousand evaluations in one request, next to the same thousand one at a time.

use std::rc::Rc;

use crate::bench::Bench;
use crate::data::scale::ROLES;
use crate::http::requests::{EVALUATIONS, Request, evaluation, evaluations};
use crate::http::site::Site;
use crate::pairs::measure;
use crate::ratio::{grouped, median, short};
use crate::table::{Figure, Row, Target};
use crate::workloads::evaluation::note;

const AT_ONCE: usize = 1_000;
const CONNECTIONS: usize = 32;

pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    for site in [bench.small()?, bench.large()?] {
        row(bench, &site)?;
    }
    bench.table.note(
        "**A batch** has its thousand questions in full, without defaults that they share; it and the single ones go over 32 connections \
         each, and every decision of an answer is compared with what it must be.",
    );
    Ok(())
}

fn row(bench: &mut Bench, site: &Site) -> anyhow::Result<()> {
    let what = format!("a batch of {AT_ONCE} evaluations over HTTP, {}", site.scale.title());
    let against = "the same one at a time, decisions/s";
    if !site.server.has(EVALUATIONS)? {
        bench.table.row(&Row::not_available(what, against, format!("there is no `{EVALUATIONS}`")));
        return Ok(());
    }
    let path = bench.check_path(&site.server)?;
    let asks = site.scale.both(ROLES, AT_ONCE);
    let single: Rc<[Request]> = asks.iter().map(|ask| evaluation(&path, ask)).collect();
    let batch: Rc<[Request]> = Rc::new([evaluations(&asks)]);
    let (mut batch_cpu, mut single_cpu) = (Vec::new(), Vec::new());
    let pairs = measure(
        bench.options.pairs,
        || {
            let (rate, cpu) = bench.half(&site.server, CONNECTIONS, &batch)?;
            note((rate * AT_ONCE as f64, cpu / AT_ONCE as f64), &mut batch_cpu)
        },
        || note(bench.half(&site.server, CONNECTIONS, &single)?, &mut single_cpu),
    )?;
    let [a, b] = [pairs.median_a(), pairs.median_b()].map(grouped);
    let [cpu, other_cpu] = [batch_cpu, single_cpu].map(|of| short(median(of)));
    bench.table.row(&Row {
        what,
        against: against.to_owned(),
        figure: Figure::Ratio(pairs.a_to_b()),
        medians: format!("{a}/s against {b}/s; server CPU {cpu} us against {other_cpu} us a decision"),
        target: Target::AtLeast(10.0),
    });
    Ok(())
}
