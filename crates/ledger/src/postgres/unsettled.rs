//! Appends whose end we did not see, and how a ledger is made sure of again.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use tokio_postgres::Row;

use super::error::warned;
use super::flush::Flush;
use super::{Busy, PostgresStore, within};
use crate::store::StoreError;

/// What this process knows about each realm's lost appends.
#[derive(Default)]
pub(super) struct Doubts {
    /// Realms with an append of which we do not know whether it is still under way.
    unsettled: Mutex<BTreeSet<String>>,
    /// How often the ledger was settled, as far as we know; 0 if it is not here.
    epochs: Mutex<HashMap<String, i64>>,
}

/// An append that was sent. Unless it is told that it [landed](Self::landed), its realm is unsettled, also when nobody
/// waits for it any more.
pub(super) struct InFlight<'a> {
    doubts: &'a Doubts,
    realm: Option<&'a str>,
}

impl InFlight<'_> {
    /// How it ended is known.
    pub(super) fn landed(mut self) {
        self.realm = None;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if let Some(realm) = self.realm {
            let mut unsettled = self.doubts.unsettled.lock().unwrap_or_else(PoisonError::into_inner);
            unsettled.insert(realm.to_owned());
        }
    }
}

impl PostgresStore {
    pub(super) fn in_flight<'a>(&'a self, realm: &'a str) -> InFlight<'a> {
        InFlight { doubts: &self.doubts, realm: Some(realm) }
    }

    pub(super) fn epoch(&self, realm: &str) -> i64 {
        let epochs = self.doubts.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        epochs.get(realm).copied().unwrap_or_default()
    }

    pub(super) fn learn_epoch(&self, realm: &str, epoch: i64) {
        let mut epochs = self.doubts.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        epochs.insert(realm.to_owned(), epoch);
    }

    /// Settles every realm that needs it.
    pub(super) async fn settle_all(&self) -> Result<(), StoreError> {
        let realms: Vec<String> = {
            let unsettled = self.doubts.unsettled.lock().unwrap_or_else(PoisonError::into_inner);
            unsettled.iter().cloned().collect()
        };
        for realm in realms {
            self.settle(&realm).await?;
        }
        Ok(())
    }

    /// Makes sure that no append of ours can still arrive. One that is at work holds the head's row, and this waits for it
    /// to commit or to go; one that comes later finds another epoch. And as this is committed where its predecessors
    /// are, what is read afterwards is as safe as an append.
    async fn settle(&self, realm: &str) -> Result<(), StoreError> {
        let client = self.client().await?;
        let busy = Busy::on(&client);
        let before = client.warnings();
        let counting = within(&self.options, async {
            let mut flush = Flush::begin(&client);
            let sql = "UPDATE ledger SET epoch = epoch + 1 WHERE realm = $1 RETURNING epoch";
            flush.add(sql, vec![Box::new(realm)]).await?;
            let answers: Vec<Vec<Row>> = flush.commit().await?.into_iter().collect::<Result<_, _>>()?;
            answers.iter().flatten().next().map(|row| row.try_get(0)).transpose()
        });
        let settled: Option<i64> = counting.await?;
        if client.warnings() != before {
            return Err(warned());
        }
        busy.done();
        if let Some(epoch) = settled {
            self.learn_epoch(realm, epoch);
        }
        self.doubts.unsettled.lock().unwrap_or_else(PoisonError::into_inner).remove(realm);
        Ok(())
    }
}
