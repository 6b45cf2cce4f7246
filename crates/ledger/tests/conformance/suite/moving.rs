//! What copies of whole stores need: entries and rows as they are elsewhere, and the mark of a store that is being filled.

use grantd_ledger::entry::{Disclosed, LedgerId};
use grantd_ledger::store::{
    Append, Appended, Head, RowWrite, SealedSecret, SecretWrite, StoreError, StoredRow,
};
use uuid::Uuid;

use crate::world::{REALM, World, append_of, draft, durable, ledger_id};

/// A ledger with a second life, an erased value and a change of ids, and an empty one beside it to copy into.
async fn two_ledgers(world: &World) -> (Vec<Disclosed>, Head, Head) {
    let head = world.ledger(REALM, 3).await;
    let next = LedgerId(Uuid::from_u128(2));
    let again = Append { continue_as: Some(next), ..append_of(REALM, head, [4, 5]) };
    let head = durable(world.store.append(again).await);
    let head =
        durable(world.store.append(Append { erase: vec![(2, 0)], ..append_of(REALM, head, [6]) }).await);
    let empty = world.store.create("copy", ledger_id(9)).await.unwrap();
    (world.all(REALM).await, head, empty)
}

fn adopting(head: Head, adopted: &[Disclosed]) -> Append {
    Append { adopted: adopted.to_vec(), ..Append::on("copy", head) }
}

pub(crate) async fn entries_are_adopted_as_they_are(world: &World) {
    let (entries, end, empty) = two_ledgers(world).await;
    let half = durable(world.store.append(adopting(empty, &entries[..2])).await);
    assert_eq!(half, Head::of(&entries[1].entry));
    let copied = durable(world.store.append(adopting(half, &entries[2..])).await);
    assert_eq!(copied, end, "the ledger's id as well");
    assert_eq!(world.all("copy").await, entries);
    let continued = Append { continue_as: Some(ledger_id(7)), ..append_of("copy", copied, [9]) };
    let on = durable(world.store.append(continued).await);
    assert_eq!((on.revision, on.ledger_id), (end.revision + 1, ledger_id(7)));
    let both = adopting(world.store.create("third", ledger_id(9)).await.unwrap(), &entries);
    let both =
        Append { realm: "third".into(), drafts: vec![draft(9)], continue_as: Some(ledger_id(8)), ..both };
    assert_eq!(durable(world.store.append(both).await).revision, end.revision + 1);
}

pub(crate) async fn what_does_not_follow_is_not_adopted(world: &World) {
    let (entries, _, empty) = two_ledgers(world).await;
    let refused = async |append| {
        let appended = world.store.append(append).await;
        assert!(matches!(appended, Appended::Rejected(StoreError::Invalid(_))), "{appended:?}");
    };
    refused(adopting(empty, &entries[1..])).await;
    refused(adopting(empty, &[entries[0].clone(), entries[2].clone()])).await;
    let mut forged = entries[0].clone();
    forged.entry.actor = "user:mallory".into();
    refused(adopting(empty, &[forged])).await;
    let mut other_value = entries[0].clone();
    other_value.disclosures[0].value = b"another reason".to_vec();
    refused(adopting(empty, &[other_value])).await;
    let late = adopting(Head { revision: 1, ..empty }, &entries[1..2]);
    assert!(!matches!(world.store.append(late).await, Appended::Durable(_)));
    assert_eq!(world.store.head("copy").await.unwrap(), empty);
}

fn row(kind: &str, key: &[u8], expires: i64) -> StoredRow {
    StoredRow { kind: kind.into(), key: key.to_vec(), value: [key, b"!"].concat(), expires }
}

pub(crate) async fn all_rows_page_by_page(world: &World) {
    let head = world.ledger(REALM, 1).await;
    world.ledger("other", 1).await;
    let put = |kind, key: &[u8], expires| RowWrite::Put {
        kind,
        key: key.to_vec(),
        value: [key, b"!"].concat(),
        expires,
    };
    let rows =
        vec![put("b", b"1", 1), put("b", b"\xff", 2), put("a", b"2", 3), put("a", b"", 4), put("c", b"0", 5)];
    durable(world.store.append(Append { rows, ..Append::on(REALM, head) }).await);
    let expected =
        [row("a", b"", 4), row("a", b"2", 3), row("b", b"1", 1), row("b", b"\xff", 2), row("c", b"0", 5)];
    assert_eq!(world.store.all_rows(REALM, None, 10).await.unwrap(), expected);
    let mut paged: Vec<StoredRow> = Vec::new();
    loop {
        let after = paged.last().map(|row| (row.kind.as_str(), row.key.as_slice()));
        let page = world.store.all_rows(REALM, after, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, expected);
    world.store.adopt_rows("other", paged).await.unwrap();
    world.store.adopt_rows("other", vec![row("a", b"2", 9)]).await.unwrap();
    let mut expected = expected;
    expected[1].expires = 9;
    assert_eq!(world.store.all_rows("other", None, 10).await.unwrap(), expected);
}

pub(crate) async fn side_data_is_cleared(world: &World) {
    let (head, other) = (world.ledger(REALM, 1).await, world.ledger("other", 1).await);
    for (realm, head) in [(REALM, head), ("other", other)] {
        let secret = SealedSecret { name: "s".into(), version: 1, key_id: [3; 8], sealed: vec![1] };
        let secrets = vec![SecretWrite::Put(secret)];
        durable(world.store.append(Append { secrets, ..Append::on(realm, head) }).await);
        world.store.adopt_rows(realm, vec![row("a", b"1", 9)]).await.unwrap();
    }
    world.store.clear_side_data(REALM).await.unwrap();
    assert!(world.store.all_rows(REALM, None, 10).await.unwrap().is_empty());
    assert_eq!(world.store.secret(REALM, "s").await.unwrap(), None);
    assert_eq!(world.store.all_rows("other", None, 10).await.unwrap().len(), 1);
    assert!(world.store.secret("other", "s").await.unwrap().is_some());
}

pub(crate) async fn a_store_is_marked_unfinished(world: &World) {
    assert_eq!(world.store.unfinished().await.unwrap(), None);
    for _ in 0..2 {
        world.store.set_unfinished(Some("copy")).await.unwrap();
        assert_eq!(world.store.unfinished().await.unwrap().as_deref(), Some("copy"));
    }
    for _ in 0..2 {
        world.store.set_unfinished(None).await.unwrap();
        assert_eq!(world.store.unfinished().await.unwrap(), None);
    }
}
