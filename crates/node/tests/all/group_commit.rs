//! Many commands become few appends, and nothing is answered before it is durable.

use std::time::{Duration, Instant};

use futures::future::join_all;
use grantd_node::realm::realms::ListRealm;
use grantd_node::realm::user::DeleteUser;

use crate::support::{Rig, code, does, request, user};

#[tokio::test]
async fn many_commands_are_few_appends_each_with_its_own_revision() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let (first, appends) = (realm.published().head.revision + 1, rig.store.appends());
    rig.store.delay_appends(Duration::from_millis(20));
    let logins: Vec<String> = (0..300).map(|n| format!("u{n}")).collect();
    let done = join_all(logins.iter().map(|login| realm.submit(request(user(login))))).await;
    for (place, (login, done)) in (0_u64..).zip(logins.iter().zip(done)) {
        let done = done.unwrap();
        assert_eq!((done.revision, done.answer.login.as_str()), (first + place, login.as_str()));
    }
    assert!(rig.store.appends() - appends <= 3, "{} appends", rig.store.appends() - appends);
    let ledger = rig.ledger().await;
    assert_eq!(ledger.len() as u64, first + 299);
    assert!(ledger.is_sorted_by_key(|disclosed| disclosed.entry.time));
}

#[tokio::test]
async fn a_batch_is_decided_in_order_on_what_came_before() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let (made, again, gone, anew) = tokio::join!(
        realm.submit(request(user("ann"))),
        realm.submit(request(user("ann"))),
        realm.submit(request(DeleteUser { login: "ann".into(), ..DeleteUser::default() })),
        realm.submit(request(user("ann"))),
    );
    let (made, gone, anew) = (made.unwrap(), gone.unwrap(), anew.unwrap());
    assert_eq!(code(again), "already_exists");
    assert_eq!((gone.revision, anew.revision), (made.revision + 1, made.revision + 2));
    assert_ne!(made.answer.uuid, anew.answer.uuid);
}

#[tokio::test]
async fn refusals_and_no_ops_wait_for_what_they_rest_on() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let delay = Duration::from_millis(300);
    rig.store.delay_appends(delay);
    let start = Instant::now();
    let list = || request(ListRealm { name: "x".into() });
    let (refused, no_op) = tokio::join!(
        async {
            let (_, refused) = tokio::join!(realm.submit(request(user("ann"))), async {
                (realm.submit(request(user("ann"))).await, start.elapsed())
            });
            refused
        },
        async {
            let (made, no_op) =
                tokio::join!(realm.submit(list()), async { (realm.submit(list()).await, start.elapsed()) });
            assert_eq!(made.unwrap().revision, no_op.0.as_ref().unwrap().revision, "nothing of its own");
            no_op
        },
    );
    assert_eq!(code(refused.0), "already_exists");
    assert!(refused.1 >= delay && no_op.1 >= delay, "answered after {:?} and {:?}", refused.1, no_op.1);
}

#[tokio::test]
async fn nothing_is_seen_before_it_is_durable() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    rig.store.delay_appends(Duration::from_millis(100));
    let before = realm.published().head;
    let submitted = realm.submit(request(user("ann")));
    let looked = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let published = realm.published();
        (published.head, published.state.users().get("ann").is_some())
    };
    let (done, looked) = tokio::join!(submitted, looked);
    assert_eq!(looked, (before, false));
    let published = realm.published();
    assert_eq!(published.head.revision, done.unwrap().revision);
    assert!(published.state.users().get("ann").is_some());
}

#[tokio::test]
async fn wait_for_tells_what_came_and_what_did_not() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let next = realm.published().head.revision + 1;
    assert!(realm.wait_for(next - 1, Duration::ZERO).await, "it is there");
    assert!(!realm.wait_for(next, Duration::from_millis(30)).await, "nobody wrote");
    let patience = Duration::from_secs(20);
    let (reached, done) = tokio::join!(realm.wait_for(next, patience), realm.submit(request(user("ann"))));
    assert!(reached);
    assert_eq!(done.unwrap().revision, next);
}

#[tokio::test]
async fn a_password_is_sealed_with_its_entry() {
    use grantd_node::realm::command::Secret;
    use grantd_node::realm::user::{CreateUser, UpdateUser, password_secret};

    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let hash = |text: &str| Some(Secret(text.into()));
    let made = does(&realm, CreateUser { password: hash("first"), ..user("ann") }).await.answer;
    let name = password_secret(made.uuid);
    assert_eq!(realm.secret(&name).await.unwrap().as_deref(), Some("first"));
    let change = UpdateUser { login: "ann".into(), password: hash("second"), ..UpdateUser::default() };
    does(&realm, change).await;
    assert_eq!(realm.secret(&name).await.unwrap().as_deref(), Some("second"));
    does(&realm, DeleteUser { login: "ann".into(), ..DeleteUser::default() }).await;
    assert_eq!(realm.secret(&name).await.unwrap(), None);
}
