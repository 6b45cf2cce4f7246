//! Check in process: the document store of Cedar's benchmarks, in Cedar and in grantd's language.

use crate::bench::Bench;
use crate::data::gdrive::{ACTIONS, Drive, MODEL, N};
use crate::sides::{Asking, engine};
use crate::table::Row;

const QUESTIONS: usize = 5_000;

pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let drive = Drive::new();
    let what = |kind: &str| format!("check in process, gdrive at n = {N}, {kind}");
    let graph = match engine::build(MODEL, drive.facts()) {
        Ok(graph) => graph,
        Err(engine::NoGraph::Refused(error)) => {
            bench.table.row(&Row::not_available(what("hits and denials"), "cedar-policy 4.14", error));
            return Ok(());
        }
        Err(engine::NoGraph::Failed(error)) => return Err(error),
    };
    let kinds: [(&str, &[&str], bool); 3] = [
        ("hit, all actions", &ACTIONS, true),
        ("denial, all actions", &ACTIONS, false),
        ("denial, change_owner", &["change_owner"], false),
    ];
    for (kind, actions, allowed) in kinds {
        let asks = drive.asks(actions, QUESTIONS, allowed);
        Asking::new(&asks).prove(|ask| engine::check(&graph, ask))?;
        row(bench, what(kind), &drive, &graph, &asks)?;
    }
    bench.table.note(NOTE);
    Ok(())
}

const NOTE: &str = "**gdrive**: 200 each of users, groups, folders and documents, everything linked with a probability of 0.05, so that a \
    document is below nearly all folders older than its own and nearly everybody may read it. Cedar works out what each entity is in, directly or not, \
    when entities are made (a change means to make them again); grantd walks the folders at each question, and its relationships \
    can change at any time. The answers of both are compared with a third, plain evaluation.";

#[cfg(not(feature = "baselines"))]
fn row(
    bench: &mut Bench,
    what: String,
    _: &Drive,
    graph: &grantd_engine::Graph,
    asks: &[crate::data::Ask],
) -> anyhow::Result<()> {
    use crate::table::{Figure, Target};

    let took = Asking::new(asks).run(bench.options.half, |ask| engine::check(graph, ask))?;
    bench.table.row(&Row {
        what,
        against: format!("- ({})", crate::NO_BASELINES),
        figure: Figure::Once(took, "ns"),
        medians: String::new(),
        target: Target::Recorded,
    });
    Ok(())
}

#[cfg(feature = "baselines")]
fn row(
    bench: &mut Bench,
    what: String,
    drive: &Drive,
    graph: &grantd_engine::Graph,
    asks: &[crate::data::Ask],
) -> anyhow::Result<()> {
    use crate::table::Target;
    use crate::workloads::rbac::faster;

    let cedar = crate::sides::cedar::gdrive(drive)?;
    Asking::new(asks).prove(|ask| cedar.check(ask))?;
    let side = |ask: &crate::data::Ask| cedar.check(ask);
    let row = faster(&bench.options, what, "cedar-policy 4.14", graph, asks, side, Target::Recorded)?;
    bench.table.row(&row);
    Ok(())
}
