//! What the cases have in common: a store, somebody who tampers with its tables, and drafts to append.

use std::sync::Arc;

use async_trait::async_trait;
use grantd_ledger::entry::{ChangeBytes, CommandId, Disclosed, Disclosure, Draft, LedgerId};
use grantd_ledger::store::{Append, Appended, Head, Store};
use uuid::Uuid;

/// Changes tables behind the store's back, in SQL that both databases take.
#[async_trait]
pub(crate) trait Tamper: Send + Sync {
    async fn run(&self, sql: &str);
}

pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) tamper: Arc<dyn Tamper>,
}

pub(crate) const REALM: &str = "default";

pub(crate) fn ledger_id(number: u128) -> LedgerId {
    LedgerId(Uuid::from_u128(number))
}

pub(crate) fn command(number: u8) -> CommandId {
    CommandId([number; 16])
}

/// A draft with a reason and a second erasable value; everything in it follows from `number`.
pub(crate) fn draft(number: u8) -> Draft {
    Draft {
        time: 1_000 + i64::from(number),
        actor: "user:alice".to_owned(),
        via: "api".to_owned(),
        command_id: command(number),
        reason: Some(0),
        changes: vec![ChangeBytes { kind: 7, version: 1, body: vec![number; 5] }],
        disclosures: vec![
            Disclosure { slot: 0, salt: [number; 32], value: format!("reason {number}").into_bytes() },
            Disclosure { slot: 1, salt: [number ^ 0x55; 32], value: format!("name {number}").into_bytes() },
        ],
    }
}

pub(crate) fn append_of(realm: &str, head: Head, numbers: impl IntoIterator<Item = u8>) -> Append {
    Append { drafts: numbers.into_iter().map(draft).collect(), ..Append::on(realm, head) }
}

pub(crate) fn durable(appended: Appended) -> Head {
    match appended {
        Appended::Durable(head) => head,
        other => panic!("expected a durable append, got {other:?}"),
    }
}

impl World {
    /// A new ledger with entries of drafts 1 to `entries`.
    pub(crate) async fn ledger(&self, realm: &str, entries: u8) -> Head {
        let head = self.store.create(realm, ledger_id(1)).await.unwrap();
        if entries == 0 {
            return head;
        }
        durable(self.store.append(append_of(realm, head, 1..=entries)).await)
    }

    pub(crate) async fn all(&self, realm: &str) -> Vec<Disclosed> {
        self.store.entries(realm, 0, 10_000).await.unwrap()
    }
}
