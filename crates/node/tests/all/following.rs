//! A node follows what another one writes to the store that they share.

use std::sync::Arc;
use std::time::Duration;

use grantd_node::realm::Micros;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::{Clock, Follow, Node, Realm, Unready};
use grantd_testkit::clock::Clock as HandClock;

use crate::support::{Rig, code, does, request, user};

const SECOND: Micros = 1_000_000;

/// Longer than any test runs.
const NEVER: Duration = Duration::from_secs(3_600);

fn never_polls() -> Follow {
    Follow { poll: NEVER, ..Follow::default() }
}

fn often() -> Follow {
    Follow { poll: Duration::from_millis(10), ..Follow::default() }
}

async fn default_of(node: &Node) -> Arc<Realm> {
    node.realm(DEFAULT).await.unwrap()
}

/// Whether the realm comes to have this revision without being asked.
async fn reaches(realm: &Realm, revision: u64) -> bool {
    realm.wait_for(revision, Duration::from_secs(20)).await
}

/// Waits for what a task of the node does.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..2_000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to be so");
}

#[tokio::test]
async fn what_another_node_writes_is_seen_by_all_realms_of_a_node() {
    let rig = Rig::shared().await;
    rig.create("other").await;
    let (here, there) = (rig.following(often()).await, rig.node());
    for name in [DEFAULT, "other"] {
        let (here, there) = (here.realm(name).await.unwrap(), there.realm(name).await.unwrap());
        let done = does(&there, user("ann")).await;
        assert!(reaches(&here, done.revision).await, "{name}");
        assert_eq!(here.published().state.hash(), there.published().state.hash());
    }
}

#[tokio::test]
async fn what_another_node_announces_is_seen_without_a_poll() {
    let rig = Rig::shared().await;
    let there = rig.realm().await;
    let node = rig.following(never_polls()).await;
    let here = default_of(&node).await;
    let bob = does(&there, user("bob")).await;
    rig.store.announce("a realm that is not loaded");
    rig.store.announce(DEFAULT);
    assert!(reaches(&here, bob.revision).await);
    // More than the channel holds.
    let eve = does(&there, user("eve")).await;
    for n in 0..100 {
        rig.store.announce(&format!("r{n}"));
    }
    assert!(reaches(&here, eve.revision).await, "what was lost is looked for");
}

#[tokio::test]
async fn a_store_that_fails_for_a_while_is_followed_again() {
    let rig = Rig::shared().await;
    let node = rig.following(often()).await;
    let here = default_of(&node).await;
    let there = rig.realm().await;
    let asked = rig.store.heads_asked();
    rig.store.fail_reads(7);
    until(async || rig.store.heads_asked() > asked + 7).await;
    let done = does(&there, user("ann")).await;
    assert!(reaches(&here, done.revision).await);
    assert_eq!(node.unready(DEFAULT).await, []);
}

#[tokio::test]
async fn a_state_is_stale_when_it_has_not_been_known_to_be_the_newest() {
    let rig = Rig::shared().await;
    let node = rig.following(never_polls()).await;
    let realm = default_of(&node).await;
    assert_eq!(node.stale_for(&realm), None);
    rig.clock.advance(5 * SECOND);
    rig.clock.advance(SECOND);
    assert_eq!(node.stale_for(&realm), Some(6));
    realm.catch_up().await.unwrap();
    assert_eq!(node.stale_for(&realm), None, "the store says that it is the newest");
    rig.clock.advance(7 * SECOND);
    assert_eq!(node.stale_for(&realm), Some(7));
    does(&realm, user("ann")).await;
    assert_eq!(node.stale_for(&realm), None, "an append proves it");
    rig.clock.advance(8 * SECOND);
    does(&*rig.realm().await, user("bob")).await;
    realm.catch_up().await.unwrap();
    assert_eq!(node.stale_for(&realm), None, "it is, after it was read");

    let alone = Rig::new().await;
    let node = alone.following(never_polls()).await;
    let realm = default_of(&node).await;
    alone.clock.advance(100 * SECOND);
    assert_eq!((node.stale_for(&realm), node.lag()), (None, None), "nobody else writes");
}

