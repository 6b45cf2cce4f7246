//! Check in process from texts at ten million relationships, next to the floor.

use crate::bench::Bench;
use crate::data::scale::{DOCUMENTS, MODEL, Scale};
use crate::sides::engine;
use crate::sides::floor::Floor;
use crate::table::Target;
use crate::workloads::rbac::{FLOOR, against_floor};

const QUESTIONS: usize = 200_000;

pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let scale = Scale { relationships: bench.options.large };
    let (hits, misses) = (scale.hits(DOCUMENTS, QUESTIONS), scale.misses(DOCUMENTS, QUESTIONS));
    let graph = engine::build(MODEL, scale.facts(DOCUMENTS))?;
    let floor = Floor::build(scale.facts(DOCUMENTS), &[&hits]);
    for (answer, asks) in [("hit, half of them through a group", &hits), ("miss", &misses)] {
        let what = format!("check in process, {}, {answer}", scale.title());
        bench.table.row(&against_floor(&bench.options, what, &graph, &floor, asks, Target::AtMost(3.0))?);
    }
    bench.table.note(FLOOR);
    bench.table.note(
        "**At scale** a document has two users and 1.6 groups on average, a group 30 members and a user three groups, and ids have \
         16 to 36 bytes. The floor probes one pair; a miss in grantd has to rule out every group of the document.",
    );
    Ok(())
}
