//! The chain and the compare-and-set.

use std::sync::Arc;

use grantd_ledger::entry::{CONTINUED, ChangeBytes, Hash, Revision};
use grantd_ledger::store::{Append, Appended, Head, StoreError};

use crate::world::{REALM, World, append_of, command, draft, durable, ledger_id};

pub(crate) async fn create_once(world: &World) {
    let head = world.store.create(REALM, ledger_id(1)).await.unwrap();
    assert_eq!(head, Head::empty(ledger_id(1)));
    let again = world.store.create(REALM, ledger_id(2)).await;
    assert!(matches!(again, Err(StoreError::LedgerExists(_))), "{again:?}");
    assert_eq!(world.store.head(REALM).await.unwrap(), head);
    assert_eq!(world.store.realms().await.unwrap(), [REALM]);
    assert!(world.store.entries(REALM, 0, 10).await.unwrap().is_empty());
    for name in ["", "a\nb", &"x".repeat(256)] {
        let refused = world.store.create(name, ledger_id(3)).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    }
    assert!(world.store.now().await.unwrap() > 1_700_000_000_000_000);
}

pub(crate) async fn order_and_paging(world: &World) {
    let head = world.ledger(REALM, 5).await;
    assert_eq!(head.revision, 5);
    assert_eq!(world.store.head(REALM).await.unwrap(), head);

    let all = world.all(REALM).await;
    assert_eq!(all.iter().map(|one| one.entry.revision).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(all[0].entry.prev, Hash::default());
    assert_eq!(Head::of(&all[4].entry), head);
    for (disclosed, number) in all.iter().zip(1_u8..) {
        let draft = draft(number);
        assert_eq!(disclosed.disclosures, draft.disclosures);
        assert_eq!(disclosed.entry.changes, draft.changes);
        assert_eq!(disclosed.entry.reason, draft.reason);
        assert_eq!(disclosed.entry.time, draft.time);
        assert_eq!(disclosed.entry.hash, disclosed.entry.computed_hash());
    }
    assert_eq!(world.store.entries(REALM, 0, 2).await.unwrap(), all[..2]);
    assert_eq!(world.store.entries(REALM, 2, 2).await.unwrap(), all[2..4]);
    assert_eq!(world.store.entries(REALM, 4, 2).await.unwrap(), all[4..]);
    assert!(world.store.entries(REALM, 5, 2).await.unwrap().is_empty());
    assert!(world.store.entries(REALM, Revision::MAX, 2).await.unwrap().is_empty());
    assert!(world.store.entries(REALM, 0, 0).await.unwrap().is_empty());
}

pub(crate) async fn heads_of_many(world: &World) {
    let (first, second) = (world.ledger("second", 2).await, world.ledger("first", 5).await);
    let before = world.store.now().await.unwrap();
    let asked = ["second", "missing", "first"].map(str::to_owned);
    let (now, mut heads) = world.store.heads(&asked).await.unwrap();
    heads.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(heads, [("first".to_owned(), second), ("second".to_owned(), first)]);
    assert!(before <= now && now <= world.store.now().await.unwrap());
    assert!(world.store.heads(&[]).await.unwrap().1.is_empty());
}

pub(crate) async fn conflict_tells_the_head(world: &World) {
    let head = world.ledger(REALM, 2).await;
    let others = [
        Head { revision: 1, ..head },
        Head { hash: Hash([9; 32]), ..head },
        Head { ledger_id: ledger_id(9), ..head },
        Head { time: head.time + 1, ..head },
        Head::empty(ledger_id(1)),
    ];
    for expected in others {
        let appended = world.store.append(append_of(REALM, expected, [9])).await;
        assert!(matches!(appended, Appended::Conflict(now) if now == head), "{expected:?}: {appended:?}");
    }
    assert_eq!(world.all(REALM).await.len(), 2);
    assert!(world.store.find_commands(REALM, &[command(9)]).await.unwrap().is_empty());
}

pub(crate) async fn one_winner_among_many(world: &World) {
    let head = world.ledger(REALM, 1).await;
    let racers: Vec<_> = (10..26_u8)
        .map(|number| {
            let store = Arc::clone(&world.store);
            tokio::spawn(async move { store.append(append_of(REALM, head, [number])).await })
        })
        .collect();
    let mut won = Vec::new();
    let mut lost = Vec::new();
    for racer in racers {
        match racer.await.unwrap() {
            Appended::Durable(head) => won.push(head),
            Appended::Conflict(head) => lost.push(head),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|told| *told == won[0]), "a loser is told the winner's head");
    assert_eq!(world.all(REALM).await.len(), 2);
    assert_eq!(world.store.head(REALM).await.unwrap(), won[0]);
}

/// Many writers over several realms, each trying again after a conflict: every one gets in exactly once.
pub(crate) async fn many_at_once(world: &World) {
    let realms = ["a", "b", "c"];
    for realm in realms {
        world.ledger(realm, 0).await;
    }
    let writers: Vec<_> = (0..30_u8)
        .map(|number| {
            let store = Arc::clone(&world.store);
            let realm = realms[usize::from(number % 3)];
            tokio::spawn(async move {
                let mut head = store.head(realm).await.unwrap();
                loop {
                    match store.append(append_of(realm, head, [number])).await {
                        Appended::Durable(_) => return,
                        Appended::Conflict(now) => head = now,
                        other => panic!("{other:?}"),
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    for realm in realms {
        let mut ids: Vec<_> = world.all(realm).await.iter().map(|one| one.entry.command_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 10);
        assert_eq!(world.store.head(realm).await.unwrap().revision, 10);
    }
}

pub(crate) async fn refused_drafts(world: &World) {
    let head = world.ledger(REALM, 1).await;
    let mut no_change = draft(2);
    no_change.changes.clear();
    let mut gap = draft(2);
    gap.disclosures[1].slot = 2;
    let mut no_reason = draft(2);
    no_reason.reason = Some(2);
    let mut reserved = draft(2);
    reserved.changes.push(ChangeBytes { kind: CONTINUED, version: 1, body: vec![0; 16] });
    for bad in [no_change, gap, no_reason, reserved] {
        let append = Append { drafts: vec![draft(3), bad], ..Append::on(REALM, head) };
        let appended = world.store.append(append).await;
        assert!(matches!(appended, Appended::Rejected(StoreError::Invalid(_))), "{appended:?}");
    }
    assert_eq!(world.store.head(REALM).await.unwrap(), head);
}

pub(crate) async fn unknown_realm(world: &World) {
    let no_ledger = |error: StoreError| assert!(matches!(error, StoreError::NoLedger(_)), "{error:?}");
    no_ledger(world.store.head("nobody").await.unwrap_err());
    no_ledger(world.store.entries("nobody", 0, 1).await.unwrap_err());
    match world.store.append(append_of("nobody", Head::empty(ledger_id(1)), [1])).await {
        Appended::Rejected(error) => no_ledger(error),
        other => panic!("{other:?}"),
    }
    assert!(world.store.find_commands("nobody", &[command(1)]).await.unwrap().is_empty());
    assert!(world.store.snapshot("nobody").await.unwrap().is_none());
    assert!(world.store.realms().await.unwrap().is_empty());
}

pub(crate) async fn realms_are_isolated(world: &World) {
    let one = world.ledger("one", 2).await;
    let two = world.store.create("two", ledger_id(2)).await.unwrap();
    let two = durable(world.store.append(append_of("two", two, [7])).await);
    assert_eq!(world.store.head("one").await.unwrap(), one);
    assert_eq!(world.all("two").await.len(), 1);
    assert_eq!(world.store.find_commands("one", &[command(7)]).await.unwrap(), []);
    assert_eq!(world.store.find_commands("two", &[command(7)]).await.unwrap(), [(command(7), 1)]);
    assert_eq!(world.store.realms().await.unwrap(), ["one", "two"]);

    // An erasure names the same revision and slot in both.
    let erase = Append { erase: vec![(1, 0)], ..Append::on("one", one) };
    durable(world.store.append(erase).await);
    assert_eq!(world.all("two").await[0].disclosures.len(), 2);
    assert_eq!(world.store.head("two").await.unwrap(), two);
}

pub(crate) async fn commands_are_found(world: &World) {
    world.ledger(REALM, 4).await;
    let asked = [command(3), command(99), command(1)];
    let mut found = world.store.find_commands(REALM, &asked).await.unwrap();
    found.sort_unstable_by_key(|(_, revision)| *revision);
    assert_eq!(found, [(command(1), 1), (command(3), 3)]);
    assert!(world.store.find_commands(REALM, &[]).await.unwrap().is_empty());
}

pub(crate) async fn continue_as(world: &World) {
    let head = world.ledger(REALM, 2).await;
    let mut first = draft(3);
    first.changes.clear();
    let append =
        Append { drafts: vec![first, draft(4)], continue_as: Some(ledger_id(2)), ..Append::on(REALM, head) };
    let now = durable(world.store.append(append).await);
    assert_eq!(now.ledger_id, ledger_id(2));
    assert_eq!(now.revision, 4);
    let all = world.all(REALM).await;
    let ids: Vec<_> = all.iter().map(|one| one.entry.ledger_id).collect();
    assert_eq!(ids, [ledger_id(1), ledger_id(1), ledger_id(2), ledger_id(2)]);
    assert_eq!(all[2].entry.changes, [ChangeBytes::continued(ledger_id(1))]);
    // Whoever still has the old head is told.
    let stale = world.store.append(append_of(REALM, head, [5])).await;
    assert!(matches!(stale, Appended::Conflict(told) if told == now), "{stale:?}");
}

pub(crate) async fn time_never_runs_back(world: &World) {
    let head = world.ledger(REALM, 0).await;
    let head = durable(world.store.append(append_of(REALM, head, [9, 3, 12])).await);
    let times: Vec<_> = world.all(REALM).await.iter().map(|one| one.entry.time).collect();
    assert_eq!(times, [1_009, 1_009, 1_012]);
    assert_eq!(head.time, 1_012);
}

pub(crate) async fn reopen_keeps_everything(world: &World) {
    let head = world.ledger(REALM, 3).await;
    let before = world.all(REALM).await;
    world.store.reopen().await.unwrap();
    assert_eq!(world.store.head(REALM).await.unwrap(), head);
    assert_eq!(world.all(REALM).await, before);
    durable(world.store.append(append_of(REALM, head, [4])).await);
}

pub(crate) async fn closed_store_fails(world: &World) {
    let head = world.ledger(REALM, 1).await;
    world.store.close().await.unwrap();
    assert!(matches!(world.store.head(REALM).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(world.store.reopen().await, Err(StoreError::Unavailable(_))));
    let appended = world.store.append(append_of(REALM, head, [2])).await;
    assert!(matches!(appended, Appended::Rejected(StoreError::Unavailable(_))), "{appended:?}");
}
