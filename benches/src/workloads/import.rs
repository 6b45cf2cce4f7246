//! A large realm: how it is filled, what it takes, and what a search and a write cost there.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use crate::bench::Bench;
use crate::data::scale::ROLES;
use crate::data::{Ask, Fact};
use crate::http::requests::{Request, Says, post};
use crate::http::site::Site;
use crate::pairs::{Pairs, measure};
use crate::ratio::{Ratio, grouped, short};
use crate::table::{Figure, Row, Target};
use crate::workloads::memory::{PEAK, STEADY};

const WRITE: usize = 100;
const QUESTIONS: usize = 1 << 10;
/// By then a server that was started has nothing left to do.
const SETTLED: Duration = Duration::from_secs(30);

pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let large = bench.large()?;
    filled(bench, &large);
    let small = bench.small()?;
    for search in [resources, subjects] {
        searches(bench, &large, &small, search)?;
    }
    writes(bench, &large, &small)?;
    drop(large);
    restarted(bench)
}

fn filled(bench: &mut Bench, site: &Site) {
    let filled = &site.filled;
    let count = site.scale.relationships as f64;
    let title = site.scale.title();
    let row = |what: String, figure, medians, target| Row {
        what,
        against: "-".to_owned(),
        figure,
        medians,
        target,
    };
    bench.table.row(&row(
        format!("import, {title}"),
        Figure::Once(count / filled.seconds, "relationships/s"),
        format!("{} s by {}", short(filled.seconds), filled.by),
        Target::Recorded,
    ));
    let megabytes = format!("{} MB of the whole process", short(filled.peak / 1e6));
    bench.table.row(&row(
        format!("most memory of the server during that import, {title}"),
        Figure::Once(filled.peak / count, "bytes each"),
        megabytes,
        Target::AtMost(PEAK),
    ));
    bench.table.row(&row(
        format!("memory of the server right after it, {title}"),
        Figure::Once(filled.resident / count, "bytes each"),
        String::new(),
        Target::Recorded,
    ));
}

/// What the answer must hold, and the body.
type Search = fn(&Ask) -> (&'static str, String, serde_json::Value);

fn resources(ask: &Ask) -> (&'static str, String, serde_json::Value) {
    let subject = json!({ "type": ask.subject_kind, "id": ask.subject });
    let body = json!({ "subject": subject, "action": ask.action, "resource_type": ask.kind, "limit": 1_000 });
    ("/api/v1/search/resources", ask.resource.clone(), body)
}

fn subjects(ask: &Ask) -> (&'static str, String, serde_json::Value) {
    let resource = json!({ "type": ask.kind, "id": ask.resource });
    let body = json!({ "resource": resource, "action": ask.action, "subject_type": ask.subject_kind, "limit": 1_000 });
    ("/api/v1/search/subjects", ask.subject.clone(), body)
}

fn searches(bench: &mut Bench, large: &Site, small: &Site, search: Search) -> anyhow::Result<()> {
    let requests = |site: &Site| -> Rc<[Request]> {
        let found = site.scale.hits(ROLES, QUESTIONS);
        let request = |ask: &Ask| {
            let (path, holds, body) = search(ask);
            post(path, &body.to_string(), Says::Text(holds.into()))
        };
        found.iter().map(request).collect()
    };
    let ask = small.scale.hits(ROLES, 1).pop().context("a question")?;
    let path = search(&ask).0;
    let what = format!("POST {path}, all results on one page, 8 connections, {}", large.scale.title());
    let against = format!("the same at {}", small.scale.title());
    if !large.server.has(path)? {
        bench.table.row(&Row::not_available(what, against, format!("there is no `{path}`")));
        return Ok(());
    }
    let (of_large, of_small) = (requests(large), requests(small));
    let pairs = measure(
        bench.options.pairs,
        || Ok(bench.half(&large.server, 8, &of_large)?.0),
        || Ok(bench.half(&small.server, 8, &of_small)?.0),
    )?;
    let [a, b] = [pairs.median_a(), pairs.median_b()].map(grouped);
    let medians = format!("{a}/s against {b}/s");
    bench.table.row(&recorded(what, against, pairs.a_to_b(), medians));
    bench.table.note(
        "**A search** here finds about 100 resources of a user, or about 50 users of a resource, and each answer must hold one that is \
         known to be found.",
    );
    Ok(())
}

fn recorded(what: String, against: String, ratio: Ratio, medians: String) -> Row {
    Row { what, against, figure: Figure::Ratio(ratio), medians, target: Target::Recorded }
}

/// One write of 100 relationships after the other.
fn writes(bench: &mut Bench, large: &Site, small: &Site) -> anyhow::Result<()> {
    let next = Rc::new(std::cell::Cell::new(0_usize));
    let half = |site: &Site| -> anyhow::Result<f64> {
        let next = next.clone();
        let request = move |_| {
            let from = next.replace(next.get() + WRITE);
            let write: Vec<_> = (from..from + WRITE)
                .map(|n| {
                    let resource = ("role", format!("written-{:08}", n / 7));
                    Fact::direct(resource, "member", ("user", format!("writer-{n:08}"))).json()
                })
                .collect();
            let says = Says::Text(Arc::from(format!("\"written\":{WRITE}")));
            post("/api/v1/relationships", &json!({ "write": write }).to_string(), says)
        };
        let served = crate::http::closed::run(site.server.addr, 1, bench.options.half, request)?;
        Ok(1e3 / served.per_second)
    };
    let pairs: Pairs = measure(bench.options.pairs, || half(large), || half(small))?;
    let [a, b] = [pairs.median_a(), pairs.median_b()].map(short);
    let what = format!("a durable write of {WRITE} relationships, one client, {}", large.scale.title());
    let against = format!("the same at {}", small.scale.title());
    bench.table.row(&recorded(what, against, pairs.a_to_b(), format!("{a} ms against {b} ms")));
    Ok(())
}

fn restarted(bench: &mut Bench) -> anyhow::Result<()> {
    let site = bench.take_large()?;
    let path = bench.check_path(&site.server)?;
    let (site, seconds) = site.restart(&path)?;
    // The state's hash is made meanwhile.
    std::thread::sleep(SETTLED);
    let resident = site.server.resident()?;
    let title = site.scale.title();
    bench.table.row(&Row {
        what: format!("restart, to the first right answer, {title}"),
        against: "-".to_owned(),
        figure: Figure::Once(seconds, "s"),
        medians: String::new(),
        target: Target::Recorded,
    });
    bench.table.row(&Row {
        what: format!("memory of the server half a minute after a restart, {title}"),
        against: "-".to_owned(),
        figure: Figure::Once(resident / site.scale.relationships as f64, "bytes each"),
        medians: format!("{} MB of the whole process", short(resident / 1e6)),
        target: Target::AtMost(STEADY),
    });
    bench.give_large(site);
    Ok(())
}
