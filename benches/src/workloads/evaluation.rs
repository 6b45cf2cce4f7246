//! One evaluation over HTTP, next to the constant-answer route, which does all the same but decide.

use std::rc::Rc;

use crate::bench::Bench;
use crate::data::scale::ROLES;
use crate::http::requests::{Request, constant, evaluation};
use crate::http::site::Site;
use crate::pairs::{Pairs, measure};
use crate::ratio::{grouped, median, short};
use crate::table::{Figure, Row, Target};

/// How many different questions; a power of two.
const QUESTIONS: usize = 1 << 16;

const CONNECTIONS: [usize; 2] = [32, 128];

pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let (small, large) = (bench.small()?, bench.large()?);
    for connections in CONNECTIONS {
        for site in [&small, &large] {
            against_constant(bench, site, connections)?;
        }
        large_against_small(bench, &large, &small, connections)?;
    }
    bench.table.note(
        "**The constant-answer route** (`serve --bench-route`) authenticates and reads the JSON body like any other, and then answers a \
         constant. Half of the questions are a yes, half of these through a group. Load and server share the two cores; the load \
         is a closed loop, so that what is offered is what is served, and its requests are made beforehand.",
    );
    Ok(())
}

/// Questions whose answers are checked.
pub(crate) fn questions(site: &Site, path: &str) -> Rc<[Request]> {
    site.scale.both(ROLES, QUESTIONS).iter().map(|ask| evaluation(path, ask)).collect()
}

fn against_constant(bench: &mut Bench, site: &Site, connections: usize) -> anyhow::Result<()> {
    let path = bench.check_path(&site.server)?;
    let asked = questions(site, &path);
    let constants: Rc<[Request]> = site.scale.both(ROLES, QUESTIONS).iter().map(constant).collect();
    let (mut cpu, mut constant_cpu) = (Vec::new(), Vec::new());
    let pairs = measure(
        bench.options.pairs,
        || note(bench.half(&site.server, connections, &asked)?, &mut cpu),
        || note(bench.half(&site.server, connections, &constants)?, &mut constant_cpu),
    )?;
    bench.table.row(&Row {
        what: format!("POST {path}, {connections} connections, {}", site.scale.title()),
        against: "the constant-answer route, same body".to_owned(),
        figure: Figure::Ratio(pairs.a_to_b()),
        medians: rates(&pairs, cpu, constant_cpu),
        target: Target::AtLeast(0.85),
    });
    Ok(())
}

fn large_against_small(
    bench: &mut Bench,
    large: &Site,
    small: &Site,
    connections: usize,
) -> anyhow::Result<()> {
    let path = bench.check_path(&large.server)?;
    let (of_large, of_small) = (questions(large, &path), questions(small, &path));
    let (mut large_cpu, mut small_cpu) = (Vec::new(), Vec::new());
    let pairs = measure(
        bench.options.pairs,
        || note(bench.half(&large.server, connections, &of_large)?, &mut large_cpu),
        || note(bench.half(&small.server, connections, &of_small)?, &mut small_cpu),
    )?;
    bench.table.row(&Row {
        what: format!("POST {path}, {connections} connections, {}", large.scale.title()),
        against: format!("the same at {}", small.scale.title()),
        figure: Figure::Ratio(pairs.a_to_b()),
        medians: rates(&pairs, large_cpu, small_cpu),
        target: Target::AtLeast(0.9),
    });
    Ok(())
}

/// Keeps the processor's share of a half and gives its rate.
pub(crate) fn note((rate, cpu): (f64, f64), into: &mut Vec<f64>) -> anyhow::Result<f64> {
    into.push(cpu);
    Ok(rate)
}

/// "70,000/s against 75,000/s; server CPU 18 us against 16 us a request".
pub(crate) fn rates(pairs: &Pairs, cpu: Vec<f64>, other_cpu: Vec<f64>) -> String {
    let [a, b] = [pairs.median_a(), pairs.median_b()].map(grouped);
    let [cpu, other_cpu] = [cpu, other_cpu].map(|of| short(median(of)));
    format!("{a}/s against {b}/s, offered and served; server CPU {cpu} us against {other_cpu} us a request")
}
