//! What an append costs; prints, and judges nothing. Run it alone:
//! `cargo test -p grantd-ledger --test conformance postgres_cost -- --include-ignored --nocapture`.

use std::time::{Duration, Instant};

use grantd_ledger::store::{Append, Appended, Head, RowWrite, Store};

use crate::postgres::{open, subject};
use crate::world::{REALM, draft, durable};

/// As many commands, each with the row that remembers its answer.
fn group(head: Head, commands: u32, seed: u32) -> Append {
    let drafts = (0..commands).map(|number| draft((number % 250) as u8)).collect();
    let rows = (0..commands)
        .map(|number| {
            let key = [seed.to_be_bytes(), number.to_be_bytes()].concat();
            RowWrite::Put { kind: "idempotency", key, value: vec![7; 200], expires: i64::MAX }
        })
        .collect();
    Append { drafts, rows, ..Append::on(REALM, head) }
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_micros();
    eprintln!("{what}: p50 {} us, p90 {} us, p99 {} us", at(50), at(90), at(99));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn what_an_append_costs() {
    let subject = subject().await;
    let mut head = subject.world().ledger(REALM, 0).await;
    let store = open(&subject.url).await;
    for (commands, rounds) in [(1, 400), (100, 60)] {
        let mut times = Vec::new();
        for seed in 0..rounds {
            let append = group(head, commands, commands * 1_000 + seed);
            let begun = Instant::now();
            head = durable(store.append(append).await);
            times.push(begun.elapsed());
        }
        print(&format!("append of {commands}"), times);
    }
    let stale = Head { revision: 0, ..head };
    let mut times = Vec::new();
    for seed in 0..200 {
        let begun = Instant::now();
        let appended = store.append(group(stale, 1, seed)).await;
        times.push(begun.elapsed());
        assert!(matches!(appended, Appended::Conflict(_)));
    }
    print("conflict", times);
}
