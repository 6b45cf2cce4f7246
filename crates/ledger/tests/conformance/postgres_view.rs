//! A view of the shared store, from which all of it is copied while nodes write.

use grantd_ledger::source::Source;
use grantd_ledger::store::{Append, RowWrite};

use crate::postgres::{open, subject};
use crate::world::{REALM, append_of, durable, ledger_id};

#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn a_view_stays_as_it_was() {
    let subject = subject().await;
    let world = subject.world();
    let head = world.ledger(REALM, 2).await;
    let store = open(&subject.url).await;
    let view = store.view().await.unwrap();
    let rows = vec![RowWrite::Put { kind: "k", key: b"a".to_vec(), value: b"1".to_vec(), expires: 9 }];
    let later = Append { rows, ..append_of(REALM, head, [3]) };
    durable(world.store.append(later).await);
    world.store.create("another", ledger_id(5)).await.unwrap();
    assert_eq!(view.realms().await.unwrap(), [REALM]);
    assert_eq!(view.head(REALM).await.unwrap(), head);
    assert_eq!(view.entries(REALM, 0, 10).await.unwrap(), world.all(REALM).await[..2]);
    assert!(view.all_rows(REALM, None, 10).await.unwrap().is_empty());
    assert!(view.secrets().await.unwrap().is_empty());
    assert!(view.checkpoints(REALM).await.unwrap().is_empty());
    drop(view);
    let again = store.view().await.unwrap();
    assert_eq!(again.head(REALM).await.unwrap().revision, 3);
}