#[tokio::test]
async fn while_the_store_is_away_checks_go_on_and_changes_are_refused() {
    let rig = Rig::shared().await;
    let node = rig.following(never_polls()).await;
    let realm = default_of(&node).await;
    does(&realm, user("ann")).await;
    rig.store.fail_reads(usize::MAX);
    assert_eq!(code(realm.catch_up().await), "unavailable");
    let appends = rig.store.appends();
    assert_eq!(code(realm.submit(request(user("bob"))).await), "unavailable");
    assert_eq!(rig.store.appends(), appends, "it was known to be away");
    assert_eq!(node.unready(DEFAULT).await, [], "all nodes would be called away at once");
    assert!(node.loaded_realm(DEFAULT).unwrap().published().state.users().get("ann").is_some());
    rig.clock.advance(59 * SECOND);
    assert_eq!(node.unready(DEFAULT).await, []);
    rig.clock.advance(2 * SECOND);
    assert_eq!(node.unready(DEFAULT).await, [Unready::Lagging(61)]);
    rig.store.fail_reads(0);
    does(&realm, user("bob")).await;
    assert_eq!(node.unready(DEFAULT).await, [], "it goes on by itself");
}

#[tokio::test]
async fn a_node_may_be_let_lag_for_ever() {
    let rig = Rig::shared().await;
    let node = rig.following(Follow { max_lag: None, ..never_polls() }).await;
    default_of(&node).await;
    rig.clock.advance(1_000 * SECOND);
    assert_eq!(node.unready(DEFAULT).await, []);
}

#[tokio::test]
async fn a_node_that_knows_of_entries_and_cannot_read_them_is_not_ready() {
    let rig = Rig::shared().await;
    let node = rig.following(never_polls()).await;
    let realm = default_of(&node).await;
    does(&*rig.realm().await, user("ann")).await;
    rig.store.fail_entries(usize::MAX);
    assert_eq!(code(realm.catch_up().await), "unavailable");
    assert_eq!(node.unready(DEFAULT).await, []);
    rig.clock.advance(6 * SECOND);
    assert_eq!(node.unready(DEFAULT).await, [Unready::Behind(6)]);
    rig.store.fail_entries(0);
    realm.catch_up().await.unwrap();
    assert_eq!(node.unready(DEFAULT).await, []);
}

/// A machine with a clock that is off.
struct Off {
    hand: HandClock,
    by: HandClock,
}

impl Clock for Off {
    fn now(&self) -> Micros {
        self.hand.now() + self.by.now()
    }

    fn steady(&self) -> Duration {
        Duration::from_micros(self.hand.now().unsigned_abs())
    }
}

#[tokio::test]
async fn a_machine_whose_clock_is_off_tells_the_stores_time_and_is_not_ready() {
    const TEN_MINUTES: Micros = 600 * SECOND;
    let rig = Rig::shared().await;
    let by = HandClock::at(TEN_MINUTES);
    let clock = Arc::new(Off { hand: rig.clock.clone(), by: by.clone() });
    let node = rig.following_by(never_polls(), clock).await;
    let realm = default_of(&node).await;
    let is_right = || (node.now() - rig.clock.now()).abs() < SECOND;
    assert!(is_right(), "{} {}", node.now(), rig.clock.now());
    assert_eq!(node.unready(DEFAULT).await, [Unready::ClockOff(600)]);
    by.set(-TEN_MINUTES);
    assert!(is_right());
    assert_eq!(node.unready(DEFAULT).await, [Unready::ClockOff(-600)]);
    by.set(4 * SECOND);
    assert_eq!(node.unready(DEFAULT).await, []);
    rig.clock.advance(30 * SECOND);
    realm.catch_up().await.unwrap();
    assert!(is_right());
}

#[tokio::test]
async fn many_who_ask_for_the_head_share_a_question() {
    let rig = Rig::shared().await;
    let node = rig.following(never_polls()).await;
    let realm = default_of(&node).await;
    let before = rig.store.heads_asked();
    let asked = futures::future::join_all((0..500).map(|_| realm.catch_up())).await;
    assert!(asked.into_iter().all(|outcome| outcome.is_ok()));
    let questions = rig.store.heads_asked() - before;
    assert!(questions <= 5, "{questions}");
}

#[tokio::test]
async fn what_waits_behind_a_hanging_append_is_withdrawn_when_the_store_is_away() {
    let rig = Rig::shared().await;
    let node = rig.following(never_polls()).await;
    let realm = default_of(&node).await;
    rig.store.delay_appends(Duration::from_secs(3));
    let appends = rig.store.appends();
    let ann = tokio::spawn({
        let realm = realm.clone();
        async move { realm.submit(request(user("ann"))).await }
    });
    until(async || rig.store.appends() > appends).await;
    let bob = async { code(realm.submit(request(user("bob"))).await) };
    let away = async {
        rig.store.fail_reads(2);
        code(realm.catch_up().await)
    };
    assert_eq!(tokio::join!(bob, away), ("unavailable".into(), "unavailable".into()));
    assert_eq!(code(ann.await.unwrap()), "done");
    rig.store.delay_appends(Duration::ZERO);
    does(&realm, user("carol")).await;
    assert_eq!(rig.times_made("bob").await, 0, "it was said that nothing was done");
}
