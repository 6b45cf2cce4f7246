//! Check in process from texts: casbin's RBAC benchmark, next to the floor, casbin and Cedar.

use grantd_engine::Graph;

use crate::bench::Bench;
use crate::data::Ask;
use crate::data::rbac::{MODEL, Rbac, SIZES};
use crate::options::Options;
use crate::pairs::{Pairs, measure};
use crate::sides::floor::Floor;
use crate::sides::{Asking, engine};
use crate::table::{Figure, Row, Target};

const QUESTIONS: usize = 100_000;

pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    SIZES.into_iter().try_for_each(|rbac| size(bench, rbac))?;
    bench.table.note(FLOOR);
    Ok(())
}

pub(crate) const FLOOR: &str = "**The floor** looks two texts up in a hashbrown map with foldhash and probes one set of pairs. It \
    knows no types, relations, models, ends of time or snapshots, cannot follow a group (the answer itself was put into the \
    set), and what it holds cannot be changed while it is read. Both sides are asked the same questions in the same order, spread over all \
    users; all names exist.";

fn size(bench: &mut Bench, rbac: Rbac) -> anyhow::Result<()> {
    let (hits, misses) = (rbac.asks(QUESTIONS, true), rbac.asks(QUESTIONS, false));
    let graph = engine::build(MODEL, rbac.facts())?;
    let floor = Floor::build(rbac.facts(), &[&hits]);
    let target = if rbac.name == "large" { Target::AtMost(3.0) } else { Target::Recorded };
    for (answer, asks) in [("hit", &hits), ("miss", &misses)] {
        let what = format!("check in process, {}, {answer}", rbac.title());
        bench.table.row(&against_floor(&bench.options, what, &graph, &floor, asks, target)?);
    }
    others(bench, rbac, &graph, &hits, &misses)
}

/// A row of checks next to the floor.
pub(crate) fn against_floor(
    options: &Options,
    what: String,
    graph: &Graph,
    floor: &Floor,
    asks: &[Ask],
    target: Target,
) -> anyhow::Result<Row> {
    let (mut ours, mut least) = (Asking::new(asks), Asking::new(asks));
    ours.prove(|ask| engine::check(graph, ask))?;
    least.prove(|ask| floor.check(ask))?;
    let pairs = measure(
        options.pairs,
        || ours.run(options.short_half, |ask| engine::check(graph, ask)),
        || least.run(options.short_half, |ask| floor.check(ask)),
    )?;
    let against = "the floor: two look-ups and one probe";
    Ok(Row {
        what,
        against: against.to_owned(),
        figure: Figure::Ratio(pairs.a_to_b()),
        medians: nanoseconds(&pairs),
        target,
    })
}

/// "100 ns against 50 ns".
pub(crate) fn nanoseconds(pairs: &Pairs) -> String {
    let [a, b] = [pairs.median_a(), pairs.median_b()].map(crate::ratio::short);
    format!("{a} ns against {b} ns")
}

#[cfg(not(feature = "baselines"))]
fn others(bench: &mut Bench, rbac: Rbac, _: &Graph, _: &[Ask], _: &[Ask]) -> anyhow::Result<()> {
    let what = format!("check in process, {}", rbac.title());
    bench.table.row(&Row::not_available(what, "casbin, cedar-policy", crate::NO_BASELINES));
    Ok(())
}

#[cfg(feature = "baselines")]
fn others(bench: &mut Bench, rbac: Rbac, graph: &Graph, hits: &[Ask], misses: &[Ask]) -> anyhow::Result<()> {
    use crate::sides::{casbin, cedar};

    let large = rbac.name == "large";
    let target = |times: f64| if large { Target::AtLeast(times) } else { Target::Recorded };
    {
        let cedar = cedar::rbac(rbac)?;
        for (answer, asks) in [("hit", hits), ("miss", misses)] {
            let what = format!("check in process, {}, {answer}", rbac.title());
            let few = asks.get(..2_000).unwrap_or(asks);
            Asking::new(few).prove(|ask| cedar.check(ask))?;
            let side = |ask: &Ask| cedar.check(ask);
            bench.table.row(&faster(
                &bench.options,
                what,
                "cedar-policy 4.14",
                graph,
                asks,
                side,
                target(10.0),
            )?);
        }
    }
    let casbin = casbin::build(rbac)?;
    for (answer, asks) in [("hit", hits), ("miss", misses)] {
        let what = format!("check in process, {}, {answer}", rbac.title());
        // A single question may take casbin many milliseconds.
        Asking::new(asks.get(..5).unwrap_or(asks)).prove(|ask| casbin::check(&casbin, ask))?;
        let side = |ask: &Ask| casbin::check(&casbin, ask);
        bench.table.row(&faster(&bench.options, what, "casbin 2.20", graph, asks, side, target(10_000.0))?);
    }
    bench.table.note(CASBIN);
    bench.table.note(CEDAR);
    Ok(())
}

#[cfg(feature = "baselines")]
const CASBIN: &str = "**casbin** holds the same policies in memory, without its optional cache of answers (the questions are spread over \
    more pairs than repeat). It evaluates a general matcher expression, which users may change, policy by policy until one allows; so a hit costs \
    half the policies on average and a miss all of them. Each half of a pair asks it as many questions as fit in its time, at least one.";

#[cfg(feature = "baselines")]
const CEDAR: &str = "**cedar-policy** has five policies, one for each action, that compare the roles of the user with an attribute of the \
    resource: the form that its makers advise instead of a policy for each grant. Its entities are made before, with everything that \
    each is in already worked out; a question makes its request from texts, as grantd does. Cedar evaluates arbitrary \
    conditions and says which policies decided; a change of who is in what means to make new entities.";

/// A row that says how many times faster than another engine grantd is.
#[cfg(feature = "baselines")]
pub(crate) fn faster(
    options: &Options,
    what: String,
    against: &str,
    graph: &Graph,
    asks: &[Ask],
    mut side: impl FnMut(&Ask) -> anyhow::Result<bool>,
    target: Target,
) -> anyhow::Result<Row> {
    let (mut ours, mut theirs) = (Asking::new(asks), Asking::new(asks));
    let pairs = measure(
        options.pairs,
        || ours.run(options.short_half, |ask| engine::check(graph, ask)),
        || theirs.run(options.short_half, &mut side),
    )?;
    Ok(Row {
        what,
        against: format!("{against} (times faster)"),
        figure: Figure::Ratio(pairs.b_to_a()),
        medians: nanoseconds(&pairs),
        target,
    })
}
