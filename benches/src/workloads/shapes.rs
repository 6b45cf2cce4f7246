//! Check in process: shapes of SpiceDB's benchmarks.

use crate::bench::Bench;
use crate::data::shapes::{Shape, deep_chain, wide_arrow, wide_groups};
use crate::sides::engine;
use crate::sides::floor::Floor;
use crate::table::{Row, Target};
use crate::workloads::rbac::against_floor;

pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    for make in [wide_groups, deep_chain, wide_arrow] {
        // The floor takes its own copy of what the graph is made of.
        shape(bench, make(), make())?;
    }
    bench.table.note(
        "**The shapes** are those of SpiceDB's own benchmarks, with denials added. SpiceDB itself is not here: it is a server in \
         another language, and a ratio across processes would say nothing of the engines. The floor has the answer itself in its set; grantd walks \
         the groups, parents or arrows at each question.",
    );
    Ok(())
}

fn shape(bench: &mut Bench, shape: Shape, again: Shape) -> anyhow::Result<()> {
    let Shape { title, model, facts, hits, misses } = shape;
    let graph = match engine::build(model, facts) {
        Ok(graph) => graph,
        Err(engine::NoGraph::Refused(error)) => {
            bench.table.row(&Row::not_available(format!("check in process, {title}"), "the floor", error));
            return Ok(());
        }
        Err(engine::NoGraph::Failed(error)) => return Err(error),
    };
    let floor = Floor::build(again.facts.into_iter(), &[&hits]);
    for (answer, asks) in [("hit", &hits), ("denial", &misses)] {
        let what = format!("check in process, {title}, {answer}");
        bench.table.row(&against_floor(&bench.options, what, &graph, &floor, asks, Target::Recorded)?);
    }
    Ok(())
}
